"""What people thought of answers and hits. It is forgotten once it was handled and is old."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from pes_search.service.records.file import LARGEST_SQLITE_ID, NotStoredError, RecordFile
from pes_search.service.records.texts import LONGEST_TEXT_CHARACTERS, storable, without_contacts

COLUMNS = "id, at, about, question, document_id, passage_id, useful, comment, language, index_id, handled"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody thought of an answer or a hit."""

    id: int
    at: str  # ISO 8601, UTC, like every time here
    about: Literal["answer", "hit"]
    question: str
    document_id: str  # empty for an answer
    passage_id: str
    useful: bool
    comment: str
    language: str  # of the interface
    index_id: str
    handled: bool


class FeedbackRecords:
    """Feedback in the file."""

    def __init__(self, file: RecordFile) -> None:
        self._file = file

    def add(
        self,
        *,
        about: Literal["answer", "hit"],
        question: str,
        document_id: str,
        passage_id: str,
        useful: bool,
        comment: str,
        language: str,
        index_id: str,
    ) -> Feedback:
        """Keep what somebody thought, and return it as kept: without addresses and long numbers."""
        values = (
            self._file.time(),
            about,
            storable(without_contacts(question), LONGEST_TEXT_CHARACTERS),
            storable(document_id),
            storable(passage_id),
            useful,
            storable(without_contacts(comment), LONGEST_TEXT_CHARACTERS),
            storable(language),
            storable(index_id),
            False,
        )
        with self._file.transaction(write=True) as connection:
            rows = connection.execute(
                f"INSERT INTO feedback ({COLUMNS}, lived) VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING {COLUMNS}",  # noqa: S608
                (*values, self._file.count_on(connection)),
            ).fetchall()
        return _feedback(rows[0])

    def comment(self, feedback_id: int, comment: str) -> None:
        """Give feedback a comment in place of the one it has.

        Raises:
            NotStoredError: there is no such feedback.
        """
        kept = storable(without_contacts(comment), LONGEST_TEXT_CHARACTERS)
        self._change(feedback_id, "UPDATE feedback SET comment = :value WHERE id = :id", kept)

    def find(self, *, useful: bool | None = None, handled: bool | None = None, limit: int = 200) -> list[Feedback]:
        """Return feedback, the newest first."""
        with self._file.transaction() as connection:
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM feedback"  # noqa: S608
                " WHERE (:useful IS NULL OR useful = :useful) AND (:handled IS NULL OR handled = :handled)"
                " ORDER BY id DESC LIMIT :limit",
                {"useful": useful, "handled": handled, "limit": limit},
            ).fetchall()
        return [_feedback(row) for row in rows]

    def set_handled(self, feedback_id: int, handled: bool) -> None:
        """Say whether feedback has been dealt with; its retention begins with this.

        Raises:
            NotStoredError: there is no such feedback.
        """
        self._change(feedback_id, "UPDATE feedback SET handled = :value, lived = :lived WHERE id = :id", handled)

    def delete(self, feedback_id: int) -> None:
        """Remove feedback.

        Raises:
            NotStoredError: there is no such feedback.
        """
        self._change(feedback_id, "DELETE FROM feedback WHERE id = :id")

    def _change(self, feedback_id: int, statement: str, value: object = None) -> None:
        with self._file.transaction(write=True) as connection:
            values = {"id": feedback_id, "value": value, "lived": self._file.count_on(connection)}
            # The number may come from an address that somebody typed.
            if abs(feedback_id) > LARGEST_SQLITE_ID or not connection.execute(statement, values).rowcount:
                raise NotStoredError(f"no feedback has the number {feedback_id}; it may have been deleted: list it again")


def _feedback(row: tuple[Any, ...]) -> Feedback:
    stored = Feedback(*row)
    return replace(stored, useful=bool(stored.useful), handled=bool(stored.handled))
