"""What a monitoring system reads of the service, in Prometheus' format. Each app has metrics of its own.

Who works for a request need not know of this: `count` and `stage` of `pes_search.index.stages` note what happens in the watch
over it, and `seen` makes metrics of that when it is done. Nothing that people type is a label.
"""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from pes_search.index.stages import Watch
from pes_search.ingest.disk import existing
from pes_search.service.operation.checks import ORDER, Check, worst
from pes_search.service.operation.notes import METHODS

if TYPE_CHECKING:
    from pes_search.service.engine import Engine

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
# A search takes some 30 ms, an answer 80; a language model up to its deadline.
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
STAGE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
WAIT_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
CHECKS_LAST_SECONDS = (
    30.0  # of disks and files: a scrape never waits for them, it starts looking anew and tells what was last seen
)


class WatchedLane(Protocol):
    """A lane of admission, as far as it is watched."""

    @property
    def waiting(self) -> int:
        """How many requests wait."""

    @property
    def running(self) -> int:
        """How many are worked on."""


class Metrics:
    """The metrics of one app. Safe to use from several threads."""

    def __init__(self, engine: Engine, checks: Callable[[], Sequence[Check]], folders: Mapping[str, Path]) -> None:
        """`checks` say whether the service is ready; `folders` are those whose disks have to keep room, by what is in them."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # twice the series, for the time at which each began
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
        registry.register(_IndexCollector(engine))
        registry.register(_Standing(checks, folders))
        self._requests = Counter(
            "pes_http_requests", "Requests that were answered.", ["route", "method", "status"], registry=registry
        )
        self._request_seconds = Histogram(
            "pes_http_request_seconds",
            "From a request's first byte to its answer's last.",
            ["route", "method"],
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        self.in_progress = Gauge("pes_http_requests_in_progress", "Requests that are being answered.", registry=registry)
        self._stage_seconds = Histogram(
            "pes_stage_seconds",
            "Of a request, in a stage of searching or answering; a stage within another counts for both.",
            ["stage"],
            buckets=STAGE_BUCKETS,
            registry=registry,
        )
        self._counters = {
            "answers": Counter(
                "pes_answers",
                "Questions that were answered, or refused for a reason.",
                ["status", "reason", "writer"],
                registry=registry,
            ),
            "language model": Counter(
                "pes_language_model_calls",
                "Calls of the language model, and those that failed.",
                ["outcome"],
                registry=registry,
            ),
            "query vectors": Counter(
                "pes_query_vectors", "Vectors of queries: computed, or kept from before.", ["source"], registry=registry
            ),
            "uploads": Counter(
                "pes_uploads", "Files that editors sent, and what became of them.", ["outcome"], registry=registry
            ),
            "feedback": Counter("pes_feedback", "Feedback that visitors gave.", ["verdict"], registry=registry),
            "database errors": Counter("pes_database_errors", "Failures of the file of records.", registry=registry),
        }
        self._waiting = Gauge("pes_lane_waiting", "Requests that wait to be admitted.", ["lane"], registry=registry)
        self._running = Gauge(
            "pes_lane_running", "Requests that were admitted and are being worked on.", ["lane"], registry=registry
        )
        self._admitted = Counter("pes_lane_admitted", "Requests that were admitted.", ["lane"], registry=registry)
        self._refused = Counter(
            "pes_lane_refused", "Requests that were refused, because …", ["lane", "reason"], registry=registry
        )
        self._waited = Histogram(
            "pes_lane_wait_seconds", "That admitted requests had waited.", ["lane"], buckets=WAIT_BUCKETS, registry=registry
        )
        for counter, labels in _SHOWN_FROM_THE_START.items():
            for values in labels:
                self._counters[counter].labels(*values)

    # ── Admission ───────────────────────────────────────────────────────────────────────────────────────────────────

    def watch_lane(self, name: str, lane: WatchedLane, reasons: Sequence[str] = ()) -> None:
        """Tell of a lane from now on how many wait and are worked on, as it says itself when the metrics are read.

        `reasons` are those for which it refuses: a series that begins at 1, with the first refusal, has no rate.
        """
        self._waiting.labels(name).set_function(lambda: lane.waiting)
        self._running.labels(name).set_function(lambda: lane.running)
        self._admitted.labels(name)
        self._waited.labels(name)
        for reason in reasons:
            self._refused.labels(name, reason)

    def admitted(self, lane: str, waited_seconds: float) -> None:
        """Count a request that was let in."""
        self._admitted.labels(lane).inc()
        self._waited.labels(lane).observe(waited_seconds)

    def refused(self, lane: str, reason: str) -> None:
        """Count a request that was sent away; `reason` is one of a few words, such as `full` or `late`."""
        self._refused.labels(lane, reason).inc()

    # ── Requests ────────────────────────────────────────────────────────────────────────────────────────────────────

    def seen(self, route: str, method: str, status: int, seconds: float, watch: Watch) -> None:
        """Count a request that is done, with all that happened in it. `route` is a template, never the path that was sent."""
        method = method if method in METHODS else "other"
        self._requests.labels(route, method, str(status)).inc()
        self._request_seconds.labels(route, method).observe(seconds)
        for name, stage_seconds in watch.seconds.items():
            self._stage_seconds.labels(name).observe(stage_seconds)
        for (what, *labels), times in watch.counts.items():
            counter = self._counters.get(what)
            if counter is not None:
                (counter.labels(*labels) if labels else counter).inc(times)

    def text(self) -> bytes:
        """Return all metrics as they are now, of the type `CONTENT_TYPE`."""
        return generate_latest(self.registry)


_SHOWN_FROM_THE_START: Mapping[str, Sequence[tuple[str, ...]]] = {
    "answers": [
        ("complete", "", "extractive"),
        ("none", "nothing_relevant", "extractive"),
        ("none", "not_answered", "extractive"),
    ],
    "language model": [("called",), ("failed",)],
    "query vectors": [("kept",), ("computed",)],
    "uploads": [("sent",), ("read",), ("kept",), ("discarded",)],
    "feedback": [("useful",), ("not useful",)],
}


class _IndexCollector(Collector):
    """The generation that is served, told without touching a disk."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        manifest = self._engine.manifest
        version = importlib.metadata.version("pes-search")
        yield InfoMetricFamily("pes_build", "The program.", {"version": version, "python": platform.python_version()})
        yield InfoMetricFamily(
            "pes_index",
            "The index that is served.",
            {"index_id": manifest.index_id, "model": manifest.model_id, "built_by": manifest.version},
        )
        built = built_timestamp(manifest.built_at)
        yield GaugeMetricFamily("pes_index_built_timestamp_seconds", "When it was built.", built)
        yield GaugeMetricFamily("pes_index_age_seconds", "Since it was built.", time.time() - built)
        yield GaugeMetricFamily("pes_index_documents", "Documents in it.", manifest.documents)
        yield GaugeMetricFamily("pes_index_passages", "Passages in it.", manifest.passages)
        switches = CounterMetricFamily(
            "pes_index_switches", "Times that the service went over to a newer index, or could not.", labels=["outcome"]
        )
        switches.add_metric(["done"], self._engine.switches)
        switches.add_metric(["failed"], self._engine.failed_switches)
        yield switches


class _Standing(Collector):
    """What has to be looked up on disks, by a thread of its own: a scrape tells what was last seen."""

    def __init__(self, checks: Callable[[], Sequence[Check]], folders: Mapping[str, Path]) -> None:
        self._checks = checks
        self._folders = folders
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._seen: list[Metric] = []

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        if time.monotonic() - self._looked_at > CHECKS_LAST_SECONDS and self._lock.acquire(blocking=False):
            threading.Thread(target=self._look, name="standing checks", daemon=True).start()
        yield from self._seen

    def _look(self) -> None:
        try:
            self._seen = [*self._disks(), *self._standing()]
        finally:
            self._looked_at = time.monotonic()
            self._lock.release()

    def _disks(self) -> Iterator[Metric]:
        free = GaugeMetricFamily("pes_disk_free_bytes", "Room on the disk of a folder.", labels=["folder"])
        size = GaugeMetricFamily("pes_disk_size_bytes", "Size of that disk.", labels=["folder"])
        for name, folder in self._folders.items():
            usage = shutil.disk_usage(existing(folder))
            free.add_metric([name], usage.free)
            size.add_metric([name], usage.total)
        yield free
        yield size

    def _standing(self) -> Iterator[Metric]:
        checks = self._checks()
        status = GaugeMetricFamily("pes_check_status", "Of a check: 0 ok, 1 warning, 2 failing.", labels=["check"])
        for name in dict.fromkeys(check.name for check in checks):  # several disks are one check here
            status.add_metric([name], ORDER.index(worst(check for check in checks if check.name == name)))
        yield status
        yield GaugeMetricFamily("pes_ready", "1 where no check is failing.", float(worst(checks) != "failing"))


def built_timestamp(built_at: str) -> float:
    """Return a time of a manifest in seconds since 1970."""
    built = datetime.fromisoformat(built_at)
    return (built if built.tzinfo else built.replace(tzinfo=UTC)).timestamp()
