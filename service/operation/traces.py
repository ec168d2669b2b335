"""Traces of requests for OpenTelemetry, if the settings name where to: a span a request, and one for each of its stages.

A request that comes with a `traceparent` becomes part of that trace. Spans carry no text that anybody typed, no query and no
address. The libraries are those of the extra `telemetry`, and imported only here.
"""

from __future__ import annotations

import time
from collections.abc import MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from pes_search.ingest.errors import PesSearchError
from pes_search.service.operation.notes import METHODS, RequestNotes

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

    from pes_search.service.settings import TelemetryConfig

EXPORT_SECONDS = 5  # for one export
FLUSH_MILLISECONDS = 2_000  # at the end of the process, for what has not been sent yet
_CARRIED = {b"traceparent": "traceparent", b"tracestate": "tracestate"}


class TelemetryError(PesSearchError):
    """Traces cannot be sent."""


class RequestTrace:
    """The trace of one request."""

    def __init__(self, tracer: Tracer, span: Span, method: str) -> None:
        """Begin with the request's span."""
        self._tracer = tracer
        self._method = method
        self._span = span
        # Stages are measured by a clock that nobody sets; what is sent has the time of the day.
        self._offset = time.time_ns() - round(time.monotonic() * 1e9)
        self.is_kept = span.is_recording()

    def end(self, route: str, status: int, notes: RequestNotes) -> None:
        """End the request's span, with one for each stage within."""
        from opentelemetry.trace import set_span_in_context
        from opentelemetry.trace.status import Status, StatusCode

        span = self._span
        if self.is_kept:
            spans: list[Span] = []
            for (name, began, ended), parent in nested(notes.watch.times or ()):
                context = set_span_in_context(span if parent is None else spans[parent])
                spans.append(self._tracer.start_span(name, context, start_time=self._at(began)))
                spans[-1].end(self._at(ended))
            span.update_name(f"{self._method} {route}")
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", status)
            span.set_attribute("pes.request_id", notes.request_id)
            if status >= 500:
                span.set_attribute("error.type", str(status))
                span.set_status(Status(StatusCode.ERROR))
        span.end()

    def _at(self, monotonic: float) -> int:
        return round(monotonic * 1e9) + self._offset


class Traces:
    """Sends the traces of one app."""

    def __init__(self, config: TelemetryConfig, exporter: SpanExporter) -> None:
        """`exporter` sends them; a thread of its own asks it to."""
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        resource = Resource.create({"service.name": config.service_name})
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(config.share)), resource=resource, shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("pes_search")
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, scope: MutableMapping[str, Any]) -> RequestTrace:
        """Begin the trace of a request."""
        from opentelemetry.trace import SpanKind

        carried = {_CARRIED[name]: value.decode("latin-1") for name, value in scope["headers"] if name in _CARRIED}
        # An empty context: what another library made current in this process is not the parent.
        context = self._propagator.extract(carried, _empty())
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"  # the convention's word for it
        span = self._tracer.start_span("request", context, SpanKind.SERVER, {"http.request.method": method})
        return RequestTrace(self._tracer, span, method)

    def close(self) -> None:
        """Send what is left, for a short time, and stop."""
        self._provider.force_flush(FLUSH_MILLISECONDS)
        self._provider.shutdown()


def open_traces(config: TelemetryConfig) -> Traces | None:
    """Return what sends traces to the settings' endpoint; None where they name none.

    Raises:
        TelemetryError: the libraries are not installed.
    """
    if config.endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise TelemetryError(
            f"[telemetry] endpoint is set, but {error.name} is not installed; "
            "`pip install 'pes-search[telemetry]'`, or take the setting away"
        ) from error
    return Traces(config, OTLPSpanExporter(config.endpoint, timeout=EXPORT_SECONDS))


def nested(times: Sequence[tuple[str, float, float]]) -> list[tuple[tuple[str, float, float], int | None]]:
    """Return stages in the order of their beginnings, each with the number in this list of the one that it is within."""
    ordered = sorted(times, key=lambda stage: (stage[1], -stage[2]))
    found: list[tuple[tuple[str, float, float], int | None]] = []
    around: list[int] = []
    for number, stage in enumerate(ordered):
        while around and ordered[around[-1]][2] < stage[2]:
            around.pop()
        found.append((stage, around[-1] if around else None))
        around.append(number)
    return found


def _empty() -> Any:
    from opentelemetry.context import Context

    return Context()
