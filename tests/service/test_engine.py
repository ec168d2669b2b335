import json
import logging
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from copied import write_copied
from kept import kept_in
from models import renamed

from pes_search.index.build import BuildReport
from pes_search.index.config import Bm25Config
from pes_search.index.encoders.base import Encoder, EncoderConfig
from pes_search.index.errors import IndexDamagedError, IndexNotFoundError
from pes_search.index.filters import Filters
from pes_search.ingest.errors import PesSearchError
from pes_search.service.engine import Engine, open_engine
from pes_search.service.engine import build as build_by_settings
from pes_search.service.records.records import open_records
from pes_search.service.settings import Settings

Build = Callable[[Sequence[str | Path], Path], BuildReport]
Damage = Callable[[Path], None]

FIRST = "# Evening courses\n\nAdults learn bookkeeping in the evening, after work."
SECOND = "# Bus to work\n\nA minibus takes apprentices from the villages to their workplace."


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder with one document."""
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "first.md").write_text(f"---\nid: first\n---\n{FIRST}", encoding="utf-8")
    return folder


@pytest.fixture
def folder(sources: Path, tmp_path: Path, build: Build) -> Path:
    """An index of it."""
    folder = tmp_path / "index"
    build([sources], folder)
    return folder


@pytest.fixture
def running(folder: Path, encoder: Encoder) -> Engine:
    """An engine that serves this index."""
    settings = Settings(index_dir=folder)
    return Engine(settings, settings.index_store(), encoder)


def add_second(sources: Path) -> None:
    (sources / "second.md").write_text(f"---\nid: second\n---\n{SECOND}", encoding="utf-8")


def document_ids(engine: Engine) -> list[str]:
    result = engine.search(engine.index(), "minibus for apprentices", k=10, offset=0, group="document", filters=Filters())
    return [hit.document.id for hit in result.hits]


def other_model(encoder: Encoder) -> Encoder:
    """The same weights under another name, which no index can tell from another model."""
    return renamed(encoder, "other weights", EncoderConfig())


# ── A new generation ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_running_engine_goes_over_to_a_new_build(running: Engine, sources: Path, folder: Path, build: Build) -> None:
    assert document_ids(running) == ["first"]
    add_second(sources)
    report = build([sources], folder)
    assert document_ids(running) == ["second", "first"]
    assert running.index().manifest.index_id == report.index_id


def test_a_build_that_changes_nothing_leaves_the_open_index_alone(
    running: Engine, sources: Path, folder: Path, build: Build
) -> None:
    before = running.index()
    assert not build([sources], folder).changed
    assert running.index() is before


def _truncate_vectors(generation: Path) -> None:
    vectors = generation / "vectors.f16"
    vectors.write_bytes(vectors.read_bytes()[:-4])


def _alter_a_passage(generation: Path) -> None:
    texts = generation / "texts.txt"
    texts.write_bytes(texts.read_bytes().swapcase())


def _remove_the_pages(generation: Path) -> None:
    (generation / "pages.jsonl").unlink()


def _cut_the_manifest(generation: Path) -> None:
    manifest = generation / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8")[:100], encoding="utf-8")


def _raise_the_schema(generation: Path) -> None:
    manifest = generation / "manifest.json"
    values = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(values | {"schema": values["schema"] + 1}), encoding="utf-8")


def _rename_the_generation(generation: Path) -> None:
    generation.rename(generation.with_name("elsewhere"))


DAMAGE = [_truncate_vectors, _alter_a_passage, _remove_the_pages, _cut_the_manifest, _raise_the_schema, _rename_the_generation]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_new_generation_is_logged_and_the_old_one_stays(
    damage: Damage, running: Engine, sources: Path, folder: Path, build: Build, caplog: pytest.LogCaptureFixture
) -> None:
    old = running.index()
    add_second(sources)
    build([sources], folder)
    damage(folder / "generations" / (folder / "CURRENT").read_text().split()[0])
    assert document_ids(running) == ["first"]
    assert document_ids(running) == ["first"]
    assert running.index() is old
    assert (running.switches, running.failed_switches) == (0, 1)
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1  # told once, not with each request
    assert errors[0].startswith(f"keeping index {old.manifest.index_id}: ")
    assert f"pes build --index {folder}" in errors[0]


@pytest.mark.parametrize("name", ["", "../../elsewhere", "no-such-generation", "\udcff"])
def test_a_damaged_name_of_the_generation_leaves_the_old_one(name: str, running: Engine, folder: Path) -> None:
    (folder / "CURRENT").write_bytes(name.encode("utf-8", "surrogateescape"))
    assert document_ids(running) == ["first"]


def test_a_pointer_that_stays_damaged_is_told_once(running: Engine, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "CURRENT").write_text("garbage")
    for _ in range(3):
        assert document_ids(running) == ["first"]
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1


def test_a_folder_that_is_removed_goes_on_being_served(running: Engine, folder: Path) -> None:
    shutil.rmtree(folder)
    assert document_ids(running) == ["first"]
    assert running.did_you_mean(running.index(), "bookkeping") == "bookkeeping"


def test_an_index_that_is_removed_goes_on_being_served(running: Engine, folder: Path) -> None:
    (folder / "CURRENT").unlink()
    assert document_ids(running) == ["first"]


def test_the_next_good_build_mends_a_damaged_generation(running: Engine, sources: Path, folder: Path, build: Build) -> None:
    add_second(sources)
    build([sources], folder)
    _truncate_vectors(folder / "generations" / (folder / "CURRENT").read_text().split()[0])
    assert document_ids(running) == ["first"]
    assert build([sources], folder).changed  # a damaged index is not taken for an unchanged one
    assert document_ids(running) == ["second", "first"]


def test_a_new_generation_of_another_model_is_not_taken(
    running: Engine,
    sources: Path,
    folder: Path,
    build: Build,
    encoder: Encoder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    old = running.index()
    add_second(sources)
    # What the build writes is judged by the id in the manifest: for its time the session's model goes by another name.
    with monkeypatch.context() as patch:
        patch.setattr(encoder, "model_id", other_model(encoder).model_id)
        build([sources], folder)
    assert document_ids(running) == ["first"]
    assert running.index() is old
    assert "pes build" in caplog.text


def test_requests_during_the_change_are_all_answered(running: Engine, sources: Path, folder: Path, build: Build) -> None:
    add_second(sources)
    build([sources], folder)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: document_ids(running), range(8)))
    assert all(answer in (["first"], ["second", "first"]) for answer in answers)
    assert document_ids(running) == ["second", "first"]


# ── Opening ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_index_of_another_model_is_refused_with_the_next_command(folder: Path, encoder: Encoder) -> None:
    other = other_model(encoder)
    assert other.model_id != encoder.model_id
    settings = Settings(index_dir=folder)
    with pytest.raises(IndexDamagedError) as refused:
        Engine(settings, settings.index_store(), other)
    message = str(refused.value)
    assert encoder.model_id in message
    assert other.model_id in message
    # Without the folder the command would build another index than the one that is refused.
    assert f"`pes build --index {folder}`" in message


def test_a_missing_index_is_named_before_the_model_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pes_search.service.engine.load_encoder", lambda *_: pytest.fail("the model was loaded"))
    with pytest.raises(IndexNotFoundError, match="pes build --index"):
        open_engine(Settings(index_dir=tmp_path / "none"))


def test_an_index_is_not_scored_with_other_bm25_settings_than_it_was_built_with(folder: Path, encoder: Encoder) -> None:
    """The stored scores hold the k1 of the build; bounded by another k1 they would be others, some above 1."""

    def lexical(bm25: Bm25Config) -> float | None:
        settings = Settings(index_dir=folder, bm25=bm25)
        try:
            engine = Engine(settings, settings.index_store(), encoder)
        except PesSearchError:
            return None
        return (
            engine.search(engine.index(), "bookkeeping", k=1, offset=0, group="passage", filters=Filters())
            .hits[0]
            .scores.lexical
        )

    as_built = lexical(Bm25Config())
    assert as_built is not None
    assert lexical(Bm25Config(k1=0.1)) in (None, as_built)  # refused, or scored as it was built


# ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_question_gives_the_same_hits_from_many_threads(engine: Engine) -> None:
    def ids(_: int) -> list[tuple[str, float]]:
        result = engine.search(engine.index(), "mobile teams in villages", k=5, offset=0, group="passage", filters=Filters())
        return [(hit.passage.id, hit.score) for hit in result.hits]

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ids, range(6)))
    assert answers == [answers[0]] * 6
    assert len(answers[0]) == 5


# ── Who may read what ───────────────────────────────────────────────────────────────────────────────────────────────


def closed(sources: Path, label: str) -> None:
    (sources / "second.md").write_text(f"---\nid: second\nvisibility: {label}\n---\n{SECOND}", encoding="utf-8")


def test_where_nothing_is_closed_everybody_has_the_same_index(running: Engine) -> None:
    assert running.index_for(None) is running.index_for(frozenset()) is running.index_for(frozenset({"x"})) is running.index()


def test_each_set_of_labels_has_one_index_until_the_next_build(
    running: Engine, sources: Path, folder: Path, build: Build
) -> None:
    closed(sources, "internal")
    build([sources], folder)
    public = running.index_for(frozenset())
    assert (public.manifest.documents, running.index().manifest.documents) == (1, 2)
    assert running.index_for(frozenset({"other"})) is public  # no document has that label
    assert running.index_for(frozenset({"internal", "other"})) is running.index_for(None) is running.index()
    # A label that changed is noticed, and what was seen before is seen no more.
    closed(sources, "board")
    build([sources], folder)
    assert running.index_for(frozenset({"internal"})).manifest.documents == 1
    assert running.index_for(frozenset({"board"})).manifest.documents == 2
    closed(sources, "public")
    assert build([sources], folder).changed
    assert running.index_for(frozenset()).manifest.documents == 2


def test_spelling_is_put_right_by_the_words_that_somebody_sees(
    running: Engine, sources: Path, folder: Path, build: Build
) -> None:
    closed(sources, "internal")
    build([sources], folder)
    for _ in range(2):  # whoever came before
        assert running.did_you_mean(running.index(), "minibsu") == "minibus"
        assert running.did_you_mean(running.index_for(frozenset()), "minibsu") is None


def test_a_build_closes_places_that_the_settings_name_and_notices_when_they_change(
    sources: Path, tmp_path: Path, cache_dir: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pes_search.service.engine.load_encoder", lambda *_: encoder)
    settings = Settings(index_dir=tmp_path / "index", cache_dir=cache_dir)
    for visibility, closed_ones in (
        ({}, {}),
        ({str(sources): "internal"}, {"internal": 1}),
        ({str(sources): "board"}, {"board": 1}),
    ):
        of_places = settings.model_copy(update={"visibility": visibility})
        for is_new in (True, False):
            report = build_by_settings(of_places, [str(sources)])
            assert (report.changed, report.closed) == (is_new, closed_ones)


@pytest.fixture
def copied_and_closed(build: Build, encoder: Encoder, tmp_path: Path) -> Engine:
    """An engine over a story, which is closed, its copy and its translation."""
    folder = write_copied(tmp_path / "sources")
    story = folder / "story.md"
    story.write_text(story.read_text("utf-8").replace("id: story\n", "id: story\nvisibility: internal\n"), encoding="utf-8")
    build([folder], tmp_path / "index")
    settings = Settings(index_dir=tmp_path / "index", **kept_in(tmp_path))
    return Engine(settings, settings.index_store(), encoder)


def test_decisions_about_copies_hold_in_what_somebody_sees(copied_and_closed: Engine) -> None:
    records = open_records(copied_and_closed.settings.database).copies
    public = copied_and_closed.index_for(frozenset())
    assert public.copies.groups == [("copy", "german")]  # the story that stands for them is closed
    records.decide([("copy", "story")], are_copies=False, index_id="x")
    assert copied_and_closed.index_for(frozenset()).copies.parted_from(["copy"]) == []
    records.decide([("copy", "german")], are_copies=False, index_id="x")
    assert copied_and_closed.index_for(frozenset()).copies.groups == []
    assert copied_and_closed.index_for(frozenset()).stored is public.stored  # which is not made again
    assert copied_and_closed.index().copies.parted_from(["copy"]) == ["german", "story"]
