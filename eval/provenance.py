"""What a figure was measured with: the command, the commit, the index and the machine."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from pes_search.index.types import Manifest
from pes_search.service.settings import Settings


def provenance(settings: Settings, manifest: Manifest) -> dict[str, Any]:
    """Return what has to be known to measure the same again."""
    return {
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        **machine(settings),
        "index_id": manifest.index_id,
        "model_id": manifest.model_id,
        "adapter": manifest.adapter,
    }


def machine(settings: Settings) -> dict[str, str]:
    """Return the code and the machine."""
    return {
        "version": importlib.metadata.version("pes-search"),
        "commit": _commit(),
        "machine": f"{_processor()}, {settings.encoder.threads} threads, Python {platform.python_version()}",
    }


def _commit() -> str:
    """Return the commit of the source, with a mark if files differ from it; "unknown" outside a clone."""
    folder = Path(__file__).parent
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],  # noqa: S607
            cwd=folder, capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        changed = subprocess.run(
            ["git", "status", "--porcelain"],  # noqa: S607
            cwd=folder, capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + (" with changes" if changed else "")


def _processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
