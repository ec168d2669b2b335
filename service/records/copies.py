"""Which documents are copies, as editors decided. Decisions stay, as they are work, and count in every index."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pes_search.service.records.file import RecordFile, reading
from pes_search.service.records.texts import storable


@dataclass(frozen=True, slots=True)
class CopyDecision:
    """What an editor said of two documents, in the order of their ids."""

    first: str
    second: str
    are_copies: bool
    at: str
    index_id: str


class CopyRecords:
    """Decisions in the file."""

    def __init__(self, file: RecordFile) -> None:
        self._file = file

    def decide(self, pairs: Iterable[tuple[str, str]], *, are_copies: bool | None, index_id: str) -> None:
        """Keep for pairs of documents whether they are copies, in place of what was said before; None takes it back."""
        keys = [(storable(min(pair)), storable(max(pair))) for pair in pairs]
        with self._file.transaction(write=True) as connection:
            connection.executemany("DELETE FROM copy_decisions WHERE first = ? AND second = ?", keys)
            if are_copies is not None:
                now = self._file.time()
                connection.executemany(
                    "INSERT INTO copy_decisions (first, second, are_copies, at, index_id) VALUES (?, ?, ?, ?, ?)",
                    [(*key, are_copies, now, storable(index_id)) for key in keys],
                )

    def find(self) -> list[CopyDecision]:
        """Return the decisions, the newest first, those of one time by their documents."""
        with self._file.transaction() as connection:
            return _decisions(connection)


def kept_decisions(path: Path) -> list[CopyDecision]:
    """Return the decisions of a file, as `find` does, without making it or bringing it to this version.

    Searching needs them, so where the file is not there, or older than decisions are, there are none.

    Raises:
        DatabaseError: the file cannot be read.
    """
    if not path.exists():
        return []
    with reading(path) as connection:
        is_there = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'copy_decisions'").fetchone()
        return _decisions(connection) if is_there else []


def by_pair(decisions: Iterable[CopyDecision]) -> dict[tuple[str, str], bool]:
    """Return whether each pair are copies, as an index takes it."""
    return {(decision.first, decision.second): decision.are_copies for decision in decisions}


def _decisions(connection: sqlite3.Connection) -> list[CopyDecision]:
    rows = connection.execute(
        "SELECT first, second, are_copies, at, index_id FROM copy_decisions ORDER BY at DESC, first, second"
    )
    return [CopyDecision(first, second, bool(are_copies), at, index_id) for first, second, are_copies, at, index_id in rows]
