"""Searches that visitors come back to. One that nobody opens for long is forgotten."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pes_search.ingest.errors import VisitorError
from pes_search.service.records.file import DatabaseError, NotStoredError, RecordFile
from pes_search.service.records.texts import LONGEST_TEXT_CHARACTERS, storable

LONGEST_NAME_CHARACTERS = 200  # of a saved search's name
MOST_SAVED_SEARCHES = 100  # searches of one owner


class TooManySavedError(VisitorError, DatabaseError):
    """An owner has as many saved searches as one may have."""


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search to come back to; whoever has the token may read it."""

    token: str
    owner: str
    name: str
    query: str
    filters: Mapping[str, tuple[str, ...]]  # names and values as in the address, years as text too
    at: str
    opened: str
    lived: int  # seconds that the records had lived through when it was saved: what came later is new to it


class SavedSearchRecords:
    """Saved searches in the file."""

    def __init__(self, file: RecordFile) -> None:
        self._file = file

    def save(self, *, owner: str, name: str, query: str, filters: Mapping[str, Sequence[str]]) -> SavedSearch:
        """Keep a search; the same one of the same owner is kept once, under its first name, and counts as opened.

        Raises:
            TooManySavedError: the owner has `MOST_SAVED_SEARCHES` already.
        """
        now = self._file.time()
        wanted = {storable(key): tuple(storable(value) for value in values) for key, values in filters.items() if values}
        query, owner = storable(query, LONGEST_TEXT_CHARACTERS), storable(owner)
        with self._file.transaction(write=True) as connection:
            lived = self._file.count_on(connection)
            saved = _searches(connection, "owner = ?", owner)
            for known in saved:
                if (known.query, _as_sets(known.filters)) == (query, _as_sets(wanted)):
                    _note_opened(connection, known.token, now, lived)
                    return replace(known, opened=now)
            if len(saved) >= MOST_SAVED_SEARCHES:
                raise TooManySavedError(
                    f"{MOST_SAVED_SEARCHES} searches are saved already, which is the most; delete one first"
                )
            search = SavedSearch(
                secrets.token_urlsafe(16), owner, storable(name, LONGEST_NAME_CHARACTERS), query, wanted, now, now, lived
            )
            connection.execute(
                "INSERT INTO saved_searches (token, owner, name, query, filters, at, opened, lived, opened_lived)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (search.token, owner, search.name, query, json.dumps(wanted, ensure_ascii=False), now, now, lived, lived),
            )
        return search

    def find(self, owner: str) -> list[SavedSearch]:
        """Return an owner's searches, the newest first."""
        with self._file.transaction() as connection:
            return _searches(connection, "owner = ?", storable(owner))

    def open(self, token: str, *, is_noted: bool = True) -> SavedSearch:
        """Return a search, and note that it was opened, unless that was nobody's doing.

        Raises:
            NotStoredError: there is none.
        """
        token = storable(token)
        with self._file.transaction(write=is_noted) as connection:
            if is_noted:
                _note_opened(connection, token, self._file.time(), self._file.count_on(connection))
            searches = _searches(connection, "token = ?", token)
        if not searches:
            raise _no_search()
        return searches[0]

    def delete(self, token: str, owner: str) -> None:
        """Remove a search of this owner.

        Raises:
            NotStoredError: the owner has no such search.
        """
        with self._file.transaction(write=True) as connection:
            deleted = connection.execute(
                "DELETE FROM saved_searches WHERE token = ? AND owner = ?", (storable(token), storable(owner))
            ).rowcount
        if not deleted:
            raise _no_search()


def _searches(connection: sqlite3.Connection, condition: str, value: str) -> list[SavedSearch]:
    rows = connection.execute(
        f"SELECT token, owner, name, query, filters, at, opened, lived FROM saved_searches WHERE {condition} ORDER BY id DESC",  # noqa: S608
        (value,),
    )
    return [
        SavedSearch(
            token,
            owner,
            name,
            query,
            {key: tuple(values) for key, values in json.loads(filters).items()},
            saved_at,
            opened,
            lived,
        )
        for token, owner, name, query, filters, saved_at, opened, lived in rows
    ]


def _note_opened(connection: sqlite3.Connection, token: str, at: str, lived: int) -> None:
    connection.execute("UPDATE saved_searches SET opened = ?, opened_lived = ? WHERE token = ?", (at, lived, token))


def _as_sets(filters: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
    return {name: set(values) for name, values in filters.items()}


def _no_search() -> NotStoredError:
    return NotStoredError("there is no such saved search; it was deleted, or nobody opened it for long: save it again")
