"""Filters and facet counts over document metadata."""

from pathlib import Path

import pytest

from pes_search.index.filters import Filters
from pes_search.index.stores.metadata import Metadata
from pes_search.ingest.taxonomy import NO_TAXONOMY, Taxonomy
from pes_search.ingest.types import Document


def document(name: str, **values: object) -> Document:
    return Document(**({"id": name, "title": name, "kind": "practice", "language": "en", "sha256": "", "path": name} | values))  # type: ignore[arg-type]


DOCUMENTS = [
    document("a", countries=("DE", "AT"), year=2009, target_groups=("NEET",)),
    document("b", countries=("DE",), year=2015, target_groups=("NEET", "Roma"), measure_types=("outreach",)),
    document("c", countries=("FR",), year=2020, kind="news", language="fr"),
    document("d"),
]
METADATA = Metadata.of_documents(DOCUMENTS, [1, 2, 3, 0], NO_TAXONOMY)
TAXONOMY = Taxonomy.from_values(
    {
        "target-groups": [
            {
                "id": "young-people",
                "terms": {"en": ["young people"], "de": ["junge Menschen"]},
                "plain": {"en": ["the under-30s"]},
            },
            {"id": "neet", "broader": ["young-people"], "terms": {"en": ["NEETs"]}, "tags": ["NEET"]},
        ],
        "countries": [{"id": "DE", "terms": {"en": ["Germany"], "de": ["Deutschland"]}}],
    }
)
TERMS = Metadata.of_documents(
    [
        document("a", countries=("DE",), target_groups=("neet",)),
        document("b", countries=("DE",), target_groups=("young-people",)),
        document("c", countries=("FR",), target_groups=("women",)),
    ],
    [1, 1, 1],
    TAXONOMY,
)


def passing(filters: Filters) -> str:
    mask = METADATA.mask(filters)
    return "".join(d.id for i, d in enumerate(DOCUMENTS) if mask is None or mask[i])


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), "abcd"),
        (Filters(country=("DE",)), "ab"),
        (Filters(country=("de",)), "ab"),
        (Filters(country=("AT", "FR")), "ac"),
        (Filters(country=("DE",), target_group=("roma",)), "b"),
        (Filters(measure_type=("outreach",)), "b"),
        (Filters(kind=("practice",)), "abd"),
        (Filters(language=("fr",)), "c"),
        (Filters(year_from=2010), "abc"),
        (Filters(year_to=2015), "ab"),
        (Filters(year_from=2009, year_to=2009), "a"),
        (Filters(country=("PL",)), ""),
    ],
)
def test_a_filter_passes_the_documents_that_have_one_of_its_values(filters: Filters, expected: str) -> None:
    assert passing(filters) == expected


def test_facets_count_documents_most_frequent_first() -> None:
    facets = METADATA.counts(Filters()).facets
    assert list(facets["country"].items()) == [("DE", 2), ("AT", 1), ("FR", 1)]
    assert facets["target_group"] == {"NEET": 2, "Roma": 1}
    assert facets["year"] == {"2009": 1, "2015": 2, "2020": 3}


def test_a_facet_counts_what_choosing_another_value_would_leave() -> None:
    facets = METADATA.counts(Filters(country=("DE",), kind=("practice",))).facets
    assert facets["country"] == {"DE": 2, "AT": 1}  # not narrowed by the chosen country, but by the kind
    assert facets["kind"] == {"practice": 2}
    assert facets["target_group"] == {"NEET": 2, "Roma": 1}


def test_every_count_is_the_number_of_documents_that_the_filter_leaves() -> None:
    for value, count in METADATA.counts(Filters(kind=("practice",))).facets["country"].items():
        assert len(passing(Filters(kind=("practice",), country=(value,)))) == count


def test_documents_and_passages_that_pass_are_counted() -> None:
    counts = METADATA.counts(Filters(country=("DE",)))
    assert (counts.documents, counts.passages) == (2, 1 + 2)
    everything = METADATA.counts(Filters())
    assert (everything.documents, everything.passages) == (4, 1 + 2 + 3 + 0)


def test_no_documents_have_no_facets() -> None:
    assert all(counts == {} for counts in Metadata.of_documents([], [], TAXONOMY).counts(Filters()).facets.values())


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(target_group=("neet",)), [True, False, False]),
        (Filters(target_group=("young-people",)), [True, True, False]),  # a broader term takes in the narrower ones
        (Filters(target_group=("junge menschen",)), [True, True, False]),
        (Filters(target_group=("The under-30s",)), [True, True, False]),
        (Filters(target_group=("NEET",)), [True, False, False]),
        (Filters(target_group=("women",)), [False, False, True]),  # a value that no list has stands for itself
        (Filters(country=("Deutschland",)), [True, True, False]),
        (Filters(country=("Germany", "fr")), [True, True, True]),
    ],
)
def test_terms_are_chosen_by_id_or_label(filters: Filters, expected: list[bool]) -> None:
    mask = TERMS.mask(filters)
    assert mask is not None
    assert mask.tolist() == expected


def test_a_facet_counts_what_choosing_it_would_leave() -> None:
    for value, count in TERMS.counts(Filters()).facets["target_group"].items():
        mask = TERMS.mask(Filters(target_group=(value,)))
        assert mask is not None
        assert int(mask.sum()) == count
    assert TERMS.counts(Filters()).facets["target_group"] == {"young-people": 2, "neet": 1, "women": 1}


def test_what_was_saved_is_read_back(tmp_path: Path) -> None:
    METADATA.save(tmp_path)
    read = Metadata.read(tmp_path, NO_TAXONOMY)
    for filters in (Filters(), Filters(country=["de"]), Filters(year_from=2015), Filters(target_group=["Roma"])):
        assert read.counts(filters) == METADATA.counts(filters)
    Metadata.of_documents([], [], TAXONOMY).save(tmp_path)
    assert Metadata.read(tmp_path, TAXONOMY).counts(Filters()).documents == 0
