"""A page without metadata in the service: it is filtered and compared by what its sentences say, and marked everywhere."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kept import kept_in
from starlette.testclient import TestClient

from pes_search.index.encoders.base import Encoder
from pes_search.service.api.app import create_app
from pes_search.service.engine import Engine
from pes_search.service.settings import Settings
from tests.conftest import CORPUS, Build

PAGE = """# Job coaching for refugees

The coaches began in Austria in 2016. It is run by AMS.

## Results

In 2019 there were 1,200 jobseekers in it.
"""
SENTENCE = "The coaches began in Austria in 2016."


@pytest.fixture(scope="module")
def index_folder(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inferred")
    (folder / "factsheets").mkdir()
    shutil.copytree(CORPUS / "taxonomy", folder / "taxonomy")
    (folder / "factsheets" / "coaches.md").write_text(PAGE, encoding="utf-8")
    build([folder / "factsheets"], folder / "index")
    return folder / "index"


@pytest.fixture(scope="module")
def client(index_folder: Path, encoder: Encoder) -> TestClient:
    settings = Settings(index_dir=index_folder, **kept_in(index_folder.parent))
    return TestClient(create_app(Engine(settings, settings.index_store(), encoder)), raise_server_exceptions=False)


def get(client: TestClient, address: str, **parameters: str) -> Any:
    answer = client.get(address, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_filters_find_it(client: TestClient) -> None:
    for name, value in (
        ("country", "AT"),
        ("target_group", "refugees"),
        ("measure_type", "coaching"),  # which includes job coaching
        ("organisation", "ams"),
        ("evidence", "monitoring-figures"),
    ):
        assert get(client, "/api/v1/search", q="coaches", **{name: value})["total"] == 1, name
    assert get(client, "/api/v1/search", q="coaches", country="DE")["total"] == 0


def test_the_interface_tells_confidence_and_sentence(client: TestClient) -> None:
    hit = get(client, "/api/v1/search", q="coaches")["hits"][0]
    assert {value["field"] for value in hit["inferred"]} == {"countries", "organisation", "evidence"}
    document = get(client, f"/api/v1/documents/{hit['document_id']}")
    country, *_ = document["inferred"]
    assert (country["field"], country["value"], country["sentence"]) == ("countries", "AT", SENTENCE)
    assert 0.9 < country["confidence"] < 1
    assert country["passage_id"] in {passage["id"] for passage in document["passages"]}
    assert {passage["language"] for passage in document["passages"]} == {"en"}


def test_pages_mark_it_in_their_language(client: TestClient) -> None:
    document = get(client, "/api/v1/search", q="coaches")["hits"][0]["document_id"]
    page = client.get(f"/documents/{document}").text
    for shown in (
        "Austria (inferred)",
        "AMS (inferred)",
        "refugees (inferred)",
        "job coaching (inferred)",
        "Inferred from the text",
    ):
        assert shown in page, shown
    assert f'Austria (95%): <q lang="en" dir="ltr">{SENTENCE}</q>' in page
    german = {"accept-language": "de"}
    assert "Österreich (erschlossen)" in client.get(f"/documents/{document}", headers=german).text
    assert "Österreich (erschlossen)" in client.get("/", params={"q": "coaches"}, headers=german).text


def test_comparisons_mark_it(client: TestClient) -> None:
    document = get(client, "/api/v1/search", q="coaches")["hits"][0]["document_id"]
    rows = {row["field"]: row["cells"][0] for row in get(client, "/api/v1/compare", ids=document)["rows"]}
    assert (rows["organisation"]["value"], rows["organisation"]["inferred"][0]["value"]) == ("AMS", "AMS")
    assert rows["evidence"]["inferred"][0]["confidence"] == 0.7
    assert rows["partners"]["inferred"] == []
    assert "AMS (inferred)" in client.get("/compare", params={"ids": document}).text


def test_the_command_line_marks_it(pes: Callable[..., Any], index_folder: Path, client: TestClient) -> None:
    document = get(client, "/api/v1/search", q="coaches")["hits"][0]["document_id"]
    shown = pes("show", document, "--index", index_folder).out
    assert "factsheet · AT (inferred) · AMS (inferred)" in shown
    assert f"\ncountries: AT (inferred), 95% sure: {SENTENCE}\n" in shown
    assert "[AT (inferred) · factsheet]" in pes("search", "coaches", "--index", index_folder).out
    assert "AMS] (inferred)" in pes("compare", document, "--index", index_folder).out
