"""The sentences of what was found, each with what speaks for it as an answer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.open_index import OpenIndex
from pes_search.index.text.tokens import terms
from pes_search.index.types import DocumentText, Hit, Query
from pes_search.ingest.passages import heading_above, is_imagined, sentence_spans
from pes_search.ingest.types import Passage

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors
    from pes_search.service.answers.reader import Reader
    from pes_search.service.answers.sentence_scorers import SentenceScorer


# Situations in which a practice may help, made up for those who search: no facts, so nothing of them is quoted.
READ_SENTENCES = 16  # of the best, that the reader sees if there is room
READER_WEIGHT = 0.5  # of the reader's log-odds beside the sentence scorer's
POINTING_WORDS = re.compile(
    r"(?:It|Its|They|Their|Them|These|That|Those|He|She|His|Her|Both|Such|Here|Another|Others?)\b"
    r"|(?:This|There)\b(?! (?:is|are|was|were) an?\b)"
)
DIGESTS = ("news",)  # kinds of documents that are about many practices
LEAST_COSINE_SPREAD = 1e-4  # below it the cosines of a document say nothing
KEPT_NUMBERS = 4_096  # texts whose numbers are remembered: each sentence is held against many
LONGEST_LIST_CHARACTERS = 500  # of a longer list the item alone is quoted
# With separators of thousands, which languages write differently, or with decimals.
NUMBER = re.compile(r"(?<!\d)\d{1,3}(?:[.,\u00a0\u202f ]\d{3})+(?!\d)|\d+(?:[.,]\d+)?")


@dataclass(frozen=True, slots=True, eq=False)
class ScoredSentence:
    """A sentence of a passage that was found for a question, with its score."""

    hit: Hit  # its passage
    start: int  # characters of the passage's text
    end: int
    vector: Vectors
    cosine: float  # with the question
    lexical: float  # share of the question's idf mass whose terms the sentence holds, from 0 to 1
    behind: float  # how far the document's score is below that of the best document
    score: float  # higher is better; comparable within one question only
    features: Vectors  # what is known of it, see FEATURES
    heading: str = ""  # right above it
    is_first: bool = False  # of its document, where that says what it is about

    @property
    def text(self) -> str:
        """Return the sentence."""
        return self.hit.passage.text[self.start : self.end]

    @property
    def numbers(self) -> frozenset[str]:
        """Return the numbers that the sentence states, digits only."""
        return numbers(self.text)


# What is known of a sentence, in the order of the sentence scorer's weights.
FEATURES = (
    "document_gap", "document_rank", "passage_rank", "dense", "words", "topic", "agreement", "labels", "cosine", "lexical",
    "length", "number", "in_list", "place", "first", "asks", "introduces", "number_wanted", "number_unwanted",
    "cosine_in_document", "cosine_standing", "lexical_in_document",
)  # fmt: skip


def scored_sentences(
    query: Query,
    hits: Sequence[Hit],
    index: OpenIndex,
    sentence_scorer: SentenceScorer,
    *,
    number_wanted: float,
) -> list[ScoredSentence]:
    """Return the sentences of the hits' passages, the best first.

    `hits` are documents, the best first; `number_wanted` is the probability that the question asks for a number.
    """
    sentences, features, _ = sentence_features(query, hits, index, number_wanted)
    if not sentences:
        return []
    scores = sentence_scorer.scores(features).tolist()
    scored = [replace(sentence, score=round(score, 6)) for sentence, score in zip(sentences, scores, strict=True)]
    return sorted(
        scored, key=lambda sentence: (-sentence.score, sentence.hit.document.id, sentence.hit.passage.id, sentence.start)
    )


def read_by(reader: Reader, question: str, sentences: Sequence[ScoredSentence]) -> list[ScoredSentence]:
    """Return sentences with the reader's judgment in their scores.

    `sentences` has the best first; those that there is no room for stay behind the others.
    """
    shown = sentences[:READ_SENTENCES]
    ranks = {document: rank for rank, document in enumerate(dict.fromkeys(sentence.hit.document.id for sentence in shown))}
    read = reader.read(
        question,
        [sentence.hit.document.title for sentence in shown],
        [sentence.text for sentence in shown],
        [
            (ranks[sentence.hit.document.id], sentence.hit.passage.page or 0, sentence.hit.passage.start + sentence.start)
            for sentence in shown
        ],
        [sentence.cosine for sentence in shown],
    )
    best = max(read.values())
    scores = {number: READER_WEIGHT * (score - best) + shown[number].score - shown[0].score for number, score in read.items()}
    least = min(scores.values())
    unread = [number for number in range(len(sentences)) if number not in scores]
    scores.update((number, least + sentences[number].score - sentences[unread[0]].score) for number in unread)
    return [replace(sentence, score=round(scores[number], 6)) for number, sentence in enumerate(sentences)]


def sentence_features(
    query: Query, hits: Sequence[Hit], index: OpenIndex, number_wanted: float
) -> tuple[list[ScoredSentence], Vectors, Vectors]:
    """Return the sentences without score, their features (sentences, FEATURES) and their vectors."""
    sentences: list[ScoredSentence] = []
    rows: list[tuple[float, ...]] = []
    passages = [hit.passage for hit in passage_hits(hits)]
    sentences_of = dict(
        zip(
            [passage.id for passage in passages],
            index.stored.sentences([passage.id for passage in passages]),
            strict=True,
        )
    )
    all_idf = index.stored.idf({term for terms_of_language in query.terms.values() for term in terms_of_language})
    headings = Headings(index.stored.texts([hit.document.id for hit in hits]))
    for document_rank, document in enumerate(hits):
        for passage_rank, hit in enumerate((document, *document.passages)):
            passage = hit.passage
            spans, vectors = sentences_of[passage.id].spans, sentences_of[passage.id].vectors
            idf = {term: all_idf[term] for term in query.terms.get(passage.language, ())}
            total = sum(idf.values())
            cosines = vectors @ query.vectors.get(passage.language, query.vector)
            for place, ((start, end), vector, cosine) in enumerate(zip(spans, vectors, cosines.tolist(), strict=True)):
                text = passage.text[start:end]
                heading = headings.above(passage, start)
                if is_imagined(heading):
                    continue
                sentence_terms = set(terms(text, passage.language))
                lexical = sum(value for term, value in idf.items() if term in sentence_terms) / total if total else 0.0
                number = float(bool(NUMBER.search(text)))
                behind, is_first = hits[0].score - document.score, place == 0 and headings.is_first(passage)
                sentences.append(
                    ScoredSentence(hit, start, end, vector, cosine, lexical, behind, 0.0, vector, heading, is_first)
                )
                rows.append(
                    (
                        document.score - hits[0].score,
                        document_rank,
                        passage_rank,
                        hit.scores.dense,
                        hit.scores.lexical,
                        hit.scores.topic,
                        hit.scores.agreement,
                        hit.scores.labels,
                        cosine,
                        lexical,
                        math.log(len(text)),
                        number,
                        float(list_around(passage.text, start) is not None),
                        place,
                        float(place == 0),
                        float(text.endswith("?")),
                        float(text.endswith(":")),
                        number_wanted * number,
                        (1 - number_wanted) * number,
                    )
                )
    if not sentences:
        return [], np.zeros((0, len(FEATURES)), np.float32), np.zeros((0, 0), np.float32)
    known = np.array(rows, np.float32)
    features = np.hstack([known, _within_documents(known)])
    sentences = [replace(sentence, features=row) for sentence, row in zip(sentences, features, strict=True)]
    return sentences, features, np.stack([sentence.vector for sentence in sentences])


class Headings:
    """The headings of documents' pages."""

    def __init__(self, texts: Sequence[DocumentText]) -> None:
        self._pages = {(text.document.id, page.number): page for text in texts for page in text.pages}
        self._first = {text.passages[0].id for text in texts if text.passages}

    def is_first(self, passage: Passage) -> bool:
        """Tell whether a passage is the first of its document."""
        return passage.id in self._first

    def above(self, passage: Passage, place: int) -> str:
        """Return the heading right above a character of a passage."""
        page = self._pages.get((passage.document_id, passage.page))
        if page is not None and (above := heading_above(page, passage.start + place)):
            return above
        return passage.headings[-1] if passage.headings else ""  # it stands on a page before


def _within_documents(features: Vectors) -> Vectors:
    """Return how sentences stand among those of their document: cosine above its mean, the same standardised, lexical."""
    columns = [FEATURES.index(name) for name in ("document_rank", "cosine", "lexical")]
    ranks, cosines, lexicals = features[:, columns].T
    result = np.zeros((len(features), 3), np.float32)
    for rank in np.unique(ranks):
        of_document = ranks == rank
        above = cosines[of_document] - cosines[of_document].mean()
        spread = float(above.std())
        result[of_document, 0] = above
        result[of_document, 1] = above / spread if spread > LEAST_COSINE_SPREAD else 0.0
        result[of_document, 2] = lexicals[of_document] - lexicals[of_document].mean()
    return result


def passage_hits(hits: Sequence[Hit]) -> Iterator[Hit]:
    """Yield the passages of the hits: each document's best one and those that it carries."""
    for hit in hits:
        yield hit
        yield from hit.passages


@lru_cache(maxsize=KEPT_NUMBERS)
def numbers(text: str) -> frozenset[str]:
    """Return the numbers of a text as digits and decimals: 29,317 and 29.317 and 29 317 are one, 7.5 and 75 are not."""
    return frozenset(_number(match) for match in NUMBER.findall(text))


def _number(text: str) -> str:
    whole = re.fullmatch(r"\d{1,3}(?:\D\d{3})+", text)
    return re.sub(r"\D", "", text) if whole else text.replace(",", ".")


def quoted_span(text: str, start: int, end: int) -> tuple[int, int]:
    """Return what is quoted for a sentence: itself, or the whole of a short list that it is an item of or introduces.

    The line that introduces a list dates its figures, and where they disagree the others stand beside them.
    """
    position = end + 2 if text[:end].endswith(":") and text[end : end + 2] == "\n\n" else start
    around = list_around(text, position)
    return (start, end) if around is None or around[1] - around[0] > LONGEST_LIST_CHARACTERS else around


def with_pointed_at(passage: Passage, start: int) -> int:
    """Return where the sentence begins that a sentence at `start` points at with its first word, or `start` itself.

    "It has run since 2018." says nothing without the sentence before, if that is of the same paragraph; nor does that one if it
    points at another.
    """
    paragraph = passage.text.rfind("\n", 0, start) + 1
    before = list(sentence_spans(passage.text, paragraph, start, passage.language))
    while before and POINTING_WORDS.match(passage.text, start):
        start = before.pop()[0]
    return start


def list_around(text: str, start: int) -> tuple[int, int] | None:
    """Return where the list stands of which a line starts at `start`, with the line before a colon that introduces it.

    None outside a list. A list is lines without a blank one between them, after a blank line and a line that ends in a colon.
    """
    above = text[:start]
    block = above.rfind("\n\n")
    if block < 0:
        return None
    first = above.rfind("\n", 0, block) + 1
    if not text[first:block].rstrip().endswith(":"):
        return None
    end = text.find("\n\n", start)
    return first, end if end >= 0 else len(text.rstrip())
