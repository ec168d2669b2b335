"""What is old is forgotten: by the days that the records lived through, a part a day, after a copy was made.

A clock that jumps makes nothing old (`clock`). What is wrongly old all the same, since a setting was mistyped, goes in steps
that somebody can notice; the copies have what went last.

    FILE.before-forgetting-000183    the file as it was before something was forgotten on the 184th day
"""

from __future__ import annotations

import contextlib
import logging
import math
import re
from pathlib import Path

from pes_search.service.records.file import DAY_SECONDS, RecordFile

# Of each kind: what may be forgotten once it has not been touched for long enough, and what tells since when.
# Judgments and decisions about copies are work, open feedback waits for somebody, and dates of arrival are needed: they stay.
KINDS = {
    "feedback": ("handled", "lived"),
    "saved_searches": ("1", "opened_lived"),
    "questions": ("1", "lived"),
}
MOST_SHARE = 1 / 5  # of the rows of a kind that go in a day: of a thousand that are old ten are left after three weeks
# On a service that keeps d days, one in d + 1 rows grows old each day; so many must be able to go, and some more.
SPARE = 1.5
KEPT_COPIES = 3
KEPT_COPY_DAYS = 7  # lived through; after that what was forgotten is gone for good
logger = logging.getLogger(__name__)


def forget(file: RecordFile, retention_days: int) -> dict[str, int]:
    """Remove a part of what is older than the retention, once a day and in one transaction; return how much of each kind went.

    Raises:
        DatabaseError: the file cannot be used, or a copy of it not be made; nothing is removed then.
    """
    removed = dict.fromkeys(KINDS, 0)
    with file.transaction(write=True) as connection:
        lived = file.count_on(connection)
        if not file.claim_forgetting(connection, lived):
            return removed
        before = lived - retention_days * DAY_SECONDS
        is_any_old = any(
            connection.execute(f"SELECT 1 FROM {kind} WHERE {condition} AND {since} < ? LIMIT 1", (before,)).fetchone()  # noqa: S608
            for kind, (condition, since) in KINDS.items()
        )
    day = lived // DAY_SECONDS
    if is_any_old:
        _copy_aside(file, day)
        with file.transaction(write=True) as connection:
            for kind, (condition, since) in KINDS.items():
                rows = connection.execute(f"SELECT COUNT(*) FROM {kind}").fetchone()[0]  # noqa: S608
                removed[kind] = connection.execute(
                    f"DELETE FROM {kind} WHERE id IN"  # noqa: S608
                    f" (SELECT id FROM {kind} WHERE {condition} AND {since} < ? ORDER BY {since}, id LIMIT ?)",
                    (before, most_forgotten(rows, retention_days)),
                ).rowcount
        logger.info("forgotten: %s", ", ".join(f"{count} of {kind}" for kind, count in removed.items() if count))
    _remove_copies(file, day)
    return removed


def most_forgotten(rows: int, retention_days: int) -> int:
    """Return how many of so many rows may go in a day: one at least, and all of them only where that is one."""
    return math.ceil(rows * max(MOST_SHARE, SPARE / (retention_days + 1)))


def copies(file: RecordFile) -> dict[int, Path]:
    """Return the copies that are kept, by the day on which each was made, the latest first."""
    beside = file.path.parent.glob(f"{file.path.name}.before-forgetting-*")
    days = {int(path.name[-6:]): path for path in beside if re.search(r"-[0-9]{6}$", path.name)}
    return dict(sorted(days.items(), reverse=True))


def _copy_aside(file: RecordFile, day: int) -> None:
    target = file.path.with_name(f"{file.path.name}.before-forgetting-{day:06}")
    aside = target.with_name(f".{target.name}.part")
    aside.unlink(missing_ok=True)  # of a process that was killed
    file.copy(aside)
    aside.replace(target)


def _remove_copies(file: RecordFile, day: int) -> None:
    """Remove the copies that are too many or too old; a day that is yet to come is of a file that was there before."""
    for place, (made, path) in enumerate(copies(file).items()):
        if place >= KEPT_COPIES or not 0 <= day - made <= KEPT_COPY_DAYS:
            with contextlib.suppress(OSError):
                path.unlink()
