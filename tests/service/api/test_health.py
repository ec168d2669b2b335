"""/healthz tells that the process lives, /readyz what is wrong: in detail to administrators only."""

from pathlib import Path
from typing import Literal

import pytest
from starlette.testclient import TestClient

from pes_search.service.access.visitor import Visitor
from pes_search.service.api import health
from pes_search.service.engine import Engine
from pes_search.service.operation.checks import Check
from pes_search.service.operation.readiness import Readiness


def looked(client: TestClient, monkeypatch: pytest.MonkeyPatch, *found: Check) -> None:
    """Let the checks find something."""
    monkeypatch.setattr(client.app.state, "readiness", Readiness(lambda: list(found)), raising=False)  # type: ignore[attr-defined]


def visited_by(monkeypatch: pytest.MonkeyPatch, role: Literal["reader", "editor", "admin"]) -> None:
    monkeypatch.setattr(health, "visitor_of", lambda request: Visitor(role, frozenset()))


def test_a_service_that_is_well_is_ready(client: TestClient, engine: Engine) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 200
    ready = answer.json()
    assert (ready["status"], ready["index_id"]) == ("ready", engine.index().manifest.index_id)
    assert "index" in {check["name"] for check in ready["checks"] if check["status"] == "ok"}


def test_what_serves_but_needs_a_person_is_a_warning(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    looked(client, monkeypatch, Check("disk_cache", "warning", "/srv/cache: full", "make room"), Check("index", "ok"))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["warnings"]) == (200, ["disk_cache"])


def test_what_cannot_serve_is_a_problem_with_its_checks(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    looked(client, monkeypatch, Check("index", "failing", "there is none", "build it"), Check("model", "ok"))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    problem = answer.json()
    assert (problem["status"], problem["detail"], problem["instance"]) == (503, "not ready: index", "/readyz")
    assert problem["checks"][1] == {"name": "model", "status": "ok"}


@pytest.mark.parametrize("status", ["warning", "failing"])
def test_strangers_see_names_and_no_paths(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: Literal["warning", "failing"]
) -> None:
    looked(client, monkeypatch, Check("disk_index", status, f"{tmp_path}: full", f"make room in {tmp_path}"))
    visited_by(monkeypatch, "admin")
    assert client.get("/readyz").json()["checks"] == [
        {"name": "disk_index", "status": status, "detail": f"{tmp_path}: full", "remedy": f"make room in {tmp_path}"}
    ]
    for role in ("reader", "editor"):
        visited_by(monkeypatch, role)  # type: ignore[arg-type]
        answer = client.get("/readyz")
        assert answer.json()["checks"] == [{"name": "disk_index", "status": status}]
        assert str(tmp_path) not in answer.text


def test_heads_alone_can_be_asked_for(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.head("/healthz").status_code == client.head("/readyz").status_code == 200
    looked(client, monkeypatch, Check("index", "failing"))
    assert client.head("/readyz").status_code == 503
    assert client.head("/healthz").status_code == 200
