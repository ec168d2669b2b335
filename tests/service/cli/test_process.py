"""The installed command `pes`, run in processes of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Script = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def script() -> Script:
    """Run the installed command in a process of its own."""
    path = Path(sys.executable).with_name("pes")
    if not path.is_file():
        pytest.skip(f"needs the installed command {path}; make setup installs it")

    def run(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
        options = {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
            "encoding": "utf-8",
            "check": False,
        } | options
        return subprocess.run([str(path), *map(str, arguments)], **options)

    return run


def test_the_installed_command_searches(script: Script, corpus_folder: Path, tmp_path: Path) -> None:
    done = script(
        "search", "Wie erreicht man Frauen nach der Familienpause?", "-k", 1, "--index", corpus_folder, "--json", cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["hits"][0]["document_id"] == "de-power-m"


@pytest.mark.parametrize("command", [["info"], ["show", "de-power-m"], ["show", "de-power-m", "--json"]])
def test_a_closed_pipe_is_no_fault_to_complain_of(
    command: list[str], script: Script, corpus_folder: Path, tmp_path: Path
) -> None:
    """As in `pes show … | head`, where head has seen enough before the text is written."""
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = script(*command, "--index", corpus_folder, stdout=writer, cwd=tmp_path, env=buffered)
    finally:
        os.close(writer)
    assert done.stderr == ""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_output_does_not_depend_on_the_terminals_encoding(
    encoding: str, script: Script, corpus_folder: Path, tmp_path: Path
) -> None:
    """A pipe on Windows is cp1252, and many a server's locale is C."""
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    options: dict[str, Any] = {"cwd": tmp_path, "env": environment, "errors": "replace"}
    done = script("show", "bg-youth-mediators", "--index", corpus_folder, "--json", **options)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["native_title"] == "Активиране на неактивни лица"  # JSON is UTF-8 or escaped
    done = script("show", "bg-youth-mediators", "--index", corpus_folder, **options)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Activation of inactive persons" in done.stdout
