"""`pes generations`, `pes rollback`, `pes verify --all`, and what `pes info` tells of the last build."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pes_search.index.filters import EVERYTHING
from pes_search.index.stores.files import FileStore
from pes_search.service.engine import Engine, open_engine
from pes_search.service.settings import Settings

Pes = Callable[..., Any]


@pytest.fixture
def names(pes: Pes, tmp_path: Path) -> list[str]:
    """The names of two generations of var/index in the working folder: of one document, and of two."""
    names = []
    (tmp_path / "corpus").mkdir()
    for name in ("one", "two"):
        (tmp_path / "corpus" / f"{name}.md").write_text(f"---\nid: {name}\n---\n# The {name}\n\nCounsellors help women.")
        assert pes("build").status == 0
        names.append(FileStore(tmp_path / "var" / "index").current_name() or "")
    return names


def test_generations_are_listed(pes: Pes, names: list[str]) -> None:
    run = pes("generations")
    assert (run.status, run.err) == (0, "")
    second, first = run.out.splitlines()
    assert second.startswith(f"{names[1]}  in use  built 20")
    assert ": 2 documents, 2 passages, 0.0" in second
    assert first.startswith(f"{names[0]}          built 20")
    rows = json.loads(pes("generations", "--json").out)
    assert [(row["name"], row["in_use"], row["documents"], row["fault"]) for row in rows] == [
        (names[1], True, 2, ""),
        (names[0], False, 1, ""),
    ]


def test_without_an_index_the_next_command_is_named(pes: Pes, tmp_path: Path) -> None:
    for command in ("generations", "rollback"):
        run = pes(command, "--index", tmp_path / "none")
        assert (run.status, run.out) == (1, "")
        assert f"pes build --index {tmp_path}/none" in run.err


def test_going_back_and_forth_with_a_running_service(pes: Pes, names: list[str], tmp_path: Path) -> None:
    engine = open_engine(Settings(index_dir=tmp_path / "var" / "index"))

    def served(engine: Engine) -> int:
        return len(engine.index().stored.documents(EVERYTHING))

    assert served(engine) == 2
    run = pes("rollback")
    assert (run.status, run.err) == (0, "")
    assert "is in use again: 1 documents" in run.out
    assert served(engine) == 1
    assert pes("rollback").err.startswith("pes: no earlier generation")
    run = pes("rollback", names[1], "--json")
    assert json.loads(run.out)["name"] == names[1]
    assert served(engine) == 2
    pes("rollback")
    run = pes("build")
    assert "had been gone back to" in run.err
    assert served(engine) == 2


def test_a_beginning_of_a_name_will_do_and_must_be_of_one(pes: Pes, names: list[str]) -> None:
    assert pes("rollback", names[0][:8]).status == 0
    run = pes("rollback", "")
    assert (run.status, "2 generations ''" in run.err) == (1, True)
    run = pes("rollback", "zzz")
    assert (run.status, "no generation 'zzz'" in run.err) == (1, True)


def test_an_earlier_state_of_another_model_is_refused(pes: Pes, names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PES_ENCODER__QUERY_PROMPT", "another: ")
    run = pes("rollback")
    assert run.status == 1
    assert "set [encoder] as it was" in run.err


def test_verify_checks_one_or_all(pes: Pes, names: list[str], tmp_path: Path) -> None:
    assert pes("verify", "--all").out.count("is as it was written") == 2
    vectors = tmp_path / "var" / "index" / "generations" / names[0] / "vectors.f16"
    vectors.write_bytes(b"\1" + vectors.read_bytes()[1:])
    assert pes("verify").status == 0
    run = pes("verify", names[0])
    assert (run.status, "vectors.f16 is missing or altered" in run.err) == (1, True)
    run = pes("verify", "--all")
    assert (run.status, run.out.count("is as it was written")) == (1, 1)
    run = pes("verify", "--all", "--json")
    assert (run.status, json.loads(run.out)["faults"]) == (1, ["vectors.f16 is missing or altered"])
    run = pes("rollback")
    assert (run.status, "vectors.f16" in run.err) == (1, True)
    assert FileStore(tmp_path / "var" / "index").current_name() == names[1]
    assert "cannot be opened" not in pes("generations").out  # only verify reads them wholly


def test_info_tells_what_became_of_the_last_build(pes: Pes, names: list[str], tmp_path: Path) -> None:
    assert "last build finished, 20" in pes("info").out
    (tmp_path / "corpus" / "taxonomy").mkdir()
    (tmp_path / "corpus" / "taxonomy" / "target-groups.yaml").write_text("- {id: x}\n")
    assert pes("build").status == 1
    assert "last build failed, 20" in pes("info").out
    last = json.loads(pes("info", "--json").out)["last_build"]
    assert (last["state"], "target-groups.yaml" in last["message"]) == ("failed", True)
