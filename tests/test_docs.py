"""What the docs name is there: files move, and a path in a text moves only if somebody thinks of it."""

import re

import pytest
from folders import ROOT

PAGES = [
    *("README.md", "CONTRIBUTING.md", "Makefile", "corpus/README.md", "eval/questions/README.md"),
    *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]
_PATH = re.compile(r"(?<![\w/.-])(?:corpus|docs|eval|index|ingest|service|tests)/[\w./-]*\w")


def paths(text: str) -> set[str]:
    """Return the paths of a text that say where something is; those with a `<part>` in them name a kind."""
    return {match[0] for match in _PATH.finditer(text) if text[match.end() : match.end() + 2] != "/<"}


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_exists(page: str) -> None:
    named = paths((ROOT / page).read_text(encoding="utf-8"))
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_a_path_is_told_from_other_words() -> None:
    text = "See `index/search.py` and [docs](docs/pages.md), or `ingest/readers/<format>.py`; and/or 3/4, var/index/x."
    assert paths(text) == {"index/search.py", "docs/pages.md"}
