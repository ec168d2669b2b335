"""How relevant documents are to queries, as people judged them. Judgments stay, as they are work."""

from __future__ import annotations

from dataclasses import dataclass

from pes_search.service.records.file import DatabaseError, RecordFile
from pes_search.service.records.texts import LONGEST_TEXT_CHARACTERS, storable

GRADES = range(4)  # from 0, not relevant, to 3, just what was sought


@dataclass(frozen=True, slots=True)
class Judgment:
    """How relevant somebody found a document to a query."""

    query: str
    document_id: str
    grade: int  # of `GRADES`
    at: str
    index_id: str


class JudgmentRecords:
    """Judgments in the file."""

    def __init__(self, file: RecordFile) -> None:
        self._file = file

    def judge(self, *, query: str, document_id: str, grade: int | None, index_id: str) -> None:
        """Keep how relevant a document is to a query, in place of what was said before; None takes it back.

        Raises:
            DatabaseError: the grade is none of `GRADES`.
        """
        if grade is not None and grade not in GRADES:
            raise DatabaseError(f"{grade} is no grade; give one from {GRADES[0]} to {GRADES[-1]}, or none to take it back")
        key = (storable(query, LONGEST_TEXT_CHARACTERS), storable(document_id))
        with self._file.transaction(write=True) as connection:
            if grade is None:
                connection.execute("DELETE FROM judgments WHERE query = ? AND document_id = ?", key)
            else:
                connection.execute(
                    "INSERT OR REPLACE INTO judgments (query, document_id, grade, at, index_id) VALUES (?, ?, ?, ?, ?)",
                    (*key, grade, self._file.time(), storable(index_id)),
                )

    def find(self, query: str | None = None) -> list[Judgment]:
        """Return the judgments, of one query or of all, by query and document."""
        wanted = None if query is None else storable(query, LONGEST_TEXT_CHARACTERS)
        with self._file.transaction() as connection:
            rows = connection.execute(
                "SELECT query, document_id, grade, at, index_id FROM judgments WHERE :query IS NULL OR query = :query"
                " ORDER BY query, document_id",
                {"query": wanted},
            ).fetchall()
        return [Judgment(*row) for row in rows]
