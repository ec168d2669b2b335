"""A service over the corpus whose doors a test opens and closes."""

from pathlib import Path
from typing import Any

from kept import kept_in
from starlette.testclient import TestClient

from pes_search.service.access.attempts import Attempts
from pes_search.service.api.app import create_app
from pes_search.service.engine import Engine
from pes_search.service.records.records import Records, open_records
from pes_search.service.settings import AccessConfig


class House:
    """An app with keys of its own; `client` has the cookies of one browser."""

    def __init__(self, engine: Engine, folder: Path, *, base_url: str = "http://testserver", **values: Any) -> None:
        settings = engine.settings.model_copy(update={**kept_in(folder), **values})
        if "access" not in values:
            settings = settings.model_copy(update={"access": AccessConfig(hosts=("testserver",), open=False)})
        own = object.__new__(Engine)
        own.__dict__ |= engine.__dict__ | {"settings": settings}
        self.app = create_app(own)
        self.app.state.access.attempts = Attempts(lambda: 0.0)  # however long a test takes, no attempt comes back
        self.records: Records = open_records(settings.database)
        self.base_url = base_url
        self.client = self.browser()

    def browser(self, address: str = "192.0.2.1") -> TestClient:
        """Return a browser, or a program, at an address."""
        return TestClient(
            self.app, base_url=self.base_url, follow_redirects=False, client=(address, 1), raise_server_exceptions=False
        )

    def key(self, role: Any, **values: Any) -> str:
        """Make a key and return its text."""
        return self.records.keys.add(role, **values)[1]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
