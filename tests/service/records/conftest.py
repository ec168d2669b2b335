"""An empty file of records, with a clock that a test moves."""

from pathlib import Path

import pytest
from record_samples import Clock

from pes_search.service.records.config import DatabaseConfig
from pes_search.service.records.records import Records, open_records


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "pes.sqlite3"


@pytest.fixture
def records(path: Path, clock: Clock) -> Records:
    return open_records(DatabaseConfig(path=path), clock)
