"""What documents state of themselves in labelled fields, in whatever language the labels are."""

import pytest

from pes_search.ingest.labelled_fields import FIELD_BLOCKS, Labelled, labelled_fields
from pes_search.ingest.types import Block


def read(*texts: str, language: str = "en") -> Labelled:
    """Read rows; what begins with # is a heading, with - an item of a list."""
    kinds = {"#": "heading", "-": "item"}
    blocks = [Block(kinds.get(text[:1], "row"), text.lstrip("#- ")) for text in texts]  # type: ignore[arg-type]
    return labelled_fields(blocks, language)


@pytest.mark.parametrize(
    ("texts", "codes"),
    [
        (["Country: Austria, applies nationwide"], ("AT",)),
        (["Land", "Polen"], ("PL",)),
        (["Pays :", "Belgique"], ("BE",)),
        (["# Χώρα", "Ελλάδα"], ("GR",)),
        (["Kind: report | Country: Latvia | Year: 2020"], ("LV",)),
        (["# Countries", "- Spain", "- Portugal", "Text."], ("ES", "PT")),
        (["# Countries", *["- Spain", "- Portugal", "- Italy", "- Malta"] * 3], None),  # a site's menu
        (["Country: Spain | Start: 2020", "Country: Latvia | Start: 2020"], None),  # of the rows, not of the document
        (["The country: Spain is one of them"], None),
        (["Land reform", "Polen"], None),
        (["Country: Atlantis"], None),
    ],
)
def test_a_country_stands_beside_its_label_or_below(texts: list[str], codes: tuple[str, ...] | None) -> None:
    assert read(*texts).fields.get("countries") == codes


def test_a_label_far_down_is_about_something_else() -> None:
    assert read(*["text"] * (FIELD_BLOCKS - 1), "Country: Spain").fields == {"countries": ("ES",)}
    assert read(*["text"] * FIELD_BLOCKS, "Country: Spain").fields == {}


@pytest.mark.parametrize(
    ("texts", "years"),
    [
        (["Time period: open ended, started on 1 March 2014"], (2014, None)),
        (["Period: 2014–2020"], (2014, 2020)),
        (["Laufzeit: 01.03.2014 bis 31.12.2016"], (2014, 2016)),
        (["Start date: March 2019", "End date: 30/06/2021"], (2019, 2021)),
        (["Début : 2018", "Fin : 2017"], (2018, None)),  # one of them is wrong
        (["Duration: 18 months, for 2,019 people"], (None, None)),
        (["End: 2020"], (None, None)),  # of what began no one knows when
    ],
)
def test_years_are_those_of_beginning_and_end(texts: list[str], years: tuple[int | None, int | None]) -> None:
    fields = read(*texts).fields
    assert (fields.get("year"), fields.get("end_year")) == years


def test_the_day_of_publication_is_apart_from_the_beginning() -> None:
    labelled = read("Start: 1 May 2019", "Date of publication: 22 June 2022")
    assert labelled.fields == {"date": "2022-06-22", "year": 2019}
    assert labelled.other_dates == {"2019-05-01"}


def test_names_are_no_sentences() -> None:
    fields = read("Original title: Der Bus zur Lehre", "Organisation: Employment service of the region").fields
    assert fields == {"native_title": "Der Bus zur Lehre", "organisation": "Employment service of the region"}
    assert read("Organisation: " + "it was organised by many who met " * 10).fields == {}


def test_values_of_lists_come_as_they_stand() -> None:
    labelled = read("# Target groups", "- Young people", "- Single parents", "# Type of measure", "Vouchers; advice")
    assert labelled.terms == {"target_groups": ["Young people", "Single parents"], "measure_types": ["Vouchers; advice"]}
    prose = "We spoke with many of the people whom this was meant for, and they told us how they had heard of it. " * 2
    assert read("Zielgruppe", prose, language="de").terms == {}
