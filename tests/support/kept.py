"""Settings that keep what a service stores out of the working folder."""

from pathlib import Path
from typing import Any

from pes_search.service.records.config import DatabaseConfig
from pes_search.service.settings import AccessConfig, DeskConfig


def kept_in(folder: Path) -> dict[str, Any]:
    """Return the settings of a service whose database and uploads are in a folder; the test client may call it."""
    return {
        "database": DatabaseConfig(path=folder / "pes.sqlite3"),
        "desk": DeskConfig(uploads=folder / "uploads"),
        "access": AccessConfig(hosts=("testserver",)),
    }
