"""Questions that a practice does answer, for those whose question is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pes_search.index.open_index import OpenIndex
from pes_search.index.types import DocumentText
from pes_search.ingest.languages import known_languages
from pes_search.ingest.types import Document
from pes_search.service.answers.kinds import KINDS, is_silent
from pes_search.service.answers.questions import Understood
from pes_search.service.answers.quotable import quotable_sentences
from pes_search.service.answers.sentences import DIGESTS

MOST_SUGGESTED, MOST_OF_ONE = 3, 2
SUGGESTED_DOCUMENTS = 2  # practices, at most
NO_EVIDENCE = "none-stated"


def suggested_questions(asked: Understood, documents: Sequence[Document], index: OpenIndex) -> tuple[str, ...]:
    """Return questions in the language of the one that was asked which the first of the documents answer."""
    languages = known_languages()
    language = languages.get(asked.language or "en") or languages["en"]
    wordings = language.suggested_questions or languages["en"].suggested_questions
    practices = [document for document in documents if document.kind not in DIGESTS][:SUGGESTED_DOCUMENTS]
    texts = {text.document.id: text for text in index.stored.texts([document.id for document in practices])}
    most = MOST_SUGGESTED if len(practices) == 1 else MOST_OF_ONE
    found: list[str] = []
    for practice in practices:
        kinds = [kind for kind in _answered_kinds(texts[practice.id]) if kind in wordings and kind != asked.kind.name]
        found += [wordings[kind].format(name=short_name(practice)) for kind in kinds[:most]]
    return tuple(found[:MOST_SUGGESTED])


def short_name(document: Document) -> str:
    """Return what a document is called in a question: its title without what explains it."""
    return document.title.split(" – ")[0].split(" (")[0].split(": ")[0].strip() or document.title


def _answered_kinds(text: DocumentText) -> Iterator[str]:
    """Yield the kinds of questions that a document answers for sure, in the order in which they are suggested."""
    yield "definition"
    if text.document.evidence not in {None, NO_EVIDENCE}:
        yield "evidence"
    sentences = [
        (quotation.quote, heading) for quotation, heading in quotable_sentences(text) if not is_silent(quotation.quote)
    ]
    for name in ("how_many", "who_pays", "when", "how_much", "who", "how", "for_whom", "problems"):
        kind = KINDS[name]
        if any(kind.fits(quote) and (kind.is_certain or kind.is_in_section(heading)) for quote, heading in sentences):
            yield name
