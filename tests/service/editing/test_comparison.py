"""Practices side by side: every cell is a quotation of its document, or not stated."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex
from pes_search.ingest.languages import known_languages
from pes_search.service.editing.comparison import FIELDS, states

IDS = ["hr-vouchers", "pl-kfs", "de-power-m"]


@pytest.fixture(scope="module")
def comparison(client: TestClient) -> dict[str, Any]:
    return client.get("/api/v1/compare", params={"ids": ",".join(IDS)}).json()


def cell(comparison: dict[str, Any], field: str, document: str) -> list[str]:
    row = next(row for row in comparison["rows"] if row["field"] == field)
    values = row["cells"][IDS.index(document)]
    return [*([values["value"]] if values["value"] else []), *(citation["quote"] for citation in values["citations"])]


def test_a_row_a_field_a_cell_a_document(comparison: dict[str, Any]) -> None:
    assert [document["id"] for document in comparison["documents"]] == IDS
    assert [row["field"] for row in comparison["rows"]] == [field.name for field in FIELDS]
    assert all(len(row["cells"]) == len(IDS) for row in comparison["rows"])


def test_every_cell_quotes_its_own_document(comparison: dict[str, Any], client: TestClient) -> None:
    for row in comparison["rows"]:
        for document, values in zip(IDS, row["cells"], strict=True):
            assert values["stated"] == bool(values["citations"] or values["value"])
            for citation in values["citations"]:
                passage = client.get(f"/api/v1/passages/{citation['passage_id']}").json()
                assert passage["document_id"] == citation["document_id"] == document
                assert passage["text"][citation["start"] : citation["end"]] == citation["quote"]


@pytest.mark.parametrize(
    ("field", "document", "words"),
    [
        ("target_group", "hr-vouchers", "jobseekers"),
        ("organisation", "hr-vouchers", "HZZ"),
        ("funding", "de-power-m", "ESF"),
        ("partners", "de-power-m", "partners"),
        ("country", "hr-vouchers", "Croatia"),
    ],
)
def test_what_a_write_up_states_is_in_its_cell(comparison: dict[str, Any], field: str, document: str, words: str) -> None:
    assert words in " ".join(cell(comparison, field, document))


@pytest.mark.parametrize(
    ("document", "sentence"),
    [("hr-vouchers", "18,693 completed"), ("de-power-m", "more than 3,300 women in the first six years")],
)
def test_the_evidence_is_the_sentence_that_the_front_matter_names(
    comparison: dict[str, Any], document: str, sentence: str
) -> None:
    [quotation] = cell(comparison, "evidence", document)
    assert sentence in quotation
    row = next(row for row in comparison["rows"] if row["field"] == "evidence")
    assert row["cells"][IDS.index(document)]["term"] == "monitoring-figures"


def test_one_sentence_fills_one_row(comparison: dict[str, Any]) -> None:
    for document in IDS:
        quotes = [quote for row in comparison["rows"] for quote in cell(comparison, row["field"], document)]
        others = [field["field"] for field in comparison["rows"] if field["field"] != "evidence"]
        found = [quote for field in others for quote in cell(comparison, field, document)]
        assert len(found) == len(set(found)), quotes


def test_the_fields_of_the_front_matter_are_stated_for_every_practice(client: TestClient, corpus_index: OpenIndex) -> None:
    practices = [document.id for document in corpus_index.stored.documents(Filters(kind=["practice"]))]
    for first in range(0, len(practices), 10):
        answer = client.get("/api/v1/compare", params={"ids": ",".join(practices[first : first + 10])}).json()
        for row in answer["rows"]:
            if row["field"] in ("organisation", "country"):
                assert all(values["stated"] for values in row["cells"]), row["field"]


def test_only_evidence_has_a_term(comparison: dict[str, Any]) -> None:
    assert {row["field"] for row in comparison["rows"] for values in row["cells"] if values["term"]} == {"evidence"}


def test_what_is_not_stated_is_no_statement() -> None:
    assert not states("Which groups count as vulnerable is not stated.")
    assert states("Satisfaction with the vouchers was 92 % (date and method not stated).")


def test_ids_are_repeated_or_between_commas(client: TestClient) -> None:
    repeated = client.get("/api/v1/compare", params={"ids": ["hr-vouchers", "pl-kfs"]}).json()
    assert repeated == client.get("/api/v1/compare", params={"ids": "hr-vouchers,pl-kfs"}).json()


@pytest.mark.parametrize(("ids", "status"), [("nobody", 404), (",", 422), (",".join(f"x{i}" for i in range(11)), 422)])
def test_ids_that_do_not_fit(client: TestClient, ids: str, status: int) -> None:
    answer = client.get("/api/v1/compare", params={"ids": ids})
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_the_words_of_every_language_belong_to_fields_that_there_are() -> None:
    names = {field.name for field in FIELDS}
    assert [language.code for language in known_languages().values() if not set(language.field_words) <= names] == []
