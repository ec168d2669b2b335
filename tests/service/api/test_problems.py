"""What somebody may read of an error: what happened, and nothing of the machine; the log has the rest."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from kept import kept_in
from starlette.testclient import TestClient

import pes_search.index.stages
import pes_search.service.fetching
import pes_search.service.operation.backup  # noqa: F401 (with these all errors are known)
from pes_search.ingest.errors import PesSearchError, VisitorError
from pes_search.service.access.doorkeeper import AccessError
from pes_search.service.api.app import create_app
from pes_search.service.engine import Engine

ADDRESS = "http://model.internal:8080/v1"


def all_errors(error: type[PesSearchError] = PesSearchError) -> Iterator[type[PesSearchError]]:
    yield error
    for each in error.__subclasses__():
        if not each.__module__.startswith("pes_search.eval"):
            yield from all_errors(each)


def telling(engine: Engine, error: type[PesSearchError], told: str) -> Engine:
    """Return the engine, but every search and answer of it fails."""
    failing = Engine(engine.settings, engine.settings.index_store(), engine.encoder, engine.index())

    def fail(*_: object, **__: object) -> Iterator[None]:
        raise error(told)
        yield  # as a stream does, with its first event

    failing.find = failing.ask = failing.ask_events = fail  # type: ignore[assignment, method-assign]
    failing.find = lambda *_, **__: next(fail())  # type: ignore[assignment, method-assign, return-value]
    failing.ask = failing.find  # type: ignore[assignment, method-assign]
    return failing


def test_what_speaks_of_the_request_alone_is_told() -> None:
    assert {error.__name__ for error in all_errors() if issubclass(error, VisitorError)} == {
        "VisitorError",
        "ContradictionError",
        "NotInIndexError",
        "NotStoredError",
        "QueryError",
        "TooLateError",
        "TooManySavedError",
        "UploadError",
        "WriterError",
    }


# `AccessError` has a status of its own and is answered by the guard, before any route.
@pytest.mark.parametrize("error", sorted(set(all_errors()) - {AccessError}, key=lambda error: error.__name__))
def test_no_answer_names_a_place_of_the_machine(
    error: type[PesSearchError], engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    told = f"cannot use {engine.settings.database.path}: asked {ADDRESS}; set PES_ANSWER__API_KEY"
    client = TestClient(create_app(telling(engine, error, told)), raise_server_exceptions=False)
    is_told = issubclass(error, VisitorError)
    responses = [
        client.get("/api/v1/search", params={"q": "x"}),
        client.post("/api/v1/ask", json={"question": "x"}),
        client.get("/api/v1/ask/stream", params={"question": "x"}),
        client.get("/answer", params={"q": "x"}, headers={"Accept": "text/html"}),
    ]
    for response in responses:
        assert response.status_code >= 400
        assert (ADDRESS in response.text) == (str(engine.settings.database.path) in response.text) == is_told
        assert ("who runs the service finds the reason in its log" in response.text) != is_told
    logged = [record for record in caplog.records if record.levelno == logging.ERROR and told in record.getMessage()]
    assert len(logged) == (0 if is_told else len(responses))


def test_the_log_is_found_by_the_id_of_the_request(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    client = TestClient(create_app(telling(engine, PesSearchError, "the whole\nreason")), raise_server_exceptions=False)
    detail = client.get("/api/v1/search", params={"q": "x"}, headers={"X-Request-ID": "7f3a"}).json()["detail"]
    assert detail == "the service cannot do this just now; who runs the service finds the reason in its log under 7f3a"
    assert "/api/v1/search failed under 7f3a: the whole reason" in caplog.messages


def test_a_stream_that_breaks_off_names_no_place(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Iterator[object]:
        yield next(engine.ask_events(engine.index(), "vouchers", k=1, filters=None))  # type: ignore[arg-type]
        raise PesSearchError("cannot read /srv/secret")

    failing = telling(engine, PesSearchError, "")
    failing.ask_events = broken  # type: ignore[assignment, method-assign]
    client = TestClient(create_app(failing))
    for path in ("/api/v1/ask/stream?question=x", "/answer?q=x"):
        text = client.get(path).text
        assert "the service cannot do this just now" in text
        assert "/srv/secret" not in text


def test_a_folder_of_uploads_that_cannot_be_written_is_not_named(engine: Engine, tmp_path: Path) -> None:
    kept = kept_in(tmp_path)
    kept["desk"].uploads.write_text("no folder")
    settings = engine.settings.model_copy(update=kept)
    client = TestClient(create_app(Engine(settings, settings.index_store(), engine.encoder, engine.index())))
    response = client.post("/desk/upload", files={"file": ("a.md", b"# A\n\nText.")})
    assert response.status_code == 503
    assert "files cannot be kept just now" in response.text
    assert str(tmp_path) not in response.text
