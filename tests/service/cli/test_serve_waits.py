"""A service that is started while the first index is being built waits for it and says so."""

import threading
from pathlib import Path

import pytest

from pes_search.index.stores.files import FileStore
from pes_search.service.cli import commands
from pes_search.service.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(index_dir=tmp_path / "index")


def test_without_an_index_it_waits_for_the_build(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    writer = FileStore(settings.index_dir).writer()
    waiting = threading.Thread(target=commands._wait_for_a_build, args=(settings,))
    waiting.start()
    waiting.join(2 * commands.WAITING_PAUSE_SECONDS)
    assert waiting.is_alive()
    writer.discard()
    waiting.join(60)
    assert not waiting.is_alive()
    assert f"waiting for the build of {settings.index_dir} that is running" in capsys.readouterr().err


def test_with_an_index_it_serves_that_meanwhile(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileStore, "current_name", lambda _: "one")
    writer = FileStore(settings.index_dir).writer()
    commands._wait_for_a_build(settings)
    writer.discard()
    assert "is running; its index is served as soon as it is finished" in capsys.readouterr().err


def test_without_a_build_nothing_is_said(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    commands._wait_for_a_build(settings)
    assert capsys.readouterr().err == ""
