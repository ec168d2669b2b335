"""What most tests share: the real encoder, and an index of the project's own corpus."""

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock
from folders import CORPUS, KEPT, SHARED
from kept import kept_in

os.environ["HF_HUB_OFFLINE"] = "1"

from pes_search.index.build import BuildReport, build_index
from pes_search.index.config import IndexConfig
from pes_search.index.encoders import load_encoder
from pes_search.index.encoders.base import Encoder, EncoderConfig
from pes_search.index.encoders.identity import model_fingerprint
from pes_search.index.open_index import OpenIndex, open_index
from pes_search.index.stores.files import FileStore
from pes_search.service.engine import Engine
from pes_search.service.settings import Settings

Build = Callable[[Sequence[str | Path], Path], BuildReport]


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of the person who runs the tests must not change their result."""
    for name in list(os.environ):
        if name.startswith("PES_") and name != "PES_CACHE_DIR":
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"needs the test data in {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The default model, in the user's cache folder, where the service looks for it too."""
    # One thread: the tests run in two processes.
    return load_encoder(EncoderConfig(threads=1), Settings().cache_dir)


@pytest.fixture(scope="session")
def cache_dir(corpus_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that has the vectors of the corpus and its lists, and none of what a test writes."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "vectors").mkdir()
    for path in (KEPT / "vectors").glob("*.sqlite"):
        # Not as files: another process may be writing.
        with (
            closing(sqlite3.connect(path, timeout=60)) as kept,
            closing(sqlite3.connect(folder / "vectors" / path.name)) as copy,
        ):
            kept.backup(copy)
    return folder


@pytest.fixture(scope="session")
def build(encoder: Encoder, cache_dir: Path) -> Build:
    """Build an index of some sources in a folder."""

    def run(sources: Sequence[str | Path], folder: Path) -> BuildReport:
        return build_index(
            [str(source) for source in sources],
            FileStore(folder),
            lambda: encoder,
            model=model_fingerprint(EncoderConfig()),
            cache_dir=cache_dir,
            config=IndexConfig(),
        )

    return run


@pytest.fixture(scope="session")
def corpus_folder() -> Path:
    """An index folder of `corpus/`, to be read only: one for all processes of a run, and for the next if nothing changed."""
    KEPT.mkdir(parents=True, exist_ok=True)
    folder = KEPT / "index"
    with FileLock(KEPT / "lock"):
        build_index(
            [str(CORPUS)],
            FileStore(folder),
            lambda: load_encoder(EncoderConfig(), Settings().cache_dir),  # on all cores: the other process waits for it
            model=model_fingerprint(EncoderConfig()),
            cache_dir=KEPT,
            config=IndexConfig(),
        )
    return folder


@pytest.fixture(scope="session")
def corpus_files() -> dict[str, dict[str, Any]]:
    """The front matter of each file of `corpus/`, by id, read without the code under test."""
    files = [*(CORPUS / "practices").glob("*.md"), *(CORPUS / "news").glob("*.md")]
    return {path.stem: yaml.safe_load(path.read_text("utf-8").split("---\n")[1]) for path in files}


@pytest.fixture(scope="session")
def corpus_index(corpus_folder: Path) -> OpenIndex:
    return open_index(FileStore(corpus_folder))


@pytest.fixture(scope="session")
def engine(corpus_folder: Path, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    settings = Settings(index_dir=corpus_folder, **kept_in(tmp_path_factory.mktemp("kept")))
    return Engine(settings, settings.index_store(), encoder)
