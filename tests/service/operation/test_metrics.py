"""What a scrape tells, and who may scrape."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from doors import House
from kept import kept_in
from pydantic import SecretStr
from starlette.testclient import TestClient

from pes_search.index.encoders.base import Encoder
from pes_search.index.stages import Watch, count, watched
from pes_search.service.api.app import create_app
from pes_search.service.engine import Engine
from pes_search.service.operation.checks import Check
from pes_search.service.operation.metrics import Metrics
from pes_search.service.settings import AccessConfig, MetricsConfig, Settings

KEY = "a key for the scrapes"
CANARY = "zanzibar"  # typed by somebody, and to be seen nowhere


@pytest.fixture
def own(engine: Engine) -> TestClient:
    """An app of its own, so that what it counts begins at nothing."""
    return TestClient(create_app(engine), raise_server_exceptions=False)


def value(client: TestClient, series: str) -> float:
    """Return the value of a series; 0 where it is not there yet."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", client.get("/metrics").text, re.MULTILINE)
    return float(found[1]) if found else 0.0


# ── Requests ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", f"/api/v1/search?q={CANARY}", "/api/v1/search", 200),
        ("GET", f"/api/v1/documents/{CANARY}", "/api/v1/documents/{document_id}", 404),
        ("GET", "/api/v1/search", "/api/v1/search", 422),
        ("POST", "/api/v1/search", "/api/v1/search", 405),
        ("GET", f"/{CANARY}/%0a", "(none)", 404),
        ("GET", "/static/icon.svg", "/static", 200),
        ("GET", f"/static/{CANARY}", "/static", 404),
    ],
)
def test_a_request_is_counted_by_its_route_and_never_by_its_path(
    method: str, path: str, route: str, status: int, own: TestClient
) -> None:
    assert own.request(method, path).status_code == status
    assert value(own, f'pes_http_requests_total{{method="{method}",route="{route}",status="{status}"}}') == 1
    assert value(own, f'pes_http_request_seconds_count{{method="{method}",route="{route}"}}') == 1
    assert CANARY not in own.get("/metrics").text


def test_methods_that_somebody_makes_up_are_one_series(own: TestClient) -> None:
    for word in ("BREW", "WHEN"):
        own.request(word, "/healthz")
    assert value(own, 'pes_http_requests_total{method="other",route="/healthz",status="405"}') == 2


def test_a_fault_is_counted_although_it_is_answered_outside_of_all_middleware(
    own: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "find", lambda *_, **__: 1 / 0)
    response = own.get("/api/v1/search?q=x")
    assert response.status_code == 500
    assert response.headers["X-Request-ID"] == response.json()["request_id"]
    assert value(own, 'pes_http_requests_total{method="GET",route="/api/v1/search",status="500"}') == 1
    assert value(own, "pes_http_requests_in_progress") == 1  # the scrape itself


def test_two_apps_in_a_process_count_each_for_itself(engine: Engine) -> None:
    one, other = TestClient(create_app(engine)), TestClient(create_app(engine))
    one.get("/healthz")
    series = 'pes_http_requests_total{method="GET",route="/healthz",status="200"}'
    assert (value(one, series), value(other, series)) == (1, 0)


# ── What happens in them ────────────────────────────────────────────────────────────────────────────────────────────


def test_answers_are_counted_by_status_reason_and_writer(own: TestClient) -> None:
    own.post("/api/v1/ask", json={"question": "Who pays for the vouchers?"})
    own.post("/api/v1/ask", json={"question": "What is the melting point of tungsten?"})
    own.get("/api/v1/ask/stream", params={"question": "Who pays for the vouchers?"})
    text = own.get("/metrics").text
    series = dict(re.findall(r"^pes_answers_total(\S+) (\S+)$", text, re.MULTILINE))
    answered = sum(float(number) for labels, number in series.items() if 'status="none"' not in labels)
    refused = sum(float(number) for labels, number in series.items() if 'status="none"' in labels)
    assert (answered, refused) == (2, 1)


def test_vectors_of_queries_are_counted_as_computed_and_then_as_kept(own: TestClient) -> None:
    computed, kept = 'pes_query_vectors_total{source="computed"}', 'pes_query_vectors_total{source="kept"}'
    own.get("/api/v1/search", params={"q": "a query that no other test has"})
    before = value(own, computed), value(own, kept)
    own.get("/api/v1/search", params={"q": "a query that no other test has"})
    assert before[0] >= 1
    assert (value(own, computed), value(own, kept)) == (before[0], before[1] + before[0] + before[1])


def test_feedback_is_counted(own: TestClient) -> None:
    own.post("/feedback", data={"about": "answer", "useful": "true", "question": CANARY})
    assert value(own, 'pes_feedback_total{verdict="useful"}') == 1


def test_uploads_are_counted_by_what_became_of_them(own: TestClient) -> None:
    good, bad = {"file": ("a.md", b"# Bread\n\nTraining for bakers.")}, {"file": ("a.dbf", b"\x00\x01")}
    own.post("/desk/upload", files=good)
    own.post("/desk/upload", files=bad)
    assert value(own, 'pes_uploads_total{outcome="sent"}') == 2
    assert value(own, 'pes_uploads_total{outcome="read"}') == 1


def test_failures_of_the_database_are_counted_wherever_they_are_caught(
    engine: Engine, encoder: Encoder, tmp_path: Path
) -> None:
    (tmp_path / "pes.sqlite3").write_bytes(b"no database at all, and long enough to be looked at" * 100)
    settings = Settings(index_dir=engine.settings.index_dir, **kept_in(tmp_path))
    own = TestClient(
        create_app(Engine(settings, settings.index_store(), encoder, engine.index())), raise_server_exceptions=False
    )
    assert own.get("/api/v1/search?q=vouchers").status_code == 503  # nobody can tell who is who
    assert re.search(rb"^pes_database_errors_total [1-9]", own.app.state.metrics.text(), re.MULTILINE)  # type: ignore[attr-defined]


def test_the_index_that_is_served_is_described(own: TestClient, engine: Engine) -> None:
    manifest = engine.index().manifest
    assert value(own, "pes_index_documents") == manifest.documents
    assert value(own, "pes_index_passages") == manifest.passages
    assert f'index_id="{manifest.index_id}"' in own.get("/metrics").text
    assert value(own, "pes_index_age_seconds") > 0


def test_what_no_request_did_is_noted_nowhere() -> None:
    count("answers", "complete", "", "extractive")
    with watched(Watch()) as watch:
        count("answers", "complete", "", "extractive")
        count("answers", "complete", "", "extractive")
        count("query vectors", "kept", times=0)
    assert watch.counts == {("answers", "complete", "", "extractive"): 2}


# ── Admission ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Lane:
    """A lane whose numbers a test sets."""

    waiting = running = 0


def test_lanes_tell_their_queue_and_what_became_of_requests(own: TestClient) -> None:
    metrics: Metrics = own.app.state.metrics  # type: ignore[attr-defined]
    lane = Lane()
    metrics.watch_lane("search", lane, ["full"])
    assert 'pes_lane_refused_total{lane="search",reason="full"} 0.0' in own.get("/metrics").text
    lane.waiting, lane.running = 2, 1
    metrics.admitted("search", 0.2)
    metrics.refused("search", "full")
    assert value(own, 'pes_lane_waiting{lane="search"}') == 2
    assert value(own, 'pes_lane_running{lane="search"}') == 1
    assert value(own, 'pes_lane_admitted_total{lane="search"}') == 1
    assert value(own, 'pes_lane_refused_total{lane="search",reason="full"}') == 1
    assert value(own, 'pes_lane_wait_seconds_sum{lane="search"}') == 0.2


# ── Standing checks ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_scrape_does_not_wait_for_a_disk_that_hangs(engine: Engine, tmp_path: Path) -> None:
    hanging, looked = threading.Event(), threading.Event()

    def checks() -> Iterator[Check]:
        looked.set()
        hanging.wait(60)
        yield Check("disk", "failing", "full")
        yield Check("disk", "ok", "another disk")  # of the same name: twice the same series would spoil the scrape

    metrics = Metrics(engine, lambda: list(checks()), {"index": tmp_path})
    assert b"pes_ready " not in metrics.text()  # and it came at once
    assert looked.wait(60)
    hanging.set()
    while b"\npes_ready " not in metrics.text():
        pass
    assert b"\npes_ready 0.0\n" in metrics.text()
    assert re.findall(rb"\npes_check_status.*", metrics.text()) == [b'\npes_check_status{check="disk"} 2.0']
    assert b'\npes_disk_free_bytes{folder="index"} ' in metrics.text()


# ── Who may scrape ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("config", "header", "status"),
    [
        (MetricsConfig(), None, 401),
        (MetricsConfig(open=True), None, 200),
        (MetricsConfig(key=SecretStr(KEY)), None, 401),
        (MetricsConfig(key=SecretStr(KEY)), f"Bearer {KEY}", 200),
        (MetricsConfig(key=SecretStr(KEY)), f"Bearer {KEY}!", 401),
        (MetricsConfig(key=SecretStr(KEY)), f"Basic {KEY}", 401),
        (MetricsConfig(), "Bearer ", 401),
    ],
)
def test_metrics_are_for_who_has_their_key(
    config: MetricsConfig, header: str | None, status: int, engine: Engine, tmp_path: Path
) -> None:
    own = House(engine, tmp_path, metrics=config, access=AccessConfig(hosts=("testserver",), open=True)).client
    response = own.get("/metrics", headers={"Authorization": header} if header else {})
    assert response.status_code == status
    if status == 401:
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.headers["Content-Type"] == "application/problem+json"


def test_an_admin_needs_no_other_key(own: TestClient) -> None:
    assert own.get("/metrics").headers["Content-Type"].startswith("text/plain; version=")
