"""`pes build`: what it reports, when it builds anew, and how it fails; the settings that it reads."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from models import renamed

from pes_search.index.encoders.base import Encoder, EncoderConfig
from pes_search.index.stores.files import FileStore

Pes = Callable[..., Any]  # gives status, out and err (see conftest)


def test_build_reads_corpus_and_names_on_stderr_what_it_could_not_read(corpus: Path, pes: Pes, tmp_path: Path) -> None:
    run = pes("build")
    assert run.status == 0  # with a file that cannot be read
    assert "1 documents, 1 passages" in run.out
    assert "1 files not read" in run.out
    assert "not read: corpus/empty.txt: empty file" in run.err
    assert "skipped: corpus/table.dbf: no reader for .dbf" in run.err
    assert (tmp_path / "var" / "index" / "CURRENT").is_file()
    assert [hit["document_id"] for hit in json.loads(pes("search", "bakers", "--json").out)["hits"]] == ["bread"]


def test_many_skipped_files_are_one_line_a_reason(corpus: Path, pes: Pes) -> None:
    for number in range(9):
        (corpus / f"{number}.yaml").write_text("a: 1")
    lines = [line for line in pes("build").err.splitlines() if line.startswith("skipped: ")]
    assert lines == [
        "skipped: corpus/0.yaml, corpus/1.yaml, corpus/2.yaml and 6 more: no reader for .yaml",
        "skipped: corpus/table.dbf: no reader for .dbf",
    ]


def test_build_reports_as_json(corpus: Path, pes: Pes, tmp_path: Path) -> None:
    run = pes("build", corpus, "--index", tmp_path / "elsewhere", "--json")
    assert (run.status, run.err) == (0, "")
    report = json.loads(run.out)
    assert (report["changed"], report["documents"], report["passages"]) == (True, 1, 1)
    assert report["read"] == ["corpus/bread.md"]
    assert report["unread"] == [{"path": "corpus/empty.txt", "reason": "empty file"}]
    assert [row["path"] for row in report["skipped"]] == ["corpus/table.dbf"]
    assert json.loads(pes("info", "--index", tmp_path / "elsewhere", "--json").out)["index_id"] == report["index_id"]


def test_progress_goes_to_stderr(corpus: Path, pes: Pes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "reading" not in pes("build").err  # no bar in a log
    (corpus / "cake.md").write_text("Training for confectioners.", encoding="utf-8")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    run = pes("build", "--json")
    assert json.loads(run.out)["documents"] == 2
    assert "reading" in run.err


def test_several_sources_make_one_index(corpus: Path, pes: Pes, tmp_path: Path) -> None:
    (tmp_path / "cake.md").write_text("Training for confectioners.", encoding="utf-8")
    report = json.loads(pes("build", corpus / "bread.md", tmp_path / "*.md", "--json").out)
    assert report["read"] == sorted(["bread.md", f"{tmp_path.name}/cake.md"])


def test_an_unchanged_corpus_is_not_built_again(corpus: Path, pes: Pes, request: pytest.FixtureRequest) -> None:
    first = json.loads(pes("build", "--json").out)
    request.getfixturevalue("no_model")
    run = pes("build")
    assert run.status == 0
    assert f"index {first['index_id']} in var/index unchanged: 1 documents" in run.out
    assert "not read: corpus/empty.txt: empty file" in run.err  # still told


def test_how_fast_the_model_runs_does_not_change_the_index(corpus: Path, pes: Pes, monkeypatch: pytest.MonkeyPatch) -> None:
    pes("build")
    monkeypatch.setenv("PES_ENCODER__THREADS", "3")
    monkeypatch.setenv("PES_ENCODER__BATCH_SIZE", "7")
    assert json.loads(pes("build", "--json").out)["changed"] is False


def test_other_weights_in_the_same_folder_make_another_index(
    corpus: Path, pes: Pes, tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "model" / "model.safetensors"
    weights.parent.mkdir()
    weights.write_text("first")
    monkeypatch.setenv("PES_ENCODER__MODEL", str(weights.parent))

    def load(config: EncoderConfig, _: Path) -> Encoder:
        return renamed(encoder, (Path(config.model) / weights.name).read_text(), config)

    monkeypatch.setattr("pes_search.service.engine.load_encoder", load)
    first = json.loads(pes("build", "--json").out)
    weights.write_text("second, and longer")
    second = json.loads(pes("build", "--json").out)
    assert second["changed"] is True
    assert second["index_id"] != first["index_id"]


def test_a_build_that_reads_nothing_fails_and_leaves_the_index_alone(corpus: Path, pes: Pes) -> None:
    pes("build")
    before = json.loads(pes("info", "--json").out)
    (corpus / "bread.md").unlink()
    run = pes("build")
    assert (run.status, run.out) == (1, "")
    assert run.err.startswith("pes: no file could be read (corpus/empty.txt: empty file")
    after = json.loads(pes("info", "--json").out)
    assert after.pop("last_build")["state"] == "failed"
    assert before.pop("last_build")["state"] == "finished"
    assert after == before


@pytest.mark.parametrize("sources", [[], ["nowhere/"], ["*.pdf"]])
def test_a_source_that_names_no_file_fails(sources: list[str], pes: Pes) -> None:
    run = pes("build", *sources)
    assert (run.status, run.out) == (1, "")
    assert run.err.startswith(f"pes: no file matches '{(sources or ['corpus'])[0]}'")


def test_a_second_build_at_the_same_time_is_refused(corpus: Path, pes: Pes, tmp_path: Path) -> None:
    writer = FileStore(tmp_path / "var" / "index").writer()
    try:
        run = pes("build")
    finally:
        writer.discard()
    assert (run.status, run.out) == (1, "")
    assert "another build of var/index is running" in run.err
    assert pes("build").status == 0


def test_settings_name_sources_and_index(corpus: Path, pes: Pes, tmp_path: Path) -> None:
    (tmp_path / "pes.toml").write_text('sources = ["bread"]\nindex_dir = "made"')
    corpus.rename(tmp_path / "bread")
    assert "in made built" in pes("build").out
    assert json.loads(pes("search", "bakers", "--json").out)["total"] == 1


def test_an_interrupted_command_says_so(corpus: Path, pes: Pes, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pes_search.service.engine.load_encoder", interrupted)
    run = pes("build")
    assert (run.status, run.out, run.err) == (130, "", "pes: stopped\n")
