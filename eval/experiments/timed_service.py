"""A service in a process of its own, to time over HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REQUEST_TIMEOUT_SECONDS = 60
START_TRIES, START_PAUSE_SECONDS = 240, 0.5  # how long a service may take to be ready


@dataclass(frozen=True, slots=True)
class Service:
    """A running service."""

    base: str
    process_id: int

    def search(self, query: str) -> bytes:
        """Search it, and return what it answers."""
        return _get(f"{self.base}/api/v1/search?" + urllib.parse.urlencode({"q": query, "k": 10}))

    def resident_mb(self) -> float:
        """Return how much of it is in memory, in megabytes."""
        import psutil

        return float(psutil.Process(self.process_id).memory_info().rss) / 1e6


@contextmanager
def running_service(index_dir: Path, environment: Mapping[str, str] | None = None) -> Iterator[Service]:
    """Serve an index for as long as the context lasts; `environment` has settings that are its own.

    Raises:
        TimeoutError: it is not ready after two minutes.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "pes_search.service.cli.commands", "serve", "--index", str(index_dir), "--port", str(port)]
    surroundings = {**os.environ, **(environment or {})}
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=surroundings) as process:  # noqa: S603
        try:
            base = f"http://127.0.0.1:{port}"
            _wait(f"{base}/readyz")
            yield Service(base, process.pid)
        finally:
            process.terminate()


def _get(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=REQUEST_TIMEOUT_SECONDS) as response:  # noqa: S310
        content: bytes = response.read()
        return content


def _wait(address: str) -> None:
    for _ in range(START_TRIES):
        try:
            _get(address)
        except OSError:
            time.sleep(START_PAUSE_SECONDS)
        else:
            return
    raise TimeoutError(f"{address} does not answer")
