"""What every store has to give: one suite, run over each of them. A new store is one more name of `STORES`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rank_bm25 import BM25Plus

from pes_search.index.build import write_documents
from pes_search.index.config import Bm25Config, IndexConfig, SearchConfig
from pes_search.index.encoders.base import Encoder
from pes_search.index.errors import BuildRunningError, IndexNotFoundError, NotInIndexError
from pes_search.index.evidence.concepts import labels_of
from pes_search.index.filters import EVERYTHING, Filters
from pes_search.index.open_index import open_index
from pes_search.index.search import related, search
from pes_search.index.stores import STORES, open_store
from pes_search.index.stores.base import IndexStore, StoredIndex
from pes_search.index.text.passage_text import full_text
from pes_search.index.text.tokens import terms
from pes_search.index.types import EncodedDocument, Manifest
from pes_search.ingest.config import PassageConfig
from pes_search.ingest.taxonomy import Taxonomy
from pes_search.ingest.types import Block, Document

TAXONOMY = Taxonomy.from_values(
    {
        "target-groups": [
            {"id": "young-people", "terms": {"en": ["young people"], "de": ["junge Menschen"]}},
            {"id": "neet", "broader": ["young-people"], "terms": {"en": ["NEETs"]}},
        ],
        "countries": [{"id": "DE", "terms": {"en": ["Germany"], "de": ["Deutschland"]}}],
    }
)
TEXTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "street": (
        {"countries": ("DE",), "year": 2019, "target_groups": ("neet",), "questions": (("en", "who goes to the park?"),)},
        ["Street work with young people. It takes place where they meet.", "Advisers visit parks every evening."],
    ),
    "vouchers": ({"countries": ("AT",), "year": 2021}, ["Vouchers for digital training. Jobseekers choose the course."]),
    "frauen": ({"language": "de", "countries": ("DE",), "year": 2021}, ["Beratung für Frauen, die in den Beruf zurückkehren."]),
    "news": ({"kind": "news", "questions": (("en", "a fair?"), ("de", "eine Messe?"))}, ["A fair for employers takes place."]),
    "empty": ({}, []),
}
CONFIG = IndexConfig(PassageConfig(max_tokens=20, min_tokens=0), Bm25Config(k1=1.2, b=0.5))


def documents(names: Sequence[str]) -> list[tuple[Document, list[Block]]]:
    values = {"title": "Practice", "kind": "practice", "language": "en"}
    return [
        (
            Document(**{**values, **TEXTS[name][0]}, id=name, sha256=name, path=name),  # type: ignore[arg-type]
            [Block("paragraph", text) for text in TEXTS[name][1]],
        )
        for name in names
    ]


Write = Callable[..., Manifest]


@pytest.fixture
def write(encoder: Encoder, cache_dir: Path) -> Write:
    """Write a generation of some documents into a store."""

    def run(store: IndexStore, names: Sequence[str] = tuple(TEXTS), config: IndexConfig = CONFIG) -> Manifest:
        writer = store.writer()
        try:
            return write_documents(documents(names), writer, encoder, cache_dir=cache_dir, config=config, taxonomy=TAXONOMY)[0]
        finally:
            writer.discard()

    return run


@pytest.fixture(params=sorted(STORES.rows))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> IndexStore:
    return open_store(request.param, tmp_path / "index")


@pytest.fixture
def stored(store: IndexStore, write: Write) -> StoredIndex:
    write(store)
    return store.open()


def everything(stored: StoredIndex) -> dict[str, tuple[Document, str]]:
    """Each passage's document and what is read of it."""
    return {
        passage.id: (text.document, full_text(text.document, passage))
        for text in stored.texts([document.id for document in stored.documents(EVERYTHING)])
        for passage in text.passages
    }


def passages(stored: StoredIndex, name: str) -> list[str]:
    return [passage.id for passage in stored.texts([name])[0].passages]


# ── Documents ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_documents_come_by_id_and_in_parts(stored: StoredIndex) -> None:
    names = [document.id for document in stored.documents(EVERYTHING)]
    assert names == sorted(TEXTS)
    assert [document.id for document in stored.documents(EVERYTHING, limit=2)] == names[:2]
    assert [document.id for document in stored.documents(EVERYTHING, limit=2, offset=4)] == names[4:]
    assert [document.id for document in stored.documents(EVERYTHING, offset=1)] == names[1:]
    assert stored.documents(EVERYTHING, limit=0) == []
    assert stored.documents(EVERYTHING)[-1] == documents(["vouchers"])[0][0]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(country=["de"]), ["frauen", "street"]),
        (Filters(country=["Deutschland"], year_from=2020), ["frauen", "street"]),  # the one runs on
        (Filters(country=["DE"], only=frozenset({"street", "news"})), ["street"]),
        (Filters(target_group=["junge Menschen"]), ["street"]),
        (Filters(kind=["news"]), ["news"]),
        (Filters(year_to=2020), ["street"]),
        (Filters(country=["PL"]), []),
    ],
)
def test_filters_are_applied_inside_the_store(stored: StoredIndex, filters: Filters, expected: list[str]) -> None:
    assert [document.id for document in stored.documents(filters)] == expected
    counts = stored.counts(filters)
    assert counts.documents == len(expected)
    members = [passage for name in expected for passage in passages(stored, name)]
    assert counts.passages == len(members)
    assert sorted(stored.members(sorted(TEXTS), filters, None)) == sorted(members)
    ones = np.ones((1, stored.manifest.dimensions), np.float32)
    assert sorted(stored.nearest(ones, filters, 100)) == sorted(members)
    words = {"en": terms("Practice", "en"), "de": terms("Practice", "de")}
    assert sorted(stored.lexical(words, filters, 100)) == sorted(members)
    assert sorted(stored.nearest_documents(ones[0], filters, 100)) == expected


def test_facets_count_what_each_value_would_leave(stored: StoredIndex) -> None:
    facets = stored.counts(Filters(country=["DE"])).facets
    assert facets["country"] == {"DE": 2, "AT": 1}
    assert facets["language"] == {"de": 1, "en": 1}
    assert facets["target_group"] == {"neet": 1, "young-people": 1}
    assert facets["year"] == {"2019": 1, "2021": 2}


def test_texts_come_in_the_order_asked_for_without_unknown_ones(stored: StoredIndex) -> None:
    texts = stored.texts(["vouchers", "nope", "empty", "street"])
    assert [text.document.id for text in texts] == ["vouchers", "empty", "street"]
    vouchers, empty, street = texts
    assert (empty.pages, empty.passages) == ([], [])
    assert street.pages[0].text == "\n\n".join(TEXTS["street"][1])
    for text in (vouchers, street):
        for passage in text.passages:
            assert text.pages[0].text[passage.start : passage.end] == passage.text


def test_mean_vectors_are_those_of_the_passages(stored: StoredIndex) -> None:
    rows = stored.rows(passages(stored, "street"), {})
    mean = rows.vectors.mean(axis=0)
    means = stored.means(["street", "empty"])
    assert means[0] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)
    assert not means[1].any()
    assert rows.means == pytest.approx(np.stack([means[0]] * len(rows.languages)), abs=1e-6)
    assert stored.nearest_documents(means[0], EVERYTHING, 1) == ["street"]
    with pytest.raises(NotInIndexError, match="'nope'"):
        stored.means(["street", "nope"])


# ── Passages ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_members_come_document_by_document_up_to_the_depth(stored: StoredIndex) -> None:
    expected = passages(stored, "street") + passages(stored, "news")
    assert stored.members(["street", "empty", "news"], EVERYTHING, None) == expected
    for depth in range(len(expected)):
        assert stored.members(["street", "empty", "news"], EVERYTHING, depth) == expected[:depth]


def test_words_are_scored_as_rank_bm25_does_by_each_passages_own_language(stored: StoredIndex) -> None:
    read = everything(stored)
    reference = BM25Plus(
        [terms(text, document.language) for document, text in read.values()], k1=CONFIG.bm25.k1, b=CONFIG.bm25.b, delta=1
    )
    query = {language: terms("young people take vouchers, Frauen", language) for language in ("en", "de")}
    scores = stored.rows(list(read), query).lexical
    for row, (document, _) in enumerate(read.values()):
        wanted = query[str(document.language)]
        known = [term for term in wanted if term in reference.idf]
        raw = reference.get_scores(known)[row] - sum(reference.idf[term] for term in known)
        most = (CONFIG.bm25.k1 + 1) * sum(reference.idf.get(term, np.log(len(read) + 1)) for term in wanted)
        assert scores[row] == pytest.approx(raw / most, abs=2e-6)
    best = [passage_id for _, passage_id in sorted(zip(-scores, read, strict=True))]
    matching = int((scores > 0).sum())
    assert 2 <= matching < len(read)
    assert set(stored.lexical(query, EVERYTHING, 100)) == set(best[:matching])
    assert stored.lexical(query, EVERYTHING, 1) == best[:1]
    assert not stored.rows(list(read), {}).lexical.any()


def test_idf_is_that_of_rank_bm25(stored: StoredIndex) -> None:
    read = everything(stored)
    tokens = [terms(text, document.language) for document, text in read.values()]
    idf = stored.idf(["practic", "voucher", "unheard-of"])
    for term in ("practic", "voucher"):
        assert idf[term] == pytest.approx(np.log((len(read) + 1) / sum(term in words for words in tokens)))
    assert idf["unheard-of"] == pytest.approx(np.log(len(read) + 1))


def test_the_nearest_are_those_of_the_highest_products(stored: StoredIndex, encoder: Encoder) -> None:
    ids = list(everything(stored))
    rows = stored.rows(ids, {})
    vectors = encoder.encode_queries(["advisers in the park", "Frauen"])
    for depth in (1, 2, 100):
        expected = set()
        for vector in vectors:
            expected |= {ids[row] for row in np.argsort(-(rows.vectors @ vector), kind="stable")[:depth]}
        passage_ids = stored.nearest(vectors, EVERYTHING, depth)
        assert set(passage_ids) == expected
        assert len(passage_ids) == len(expected)  # each once


def test_rows_come_in_the_order_asked_for(stored: StoredIndex) -> None:
    ids = list(everything(stored))
    forward, backward = stored.rows(ids, {}), stored.rows(ids[::-1], {})
    languages = [document.language for document, _ in everything(stored).values()]
    assert forward.languages == languages == backward.languages[::-1]
    assert (forward.vectors == backward.vectors[::-1]).all()
    assert np.linalg.norm(forward.vectors, axis=1) == pytest.approx(np.ones(len(ids)), abs=5e-4)  # in half precision
    nothing = stored.rows([], {})
    assert (len(nothing.languages), nothing.vectors.shape, nothing.sentences.shape) == (0, (0, 384), (0, 384))
    with pytest.raises(NotInIndexError, match="'nope'"):
        stored.rows([ids[0], "nope"], {})


def test_passages_come_with_their_documents_in_the_order_asked_for(stored: StoredIndex) -> None:
    texts = stored.texts(["vouchers", "street"])
    expected = [(passage, text.document) for text in texts for passage in text.passages]
    assert stored.passages([passage.id for passage, _ in expected]) == expected
    assert stored.passages([]) == []
    for unknown in ("nope", "street~0-1", "street~p1~0-62", "street~", "~0-62", "street~0-62-9"):
        with pytest.raises(NotInIndexError, match=f"'{unknown}'"):
            stored.passages([expected[0][0].id, unknown])


def test_sentences_are_places_in_the_passage_with_their_vectors(stored: StoredIndex, encoder: Encoder) -> None:
    ids = passages(stored, "street")
    sentences = stored.sentences(ids)
    texts = [
        passage.text[start:end]
        for (passage, _), of in zip(stored.passages(ids), sentences, strict=True)
        for start, end in of.spans
    ]
    assert texts == [
        "Street work with young people.", "It takes place where they meet.", "Advisers visit parks every evening.",
    ]  # fmt: skip
    vectors = np.concatenate([of.vectors for of in sentences])
    assert vectors == pytest.approx(encoder.encode_passages(texts), abs=2e-3)
    with pytest.raises(NotInIndexError, match="'nope'"):
        stored.sentences(["nope"])


# ── The whole collection ────────────────────────────────────────────────────────────────────────────────────────────


def test_words_are_counted_by_the_passages_that_have_them(stored: StoredIndex) -> None:
    assert stored.words("de")["beratung"] == 1
    assert stored.words("en")["practice"] == sum(document.language == "en" for document, _ in everything(stored).values())
    assert stored.words("fr") == {}


def test_questions_come_with_their_documents_and_are_no_text(stored: StoredIndex, encoder: Encoder) -> None:
    questions = stored.questions()
    of = [sorted(TEXTS)[row] for row in questions.documents.tolist()]
    assert sorted(zip(of, questions.languages, strict=True)) == [("news", "de"), ("news", "en"), ("street", "en")]
    park = questions.vectors.take(np.array([of.index("street")]))[0]
    assert float(park @ encoder.encode_queries(["who goes to the park?"])[0]) > 0.999
    assert {document.questions for document in stored.documents(EVERYTHING)} == {()}


def test_what_documents_hold_comes_by_id(stored: StoredIndex) -> None:
    holdings = stored.holdings()
    assert holdings.documents == sorted(TEXTS)
    concepts = ["countries/AT", "countries/DE", "target-groups/neet", "target-groups/young-people"]
    (street,) = holdings.with_concepts(concepts).of([holdings.documents.index("street")])
    assert street.tolist() == [0, 1, 1, 0.5]
    assert stored.label_vectors().numbers.shape == (len(labels_of(TAXONOMY)), stored.manifest.dimensions)
    assert stored.taxonomy == TAXONOMY


# ── Generations ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_generation_there_is_nothing_to_open(store: IndexStore) -> None:
    assert (store.current_name(), store.current()) == (None, None)
    with pytest.raises(IndexNotFoundError, match="build"):
        store.open()


def test_a_generation_is_switched_to_at_once_and_an_open_one_stays(store: IndexStore, write: Write) -> None:
    first = write(store, ["news"])
    name, old = store.current_name(), store.open()
    second = write(store, ["street", "vouchers"])
    assert store.current_name() != name
    assert store.current() == second != first
    assert [document.id for document in old.documents(EVERYTHING)] == ["news"]
    assert [document.id for document in store.open().documents(EVERYTHING)] == ["street", "vouchers"]
    assert old.manifest == first


def test_a_discarded_generation_changes_nothing(store: IndexStore, write: Write) -> None:
    write(store, ["news"])
    name = store.current_name()
    writer = store.writer()
    none = np.zeros((0, 384), np.float16)
    writer.add(EncodedDocument(documents(["street"])[0][0], [], [], none, [], none, {}))
    writer.discard()
    assert store.current_name() == name
    assert [document.id for document in store.open().documents(EVERYTHING)] == ["news"]


def test_a_store_tells_whether_it_is_written_to(store: IndexStore, write: Write) -> None:
    assert not store.is_building()
    writer = store.writer()
    assert store.is_building()
    writer.discard()
    assert not store.is_building()
    manifest = write(store, ["news"])
    assert store.verify() == manifest


def test_two_writers_at_once_are_refused(store: IndexStore) -> None:
    writer = store.writer()
    try:
        with pytest.raises(BuildRunningError, match="another build"):
            store.writer()
    finally:
        writer.discard()
    store.writer().discard()


# ── Above the stores ────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_store_gives_the_same_ranking(tmp_path: Path, write: Write, encoder: Encoder) -> None:
    indexes = {}
    for name in STORES.rows:
        store = open_store(name, tmp_path / name)
        write(store)
        indexes[name] = open_index(store)
    reference = indexes.pop("memory")
    assert indexes
    for index in indexes.values():
        for query in ("young people", "Frauen im Beruf", "vouchers", "Deutschland", "?"):
            for filters in (EVERYTHING, Filters(country=["DE"])):
                expected = search(query, reference, encoder, SearchConfig(), filters=filters)
                result = search(query, index, encoder, SearchConfig(), filters=filters)
                assert [hit.passage for hit in result.hits] == [hit.passage for hit in expected.hits]
                assert [hit.score for hit in result.hits] == pytest.approx([hit.score for hit in expected.hits], abs=2e-6)
                assert (result.facets, result.total) == (expected.facets, expected.total)
        near = [hit.document.id for hit in related("street", index)]
        assert near == [hit.document.id for hit in related("street", reference)]
