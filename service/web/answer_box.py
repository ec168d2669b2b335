"""The answer box: quoted sentences with numbered citations, or why there are none; streamed where a language model writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from pes_search.index.types import SearchResult
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.types import Document
from pes_search.service.answers.types import Answer, Citation, Event, Reason, Sentence
from pes_search.service.answers.writer_name import WriterName
from pes_search.service.api.event_stream import asks_again, begun, event_stream, message
from pes_search.service.api.problems import told, unexpected_fault
from pes_search.service.api.question_log import log_answer
from pes_search.service.api.requests import EngineOf, FiltersOf, IndexOf, allowed_writer
from pes_search.service.links import deep_link
from pes_search.service.web.hits import facts
from pes_search.service.web.languages import Interface, _, interface_of
from pes_search.service.web.links import quotation_url
from pes_search.service.web.view import fragment

router = APIRouter(include_in_schema=False)

REASONS: dict[Reason, str] = {
    "nothing_relevant": _("Nothing in the collection is about this."),
    "not_answered": _("No document states this."),
    "before_start": _("%(practice)s began in %(year)s, after the year that the question asks about."),
    "not_stated": _("No document states this of %(practice)s."),
    "personal_or_instruction": _(
        "This asks about a person’s own matter, or tells the system what to do. The collection only holds practices; "
        "an adviser of your employment service can help with a personal case."
    ),
}


@dataclass(frozen=True, slots=True)
class Source:
    """A numbered passage that sentences of the answer rest on."""

    number: int  # from 1
    title: str
    heading: str  # above the passage; empty where it is the title
    facts: list[str]
    link: str  # to the first quotation from it, in the document's page
    original: str | None


@dataclass(frozen=True, slots=True)
class ShownSentence:
    """A sentence with references to its sources."""

    lines: list[str]  # more than one for a list
    language: str  # that it is in
    is_quotation: bool
    practice: str  # whose it is: title and country, where that is another than the sentence's before
    references: list[tuple[int, str]]  # number of the source, and the address of the quotation


class Numbering:
    """Numbers the passages that sentences cite, in the order in which they come."""

    def __init__(self, language: str | None, interface: Interface) -> None:
        """`language` is the question's."""
        self._language = language
        self._interface = interface
        self._sources: dict[str, Source] = {}  # by passage
        self._document: str | None = None  # of the last sentence

    @property
    def sources(self) -> Sequence[Source]:
        """Return the sources so far."""
        return list(self._sources.values())

    def shown(self, sentence: Sentence) -> ShownSentence:
        """Return a sentence with its sources numbered."""
        is_quotation = len(sentence.citations) == 1 and sentence.citations[0].quote == sentence.text
        return ShownSentence(
            lines=[line for line in sentence.text.split("\n") if line.strip()],
            language=(sentence.citations[0].passage.language if is_quotation else self._language) or "",
            is_quotation=is_quotation,
            practice=self._practice(sentence) if is_quotation else "",
            references=[(self._source(citation).number, quotation_url(citation)) for citation in sentence.citations],
        )

    def _practice(self, sentence: Sentence) -> str:
        document = sentence.citations[0].document
        if document.id == self._document:
            return ""
        self._document = document.id
        names = [label for code in document.countries if (label := self._interface.locale.territories.get(code))]
        return " · ".join([document.title, *names])

    def _source(self, citation: Citation) -> Source:
        passage, document = citation.passage, citation.document
        if passage.id not in self._sources:
            self._sources[passage.id] = Source(
                number=len(self._sources) + 1,
                title=document.title,
                heading=next((heading for heading in reversed(passage.headings) if heading != document.title), ""),
                facts=facts(document, self._interface, passage.page),
                link=quotation_url(citation),
                original=deep_link(document, passage.page),
            )
        return self._sources[passage.id]


def answer_context(answer: Answer, interface: Interface) -> dict[str, Any]:
    """Return what the template of the answer box shows."""
    numbering = Numbering(answer.language, interface)
    sentences = [numbering.shown(sentence) for sentence in answer.sentences]
    return {
        # Feedback carries the question; a personal one is not kept.
        "question": "" if answer.reason == "personal_or_instruction" else answer.question,
        "language": answer.language,
        "refused": answer.refused,
        "reason": _reason(answer, interface),
        "understood_as": answer.understood_as,
        "choices": [_choice(answer, document, interface) for document in answer.choices],
        "suggested": [(question, f"?{urlencode({'q': question})}") for question in answer.suggested],
        "missing": answer.missing,
        "sentences": sentences,
        "sources": numbering.sources,
        "is_foreign": any(shown.is_quotation and shown.language not in {"", interface.code} for shown in sentences),
        "is_quoted": answer.writer == "extractive",
        "notice": answer.notice,
        "rejected": answer.rejected,
        "index_id": answer.index_id,
    }


def _reason(answer: Answer, interface: Interface) -> str:
    if answer.reason is None:
        return ""
    about = answer.about
    values = {"practice": about.title, "year": about.year} if about else {}
    return interface.text(REASONS[answer.reason]) % values if values else interface.text(REASONS[answer.reason])


def _choice(answer: Answer, document: Document, interface: Interface) -> dict[str, Any]:
    """Return a practice that the question may mean, with the address of the question about it."""
    query = urlencode({"q": f"{answer.question.rstrip(' ?')} – {document.title}?"})
    return {"title": document.title, "facts": facts(document, interface, None), "link": f"?{query}"}


@router.get("/answer", response_class=StreamingResponse)
def answer_stream(
    request: Request, engine: EngineOf, index: IndexOf, filters: FiltersOf, q: str, writer: WriterName | None = None
) -> Response:
    """Answer as server-sent events that carry pieces of the page: a `sentence` each, at last the whole box as `done`."""
    if asks_again(request):
        return Response(status_code=204)
    writer = allowed_writer(engine, writer)
    events = begun(engine.ask_events(index, q, k=1, filters=filters, writer=writer))
    return event_stream(_pieces(request, events))


def _pieces(request: Request, events: Iterator[Event]) -> Iterator[bytes]:
    interface = interface_of(request)
    numbering, total = Numbering(None, interface), 0
    try:
        for event in events:
            if isinstance(event, SearchResult):
                numbering, total = Numbering(event.language, interface), event.total
            elif isinstance(event, Sentence):
                yield message("sentence", fragment(request, "parts/sentence.html", {"sentence": numbering.shown(event)}))
            else:
                log_answer(request, event, total)
                yield message("done", fragment(request, "parts/answer.html", {"answer": answer_context(event, interface)}))
    except PesSearchError as error:
        yield message("failed", told(request, error))
    except Exception as error:  # noqa: BLE001 (it is logged)  # noqa: BLE001 (it is logged)
        unexpected_fault(request, error)
        yield message("failed", "")
