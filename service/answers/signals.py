"""What tells whether the collection answers a question: measurements of the question and of what was found for it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pes_search.index.open_index import OpenIndex
from pes_search.index.text.tokens import terms
from pes_search.index.types import DocumentText, Hit, Query
from pes_search.service.answers.confidence import Kind
from pes_search.service.answers.names import countries_of, names_of, plain_text
from pes_search.service.answers.questions import Part, Understood
from pes_search.service.answers.sentences import LEAST_COSINE_SPREAD, ScoredSentence, numbers, passage_hits

READ_DOCUMENTS = 3  # documents whose whole text is held against the question's names and numbers
FIRST_BACKGROUND_HIT = 5  # hits from this one on are what any question finds

# In the order of the model's weights. Those that end in `_same` count where the question is in a language of the passages,
# `_other` elsewhere; words shared mean little across languages.
SIGNALS = (
    "dense", "sentence", "topic", "margin", "spread", "agreement", "labels", "questions",
    "words_same", "sentence_words_same", "document_words_same", "rarest_missing_same",
    "words_other", "sentence_words_other", "numbers_missing", "years_missing", "names_missing_same", "names_missing_other",
    "countries_missing", "other_language", "length", "very_short", "named", "detail", "detail_standing", "detail_margin",
    "misfits", "document_names_missing", "document_numbers_missing", "own_matter", "subject", "answerable", "in_field",
)  # fmt: skip


def signals(
    query: Query,
    hits: Sequence[Hit],
    sentences: Sequence[ScoredSentence],
    asked: Understood,
    index: OpenIndex,
    kind: Kind,
    *,
    in_field: bool,
) -> list[float]:
    """Return the measurements in the order of `SIGNALS`; `kind` is what the question's vector tells.

    `hits` are documents, the best first, at least one; `sentences` has the best first.
    """
    best = hits[0]
    passages = list(passage_hits(hits[:1]))
    dense = max(hit.scores.dense for hit in passages)
    others = [hit.scores.dense for hit in hits[FIRST_BACKGROUND_HIT:]] or [hit.scores.dense for hit in hits[1:]] or [dense]
    background = sum(others) / len(others)
    language = best.passage.language
    same = query.language in {None, *index.manifest.languages}
    texts = [_whole_text(text) for text in index.stored.texts([hit.document.id for hit in hits[:READ_DOCUMENTS]])]
    best_terms = set(terms(texts[0], language))
    all_terms = {term for text in texts for term in terms(text, language)}
    idf = index.stored.idf(query.terms.get(language, ()))
    total, rarest = sum(idf.values()), max(idf.values(), default=0.0)
    missing = [value for term, value in idf.items() if term not in best_terms]
    document_words = 1 - sum(missing) / total if total else 0.0
    question_numbers = numbers(query.text)
    document_numbers = frozenset[str]().union(*map(numbers, texts))
    lost_numbers = question_numbers - document_numbers
    names = names_of(query.text, query.language)
    plain = [plain_text(text) for text in texts]
    lost_names = [name for name in names if not set(terms(name, language)) & all_terms and not _holds(plain, name)]
    lexical = max(hit.scores.lexical for hit in passages)
    found = {hit.document.id for hit in hits}
    document = next((name for name in asked.named if name in found), best.document.id)
    (own_text,) = [text for hit, text in zip(hits, texts, strict=False) if hit.document.id == document] or [
        _whole_text(text) for text in index.stored.texts([document])
    ]
    sentence_words = max((sentence.lexical for sentence in sentences), default=0.0)
    words = len(terms(query.text, query.language))
    values = {
        "dense": dense,
        "sentence": max((sentence.cosine for sentence in sentences), default=0.0),
        "topic": best.scores.topic,
        "margin": dense - background,
        "spread": max(hit.scores.dense for hit in hits) - min(hit.scores.dense for hit in hits),
        "agreement": best.scores.agreement,
        "labels": best.scores.labels,
        "questions": best.scores.questions,
        "words_same": same * lexical,
        "sentence_words_same": same * sentence_words,
        "document_words_same": same * document_words,
        "rarest_missing_same": same * (max(missing, default=0.0) / rarest if rarest else 1.0),
        "words_other": (not same) * lexical,
        "sentence_words_other": (not same) * sentence_words,
        "numbers_missing": len(lost_numbers) / max(1, len(question_numbers)),
        "years_missing": float(any(_is_year(number) for number in lost_numbers)),
        "names_missing_same": same * len(lost_names) / max(1, len(names)),
        "names_missing_other": (not same) * len(lost_names) / max(1, len(names)),
        "countries_missing": _countries_missing(query, hits[:READ_DOCUMENTS], texts),
        "other_language": float(not same),
        "length": math.log1p(words),
        "very_short": float(words <= 2),
        "named": float(document in asked.named),
        **_detail(document, sentences, asked.parts[0], in_field=in_field),
        "document_names_missing": len([name for name in names if not _tells(own_text, name, language)]) / max(1, len(names)),
        "document_numbers_missing": len(question_numbers - numbers(own_text)) / max(1, len(question_numbers)),
        "own_matter": kind.own_matter,
        "subject": kind.subject,
        "answerable": kind.answerable,
        "in_field": float(in_field),
    }
    return [float(values[name]) for name in SIGNALS]


def _detail(document: str, sentences: Sequence[ScoredSentence], part: Part, *, in_field: bool) -> dict[str, float]:
    """Return how near a document's sentences come to what is asked of it, and whether none looks like an answer."""
    own = [sentence for sentence in sentences if sentence.hit.document.id == document]
    if not own or own[0].vector.shape != part.detail.shape:
        return {"detail": 0.0, "detail_standing": 0.0, "detail_margin": 0.0, "misfits": 0.0}
    cosines = np.stack([sentence.vector for sentence in own]) @ part.detail
    best = float(cosines.max())
    of_others: dict[str, float] = {}
    for sentence in sentences:
        other = sentence.hit.document.id
        if other != document:
            of_others[other] = max(of_others.get(other, -1.0), float(sentence.vector @ part.detail))
    spread = float(cosines.std())
    return {
        "detail": best,
        "detail_standing": (best - float(cosines.mean())) / spread if spread > LEAST_COSINE_SPREAD else 0.0,
        "detail_margin": best - sum(of_others.values()) / len(of_others) if of_others else 0.0,
        "misfits": float(
            in_field and not any(part.kind.answers(sentence.text, sentence.hit.passage.language) for sentence in own)
        ),
    }


def _tells(text: str, name: str, language: str | None) -> bool:
    """Tell whether a text holds a name, or a word of it."""
    return plain_text(name) in plain_text(text) or bool(set(terms(name, language)) & set(terms(text, language)))


def _whole_text(text: DocumentText) -> str:
    """Return all that a document says of itself."""
    document = text.document
    about = (document.title, document.native_title, document.organisation, document.region, str(document.year or ""))
    return "\n".join([*filter(None, about), *(page.text for page in text.pages)])


def _holds(plain: Sequence[str], name: str) -> bool:
    """Tell whether one of the texts, read without accents and case, holds a name."""
    return any(plain_text(name) in text for text in plain)


def _countries_missing(query: Query, hits: Sequence[Hit], texts: Sequence[str]) -> float:
    """Return the share of the countries that the question names which none of the documents is of or names."""
    named = countries_of(query.text, query.language)
    document_countries = {country for hit in hits for country in hit.document.countries}
    document_countries.update(*(countries_of(text, hit.passage.language) for hit, text in zip(hits, texts, strict=True)))
    return len(named - document_countries) / len(named) if named else 0.0


def _is_year(number: str) -> bool:
    return len(number) == 4 and number[:2] in {"19", "20"}
