"""`pes keys`: the text alone on stdout, once; lists without it; complaints that say what to do."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Pes = Callable[..., Any]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def pes(capsys: pytest.CaptureFixture[str]) -> Pes:
    """Run a command in this process; these need neither index nor model."""
    from pes_search.service.cli.commands import main

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(arguments)
        return status, *capsys.readouterr()

    return run


def test_a_key_is_shown_once_listed_and_revoked(pes: Pes) -> None:
    status, out, err = pes("keys", "add", "--role", "reader", "--name", "press", "--reads", "internal", "--expires", "30")
    text = out.strip()
    assert (status, bool(re.fullmatch(r"pes_[0-9a-f]{64}", text))) == (0, True)
    assert "shown only now" in err
    key_id = err[:8]
    _, listed, _ = pes("keys", "list")
    assert re.fullmatch(rf"{key_id}  reader  made [-\d]+  reads internal  expires [-\d]+  press\n", listed)
    assert text not in listed
    assert pes("keys", "revoke", key_id)[0] == 0
    assert "revoked" in pes("keys", "list")[1]


def test_programs_read_it_as_json(pes: Pes) -> None:
    made = json.loads(pes("keys", "add", "--role", "admin", "--json")[1])
    assert set(made) == {"id", "role", "name", "reads", "made", "expires", "revoked", "key"}
    [listed] = json.loads(pes("keys", "list", "--json")[1])
    assert listed == {name: value for name, value in made.items() if name != "key"}
    revoked = json.loads(pes("keys", "revoke", made["id"], "--json")[1])
    assert revoked["revoked"] is not None
    assert json.loads(pes("keys", "list", "--json")[1]) == [revoked]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["keys", "revoke", "nothing"], "pes keys list"),
        (["keys", "add", "--role", "editor", "--reads", "internal"], "an editor reads everything"),
        (["keys", "add", "--role", "reader", "--reads", " "], "--reads needs labels"),
        (["keys", "add", "--role", "reader", "--expires", "0"], "from 1 to"),
        (["serve", "--host", "0.0.0.0"], "pes keys add --role admin"),
    ],
)
def test_what_cannot_be_is_told(arguments: list[str], told: str, pes: Pes) -> None:
    status, out, err = pes(*arguments)
    assert (status, out, told in err) == (1, "", True), err


def test_an_empty_list_says_how_to_begin(pes: Pes) -> None:
    assert pes("keys", "list") == (0, "", "pes: no keys; make one with `pes keys add --role admin`\n".removeprefix("pes: "))
