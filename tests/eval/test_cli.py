"""The command `pes-eval` as evaluators call it: files in, tables and files out, one line for every fault."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pes_search.eval.cli import main
from pes_search.index.encoders.base import Encoder

from ..conftest import Build  # noqa: TID252

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def pes_eval(monkeypatch: pytest.MonkeyPatch, encoder: Encoder, cache_dir: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process with the model that is loaded already, and without the project's lists."""
    monkeypatch.setenv("PES_CACHE_DIR", str(cache_dir))
    monkeypatch.setenv("PES_TAXONOMY", "no/such/folder")
    for module in ("index.encoders", "service.engine"):
        monkeypatch.setattr(f"pes_search.{module}.load_encoder", lambda config, folder: encoder)

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    folder = tmp_path / "bakery"
    folder.mkdir()
    texts = {"a/1": "Bread is baked at night.", "b": "Books are lent to jobseekers.", "c": "Vegetables grow in the garden."}
    (folder / "corpus.jsonl").write_text("".join(json.dumps({"_id": i, "text": text}) + "\n" for i, text in texts.items()))
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "who bakes bread"}\n{"_id": "q2", "text": "Bücher leihen"}\n')
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\ta/1\t1\nq2\tb\t2\nq3\tb\t1\n")
    return folder


def test_a_beir_folder_is_measured(pes_eval: Command, beir: Path, tmp_path: Path) -> None:
    status, out, err = pes_eval("beir", beir, "--json", tmp_path / "x.json", "--run", tmp_path / "x.run")
    assert status == 0
    assert "bakery: 3 documents, 2 queries" in out
    assert "1 judged queries have no text" in err
    result = json.loads((tmp_path / "x.json").read_text())
    assert (result["set"], result["documents"], result["queries"]) == ("bakery", 3, 2)
    assert set(result["legs"]) == {"bm25", "dense", "hybrid"}
    assert result["legs"]["hybrid"]["nDCG@10"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert set(result["legs"]["dense"]) >= {"nDCG@10", "RR@10", "R@100", "judged@10"}
    assert (tmp_path / "x.run").read_text().startswith("q1 Q0 a/1 1 ")
    assert (tmp_path / "x.bm25.run").read_text().startswith("q1 Q0 a/1 1 ")


def test_legs_can_be_chosen(pes_eval: Command, beir: Path) -> None:
    _, out, _ = pes_eval("beir", beir, "--legs", "bm25")
    assert "| bm25 |" in out
    assert "| dense |" not in out
    with pytest.raises(SystemExit):
        pes_eval("beir", beir, "--legs", "nonsense")


def test_every_fault_has_a_line(pes_eval: Command, beir: Path) -> None:
    (beir / "queries.jsonl").write_text("no json\n{}\n")
    status, out, err = pes_eval("beir", beir)
    assert (status, out) == (1, "")
    lines = err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("pes-eval: ") and f"queries.jsonl:{n}:" in line for n, line in enumerate(lines, start=1))


def test_an_index_is_measured_by_questions(pes_eval: Command, build: Build, tmp_path: Path) -> None:
    source = tmp_path / "texts"
    source.mkdir()
    for name, text in {"bread": "Bread is baked at night.", "books": "Books are lent to jobseekers."}.items():
        (source / f"{name}.md").write_text(f"---\nid: {name}\n---\n# {name}\n\n{text}")
    build([source], tmp_path / "index")
    questions, qrels = tmp_path / "q.jsonl", tmp_path / "qrels.tsv"
    questions.write_text(
        '{"id": "1", "text": "bread", "language": "en", "slice": "lexical", "split": "dev"}\n'
        '{"id": "2", "document": "books", "slice": "editor", "split": "test"}\n'
        '{"id": "3", "text": "bicycles", "slice": "unanswerable", "split": "dev"}\n'
    )
    qrels.write_text("1\tbread\t3\n2\tbread\t1\n")
    files = ("--index", tmp_path / "index", "--questions", questions, "--qrels", qrels)
    status, out, _ = pes_eval("retrieval", *files, "--json", tmp_path / "all.json", "--run", tmp_path / "all.run")
    assert status == 0
    assert "1 questions without a relevant document are left out" in out
    result = json.loads((tmp_path / "all.json").read_text())
    assert (result["queries"], result["legs"]["hybrid"]["RR@10"]["value"]) == (2, 1.0)
    assert result["slices"]["editor"]["queries"] == 1
    assert {"command", "commit", "index_id", "machine"} <= set(result)
    assert {line.split()[0] for line in (tmp_path / "all.run").read_text().splitlines()} == {"1", "2"}
    status, out, _ = pes_eval("retrieval", *files, "--split", "dev")
    assert "(dev): 2 documents, 1 queries" in out
    questions.write_text('{"id": "1", "document": "nowhere"}')
    status, _, err = pes_eval("retrieval", *files)
    assert status == 1
    assert "no document 'nowhere' in this index" in err
    assert pes_eval("retrieval", "--questions", questions)[0] == 1


def test_runs_are_compared(pes_eval: Command, tmp_path: Path) -> None:
    qrels = tmp_path / "qrels.tsv"
    qrels.write_text("".join(f"q{i}\tgood\t1\n" for i in range(8)) + "other\tgood\t1\n")
    first, second = tmp_path / "a.run", tmp_path / "b.run"
    first.write_text("".join(f"q{i} Q0 bad 1 2.0 t\nq{i} Q0 good 2 1.0 t\n" for i in range(8)))
    second.write_text("".join(f"q{i} Q0 good 1 2.0 t\n" for i in range(7)))
    status, out, _ = pes_eval("compare", first, second, first, "--qrels", qrels, "--json", tmp_path / "c.json")
    assert status == 0
    assert "nDCG@10 over 8 queries" in out
    assert f"{second} lacks 1 of the queries; they count 0" in out
    assert "| 7 | 0 | 1 |" in out  # wins, ties, losses
    assert "| q7 | 0.6309 | 0.0000 | 0.6309 |" in out
    result = json.loads((tmp_path / "c.json").read_text())
    assert result["comparisons"][str(first)]["p_value"] == 1.0
    assert result["comparisons"][str(second)]["holm"] == pytest.approx(2 * result["comparisons"][str(second)]["p_value"])
    assert len(result["per_query"]) == 8
    assert pes_eval("compare", first, "--qrels", qrels)[0] == 1
    assert "no measure 'x'" in pes_eval("compare", first, second, "--qrels", qrels, "--measure", "x")[2]
