"""`pes keys`: making, listing and revoking keys. A running service goes by it from the next request on."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from pes_search.service.cli.frame import print_json

if TYPE_CHECKING:
    from pes_search.service.records.keys import Key, KeyRecords

LONGEST_DAYS = 36_500  # that a key may last


def add(parsed: argparse.Namespace) -> int:
    """Make a key. Its text is all that stands on stdout, so that it can be piped to where it is kept."""
    from pes_search.service.settings import SettingsError

    reads = [label.strip() for label in parsed.reads]
    if reads and parsed.role != "reader":
        raise SettingsError(f"--reads is for readers; an {parsed.role} reads everything")
    if not all(reads) or any("\n" in label for label in reads):
        raise SettingsError("--reads needs labels as documents have them, such as internal")
    if parsed.expires is not None and not 1 <= parsed.expires <= LONGEST_DAYS:
        raise SettingsError(f"--expires must be from 1 to {LONGEST_DAYS} days, not {parsed.expires}")
    key, text = _records().add(parsed.role, name=parsed.name.strip(), reads=reads, days=parsed.expires)
    if parsed.json:
        print_json({**_values(key), "key": text})
    else:
        print(f"{_line(key)}; it is shown only now, so keep it where secrets are kept:", file=sys.stderr)
        print(text)
    return 0


def list_keys(parsed: argparse.Namespace) -> int:
    """List the keys."""
    keys = _records().find()
    if parsed.json:
        print_json([_values(key) for key in keys])
        return 0
    for key in keys:
        print(_line(key))
    if not keys:
        print("no keys; make one with `pes keys add --role admin`", file=sys.stderr)
    return 0


def revoke(parsed: argparse.Namespace) -> int:
    """Revoke a key."""
    key = _records().revoke(parsed.id)
    if parsed.json:
        print_json(_values(key))
    else:
        print(_line(key))
    return 0


def _records() -> KeyRecords:
    from pes_search.service.records.records import open_records
    from pes_search.service.settings import read_settings

    return open_records(read_settings().database).keys


def _values(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "role": key.role,
        "name": key.name,
        "reads": sorted(key.reads),
        "made": key.made,
        "expires": key.expires,
        "revoked": key.revoked,
    }


def _line(key: Key) -> str:
    """Return a key as a line; its name comes last, as it may have anything in it."""
    facts = [key.id, f"{key.role:<6}", f"made {key.made[:10]}"]
    facts += [f"reads {', '.join(sorted(key.reads))}"] if key.reads else []
    facts += [f"expires {key.expires[:10]}"] if key.expires else []
    facts += [f"revoked {key.revoked[:10]}"] if key.revoked else []
    facts += ["".join(character if character.isprintable() else "?" for character in key.name)] if key.name else []
    return "  ".join(facts)
