"""The service over the corpus, in this process, with the real model loaded once."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from starlette.testclient import TestClient

from pes_search.index.encoder import SentenceTransformerEncoder
from pes_search.service.api import create_app
from pes_search.service.cli import main
from pes_search.service.engine import Engine, open_store
from pes_search.service.settings import Settings


class Run(NamedTuple):
    """What a command gave."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def engine(corpus_folder: Path, encoder: SentenceTransformerEncoder) -> Engine:
    settings = Settings(index_dir=corpus_folder)
    return Engine(settings, open_store(settings), encoder)


@pytest.fixture(scope="session")
def client(engine: Engine) -> TestClient:
    return TestClient(create_app(engine), raise_server_exceptions=False)


@pytest.fixture
def pes(
    tmp_path: Path,
    cache_dir: Path,
    encoder: SentenceTransformerEncoder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Run]:
    """Run a command in this process, in an empty working folder, with the model that is loaded already."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PES_CACHE_DIR", str(cache_dir))
    for module in ("index.encoder", "service.engine"):
        monkeypatch.setattr(f"pes_search.{module}.load_encoder", lambda config, folder: encoder)

    def run(*arguments: object) -> Run:
        capsys.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse's way out
            status = stop.code if isinstance(stop.code, int) else 1
        return Run(status, *capsys.readouterr())

    return run
