"""Traces: a span a request, its stages within it, part of the caller's trace, and nothing that anybody typed."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from starlette.testclient import TestClient

pytest.importorskip("opentelemetry.sdk", reason="needs the extra `telemetry`")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from opentelemetry.trace.status import StatusCode

from pes_search.index.stages import stage
from pes_search.service.api.app import create_app
from pes_search.service.engine import Engine
from pes_search.service.operation import traces
from pes_search.service.operation.traces import Traces, nested
from pes_search.service.settings import Settings, TelemetryConfig

CANARY = "zanzibar"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Traced:
    """An app whose spans a test reads."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch, **config: Any) -> None:
        self._exporter = InMemorySpanExporter()
        self._traces = Traces(TelemetryConfig(**config), self._exporter)
        monkeypatch.setattr("pes_search.service.api.app.open_traces", lambda _: self._traces)
        self.client = TestClient(create_app(engine), raise_server_exceptions=False)

    def spans(self) -> list[ReadableSpan]:
        self._traces.close()
        return list(self._exporter.get_finished_spans())


@pytest.fixture
def staged(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search whose stages are known: one with another within it, then a third."""

    def find(*_: object, **__: object) -> None:
        with stage("rank"), stage("vectors"):
            time.sleep(0.002)
        with stage("write"):
            raise RuntimeError(CANARY)

    monkeypatch.setattr(engine, "find", find)


@pytest.mark.usefixtures("staged")
def test_a_request_is_a_span_with_its_stages_in_the_callers_trace(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    traced = Traced(engine, monkeypatch)
    before = time.time_ns()
    response = traced.client.get(f"/api/v1/search?q={CANARY}", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
    after = time.time_ns()
    spans = {span.name: span for span in traced.spans()}
    assert set(spans) == {"GET /api/v1/search", "rank", "vectors", "write"}
    request = spans["GET /api/v1/search"]
    parents = {
        name: next(
            (other.name for other in spans.values() if span.parent and other.context.span_id == span.parent.span_id), None
        )
        for name, span in spans.items()
    }
    assert parents == {"GET /api/v1/search": None, "rank": request.name, "vectors": "rank", "write": request.name}
    assert request.parent is not None
    assert (f"{request.context.trace_id:032x}", f"{request.parent.span_id:016x}") == (TRACE, PARENT)
    assert {span.context.trace_id for span in spans.values()} == {request.context.trace_id}
    times = {name: (span.start_time or 0, span.end_time or 0) for name, span in spans.items()}
    assert before <= times[request.name][0] <= times["rank"][0] <= times["vectors"][0]
    assert times["vectors"][1] <= times["rank"][1] <= times["write"][0] <= times["write"][1] <= times[request.name][1] <= after
    assert times["vectors"][1] - times["vectors"][0] >= 2_000_000
    assert (request.kind, request.status.status_code) == (SpanKind.SERVER, StatusCode.ERROR)
    assert request.attributes == {
        "http.request.method": "GET",
        "http.route": "/api/v1/search",
        "http.response.status_code": 500,
        "error.type": "500",
        "pes.request_id": response.headers["X-Request-ID"],
    }
    assert CANARY not in "".join(span.to_json() for span in spans.values())


def test_a_fault_of_the_caller_is_none_of_the_service(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    traced = Traced(engine, monkeypatch)
    traced.client.get(f"/api/v1/documents/{CANARY}", headers={"traceparent": "00-nonsense"})
    traced.client.request("BREW", f"/{CANARY}")
    first, second = traced.spans()
    assert (first.name, first.parent, first.status.status_code) == (
        "GET /api/v1/documents/{document_id}",
        None,
        StatusCode.UNSET,
    )
    assert second.name == "_OTHER (none)"


@pytest.mark.parametrize(("flag", "count"), [("01", 1), ("00", 0)])
def test_the_caller_decides_whether_its_trace_is_kept(
    flag: str, count: int, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced = Traced(engine, monkeypatch, share=0.0)
    traced.client.get("/healthz")  # of which nobody has decided, so that the share does
    traced.client.get("/healthz", headers={"traceparent": f"00-{TRACE}-{PARENT}-{flag}"})
    assert len(traced.spans()) == count


@contextmanager
def collector(received: list[tuple[str, ExportTraceServiceRequest]]) -> Iterator[str]:
    """Take spans as an OpenTelemetry collector does."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces"
    server.shutdown()
    server.server_close()


def test_spans_reach_a_collector(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[tuple[str, ExportTraceServiceRequest]] = []
    with collector(received) as endpoint:
        settings = engine.settings.model_copy(update={"telemetry": TelemetryConfig(endpoint=endpoint, service_name="here")})
        monkeypatch.setattr(engine, "settings", settings)
        with TestClient(create_app(engine)) as client:  # whose end is that of the service
            client.get("/healthz")
    ((path, request),) = received
    (resource,) = request.resource_spans
    names = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
    assert (path, names["service.name"]) == ("/v1/traces", "here")
    assert [span.name for scope in resource.scope_spans for span in scope.spans] == ["GET /healthz"]


def test_nothing_of_it_is_loaded_where_no_endpoint_is_set() -> None:
    code = (
        "import sys\n"
        "from pes_search.service.operation.traces import open_traces\n"
        "from pes_search.service.settings import TelemetryConfig\n"
        "import pes_search.service.api.app\n"
        "print(open_traces(TelemetryConfig()), *[name for name in sys.modules if name.startswith('opentelemetry.sdk')])\n"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "None\n"


def test_missing_libraries_are_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(traces.TelemetryError, match=r"pip install 'pes-search\[telemetry\]'"):
        traces.open_traces(Settings(telemetry=TelemetryConfig(endpoint="http://127.0.0.1:4318/v1/traces")).telemetry)


@pytest.mark.parametrize(
    ("times", "parents"),
    [
        ([], []),
        ([("a", 0, 4), ("b", 1, 2), ("c", 2, 3)], [None, "a", "a"]),
        ([("inner", 1, 2), ("outer", 0, 3), ("after", 3, 4)], [None, "outer", None]),
        ([("a", 0, 9), ("b", 1, 8), ("c", 2, 3), ("d", 8.5, 9)], [None, "a", "b", "a"]),
    ],
)
def test_stages_are_within_those_that_enclose_them(times: list[tuple[str, float, float]], parents: list[str | None]) -> None:
    found = nested(times)
    assert [None if parent is None else found[parent][0][0] for _, parent in found] == parents
