"""Queries become ranked hits: filtered first, grouped, ties by id."""

from pathlib import Path

import numpy as np
import pytest

from pes_search.index.build import write_documents
from pes_search.index.config import FusionConfig, IndexConfig, SearchConfig
from pes_search.index.encoders.base import Encoder
from pes_search.index.errors import NotInIndexError, QueryError
from pes_search.index.evidence.fusion import fused
from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex, open_index
from pes_search.index.search import QUERY_CHARACTERS, candidates, read_query, related, search, terms_by_language
from pes_search.index.stores.files import FileStore
from pes_search.index.types import Query
from pes_search.ingest.config import PassageConfig
from pes_search.ingest.types import Block, Document

CONFIG = SearchConfig()


@pytest.fixture(scope="module")
def many(encoder: Encoder, cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> OpenIndex:
    """Three hundred documents of the same words, so that all tie; every tenth is Polish; one has many passages."""
    store = FileStore(tmp_path_factory.mktemp("many"))
    writer = store.writer()
    documents = [
        (
            Document(
                id=f"d{i:03}",
                title="Job fair",
                kind="practice",
                language="en",
                sha256=str(i),
                path=str(i),
                countries=("PL",) if i % 10 == 0 else ("DE",),
            ),
            [Block("paragraph", "A job fair for jobseekers.")],
        )
        for i in range(300)
    ]
    long = [Block("heading", f"Part {i}", level=1) for i in range(40)]
    blocks = [block for heading in long for block in (heading, Block("paragraph", "A job fair for jobseekers. " * 10))]
    documents.append((Document(id="long", title="Job fair", kind="report", language="en", sha256="l", path="l"), blocks))
    try:
        write_documents(documents, writer, encoder, cache_dir=cache_dir, config=IndexConfig(PassageConfig(max_tokens=150)))
    finally:
        writer.discard()
    return open_index(store)


def ids(result: object) -> list[str]:
    return [hit.document.id for hit in result.hits]  # type: ignore[attr-defined]


def test_ties_are_in_the_order_of_ids(many: OpenIndex, encoder: Encoder) -> None:
    result = search("job fair", many, encoder, CONFIG, k=5, filters=Filters(kind=("practice",)))
    assert ids(result) == ["d000", "d001", "d002", "d003", "d004"]
    assert len({hit.score for hit in result.hits}) == 1
    assert [hit.rank for hit in result.hits] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("country", "k", "expected"), [("PL", 25, 25), ("PL", 30, 30), ("PL", 50, 30), ("FR", 5, 0)])
def test_k_results_come_back_whenever_k_exist(many: OpenIndex, encoder: Encoder, country: str, k: int, expected: int) -> None:
    result = search("anything else entirely", many, encoder, CONFIG, k=k, filters=Filters(country=(country,)))
    assert len(result.hits) == expected
    assert result.total == {"PL": 30, "FR": 0}[country]
    assert {code for hit in result.hits for code in hit.document.countries} <= {country}


def test_all_documents_can_be_had_though_one_holds_most_of_the_best_passages(many: OpenIndex, encoder: Encoder) -> None:
    result = search("Part job fair for jobseekers", many, encoder, CONFIG, k=301)
    assert len(set(ids(result))) == 301 == result.total


def test_pages_of_results_join_up(many: OpenIndex, encoder: Encoder) -> None:
    whole = search("job fair", many, encoder, CONFIG, k=12)
    parts = [search("job fair", many, encoder, CONFIG, k=4, offset=offset) for offset in (0, 4, 8)]
    assert [hit for part in parts for hit in ids(part)] == ids(whole)
    assert [hit.rank for part in parts for hit in part.hits] == list(range(1, 13))
    assert search("job fair", many, encoder, CONFIG, offset=400).hits == ()


def test_grouped_by_passage_a_document_may_come_several_times(many: OpenIndex, encoder: Encoder) -> None:
    result = search("job fair", many, encoder, CONFIG, k=10, group="passage", filters=Filters(kind=("report",)))
    assert ids(result) == ["long"] * 10
    assert result.total == 40
    assert all(hit.passages == () for hit in result.hits)


def test_a_document_shows_its_next_best_passages(many: OpenIndex, encoder: Encoder) -> None:
    (hit,) = search("job fair", many, encoder, CONFIG, k=1, filters=Filters(kind=("report",))).hits
    assert len(hit.passages) == CONFIG.passages_per_document - 1
    assert [other.rank for other in hit.passages] == [2, 3]
    assert hit.score >= hit.passages[0].score >= hit.passages[1].score


def test_scores_add_up(corpus_index: OpenIndex, encoder: Encoder) -> None:
    config = SearchConfig(fusion=FusionConfig(lexical_weight=0.5))
    weights = config.fusion
    for hit in search("vouchers for training", corpus_index, encoder, config, k=5, group="passage").hits:
        dense = (1 - weights.topic_weight) * hit.scores.dense + weights.topic_weight * hit.scores.topic
        named = weights.concept_weight * hit.scores.agreement + weights.label_weight * hit.scores.labels
        named += weights.question_weight * hit.scores.questions
        assert hit.score == pytest.approx(dense + 0.5 * hit.scores.lexical + named, abs=4e-6)


def test_a_document_takes_the_best_of_its_passages(many: OpenIndex, encoder: Encoder) -> None:
    (hit,) = search("job fair", many, encoder, CONFIG, k=1, filters=Filters(kind=("report",))).hits
    assert hit.score >= max(
        other.score
        for other in search("job fair", many, encoder, CONFIG, k=1_000, group="passage").hits
        if other.document == hit.document
    )


def test_the_ranking_is_that_of_scoring_every_passage(corpus_index: OpenIndex, encoder: Encoder) -> None:
    """The candidates of all retrievers hold whatever an exhaustive scoring puts first."""
    query = "older workers who lost their job"
    result = search(query, corpus_index, encoder, CONFIG, k=50, group="passage")
    vector = encoder.encode_queries([query])[0]
    parsed_query = read_query(query, "en", vector, corpus_index, CONFIG)
    everything = candidates(parsed_query, corpus_index, CONFIG.fusion, Filters(), 10_000)
    assert len(everything) == corpus_index.manifest.passages
    best = sorted(
        everything, key=lambda candidate: (-fused(candidate.scores, CONFIG.fusion), candidate.document_id, candidate.passage_id)
    )
    assert [hit.passage.id for hit in result.hits] == [candidate.passage_id for candidate in best[:50]]


@pytest.mark.parametrize(
    ("query", "at_most"),  # the place where it has to be at the latest
    [
        ("reaching women after career breaks", 1),
        ("Wie erreicht man Frauen nach der Familienpause?", 1),
        ("toucher les femmes après une interruption de carrière", 3),
        ("llegar a las mujeres tras una interrupción de la carrera", 1),
        ("chegar às mulheres após interrupções de carreira", 3),
        ("dotarcie do kobiet po przerwie w karierze", 3),
    ],
)
def test_six_languages_find_the_same_practice(corpus_index: OpenIndex, encoder: Encoder, query: str, at_most: int) -> None:
    assert "de-power-m" in ids(search(query, corpus_index, encoder, CONFIG, k=at_most))


@pytest.mark.parametrize(
    ("query", "document"),
    [
        ("power_m", "de-power-m"),
        ("OTT Töötukassa", "ee-ott"),
        ("CNAIM", "pt-claim-cnaim"),
        ("Krajowy Fundusz Szkoleniowy", "pl-kfs"),
    ],
)
def test_names_are_found(corpus_index: OpenIndex, encoder: Encoder, query: str, document: str) -> None:
    assert ids(search(query, corpus_index, encoder, CONFIG, k=1)) == [document]


def test_highlights_mark_the_words_of_the_query(corpus_index: OpenIndex, encoder: Encoder) -> None:
    (hit,) = search("career breaks of women", corpus_index, encoder, CONFIG, k=1).hits
    marked = {hit.passage.text[start:end].lower() for start, end in hit.highlights}
    assert {"career", "break"} <= marked
    assert not marked & {"of", "the", "and"}


def test_facets_come_with_the_results(corpus_index: OpenIndex, encoder: Encoder) -> None:
    result = search("training", corpus_index, encoder, CONFIG, k=1, filters=Filters(country=("AT",)))
    assert result.facets["country"]["DE"] >= 2  # other countries could be chosen instead
    assert result.total == result.facets["country"]["AT"]


@pytest.mark.parametrize(
    ("query", "options", "message"),
    [
        ("", {}, "empty"),
        (" \n\t ", {}, "empty"),
        ("x" * (QUERY_CHARACTERS + 1), {}, "2001 characters"),
        ("x", {"k": 0}, "k must be"),
        ("x", {"k": 1001}, "k must be"),
        ("x", {"offset": -1}, "offset"),
    ],
)
def test_impossible_searches_are_refused(
    corpus_index: OpenIndex, encoder: Encoder, query: str, options: dict[str, int], message: str
) -> None:
    with pytest.raises(QueryError, match=message):
        search(query, corpus_index, encoder, CONFIG, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("query", ["?", "…", "12", "🙂", "失业"])
def test_queries_without_words_still_answer(corpus_index: OpenIndex, encoder: Encoder, query: str) -> None:
    assert len(search(query, corpus_index, encoder, CONFIG, k=3).hits) == 3


def test_related_documents_of_a_practice(corpus_index: OpenIndex) -> None:
    hits = related("de-power-m", corpus_index, k=3)
    assert "de-stark-im-beruf" in [hit.document.id for hit in hits]
    assert "de-power-m" not in [hit.document.id for hit in hits]
    assert all(-1 <= hit.score <= 1 for hit in hits)
    for hit in hits:
        assert hit.score == pytest.approx(0.85 * hit.scores.dense + 0.15 * hit.scores.agreement, abs=2e-6)
    only = related("de-power-m", corpus_index, k=3, filters=Filters(country=("IS",)))
    assert [hit.document.id for hit in only] == ["is-youth-mental-health"]
    with pytest.raises(NotInIndexError):
        related("nope", corpus_index)


def test_passages_are_matched_by_the_stemmer_of_their_own_language(encoder: Encoder, cache_dir: Path, tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    writer = store.writer()
    texts = {"de": "Die Arbeitslosen suchen Stellen.", "en": "The unemployed are searching."}
    try:
        write_documents(
            [
                (Document(id=name, title="", kind="d", language=name, sha256=name, path=name), [Block("paragraph", text)])
                for name, text in texts.items()
            ],
            writer,
            encoder,
            cache_dir=cache_dir,
            config=IndexConfig(),
        )
    finally:
        writer.discard()
    index = open_index(store)
    vector = np.zeros(384, np.float32)
    for query, expected in (("arbeitslose", {"de"}), ("searches", {"en"}), ("Stelle search", {"de", "en"})):
        terms = terms_by_language(query, index)
        parsed_query = Query(query, "en", terms, vector, dict.fromkeys(terms, vector), ())
        matched = candidates(parsed_query, index, CONFIG.fusion, Filters(), 10)
        assert {candidate.document_id for candidate in matched if candidate.scores.lexical > 0} == expected
