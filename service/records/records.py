"""What the service remembers, of every kind, over one file."""

from __future__ import annotations

from dataclasses import dataclass

from pes_search.service.records import retention
from pes_search.service.records.arrivals import ArrivalRecords
from pes_search.service.records.clock import Clock
from pes_search.service.records.config import DatabaseConfig
from pes_search.service.records.copies import CopyRecords
from pes_search.service.records.feedback import FeedbackRecords
from pes_search.service.records.file import RecordFile
from pes_search.service.records.judgments import JudgmentRecords
from pes_search.service.records.keys import KeyRecords
from pes_search.service.records.questions import QuestionRecords
from pes_search.service.records.saved_searches import SavedSearchRecords
from pes_search.service.records.secrets import SecretRecords
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
    secrets: SecretRecords

    def forget(self) -> dict[str, int]:
        """Remove a part of what is older than the retention, once a day, and return how much of each kind went.

        Raises:
            DatabaseError: the file cannot be used, or a copy of it not be made; nothing is removed then.
        """
        return retention.forget(self.file, self.retention_days)


def open_records(config: DatabaseConfig, clock: Clock | None = None) -> Records:
    """Open the file that the settings name, or make it.

    Raises:
        DatabaseError: it cannot be made, is no database, or was written by a newer version.
    """
    file = RecordFile(config.path, clock)
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
        secrets=SecretRecords(file),
    )
