"""The alerts and the dashboard ask for metrics that the service has."""

import json
import re
import time
from typing import Any

import pytest
import yaml
from folders import ROOT
from starlette.testclient import TestClient

from pes_search.service.api.app import create_app
from pes_search.service.engine import Engine

FOLDER = ROOT / "docs" / "monitoring"
NOT_OURS = {"up"}  # Prometheus' own
_METRIC = re.compile(r"\b(?:pes|process|python|up)(?:_\w+)?\b(?=\s*(?:\{|\[|[<>=/*+)-]|$))")
_QUOTED = re.compile(r'"[^"]*"')


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    values: dict[str, Any] = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    return values


def panels() -> list[dict[str, Any]]:
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def names(expression: str) -> set[str]:
    return set(_METRIC.findall(_QUOTED.sub('""', expression)))


class Lane:
    """A lane with nobody in it."""

    waiting = running = 0


@pytest.fixture(scope="module")
def exported(engine: Engine) -> set[str]:
    """The names of all series that an app has after a few requests; the standing checks come from a thread."""
    app = create_app(engine)
    client = TestClient(app)
    app.state.metrics.watch_lane("search", Lane(), ["full"])
    client.get("/healthz")
    for _ in range(200):
        text = client.get("/metrics").text
        if "pes_ready" in text:
            break
        time.sleep(0.05)
    series = {re.split(r"[{ ]", line)[0] for line in text.splitlines() if line and not line.startswith("#")}
    declared = re.findall(r"^# TYPE (\S+) histogram", text, re.MULTILINE)  # a stage that never ran has no series yet
    return series | {f"{name}{ending}" for name in declared for ending in ("_bucket", "_sum", "_count")}


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_what_there_is_and_says_what_to_do(rule: dict[str, Any], exported: set[str]) -> None:
    assert names(rule["expr"]) - NOT_OURS - exported == set()
    assert names(rule["expr"])
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["action"]
    assert rule["labels"]["severity"] in {"critical", "warning"}


def test_the_dashboard_asks_for_what_there_is(exported: set[str]) -> None:
    expressions = [target["expr"] for panel in panels() for target in panel["targets"]]
    found = {name for expression in expressions for name in names(expression)}
    assert found - exported == set()
    ours = {name for name in exported if name.startswith("pes_") and not name.endswith(("_sum", "_count", "_bucket"))}
    told_otherwise = {"pes_build_info", "pes_index_built_timestamp_seconds"}
    assert ours - found == told_otherwise  # nothing is measured that nobody looks at


def test_the_dashboard_can_be_imported_anywhere() -> None:
    values = dashboard()
    assert values["uid"] == "pes-search"
    assert "id" not in values  # Grafana's own number of it
    variables = {each["name"]: each["type"] for each in values["templating"]["list"]}
    assert variables == {"datasource": "datasource", "job": "query", "instance": "query"}
    assert {panel["datasource"]["uid"] for panel in panels()} == {"${datasource}"}
    numbers = [panel["id"] for panel in values["panels"]]
    assert len(numbers) == len(set(numbers))


def test_every_alert_and_metric_is_explained() -> None:
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    assert [rule["alert"] for rule in alerts() if f"`{rule['alert']}`" not in page] == []
    scrape = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"][0]
    assert scrape["job_name"] == "pes-search"
    assert all('job="pes-search"' in rule["expr"] for rule in alerts())


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ('sum by (route) (rate(pes_x_total{job="pes_y"}[5m])) > 0', {"pes_x_total"}),
        ("time() - pes_a > 3 and up == 0", {"pes_a", "up"}),
        ("process_open_fds / process_max_fds", {"process_open_fds", "process_max_fds"}),
    ],
)
def test_names_are_told_from_other_words(expression: str, found: set[str]) -> None:
    assert names(expression) == found
