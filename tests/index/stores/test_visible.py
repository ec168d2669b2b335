"""What somebody sees of an index who may not read all of it: as if it had been built without the rest, in every store."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pes_search.index.build import write_documents
from pes_search.index.config import Bm25Config, IndexConfig, SearchConfig
from pes_search.index.encoders.base import Encoder
from pes_search.index.errors import NotInIndexError
from pes_search.index.evidence.concepts import labels_of
from pes_search.index.filters import EVERYTHING, Filters
from pes_search.index.open_index import OpenIndex
from pes_search.index.search import related, search
from pes_search.index.stores import STORES, open_store
from pes_search.index.stores.base import IndexStore, StoredIndex
from pes_search.index.text.tokens import terms
from pes_search.ingest.config import PassageConfig
from pes_search.ingest.taxonomy import Taxonomy
from pes_search.ingest.types import Block, Document, document_of

TAXONOMY = Taxonomy.from_values(
    {
        "target-groups": [
            {"id": "young-people", "terms": {"en": ["young people"]}},
            {"id": "neet", "broader": ["young-people"], "terms": {"en": ["NEETs"]}},
            {"id": "returners", "terms": {"en": ["women returners"]}},
            {"id": "prisoners", "terms": {"en": ["prisoners"]}},
        ],
        "organisations": [
            {"id": "zephyr", "country": "DE", "terms": {"en": ["Zephyr Foundation"]}},
            {"id": "borealis", "country": "DE", "terms": {"en": ["Borealis Office"]}},
        ],
        "countries": [
            {"id": "DE", "terms": {"en": ["Germany"]}},
            {"id": "MT", "terms": {"en": ["Malta"]}},
        ],
    }
)
# By id: who may read it, its other fields, its paragraphs.
TEXTS: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "fair": ("", {"kind": "news", "date": "2020-02-02", "year": 2020}, ["A fair for employers, by the Borealis Office."]),
    "street": (
        "",
        {
            "countries": ("DE",),
            "year": 2019,
            "target_groups": ("neet",),
            "related": ("secret", "vouchers"),
            "questions": (("en", "who goes to the park?"),),
        },
        ["Street work with young people, young people and young people.", "Advisers visit parks every evening."],
    ),
    "secret": (
        "internal",
        {
            "countries": ("MT",),
            "year": 1987,
            "language": "mt",
            "target_groups": ("prisoners",),
            "organisations": ("zephyr",),
            "questions": (("en", "who visits parks in secret?"), ("mt", "min?")),
        },
        ["Quicksilver work with young people in parks.", "Advisers visit parks every evening, said the Zephyr Foundation."],
    ),
    "vouchers": ("", {"countries": ("DE",), "year": 2021}, ["Vouchers for digital training. Jobseekers choose the course."]),
    "zboard": ("board", {"year": 2030}, ["Vouchers for the board, of which young people have heard nothing at all yet."]),
    "zboth": ("board+internal", {"questions": (("en", "a fair?"),)}, ["Both boards meet in parks."]),
    "zempty": ("internal", {}, []),
}
CONFIG = IndexConfig(PassageConfig(max_tokens=20, min_tokens=0), Bm25Config(k1=1.2, b=0.5))
READS = [
    (frozenset(), ["fair", "street", "vouchers"]),
    (frozenset({"internal"}), ["fair", "secret", "street", "vouchers", "zempty"]),
    (frozenset({"board", "other"}), ["fair", "street", "vouchers", "zboard"]),
]
QUERIES = ("young people in parks", "vouchers", "Zephyr", "quicksilver", "who visits?")
Open = Callable[..., StoredIndex]


def documents(names: Sequence[str]) -> list[tuple[Document, list[Block]]]:
    values: dict[str, Any] = {"kind": "practice", "language": "en"}
    made = []
    for name in names:
        visibility, fields, paragraphs = TEXTS[name]
        related_ones = tuple(one for one in fields.get("related", ()) if one in names)
        whole = {**values, **fields, "related": related_ones, "visibility": visibility}
        document = Document(**whole, id=name, title=f"Practice {name}", sha256=name, path=name)
        made.append((document, [Block("paragraph", text) for text in paragraphs]))
    return made


def written(store: IndexStore, names: Sequence[str], encoder: Encoder, cache_dir: Path) -> StoredIndex:
    writer = store.writer()
    try:
        write_documents(documents(names), writer, encoder, cache_dir=cache_dir, config=CONFIG, taxonomy=TAXONOMY)
    finally:
        writer.discard()
    return store.open()


@pytest.fixture(scope="module")
def open_stored(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, cache_dir: Path) -> Open:
    """Open a store's index of some documents; each is written once."""
    known: dict[tuple[str, tuple[str, ...]], StoredIndex] = {}

    def run(store: str, names: Sequence[str] = tuple(TEXTS)) -> StoredIndex:
        key = store, tuple(names)
        if key not in known:
            known[key] = written(open_store(store, tmp_path_factory.mktemp("index")), names, encoder, cache_dir)
        return known[key]

    return run


@pytest.fixture(params=sorted(STORES.rows))
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def by_language(text: str) -> dict[str | None, list[str]]:
    return {"en": terms(text, "en"), "mt": terms(text, "mt")}


@pytest.mark.parametrize(("reads", "names"), READS)
def test_every_primitive_answers_as_an_index_without_the_closed_documents(
    store: str, open_stored: Open, encoder: Encoder, reads: frozenset[str], names: list[str]
) -> None:
    seen, alone = open_stored(store).visible_to(reads), open_stored(store, names)
    assert seen.labels == alone.labels
    vectors = encoder.encode_queries(list(QUERIES))
    several = [
        EVERYTHING,
        Filters(country=["DE"]),
        Filters(country=["MT"]),
        Filters(year_from=1980),
        Filters(kind=["practice"]),
    ]
    several += [Filters(only=frozenset({"street", "secret"})), Filters(without=frozenset({"fair"})), Filters(year_to=2019)]
    for filters in several:
        assert seen.counts(filters) == alone.counts(filters)
        assert seen.documents(filters) == alone.documents(filters)
        assert seen.documents(filters, 1, 1) == alone.documents(filters, 1, 1)
        assert seen.members(TEXTS, filters, None) == alone.members(TEXTS, filters, None)
        for depth in (1, 2, 100):
            assert sorted(seen.nearest(vectors, filters, depth)) == sorted(alone.nearest(vectors, filters, depth))
            assert seen.members(TEXTS, filters, depth) == alone.members(TEXTS, filters, depth)
            for query, vector in zip(QUERIES, vectors, strict=True):
                words = by_language(query)
                assert sorted(seen.lexical(words, filters, depth)) == sorted(alone.lexical(words, filters, depth))
                near = seen.nearest_documents(vector, filters, depth)
                assert near == alone.nearest_documents(vector, filters, depth)
        for query in QUERIES:
            assert sorted(seen.holding(by_language(query), filters)) == sorted(alone.holding(by_language(query), filters))
    passages = alone.members(names, EVERYTHING, None)
    assert {document_of(passage) for passage in passages} <= set(names)
    for query in QUERIES:
        rows, expected = (stored.rows(passages, by_language(query)) for stored in (seen, alone))
        assert rows.lexical == pytest.approx(expected.lexical, abs=2e-6)
        assert rows.languages == expected.languages
        assert (rows.vectors == expected.vectors).all()
        assert (rows.means == expected.means).all()
    assert seen.passages(passages) == alone.passages(passages)
    for one, other in zip(seen.sentences(passages), alone.sentences(passages), strict=True):
        assert one.spans == other.spans
    assert seen.texts(list(TEXTS)) == alone.texts(list(TEXTS))
    assert (seen.means(names) == alone.means(names)).all()


@pytest.mark.parametrize(("reads", "names"), READS)
def test_so_does_what_is_of_the_whole_collection(
    store: str, open_stored: Open, reads: frozenset[str], names: list[str]
) -> None:
    seen, alone = open_stored(store).visible_to(reads), open_stored(store, names)
    words = [term for text in (*QUERIES, "practice", "unheard-of") for term in terms(text, "en")]
    assert seen.idf(words) == pytest.approx(alone.idf(words))
    for language in ("en", "mt", "de", None):
        assert seen.words(language) == alone.words(language)
    ours, theirs = seen.holdings(), alone.holdings()
    assert (list(ours.documents), sorted(ours.concepts)) == (list(theirs.documents), sorted(theirs.concepts))
    order = sorted(ours.concepts)
    every = range(len(names))
    assert (ours.with_concepts(order).of(every) == theirs.with_concepts(order).of(every)).all()
    asked, expected = seen.questions(), alone.questions()
    rows, expected_rows = (
        sorted(zip(one.documents.tolist(), one.languages, one.vectors.numbers.tolist(), strict=True))
        for one in (asked, expected)
    )
    assert rows == expected_rows
    counted, expected_counts = (
        sorted(
            (term, document, count, words.codes[language])
            for term, document, count, language in zip(words.terms, words.documents, words.counts, words.languages, strict=True)
        )
        for words in (asked.words, expected.words)
    )
    assert counted == expected_counts
    assert list(asked.words.codes) == list(expected.words.codes)
    manifest = seen.manifest
    assert (manifest.documents, manifest.passages) == (alone.manifest.documents, alone.manifest.passages)
    assert list(manifest.languages.items()) == list(alone.manifest.languages.items())
    assert manifest.index_id != open_stored(store).manifest.index_id
    assert (manifest.report, manifest.files, manifest.left_out) == ({}, {}, {})


def test_closed_ids_are_as_unknown_as_ids_that_nobody_has(store: str, open_stored: Open) -> None:
    whole = open_stored(store)
    seen = whole.visible_to(frozenset())
    (closed,) = whole.members(["zboard"], EVERYTHING, None)
    nobodys = closed.replace("zboard", "nobody")
    for ask in (seen.passages, seen.sentences, lambda ids: seen.rows(ids, {})):
        messages = []
        for one in (closed, nobodys):
            with pytest.raises(NotInIndexError) as raised:
                ask([one])
            messages.append(str(raised.value).replace(one, "ID"))
        assert messages[0] == messages[1]
    for ask_document in (seen.means,):
        messages = []
        for one in ("zboard", "nobody"):
            with pytest.raises(NotInIndexError) as raised:
                ask_document([one])
            messages.append(str(raised.value).replace(one, "ID"))
        assert messages[0] == messages[1]


def test_lists_name_only_what_is_seen_has_or_names(store: str, open_stored: Open) -> None:
    whole = open_stored(store)
    seen = whole.visible_to(frozenset())
    lists = {name: set(concepts) for name, concepts in seen.taxonomy.lists.items()}
    # Countries are nobody's secret; the office is named in a text; nobody open has prisoners, or names the foundation.
    assert lists["countries"] == {"DE", "MT"}
    assert lists["organisations"] == {"borealis"}
    assert {"young-people", "neet"} <= lists["target-groups"]
    assert "prisoners" not in lists["target-groups"]
    assert len(seen.label_vectors().numbers) == len(labels_of(seen.taxonomy))
    place = labels_of(whole.taxonomy).index(labels_of(seen.taxonomy)[0])
    assert (seen.label_vectors().numbers[0] == whole.label_vectors().numbers[place]).all()
    assert "prisoners" in whole.visible_to(frozenset({"internal"})).taxonomy.lists["target-groups"]


def test_who_may_read_all_has_the_same_index_and_nobody_sees_more_by_looking_twice(store: str, open_stored: Open) -> None:
    whole = open_stored(store)
    assert whole.labels == {"internal", "board"}
    assert whole.visible_to(None) is whole
    assert whole.visible_to(frozenset({"internal", "board", "other"})) is whole
    public = whole.visible_to(frozenset())
    assert public.visible_to(frozenset({"internal"})) is public
    internal = whole.visible_to(frozenset({"internal"}))
    again = internal.visible_to(frozenset({"board"}))
    assert [document.id for document in again.documents(EVERYTHING)] == ["fair", "street", "vouchers"]
    assert again.words("en") == public.words("en")
    nothing_closed = open_stored(store, ["fair", "street"])
    assert nothing_closed.visible_to(frozenset()) is nothing_closed


def test_an_index_of_closed_documents_only_is_empty_to_others(store: str, open_stored: Open, encoder: Encoder) -> None:
    index = OpenIndex(open_stored(store, ["secret", "zempty"])).visible_to(frozenset())
    assert (index.manifest.documents, index.manifest.passages, dict(index.manifest.languages)) == (0, 0, {})
    result = search("quicksilver in parks", index, encoder, SearchConfig())
    assert (result.hits, result.total, result.matching, result.further) == ((), 0, 0, 0)
    assert not any(result.facets.values())


@pytest.mark.parametrize(("reads", "names"), READS)
def test_a_search_is_that_of_an_index_without_the_closed_documents(
    store: str, open_stored: Open, encoder: Encoder, reads: frozenset[str], names: list[str]
) -> None:
    seen, alone = OpenIndex(open_stored(store)).visible_to(reads), OpenIndex(open_stored(store, names))
    assert (seen.languages, seen.main_language) == (alone.languages, alone.main_language)
    for query in QUERIES:
        for group in ("document", "passage"):
            result, expected = (
                search(query, index, encoder, SearchConfig(), group=group)  # type: ignore[arg-type]
                for index in (seen, alone)
            )
            assert [hit.passage for hit in result.hits] == [hit.passage for hit in expected.hits]
            scores = [hit.score for hit in expected.hits]
            assert [hit.score for hit in result.hits] == pytest.approx(scores, abs=2e-6)
            assert [hit.highlights for hit in result.hits] == [hit.highlights for hit in expected.hits]
            assert (result.facets, result.total, result.matching) == (expected.facets, expected.total, expected.matching)
    near, expected_near = related("street", seen), related("street", alone)
    assert [hit.document.id for hit in near] == [hit.document.id for hit in expected_near]
    assert [hit.score for hit in near] == pytest.approx([hit.score for hit in expected_near], abs=2e-6)
    with pytest.raises(NotInIndexError, match="'zboth'"):
        related("zboth", seen)


def test_vectors_are_searched_among_what_is_seen(open_stored: Open) -> None:
    """The nearest of all may be closed: the depth is filled from the others, in each store alike."""
    for name in STORES.rows:
        whole = open_stored(name)
        vector = whole.means(["zboard"])
        assert {document_of(one) for one in whole.nearest(vector, EVERYTHING, 1)} == {"zboard"}
        seen = whole.visible_to(frozenset())
        assert len(seen.nearest(vector, EVERYTHING, 3)) == 3
        assert len(seen.nearest_documents(vector[0], EVERYTHING, 3)) == 3
