"""Search does what is expected of it; and an expectation that is not met is told in one line."""

from pathlib import Path

import pytest

from pes_search.eval.cli import main
from pes_search.eval.collections.files import InputError
from pes_search.eval.expected import (
    PROJECT_EXPECTATIONS,
    Expectation,
    ExpectationFile,
    SmallDocument,
    checked,
    read_expectations,
)
from pes_search.service.engine import Engine

FEWEST, FEWEST_LANGUAGES = 120, 12


def test_search_does_what_is_expected(engine: Engine) -> None:
    results = list(checked(read_expectations(PROJECT_EXPECTATIONS), engine))
    assert [f"{one.file}: {one.expectation.query!r}: {'; '.join(one.faults)}" for one in results if one.faults] == []
    assert len(results) >= FEWEST
    assert len({one.expectation.language for one in results}) >= FEWEST_LANGUAGES


DOCUMENTS = {
    "bus": SmallDocument(
        title="A bus with advisers", text="A bus stops in villages. Advisers look for people without work.", year=2019
    ),
    "bread": SmallDocument(
        title="Training for bakers", text="Bakers learn to sell bread. It costs 12,500 euros.", countries=("AT",)
    ),
}


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        ({"query": "bakers", "first": "bread"}, ""),
        ({"query": "bakers", "first": "bus"}, "the first hit is not bus but bread"),
        ({"query": "bakers", "first": ["bus", "bread"], "among": {1: ["bread"]}}, ""),
        ({"query": "bakers", "among": {1: ["bus"]}}, "not among the first 1: bus"),
        ({"query": "training for bakers and a bus", "order": ["bread", "bread"]}, "not in the order"),
        ({"query": "12500 euros", "same_first": ["advisers in villages"]}, "has another first hit: bus, not bread"),
        ({"query": "bakers", "without": ["bread"]}, "found: bread"),
        ({"query": "bakers", "nothing": True}, "match: bread"),
        ({"query": '"bakers bread"', "absent": True}, ""),
        ({"query": '"Bakers learn"', "absent": True}, "not said to be absent"),
        ({"query": "bakers", "marks": ["bakers"], "unmarked": ["bread"]}, ""),
        ({"query": "bakers", "marks": ["bread"]}, "not marked: bread"),
        ({"query": "bakers", "unmarked": ["bakers"]}, "marked: bakers"),
        ({"query": "bakers in Austria", "suggests": {"country": "AT"}}, ""),
        ({"query": "bakers", "suggests": {"country": "AT"}}, "country=AT is not suggested"),
        ({"query": "bakers", "put_right": "bakery"}, "the spelling is put right to None"),
        ({"query": "bakers", "filters": {"year_from": 2018, "year_to": 2020}, "without": ["bread"]}, ""),
    ],
)
def test_what_is_not_as_expected_is_told(wanted: dict[str, object], fault: str, engine: Engine) -> None:
    expectation = Expectation.model_validate({"kind": "a", "language": "en", **wanted})
    file = ExpectationFile(about="a", documents=DOCUMENTS, expectations=[expectation])
    (result,) = checked({"a.yaml": file}, engine)
    assert fault in "; ".join(result.faults)
    assert bool(fault) == bool(result.faults)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("about: [", "is no YAML"),
        ("about: a\nexpectations:\n  - {query: a, kind: b}", "expectations.0.language: Field required"),
        ("about: a\nexpectations:\n  - {query: a, kind: b, language: en, fist: c}", "expectations.0.fist: Extra inputs"),
    ],
)
def test_a_file_that_does_not_fit_is_told(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InputError, match=r"a\.yaml") as error:
        read_expectations(tmp_path)
    assert told in str(error.value)


def test_a_folder_without_expectations_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no expectations"):
        read_expectations(tmp_path)


def test_the_command_prints_a_line_for_each_failure(
    tmp_path: Path, corpus_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("about: a\nexpectations:\n  - {query: power_m, kind: name, language: en, first: [de-16i]}\n")
    assert main(["expect", str(file), "--index", str(corpus_folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("a.yaml: name: 'power_m': the first hit is not ['de-16i'] but de-power-m")
    assert lines[1:] == ["0 of 1 expectations met, in 1 languages"]
