"""What people asked, and whether the collection had an answer. Old questions are forgotten."""

from __future__ import annotations

from dataclasses import dataclass

from pes_search.service.records.file import DAY_SECONDS, RecordFile
from pes_search.service.records.texts import LONGEST_TEXT_CHARACTERS, storable, without_contacts


@dataclass(frozen=True, slots=True)
class LoggedQuestion:
    """A question as often as it was asked, whatever its case and spaces."""

    question: str  # as first asked
    language: str
    count: int
    refused: int  # times
    reason: str  # the latest time; empty if it was answered
    confidence: float  # the latest time
    documents: int  # that its filters left, the latest time
    last: str


class QuestionRecords:
    """The log of questions in the file."""

    def __init__(self, file: RecordFile, *, is_logging: bool) -> None:
        self._file = file
        self._is_logging = is_logging

    def log(self, *, question: str, language: str, reason: str, confidence: float, documents: int) -> None:
        """Keep a question without addresses and long numbers; nothing of one that is personal, or where no log is wanted."""
        if not self._is_logging or reason == "personal_or_instruction":
            return
        kept = storable(without_contacts(" ".join(question.split())), LONGEST_TEXT_CHARACTERS)
        with self._file.transaction(write=True) as connection:
            connection.execute(
                "INSERT INTO questions (at, folded, question, language, reason, confidence, documents, lived)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self._file.time(),
                    kept.casefold(),
                    kept,
                    storable(language),
                    storable(reason),
                    confidence,
                    documents,
                    self._file.count_on(connection),
                ),
            )

    def find(self, *, days: int = 28, below: float | None = None, limit: int = 200) -> list[LoggedQuestion]:
        """Return the questions of the last days lived through, those asked most first, and among them those asked last.

        With `below` only those that were refused the latest time, or answered with a lower confidence.
        """
        with self._file.transaction() as connection:
            rows = connection.execute(
                """
                WITH asked AS (
                    SELECT COUNT(*) AS times, SUM(reason <> '') AS refused, MIN(id) AS first, MAX(id) AS last
                    FROM questions WHERE lived >= :since GROUP BY folded
                )
                SELECT first.question, last.language, times, refused, last.reason, last.confidence, last.documents, last.at
                FROM asked JOIN questions AS first ON first.id = asked.first JOIN questions AS last ON last.id = asked.last
                WHERE :below IS NULL OR last.reason <> '' OR last.confidence < :below
                ORDER BY times DESC, last.id DESC LIMIT :limit
                """,
                {"since": self._file.lived(connection) - days * DAY_SECONDS, "below": below, "limit": limit},
            ).fetchall()
        return [LoggedQuestion(*row) for row in rows]
