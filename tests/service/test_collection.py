"""The Python interface gives what command line and HTTP interface serialise."""

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import pes_search.service
from pes_search.index.encoders.base import Encoder
from pes_search.index.errors import IndexNotFoundError, NotInIndexError, QueryError
from pes_search.ingest.errors import SourceNotFoundError
from pes_search.service import Collection, build_collection, open_collection
from pes_search.service.api.schemas import ask_out, comparison_out, related_out, search_out
from pes_search.service.engine import Engine
from pes_search.service.settings import Settings


@pytest.fixture
def collection(engine: Engine) -> Collection:
    return Collection(engine)


def without_time(values: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if name != "took_ms"}


def test_searching_gives_the_values_of_the_http_interface(collection: Collection, client: TestClient) -> None:
    result = collection.search("vouchers for training", k=5, country=["HR", "GR"], kind="practice", year_from=2000)
    parameters = {
        "q": "vouchers for training",
        "k": 5,
        "country": ["HR", "GR"],
        "kind": "practice",
        "year_from": 2000,
        "all": True,
    }
    answered = client.get("/api/v1/search", params=parameters).json()
    assert {hit.document.countries for hit in result.hits} <= {("HR",), ("GR",)}
    expected = without_time(search_out(result).model_dump(mode="json"))
    assert without_time(answered) == {**expected, "did_you_mean": answered["did_you_mean"]}


def test_asking_gives_the_values_of_the_http_interface(collection: Collection, client: TestClient) -> None:
    question = "Who pays for power_m?"
    answer = collection.ask(question, k=3, country="DE")
    answered = client.post("/api/v1/ask", json={"question": question, "k": 3, "country": ["DE"]}).json()
    assert answer.sentences
    assert without_time(ask_out(answer).model_dump(mode="json")) == without_time(answered)


def test_related_documents_comparison_and_text(collection: Collection, client: TestClient) -> None:
    found = collection.related("de-power-m", k=3, kind="practice")
    answered = client.get("/api/v1/documents/de-power-m/related", params={"k": 3, "kind": "practice"}).json()
    assert related_out("de-power-m", found, answered["index_id"]).model_dump(mode="json") == answered
    ids = ["hr-vouchers", "pl-kfs"]
    compared = client.get("/api/v1/compare", params={"ids": ids}).json()
    assert comparison_out(collection.compare(ids)).model_dump(mode="json") == compared
    text = collection.document("de-power-m")
    assert text.document.countries == ("DE",)
    assert text.passages[0].text in text.pages[0].text
    assert [document.id for document in collection.documents(country="IS")] == ["is-youth-mental-health"]


def test_what_cannot_be_is_said(collection: Collection, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="no filter 'contry'"):
        collection.search("vouchers", contry=["DE"])
    with pytest.raises(NotInIndexError, match="'nope'"):
        collection.document("nope")
    with pytest.raises(IndexNotFoundError, match="pes build"):
        open_collection(tmp_path / "nothing", Settings())
    with pytest.raises(SourceNotFoundError, match="no file matches"):
        build_collection(tmp_path / "nowhere", tmp_path / "index", Settings())


def test_a_collection_is_built_and_opened(
    tmp_path: Path, cache_dir: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pes_search.service.engine.load_encoder", lambda config, folder: encoder)
    sources = tmp_path / "papers"
    sources.mkdir()
    (sources / "bread.md").write_text("# Bread\n\nTraining for bakers.", encoding="utf-8")
    settings = Settings(cache_dir=cache_dir)
    done: list[str] = []
    report = build_collection(sources, tmp_path / "index", settings, lambda stage, finished, total: done.append(stage))
    assert (report.changed, report.read) == (True, ("papers/bread.md",))
    assert "reading" in done
    assert not build_collection([sources], str(tmp_path / "index"), settings).changed
    collection = open_collection(tmp_path / "index", settings)
    assert [hit.document.title for hit in collection.search("bakers").hits] == ["Bread"]


def test_the_interface_is_loaded_when_asked_for(run_python: Callable[[str], str]) -> None:
    code = "import sys, pes_search.service; print('pes_search.service.collection' in sys.modules, 'numpy' in sys.modules)"
    assert run_python(code) == "False False"
    for name in pes_search.service.__all__:
        assert getattr(pes_search.service, name).__module__ == "pes_search.service.collection"
    with pytest.raises(AttributeError, match="nothing"):
        _ = pes_search.service.nothing
    for stage in ("ingest", "index", "service", "eval"):
        (place,) = importlib.import_module(f"pes_search.{stage}").__path__
        assert (Path(place) / "py.typed").is_file()
