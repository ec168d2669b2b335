"""Generations are kept in the order of their use, can be checked and gone back to; a full disk leaves nothing behind."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pes_search.eval.experiments.index_safety import Place
from pes_search.index.errors import BuildRunningError, IndexDamagedError, IndexNotFoundError
from pes_search.index.stores.files import FileStore
from pes_search.ingest.errors import NothingReadError, NotWrittenError

DOCUMENTS = 4


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Where one small collection after the other is built, without a model."""
    return Place(tmp_path, DOCUMENTS)


def build(place: Place, *states: int) -> list[str]:
    """Build an index of the collection in each state; return the names of the generations."""
    store = FileStore(place.index)
    names = []
    for state in states:
        place.write_sources(state)
        assert place.build().changed
        names.append(store.current_name() or "")
    return names


def kept(place: Place) -> list[str]:
    return [generation.name for generation in FileStore(place.index).generations()]


def on_disk(place: Place) -> set[str]:
    return {path.name for path in (place.index / "generations").iterdir()}


# ── Which are kept ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_last_ones_are_kept_each_after_the_one_that_was_in_use_before(place: Place) -> None:
    _, second, third, fourth = build(place, 1, 2, 3, 4)
    assert kept(place) == [fourth, third, second]
    assert on_disk(place) == {second, third, fourth}
    generation = FileStore(place.index).generations()[1]
    assert (generation.in_use, generation.fault, generation.documents) == (False, "", DOCUMENTS)
    assert generation.bytes == sum(path.stat().st_size for path in (place.index / "generations" / third).rglob("*.*"))


def test_how_many_are_kept_is_a_setting(place: Place) -> None:
    _, second, third = build(place, 1, 2, 3)
    FileStore(place.index, keep=2).tidy()
    assert on_disk(place) == {second, third}


def test_one_that_was_gone_back_to_stays_when_the_next_build_is_made(place: Place) -> None:
    first, second, third = build(place, 1, 2, 3)
    FileStore(place.index).switch_to(first)
    assert kept(place) == [third, second, first]
    (fourth,) = build(place, 4)
    assert kept(place) == [fourth, first, third]  # the one before is the one that was in use, not the one that was left


def test_an_index_of_before_there_was_a_history_is_taken_up(place: Place) -> None:
    _, second = build(place, 1, 2)
    (place.index / "HISTORY").unlink()
    assert FileStore(place.index).generations()[1].fault == "HISTORY does not vouch for it"
    (third,) = build(place, 3)
    assert kept(place) == [third, second]


# ── Going back ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_going_back_makes_the_earlier_state_the_one_that_is_opened(place: Place) -> None:
    first, _ = build(place, 1, 2)
    store = FileStore(place.index)
    place.write_sources(1)
    store.switch_to(first)
    assert store.current_name() == first
    assert place.state() == place.wanted()


def test_the_next_build_does_not_take_what_was_gone_back_to_for_the_sources(place: Place) -> None:
    first, _ = build(place, 1, 2)
    FileStore(place.index).switch_to(first)
    report = place.build()
    assert (report.changed, report.left_gone_back) == (True, True)
    assert place.state() == place.wanted()
    assert not place.build().changed


def test_going_back_to_what_the_sources_are_again_is_up_to_date(place: Place) -> None:
    first, _ = build(place, 1, 2)
    FileStore(place.index).switch_to(first)
    place.write_sources(1)
    report = place.build()
    assert (report.changed, report.left_gone_back) == (False, False)


@pytest.mark.parametrize("file", ["manifest.json", "vectors.f16", "words.json"])
def test_a_damaged_state_is_not_gone_back_to(place: Place, file: str) -> None:
    first, second = build(place, 1, 2)
    path = place.index / "generations" / first / file
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    store = FileStore(place.index)
    with pytest.raises(IndexDamagedError, match=file):
        store.switch_to(first)
    assert store.current_name() == second


def test_a_name_that_is_not_kept_is_refused_with_the_command_that_lists_them(place: Place) -> None:
    build(place, 1)
    for name in ("nope", "../../etc", ""):
        with pytest.raises(IndexNotFoundError, match="pes generations --index"):
            FileStore(place.index).switch_to(name)


def test_nobody_goes_back_while_a_build_is_running(place: Place) -> None:
    first, _ = build(place, 1, 2)
    writer = FileStore(place.index).writer()
    try:
        with pytest.raises(BuildRunningError):
            FileStore(place.index).switch_to(first)
    finally:
        writer.discard()


def test_a_lost_pointer_can_be_mended_by_going_back(place: Place) -> None:
    first, second = build(place, 1, 2)
    (place.index / "CURRENT").write_bytes(os.urandom(40))
    store = FileStore(place.index)
    assert kept(place) == [second, first]
    store.switch_to(second)
    assert place.state() == place.wanted()


# ── Verifying ───────────────────────────────────────────────────────────────────────────────────────────────────────


def flipped(path: Path) -> None:
    """Flip a bit as a failing disk does: size and time stay."""
    state, content = path.stat(), path.read_bytes()
    path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_every_file_of_every_generation_is_verified(place: Place) -> None:
    names = build(place, 1, 2)
    store = FileStore(place.index)
    for name in names:
        files = [path for path in (place.index / "generations" / name).rglob("*") if path.is_file()]
        assert len(files) > 20
        for path in files:
            if path.name == "checked.json":
                continue
            content = path.read_bytes()
            flipped(path)
            with pytest.raises(IndexDamagedError, match=path.name):
                store.verify(name)
            path.write_bytes(content)
        assert store.verify(name).index_id == name.partition("-")[0]


@pytest.mark.parametrize("file", ["CURRENT", "HISTORY"])  # the first line of HISTORY is that of the older generation
def test_what_vouches_for_the_manifests_cannot_change_unseen(place: Place, file: str) -> None:
    first, second = build(place, 1, 2)
    path = place.index / file
    content = path.read_bytes()
    store = FileStore(place.index)
    for at in range(content.index(b"\n")):
        path.write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        with pytest.raises(IndexDamagedError, match=file):
            [store.verify(name) for name in (None, first)]
    path.write_bytes(content)
    assert [store.verify(name).index_id for name in (first, second)] == [name.partition("-")[0] for name in (first, second)]


def test_files_that_are_no_part_of_the_index_are_seen(place: Place) -> None:
    (name,) = build(place, 1)
    store = FileStore(place.index)
    store.open()
    store.verify()
    (place.index / "generations" / name / "bm25" / "notes.txt").write_text("x")
    store.open()  # they do no harm
    with pytest.raises(IndexDamagedError, match=r"bm25/notes\.txt in generation .* is no file of it"):
        store.verify()


# ── A full disk ─────────────────────────────────────────────────────────────────────────────────────────────────────


def full(call: Callable[..., object], at: int) -> Callable[..., object]:
    """Return a call that finds no room from its so many-th time on; its error names no file, as those of `write` do."""
    calls = 0

    def failing(*arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls >= at:
            raise OSError(errno.ENOSPC, "No space left on device")
        return call(*arguments, **named)

    return failing


@pytest.mark.parametrize(
    ("module", "function", "at"),
    [
        ("tempfile", "mkdtemp", 1),
        ("pes_search.index.stores.text_files", "_append_line", 1),
        ("pes_search.index.stores.text_files", "_append_line", 7),
        ("numpy", "save", 1),
        ("numpy", "save", 4),
        ("numpy", "savez", 1),
        ("pes_search.index.stores.files", "sync", 1),
        ("pes_search.index.stores.files", "_write_text", 2),  # the manifest; before it the note that a build is running
        ("pes_search.index.stores.files", "_write_text", 3),  # CURRENT
    ],
)
def test_a_build_without_room_says_so_and_leaves_the_old_index_and_nothing_else(
    place: Place, monkeypatch: pytest.MonkeyPatch, module: str, function: str, at: int
) -> None:
    (name,) = build(place, 1)
    before = place.state()
    place.write_sources(2)
    with monkeypatch.context() as patch:
        patch.setattr(f"{module}.{function}", full(getattr(sys.modules[module], function), at))
        with pytest.raises(NotWrittenError, match=f"the index in {place.index}: No space left on device .*make room"):
            place.build()
    assert (place.state(), on_disk(place)) == (before, {name})
    assert not list(place.index.glob(".*.new"))
    assert place.build().changed
    assert place.state() == place.wanted()


def test_closing_what_could_not_be_written_hides_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = FileStore(place.index).writer()
    for file in (writer._vectors, writer._texts):
        monkeypatch.setattr(file, "close", full(file.close, 1), raising=False) if file is writer._texts else file.close()
    writer.discard()
    assert on_disk(place) == set()
    FileStore(place.index).writer().discard()  # the lock was given back
    monkeypatch.undo()
    writer._texts.close()


def test_a_build_that_finds_nothing_to_do_removes_what_a_dead_one_left(place: Place) -> None:
    build(place, 1)
    (place.index / "generations" / ".new-dead").mkdir()
    (place.index / "generations" / ".new-dead" / "vectors.f16").write_bytes(b"x")
    assert not place.build().changed
    assert on_disk(place) == set(kept(place))


# ── What became of the last build ───────────────────────────────────────────────────────────────────────────────────

HOLD = """
import sys
from pathlib import Path
from pes_search.index.stores.files import FileStore
writer = FileStore(Path(sys.argv[1])).writer()
print("holding", flush=True)
sys.stdin.read()
"""


def test_a_build_is_noted_as_it_ends(place: Place) -> None:
    store = FileStore(place.index)
    assert store.last_build() is None
    (name,) = build(place, 1)
    last = store.last_build()
    assert last is not None
    assert (last.state, last.index_id) == ("finished", name.partition("-")[0])
    assert place.build().changed is False
    last = store.last_build()
    assert last is not None
    assert (last.state, last.message) == ("finished", "nothing had changed")
    for path in place.sources.iterdir():
        path.unlink()
    with pytest.raises(NothingReadError):
        place.build()
    last = store.last_build()
    assert last is not None
    assert (last.state, "no file could be read" in last.message) == ("failed", True)


def test_a_build_that_is_killed_has_died(place: Place) -> None:
    build(place, 1)
    store = FileStore(place.index)
    command = [sys.executable, "-c", HOLD, str(place.index)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"holding\n"
        last = store.last_build()
        assert last is not None
        assert (last.state, store.is_building()) == ("running", True)
        with pytest.raises(BuildRunningError):
            build(place, 2)
        last = store.last_build()
        assert last is not None
        assert last.state == "running"  # the one that was refused is not what counts
        process.kill()
    last = store.last_build()
    assert last is not None
    assert (last.state, "killed" in last.message) == ("died", True)
    assert store.is_building() is False
    build(place, 3)
    assert on_disk(place) == set(kept(place))


def test_what_became_of_a_build_is_noted_on_a_disk_without_room_for_a_file(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(place, 1)
    place.write_sources(2)
    monkeypatch.setattr("pes_search.index.stores.files._write_text", full(lambda: None, 1))
    with pytest.raises(NotWrittenError):
        place.build()
    last = FileStore(place.index).last_build()
    assert last is not None
    assert (last.state, "No space left on device" in last.message) == ("failed", True)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", json.dumps({"state": "finished"}).encode()])
def test_a_note_that_cannot_be_read_tells_nothing(place: Place, content: bytes) -> None:
    place.index.mkdir(parents=True)
    (place.index / "last_build.json").write_bytes(content)
    assert FileStore(place.index).last_build() is None


def test_an_open_index_reads_nothing_from_its_folder_later(place: Place) -> None:
    import shutil

    build(place, 1)
    index = FileStore(place.index).open()
    shutil.rmtree(place.index)
    assert len(index.holdings().documents) == DOCUMENTS
    assert np.asarray(index.questions().documents).size == 0
    assert index.words("en")
