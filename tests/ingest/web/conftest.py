from collections.abc import Iterator

import pytest
from web_site import Site, a_site

from pes_search.ingest.web.client import Client
from pes_search.ingest.web.config import FetchConfig

QUICK = FetchConfig(seconds_between=0.0, seconds=2.0, megabytes=1, longest_wait_seconds=5.0, private_hosts=("127.0.0.1",))


@pytest.fixture
def site() -> Iterator[Site]:
    with a_site() as made:
        yield made


@pytest.fixture
def waits() -> list[float]:
    """How long the client slept; it does not sleep in fact."""
    return []


@pytest.fixture
def client(waits: list[float]) -> Iterator[Client]:
    with Client(QUICK, sleep=waits.append) as made:
        yield made
