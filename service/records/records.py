"""What the service remembers, of every kind, over one file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pes_search.service.records.arrivals import ArrivalRecords
from pes_search.service.records.config import DatabaseConfig
from pes_search.service.records.copies import CopyRecords
from pes_search.service.records.feedback import FeedbackRecords
from pes_search.service.records.file import RecordFile, utc_now
from pes_search.service.records.judgments import JudgmentRecords
from pes_search.service.records.keys import KeyRecords
from pes_search.service.records.questions import QuestionRecords
from pes_search.service.records.saved_searches import SavedSearchRecords
from pes_search.service.records.sessions import SessionRecords


@dataclass(frozen=True, slots=True)
class Records:
    """The kinds of records, each with its own functions, and their retention."""

    file: RecordFile
    retention_days: int
    feedback: FeedbackRecords
    saved_searches: SavedSearchRecords
    arrivals: ArrivalRecords
    questions: QuestionRecords
    judgments: JudgmentRecords
    copies: CopyRecords
    keys: KeyRecords
    sessions: SessionRecords

    def forget(self) -> dict[str, int]:
        """Remove what is older than the retention, all or nothing, and return how much of each kind went.

        Judgments and decisions about copies stay, as they are work, and so do open feedback and the dates of arrival.
        """
        since = self.file.time(days_ago=self.retention_days)
        with self.file.transaction(write=True) as connection:
            return {
                "feedback": self.feedback.forget(connection, since),
                "saved_searches": self.saved_searches.forget(connection, since),
                "questions": self.questions.forget(connection, since),
            }


def open_records(config: DatabaseConfig, now: Callable[[], datetime] = utc_now) -> Records:
    """Open the file that the settings name, or make it.

    Raises:
        DatabaseError: it cannot be made, is no database, or was written by a newer version.
    """
    file = RecordFile(config.path, now)
    return Records(
        file=file,
        retention_days=config.retention_days,
        feedback=FeedbackRecords(file),
        saved_searches=SavedSearchRecords(file),
        arrivals=ArrivalRecords(file),
        questions=QuestionRecords(file, is_logging=config.log_questions),
        judgments=JudgmentRecords(file),
        copies=CopyRecords(file),
        keys=KeyRecords(file),
        sessions=SessionRecords(file),
    )
