"""What README.md tells people to type works: every `pes` command parses, every `make` target exists."""

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from folders import CORPUS, ROOT

from pes_search.index.encoders.base import Encoder
from pes_search.service.cli.commands import command_line

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n]*\n(.*?)^ {0,3}\1[`~]*[ \t]*$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_OPERATORS = {"|", "||", "&", "&&", ";", ";;", ">", ">>", "<", "(", ")"}


def code_blocks(markdown: str) -> list[str]:
    """Return the contents of the fenced code blocks."""
    return [match[2] for match in _FENCE.finditer(markdown)]


def words_of(line: str) -> list[list[str]]:
    """Split a shell line into its commands, each without prompt and variables; nothing for a line that is no shell."""
    line = re.sub(r"^\s*\$\s+", "", line)  # the prompt
    line = re.sub(r"(?<!\S)\d(?=>)", "", line)  # which stream is redirected
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # an apostrophe in a line of output
        words = line.split()
    commands: list[list[str]] = [[]]
    for word in words:
        if word in _OPERATORS:
            commands.append([])
        elif commands[-1] or not _ASSIGNMENT.match(word):
            commands[-1].append(word)
    return [command for command in commands if command]


def commands(program: str, code: str) -> Iterator[list[str]]:
    """Yield the arguments of every call of a program in a piece of code."""
    for line in re.sub(r"\\\n\s*", " ", code).splitlines():
        for first, *arguments in words_of(line):
            if first.rpartition("/")[2] == program:
                yield arguments


def command_fault(arguments: list[str]) -> str | None:
    """Return what the parser says against a command line, or None."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            command_line().parse_args(arguments)
    except SystemExit as stop:
        return f"pes {shlex.join(arguments)}: {said.getvalue().strip()}" if stop.code else None  # `--help` stops with 0
    return None


def faults(markdown: str, makefile: str) -> list[str]:
    """Return what is wrong with the commands of a page: `pes` in code blocks, `make` there and in running text."""
    blocks = code_blocks(markdown)
    found = [fault for block in blocks for arguments in commands("pes", block) if (fault := command_fault(arguments))]
    targets = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    for code in (*blocks, *_INLINE.findall(_FENCE.sub("", markdown))):
        for arguments in commands("make", code):
            named = [word for word in arguments if not word.startswith("-") and not _ASSIGNMENT.match(word)]
            found += [f"make {target}: no such target" for target in named if target not in targets]
    return found


def test_every_command_of_the_readme_runs() -> None:
    assert faults(README, MAKEFILE) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# pes-search",
        "```\npes build\npes search 'women after career breaks' -k 3 --country DE AT --json\n```",
        "```sh\n$ pes build corpus/ reports/*.pdf --index var/other  # a comment, isn't it\n```",
        '```sh\npes search "career breaks" \\\n    --group passage\n```',
        "```\npes --help\n```",
        "```\n.venv/bin/pes info --json | jq .documents\n```",
        "```\npes search x -k 3 > hits.txt 2>/dev/null\n```",
        "```\nPES_INDEX_DIR=/srv/index pes serve --port 8001 &\n```",
        "```\nmake setup TORCH_INDEX=https://example.org/whl && pes build\n```",
        "```\nindex 12ab in var/index built: 25 documents, it's done\n```",
        "Type `make test`, or `make serve PORT=8001`. Then make coffee.",
        "~~~\npes info\n~~~",
    ],
)
def test_right_commands_pass(text: str) -> None:
    assert faults(text, "setup: x\ntest: setup\nserve: setup\n") == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("```\npes find x\n```", "find"),
        ("```\npes search\n```", "QUERY"),
        ("```sh\n$ pes search x --contry DE\n```", "--contry"),
        ("```sh\npes search x \\\n   --group page\n```", "page"),
        ("```\n.venv/bin/pes serve --port http\n```", "http"),
        ("```\npes build && pes info --colour\n```", "--colour"),
        ("```\npes search it's --nothing\n```", "--nothing"),
        ("```\nPES_INDEX_DIR=x pes infos\n```", "infos"),
        ("```\ncd x; make biuld\n```", "biuld"),
        ("Type `make tset` first.", "tset"),
        ("A page.\n\n```\npes info\n```\n\nMore.\n\n~~~sh\npes inf\n~~~", "inf"),
    ],
)
def test_a_wrong_command_is_found(text: str, word: str) -> None:
    found = faults(text, "build: x\ntest: x\n")
    assert len(found) == 1
    assert word in found[0]


def test_the_python_of_the_readme_runs(
    corpus_folder: Path, encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "index").symlink_to(corpus_folder)
    (tmp_path / "corpus").symlink_to(CORPUS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pes_search.service.engine.load_encoder", lambda config, folder: encoder)
    exec(compile(code, "README.md", "exec"), {})
    *hits, sentences, related, organisation = capsys.readouterr().out.splitlines()
    assert len(hits) == 3
    assert "power_m" in hits[0]
    assert "ESF" in sentences
    assert "de-stark-im-beruf" in related
    assert organisation


def test_the_targets_of_the_makefile_are_found() -> None:
    known = ("help", "setup", "build", "serve", "test", "lint", "check", "bench", "bench-peers", "lock", "clean")
    assert faults("\n".join(f"`make {target}`" for target in known), MAKEFILE) == []
    assert faults("`make VENV`", MAKEFILE) == ["make VENV: no such target"]
