"""An answer as server-sent events: `hits`, then `sentence` and its `citation`s, at last `done` or `refused`; or `error`."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Request

from pes_search.index.types import SearchResult
from pes_search.ingest.errors import PesSearchError
from pes_search.service.answers.answer import nearest
from pes_search.service.answers.types import Event, Sentence
from pes_search.service.api.event_stream import message
from pes_search.service.api.problems import problem_values, status_of, told, unexpected_fault
from pes_search.service.api.schemas import ask_out, citation_out, hit_out


def answer_messages(request: Request, events: Iterator[Event], k: int, passages: int) -> Iterator[bytes]:
    """Yield the events of an answer as messages. What fails from here on can only be told in the stream."""
    number = 0
    try:
        for event in events:
            if isinstance(event, SearchResult):
                values = {"language": event.language, "index_id": event.index_id}
                hits = [hit_out(hit).model_dump() for hit in nearest(event, k, passages)]
                yield message("hits", values | {"hits": hits})
            elif isinstance(event, Sentence):
                number += 1
                yield message("sentence", {"number": number, "text": event.text})
                for citation in event.citations:
                    yield message("citation", {"sentence": number, **citation_out(citation).model_dump()})
            else:
                yield message("refused" if event.refused else "done", ask_out(event).model_dump())
    except PesSearchError as error:
        yield message("error", problem_values(request, status_of(error), told(request, error)))
    except Exception as error:  # noqa: BLE001 (it is logged)  # noqa: BLE001 (it is logged)
        yield message("error", problem_values(request, 500, unexpected_fault(request, error)))
