"""The service over the corpus, in this process, with the real model loaded once."""

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from copied import write_copied
from kept import kept_in
from starlette.testclient import TestClient

from pes_search.index.encoders.base import Encoder
from pes_search.service.api.app import create_app
from pes_search.service.cli.commands import main
from pes_search.service.engine import Engine, open_engine
from pes_search.service.settings import Settings


class Run(NamedTuple):
    """What a command gave."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def client(engine: Engine) -> TestClient:
    return TestClient(create_app(engine), raise_server_exceptions=False)


@pytest.fixture
def pes(
    tmp_path: Path,
    cache_dir: Path,
    encoder: Encoder,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Run]:
    """Run a command in this process, in an empty working folder, with the model that is loaded already.

    The corpus' index is opened once: each opening reads and checks all of it and answers a first question.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PES_CACHE_DIR", str(cache_dir))
    for module in ("index.encoders", "service.engine"):
        monkeypatch.setattr(f"pes_search.{module}.load_encoder", lambda config, folder: encoder)

    def open_once(settings: Settings) -> Engine:
        is_known = settings.index_dir == engine.settings.index_dir and all(
            getattr(settings, part) == getattr(engine.settings, part) for part in ("encoder", "search", "answer")
        )
        return engine if is_known else open_engine(settings)

    monkeypatch.setattr("pes_search.service.engine.open_engine", open_once)

    def run(*arguments: object) -> Run:
        capsys.readouterr()
        handlers = logging.root.handlers[:]
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse's way out
            status = stop.code if isinstance(stop.code, int) else 1
        finally:  # a service's log would go on to this test's standard error, which is closed at its end
            logging.root.handlers[:] = handlers
        return Run(status, *capsys.readouterr())

    return run


@pytest.fixture
def no_model(pes: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a command loads the model without need; it takes ten seconds."""
    for module in ("index.encoders", "service.engine"):
        monkeypatch.setattr(f"pes_search.{module}.load_encoder", lambda *_: pytest.fail("the model was loaded"))


@pytest.fixture
def copied(build: Callable[..., object], encoder: Encoder, tmp_path: Path) -> Engine:
    """An engine over a story, its copy and its translation, one group, and two others, with records of its own."""
    build([write_copied(tmp_path / "sources")], tmp_path / "index")
    settings = Settings(index_dir=tmp_path / "index", **kept_in(tmp_path))
    return Engine(settings, settings.index_store(), encoder)


@pytest.fixture(scope="session")
def run_python() -> Callable[[str], str]:
    """Run some code in a process of its own and return what it printed."""

    def run(code: str) -> str:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    return run


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A corpus/ in the working folder: a document, a file that cannot be read, and one that has no reader."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "bread.md").write_text("---\nid: bread\ncountries: [FR]\n---\n# Bread\n\nTraining for bakers.", encoding="utf-8")
    (folder / "empty.txt").write_text("")
    (folder / "table.dbf").write_bytes(b"PK\x03\x04")
    return folder
