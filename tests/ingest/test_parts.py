"""Names lead to what can be exchanged, and an error tells how to get what is missing."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pes_search.ingest.errors import MissingPartError, PesSearchError
from pes_search.ingest.parts import Part, Parts


@dataclass(frozen=True, slots=True)
class Instrument(Part):
    strings: int = 0


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parts[Callable[[], str], Instrument]:
    """`lute` works, `harp` needs a library that nobody has, `viol` is a faulty row, `rebec` a faulty module of ours."""
    (tmp_path / "lute_part.py").write_text("def play():\n    return 'plink'\n")
    (tmp_path / "harp_part.py").write_text("import a_library_that_nobody_has\n")
    (tmp_path / "rebec_part.py").write_text("import pes_search.ingest.no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path)
    return Parts(
        "instrument",
        {
            "lute": Instrument("lute_part:play", strings=15),
            "harp": Instrument("harp_part:play", "music", strings=47),
            "viol": Instrument("harp_part:play"),
            "rebec": Instrument("rebec_part:play", "music"),
        },
    )


def test_a_part_is_what_its_row_names(parts: Parts[Callable[[], str], Instrument]) -> None:
    assert parts.load("lute")() == "plink"


def test_a_row_tells_more_without_importing_anything(parts: Parts[Callable[[], str], Instrument]) -> None:
    assert parts.row("harp").strings == 47
    assert "harp_part" not in sys.modules


def test_the_error_for_an_unknown_name_says_which_names_there_are(parts: Parts[Callable[[], str], Instrument]) -> None:
    for ask in (parts.row, parts.load):
        with pytest.raises(MissingPartError) as caught:
            ask("drum")
        assert str(caught.value) == "no instrument is called 'drum'; there are lute, harp, viol, rebec"


def test_the_error_for_a_missing_library_says_what_to_install(parts: Parts[Callable[[], str], Instrument]) -> None:
    with pytest.raises(PesSearchError) as caught:
        parts.load("harp")
    message = str(caught.value)
    assert "'harp' needs a_library_that_nobody_has" in message
    assert message.endswith("install it: pip install 'pes-search[music]'")


@pytest.mark.parametrize("name", ["viol", "rebec"])
def test_what_no_extra_would_mend_stays_an_import_error(parts: Parts[Callable[[], str], Instrument], name: str) -> None:
    with pytest.raises(ImportError):
        parts.load(name)
