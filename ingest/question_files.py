"""The files with questions of a collection, and whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pes_search.ingest.questions import BESIDE, FOLDER, QuestionFileError, read_questions
from pes_search.ingest.sources.base import SourceFile
from pes_search.ingest.types import Question, Unread


def is_question_file(path: Path) -> bool:
    """Tell whether a file holds questions and is no document."""
    return path.name.endswith(BESIDE) or (path.parent.name == FOLDER and path.suffix == ".yaml")


@dataclass(slots=True)
class QuestionReader:
    """Reads a collection's files with questions, document by document, and keeps what was wrong."""

    files: Sequence[SourceFile]
    faults: list[Unread] = field(default_factory=list)
    _left: dict[str, list[SourceFile]] = field(init=False)  # not read yet, by the id or file of their document

    def __post_init__(self) -> None:
        self._left = {}
        for file in self.files:
            path = file.path
            is_beside = path.name.endswith(BESIDE)
            of = str(path.with_name(path.name.removesuffix(BESIDE))) if is_beside else path.stem
            self._left.setdefault(of, []).append(file)

    def of(self, document_id: str, read_from: Path) -> tuple[Question, ...]:
        """Return the questions of a document that was read from a file."""
        found: list[Question] = []
        names = dict.fromkeys((document_id, read_from.stem, str(read_from)))
        for file in [file for name in names for file in self._left.pop(name, ())]:
            try:
                found += read_questions(file.path)
            except QuestionFileError as error:
                self.faults.append(Unread(file.name, str(error)))
        return tuple(found)

    def unused(self) -> list[Unread]:
        """Return the files whose document was not read."""
        left = [file for files in self._left.values() for file in files]
        return [Unread(file.name, "its questions are of no document that was read") for file in left]
