"""What was asked, and whether the collection had an answer: the editor's desk shows where it has none."""

from __future__ import annotations

import logging

from fastapi import Request

from pes_search.service.answers.types import Answer
from pes_search.service.api.requests import records_of
from pes_search.service.operation.notes import current_notes
from pes_search.service.records.file import DatabaseError
from pes_search.service.web.headers import is_asked_here

logger = logging.getLogger(__name__)


def log_answer(request: Request, answer: Answer, documents: int) -> None:
    """Log a question with how it was answered; `documents` is how many its filters left. A fault here stops no answer.

    What another site's page made a browser ask is no question of anybody's, and not logged.
    """
    if not is_asked_here(request):
        return
    if notes := current_notes():
        notes.question = answer.question
    try:
        records_of(request).questions.log(
            question=answer.question,
            language=answer.language or "",
            reason=answer.reason or "",
            confidence=answer.confidence,
            documents=documents,
        )
    except DatabaseError as error:
        logger.warning("a question was not logged: %s", error)
