"""What the reader learns from: questions, each with sentences that a search finds for it and which of them answer.

    factsheets   questions of every kind in 15 languages over factsheets and case studies (`training_factsheets.jsonl`), each
                 asked of its own document; the answering sentence is named by a digest, as the texts are not ours
    project      our training questions (`training_answerable.jsonl`, `training_refusal.jsonl`), asked of our collection
    squad        SQuAD 2, articles that are neither held out nor in XQuAD's held-out half; of their paragraph, and of all
    xquad        XQuAD's even articles, questions in five languages, of the English paragraphs

The sentences are chosen as in answering: by the sentence scorer, over the documents that a search finds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pes_search.eval.answers import holds, words
from pes_search.eval.collections.beir import BeirSet, read_beir, read_queries
from pes_search.eval.collections.files import read_records
from pes_search.eval.collections.gold_answers import Gold as GoldAnswers
from pes_search.eval.collections.gold_answers import read_answers, with_gold
from pes_search.eval.collections.questions import PROJECT_QUESTIONS, Question
from pes_search.eval.collections.xquad import PARALLEL_LANGUAGES, is_training_article
from pes_search.eval.retrieval import indexed
from pes_search.index.build import build_index
from pes_search.index.encoders.base import Encoder
from pes_search.index.filters import EVERYTHING
from pes_search.index.open_index import OpenIndex, open_index
from pes_search.index.search import by_document, hits_of, ranked, read_query, search
from pes_search.index.stores.files import FileStore
from pes_search.index.types import Hit, Query
from pes_search.ingest.languages.identify import detect_language
from pes_search.ingest.taxonomy import read_taxonomy
from pes_search.service.answers.answer import READ_PASSAGES, SEARCHED_DOCUMENTS
from pes_search.service.answers.confidence import AnswerModels
from pes_search.service.answers.sentences import scored_sentences
from pes_search.service.settings import Settings

MOST_CANDIDATES = 16  # sentences of a question
ALL_PASSAGES = 1_000_000
HELD_OUT_SQUAD = ("004", "006")  # two of the eight articles; XQuAD has them among its held-out ones
HELD_OUT_FACTSHEETS = 10  # one document in so many is held out


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that was found."""

    document: int  # which of the documents found, the best 0
    place: tuple[int, int]  # page and character, for the order within the document
    title: str
    text: str
    cosine: float
    score: float  # of the sentence scorer
    answers: bool


@dataclass(frozen=True, slots=True)
class ReaderExample:
    """A question with its candidates, the best first; none answers where the collection has no answer."""

    source: str
    language: str
    question: str
    kind: str
    held_out: bool
    candidates: tuple[Candidate, ...]


def sentence_digest(text: str) -> str:
    """Return what names a sentence that is not ours to write down: a hash of its words."""
    return hashlib.blake2b(words(text).encode(), digest_size=6).hexdigest()


def write_examples(path: Path, data: Path, settings: Settings, encoder: Encoder, models: AnswerModels) -> None:
    """Write the examples of all sources, a JSON object a line."""
    with path.open("w", encoding="utf-8") as lines:
        for example in _examples(data, settings, encoder, models):
            lines.write(json.dumps(asdict(example), ensure_ascii=False) + "\n")


def read_examples(path: Path) -> list[ReaderExample]:
    """Read what `write_examples` wrote."""
    with path.open(encoding="utf-8") as lines:
        return [
            ReaderExample(**{**row, "candidates": tuple(Candidate(**candidate) for candidate in row["candidates"])})
            for row in map(json.loads, lines)
        ]


def _examples(data: Path, settings: Settings, encoder: Encoder, models: AnswerModels) -> Iterator[ReaderExample]:
    finder = _Finder(settings, encoder, models)
    yield from _of_factsheets(data / "eurofound", finder)
    yield from _of_project(finder)
    yield from _of_squad(data / "bench" / "squad2-even", finder)
    yield from _of_xquad(data / "bench", finder)


@dataclass(frozen=True, slots=True)
class _Finder:
    """Finds the candidates of a question as answering does."""

    settings: Settings
    encoder: Encoder
    models: AnswerModels

    def everywhere(self, question: str, index: OpenIndex) -> tuple[Query, Sequence[Hit]]:
        """Search the whole collection."""
        config = replace(self.settings.search, passages_per_document=READ_PASSAGES)
        result = search(question, index, self.encoder, config, k=SEARCHED_DOCUMENTS, is_question=True)
        return result.parsed_query, result.hits

    def in_document(self, question: str, document: str, index: OpenIndex) -> tuple[Query, Sequence[Hit]]:
        """Search one document."""
        wording = index.expander.wording(question)
        text, language = wording.written_out, detect_language(wording.plain)
        query = read_query(text, language, self.encoder.encode_queries([text])[0], index, self.settings.search)
        everything = ranked(query, index, self.settings.search, EVERYTHING, ALL_PASSAGES)
        found = [candidate for candidate in everything if candidate.document_id == document]
        return query, hits_of(by_document(found, self.settings.search.fusion), index) if found else ()

    def candidates(self, query: Query, hits: Sequence[Hit], index: OpenIndex, gold: Gold) -> tuple[Candidate, ...]:
        """Return the best sentences of what was found, and an answering one in place of the last if none is among them."""
        number = self.models.number.probability(query.vector)
        ranks = {hit.document.id: rank for rank, hit in enumerate(hits)}
        scored = scored_sentences(query, hits, index, self.models.sentence_scorer, number_wanted=number)
        found = [
            Candidate(
                ranks[sentence.hit.document.id],
                (sentence.hit.passage.page or 0, sentence.hit.passage.start + sentence.start),
                sentence.hit.document.title,
                sentence.text,
                round(sentence.cosine, 4),
                sentence.score,
                gold.holds(sentence.text, sentence.hit.document.id),
            )
            for sentence in scored
        ]
        best, rest = found[:MOST_CANDIDATES], found[MOST_CANDIDATES:]
        if not any(candidate.answers for candidate in best):
            missing = [candidate for candidate in rest if candidate.answers][:1]
            best = [*best[: MOST_CANDIDATES - len(missing)], *missing]
        return tuple(best)


@dataclass(frozen=True, slots=True)
class Gold:
    """Which sentences answer a question: those with one of the digests, or that hold one of the texts."""

    digests: frozenset[str] = frozenset()
    texts: tuple[tuple[str, str], ...] = ()  # words, and their document where that is known

    def holds(self, sentence: str, document: str) -> bool:
        """Tell whether a sentence of a document answers."""
        if self.digests and sentence_digest(sentence) in self.digests:
            return True
        return any(of in {"", document} and holds(words(sentence), text) for text, of in self.texts)


# ── Sources ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_factsheets(folder: Path, finder: _Finder) -> Iterator[ReaderExample]:
    with _files(folder, finder) as index:
        names = {Path(document.path).name: document.id for document in index.stored.documents(EVERYTHING)}
        for _, row in read_records(PROJECT_QUESTIONS / "training_factsheets.jsonl", [], ids=("id",)):
            document = names.get(row["document"])
            if document is None:
                continue
            query, hits = finder.in_document(row["text"], document, index)
            found = finder.candidates(query, hits, index, Gold(frozenset(row["sentences"])))
            if not found or (row["sentences"] and not any(candidate.answers for candidate in found)):
                continue  # the sentence is read in another way now
            held_out = int(hashlib.blake2b(row["document"].encode(), digest_size=4).hexdigest(), 16) % HELD_OUT_FACTSHEETS == 0
            yield ReaderExample("factsheets", row["language"], row["text"], row["kind"], held_out, found)


@contextmanager
def _files(folder: Path, finder: _Finder) -> Iterator[OpenIndex]:
    """Index the factsheets and case studies."""
    import tempfile

    settings = finder.settings
    with tempfile.TemporaryDirectory() as place:
        store = FileStore(Path(place))
        build_index(
            [str(folder / "factsheets"), str(folder / "case-studies-pdf")],
            store,
            lambda: finder.encoder,
            model=finder.encoder.model_id,
            cache_dir=settings.cache_dir,
            config=settings.index_config(),
            default_lists=settings.taxonomy,
        )
        yield open_index(store)


def _of_project(finder: _Finder) -> Iterator[ReaderExample]:
    index = open_index(finder.settings.index_store())
    for _, row in read_records(PROJECT_QUESTIONS / "training_answerable.jsonl", [], ids=("id",)):
        gold = Gold(texts=tuple((words(text), row["document"]) for text in row["answers"]))
        query, hits = finder.everywhere(row["text"], index)
        found = finder.candidates(query, hits, index, gold)
        if any(candidate.answers for candidate in found):
            yield ReaderExample("project", row["language"], row["text"], row["wants"], False, found)
    for _, row in read_records(PROJECT_QUESTIONS / "training_refusal.jsonl", [], ids=("id",)):
        if row["kind"] in ("personal", "injection", "gibberish"):
            continue  # told by other means
        query, hits = finder.everywhere(row["text"], index)
        yield ReaderExample(
            "refusal", row["language"], row["text"], row["kind"], False, finder.candidates(query, hits, index, Gold())
        )


def _of_squad(folder: Path, finder: _Finder) -> Iterator[ReaderExample]:
    collection = read_beir(folder)
    answers = read_answers(folder / "answers.jsonl")
    questions = [Question(query_id, text) for query_id, text in read_queries(folder / "queries.jsonl", []).items()]
    with _indexed(collection, finder) as index:
        ids = {original: document for document, original in collection.original_ids.items()}
        for number, (question, gold) in enumerate(with_gold(questions, answers, folder / "answers.jsonl")):
            held_out = gold.document.partition("-")[0] in HELD_OUT_SQUAD
            document = ids.get(gold.document, gold.document)
            wanted = Gold(texts=() if gold.is_impossible else _texts(gold, document))
            query, hits = finder.in_document(question.text, document, index)
            yield ReaderExample(
                "squad paragraph", "en", question.text, "", held_out, finder.candidates(query, hits, index, wanted)
            )
            if number % 3 == 0 and not held_out and not gold.is_impossible:
                query, hits = finder.everywhere(question.text, index)
                yield ReaderExample("squad", "en", question.text, "", held_out, finder.candidates(query, hits, index, wanted))


def _of_xquad(bench: Path, finder: _Finder) -> Iterator[ReaderExample]:
    folder = bench / "xquad-en"
    answers = read_answers(folder / "answers.jsonl")
    collection = read_beir(folder)
    with _indexed(collection, finder) as index:
        ids = {original: document for document, original in collection.original_ids.items()}
        for language in PARALLEL_LANGUAGES:
            texts = read_queries(bench / f"xquad-{language}" / "queries.jsonl", [])
            questions = [Question(query_id, text) for query_id, text in texts.items()]
            for number, (question, gold) in enumerate(with_gold(questions, answers, folder / "answers.jsonl")):
                held_out = not is_training_article(gold.document)
                if held_out and number % 4:
                    continue
                wanted = Gold(texts=_texts(gold, ids.get(gold.document, gold.document)))
                query, hits = finder.everywhere(question.text, index)
                found = finder.candidates(query, hits, index, wanted)
                yield ReaderExample("xquad", language, question.text, "", held_out, found)


def _indexed(collection: BeirSet, finder: _Finder) -> AbstractContextManager[OpenIndex]:
    settings = finder.settings
    taxonomy = read_taxonomy(settings.taxonomy)
    return indexed(collection, finder.encoder, settings.cache_dir, settings.index_config(), taxonomy)


def _texts(gold: GoldAnswers, document: str) -> tuple[tuple[str, str], ...]:
    """Return the words of the answers with their document: "12" may stand in many others."""
    return tuple((words(text), document) for text, _ in gold.texts if words(text))
