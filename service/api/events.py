"""An answer as server-sent events: `hits`, then `sentence` and its `citation`s, at last `done` or `refused`; or `error`."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from itertools import chain
from typing import Any

from fastapi import Request

from pes_search.index.types import SearchResult
from pes_search.ingest.errors import PesSearchError
from pes_search.service.answers.answer import nearest
from pes_search.service.answers.types import Event, Sentence
from pes_search.service.api.problems import problem_values, status_of
from pes_search.service.api.schemas import ask_out, citation_out, hit_out

logger = logging.getLogger(__name__)


def stream(request: Request, first: Event, events: Iterator[Event], k: int, passages: int) -> Iterator[str]:
    """Yield the events as text, the first of which is there already. What fails after it can only be told in the stream."""
    number = 0
    try:
        for event in chain([first], events):
            if isinstance(event, SearchResult):
                values = {"language": event.language, "index_id": event.index_id}
                hits = [hit_out(hit).model_dump() for hit in nearest(event, k, passages)]
                yield _event("hits", values | {"hits": hits})
            elif isinstance(event, Sentence):
                number += 1
                yield _event("sentence", {"number": number, "text": event.text})
                for citation in event.citations:
                    yield _event("citation", {"sentence": number, **citation_out(citation).model_dump()})
            else:
                yield _event("refused" if event.refused else "done", ask_out(event).model_dump())
    except PesSearchError as error:
        yield _event("error", problem_values(request, status_of(error), str(error)))
    except Exception as error:
        logger.exception("an answer failed", exc_info=error)
        yield _event("error", problem_values(request, 500, "an unexpected fault; it is in the service's log"))


def _event(name: str, values: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(values, ensure_ascii=False)}\n\n"
