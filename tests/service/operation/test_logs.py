"""The log: ids of requests, no texts of people, and no line that somebody else wrote."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from pes_search.service.api.app import create_app
from pes_search.service.engine import Engine
from pes_search.service.operation.logs import LEFT_OUT, ServiceHandler, set_up_logging
from pes_search.service.operation.notes import RequestNotes, take_notes
from pes_search.service.settings import LogConfig

CANARY = "zanzibar"  # typed by somebody
Log = Callable[..., io.StringIO]


@pytest.fixture
def log_to() -> Iterator[Log]:
    """Set the log up to go into a text that a test reads; what was set before comes back."""
    names = ("", "pes_search", "uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger.level, [*logger.handlers], logger.propagate) for logger in loggers]

    def start(**settings: Any) -> io.StringIO:
        stream = io.StringIO()
        set_up_logging(LogConfig(**settings), stream)
        return stream

    yield start
    for logger, (level, handlers, propagate) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.handlers[:] = [handler for handler in handlers if not isinstance(handler, ServiceHandler)]
        logger.propagate = propagate


def client_of(engine: Engine, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> TestClient:
    monkeypatch.setattr(engine, "settings", engine.settings.model_copy(update={"log": LogConfig(**settings)}))
    return TestClient(create_app(engine), raise_server_exceptions=False)


def records(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


# ── Requests ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_is_one_line_with_its_id(log_to: Log, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = log_to(format="json")
    response = client_of(engine, monkeypatch).get("/api/v1/documents/de-power-m", headers={"X-Request-ID": "proxy-7.a_B"})
    assert response.headers["X-Request-ID"] == "proxy-7.a_B"
    (line,) = records(stream)
    sent = int(response.headers["Content-Length"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("at"))
    assert line.pop("ms") > 0
    assert line.pop("waited_ms") >= 0
    assert line == {
        "level": "info", "logger": "pes_search.requests", "message": "answered", "request_id": "proxy-7.a_B",
        "method": "GET", "route": "/api/v1/documents/{document_id}", "status": 200, "bytes": sent,
        "lane": "search", "role": "admin",
    }  # fmt: skip


@pytest.mark.parametrize("given", ["", "a" * 65, "a b", "a\tb", "ü", "a;b", '"', "../x"])
def test_an_id_that_is_not_well_formed_is_replaced(given: str, client: TestClient) -> None:
    made = client.get("/healthz", headers={"X-Request-ID": given.encode()}).headers["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{16}", made)


def test_each_request_has_another_id(client: TestClient) -> None:
    assert len({client.get("/healthz").headers["X-Request-ID"] for _ in range(5)}) == 5


def test_a_problem_names_its_request(client: TestClient) -> None:
    response = client.get("/api/v1/documents/none", headers={"X-Request-ID": "mine"})
    assert response.json()["request_id"] == "mine"


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_that_people_type_is_logged(form: str, log_to: Log, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = log_to(format=form, level="debug")
    client = client_of(engine, monkeypatch, format=form, level="debug")
    client.get("/", params={"q": CANARY})
    client.get("/api/v1/search", params={"q": CANARY, CANARY: "1"})
    client.post("/api/v1/ask", json={"question": f"Who was {CANARY}?", CANARY: 1})
    client.get("/api/v1/ask/stream", params={"question": f"Who was {CANARY}?"})
    client.get(f"/document/{CANARY}")
    client.get(f"/{CANARY}")
    client.post("/feedback", data={"about": "answer", "useful": "true", "question": CANARY})
    client.post("/desk/upload", files={"file": (f"{CANARY}.dbf", CANARY.encode())})
    monkeypatch.setattr(engine, "find", lambda index, query, **_: {}[query])  # a KeyError has what it did not find
    assert client.get("/api/v1/search", params={"q": CANARY}).status_code == 500
    text = stream.getvalue()
    assert len(re.findall("answered", text)) == 9
    assert "KeyError" in text
    assert CANARY not in text
    assert "testclient" not in text  # as the test's client calls its address


def test_what_people_type_is_logged_where_that_is_asked_for(
    log_to: Log, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = log_to(format="json", queries=True)
    client = client_of(engine, monkeypatch, format="json", queries=True, addresses=True)
    client.get("/api/v1/search", params={"q": "frauen\nin teilzeit"})
    client.post("/api/v1/ask", json={"question": "Who pays?"})
    search, ask = records(stream)
    assert (search["query"], search["client"]) == ("q=frauen\nin teilzeit", "testclient")
    assert ask["question"] == "Who pays?"


def test_health_checks_are_told_only_where_something_is_wrong(
    log_to: Log, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = log_to(format="json")
    client = client_of(engine, monkeypatch)
    for path in ("/healthz", "/readyz", "/metrics", "/static/icon.svg", "/static/none.svg"):
        client.get(path)
    assert [(line["route"], line["status"]) for line in records(stream)] == [("/static", 404)]


def test_no_request_is_told_of_where_that_is_not_wanted(log_to: Log, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = log_to()
    client_of(engine, monkeypatch, requests=False).get("/api/v1/documents")
    assert stream.getvalue() == ""


# ── Records ─────────────────────────────────────────────────────────────────────────────────────────────────────────

# Without half of a pair: what pytest captures goes between processes as UTF-8.
FORGED = "x\n2026-01-01T00:00:00.000Z INFO pes_search: forged\r\x1b[31m\u2028\u202e\x85"


def test_text_from_outside_cannot_begin_another_line(log_to: Log) -> None:
    stream = log_to()
    logging.getLogger("pes_search.x").warning("cannot read %s", FORGED)
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.encode().isascii()
    assert r"cannot read x\x0a2026-01-01T00:00:00.000Z INFO pes_search: forged\x0d\x1b[31m\x2028\x202e\x85" in text


def test_json_cannot_be_broken_up_either(log_to: Log) -> None:
    stream = log_to(format="json")
    logging.getLogger("pes_search.x").warning("cannot read %s", FORGED)
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.isascii()
    assert len(text.splitlines()) == 1
    assert records(stream)[0]["message"] == f"cannot read {FORGED}"


def fail() -> None:
    try:
        int(FORGED)
    except ValueError as error:
        raise OSError(28, "No space left on device") from error


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_error_is_one_record_with_its_cause(form: str, log_to: Log) -> None:
    stream = log_to(format=form)
    try:
        fail()
    except OSError as error:
        logging.getLogger("pes_search.x").exception("failed", exc_info=error)
    text = stream.getvalue()
    if form == "json":
        (line,) = records(stream)
        shown = line["exception"].split("\n")
    else:
        first, *rest = text.splitlines()
        assert first.endswith("ERROR pes_search.x: failed")
        assert all(each.startswith("    | ") for each in rest)
        shown = [each.removeprefix("    | ") for each in rest]
    assert shown[0] == "Traceback (most recent call last):"
    assert f"ValueError: {LEFT_OUT}" in shown  # it quotes what it was given
    assert shown[-1] == "OSError: [Errno 28] No space left on device"
    assert "forged" not in text


def test_messages_of_errors_are_told_where_queries_are(log_to: Log) -> None:
    stream = log_to(format="json", queries=True)
    try:
        int("many")
    except ValueError as error:
        logging.getLogger("pes_search.x").exception("failed", exc_info=error)
    assert records(stream)[0]["exception"].endswith("ValueError: invalid literal for int() with base 10: 'many'")


def test_the_server_logs_in_the_same_form_and_tells_no_error_twice(log_to: Log) -> None:
    logging.getLogger("uvicorn").addHandler(logging.StreamHandler(io.StringIO()))
    stream = log_to(format="json")
    server = logging.getLogger("uvicorn.error")
    server.error("Invalid HTTP request received.")
    told, untold = ZeroDivisionError(), ZeroDivisionError()
    logging.getLogger("pes_search.x").error("failed", exc_info=told)
    server.error("Exception in ASGI application\n", exc_info=told)
    server.error("Exception in ASGI application\n", exc_info=untold)
    assert [(line["logger"], line["message"]) for line in records(stream)] == [
        ("uvicorn.error", "Invalid HTTP request received."),
        ("pes_search.x", "failed"),
        ("uvicorn.error", "Exception in ASGI application\n"),
    ]


def test_records_belong_to_the_request_that_they_come_from(log_to: Log) -> None:
    import contextvars

    stream = log_to(format="json")

    def answered() -> None:
        take_notes(RequestNotes("one"))
        logging.getLogger("pes_search.x").warning("inside")

    contextvars.copy_context().run(answered)
    logging.getLogger("pes_search.x").warning("outside")
    assert [line.get("request_id") for line in records(stream)] == ["one", None]


def test_a_collector_that_is_away_does_not_fill_the_log(log_to: Log) -> None:
    stream = log_to(format="json")
    exporter = logging.getLogger("opentelemetry.exporter")
    for number in range(3):
        exporter.warning("transient %d", number)
        exporter.error("Failed to export %s", number)
    exporter.error("Another fault")
    assert [line["message"] for line in records(stream)] == ["Failed to export 0", "Another fault"]


def test_setting_up_twice_does_not_write_twice(log_to: Log) -> None:
    first, second = log_to(), log_to(level="error")
    logging.getLogger("pes_search.x").warning("quiet")
    logging.getLogger("pes_search.x").error("loud")
    assert first.getvalue() == ""
    assert second.getvalue().count("\n") == 1
