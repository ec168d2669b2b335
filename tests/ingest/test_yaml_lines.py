"""YAML that knows its lines."""

import pytest

from pes_search.ingest.faults import Fault
from pes_search.ingest.yaml_lines import YamlError, load_yaml_with_lines

TEXT = """\
- id: a
  terms:
    en: [one, two]
- id: b
  broader:
    - a
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ((), 1),
        ((0,), 1),
        ((0, "terms"), 2),
        ((0, "terms", "en"), 3),
        ((0, "terms", "en", 1), 3),
        ((1, "id"), 4),
        ((1, "broader", 0), 6),
        ((1, "broader", 7), 5),  # nothing stands there: the list around it does
        ((1, "missing"), 4),
        ((9, "missing"), 1),
    ],
)
def test_every_part_has_its_line(place: tuple[str | int, ...], line: int) -> None:
    assert load_yaml_with_lines(TEXT).line(place) == line


def test_lines_are_counted_from_the_first_line_of_the_text() -> None:
    assert load_yaml_with_lines(TEXT, first_line=10).line((1, "id")) == 13


def test_a_key_that_stands_there_twice_is_told() -> None:
    content = load_yaml_with_lines("a: 1\nb:\n  c: 2\n  c: 3\n")
    assert content.value == {"a": 1, "b": {"c": 3}}
    assert content.repeated == (("b", "c"),)
    assert content.line(("b", "c")) == 4


@pytest.mark.parametrize("text", ["", "# only a comment\n"])
def test_an_empty_text_is_nothing(text: str) -> None:
    assert load_yaml_with_lines(text).value is None


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: [1, 2\n", 3, "expected ',' or ']'"),
        ("a: 1\n\tb: 2\n", 2, "cannot start any token"),
        ("a: 1\nday: 2023-02-30\n", 2, "no timestamp: day"),
        ("a: 1\nb: !!bool foo", 2, "no bool: 'foo'"),
        ("a: 1\nb:\n- !!int ''", 3, "no int: "),
        ("a: 1\nb: !!timestamp foo", 2, "no timestamp: "),
        ("a: 1\nb: x\x0by", 2, "special characters are not allowed: #x0b"),
        ("a: &x 1\nb: &x 2", 2, "duplicate anchor"),
        ("a: 1\n? [x]\n: 2\n", 2, "unhashable"),
    ],
)
def test_no_yaml_names_line_and_cause(text: str, line: int, message: str) -> None:
    with pytest.raises(YamlError, match="no valid YAML") as found:
        load_yaml_with_lines(text)
    assert found.value.line == line
    assert message in str(found.value)
    assert "\n" not in str(found.value)


def test_a_merge_key_repeats_nothing() -> None:
    content = load_yaml_with_lines("a: &a {id: x, n: 1}\nb: {<<: *a, id: y}\n")
    assert content.value["b"] == {"id": "y", "n": 1}
    assert content.repeated == ()


def test_a_fault_reads_as_editors_expect_it() -> None:
    assert str(Fault("corpus/a.md", 3, "mend it")) == "corpus/a.md:3: mend it"


def test_aliases_have_an_end() -> None:
    assert load_yaml_with_lines("a: &a [1, *a]\n").line(("a", 1)) == 1
    bomb = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9 if n else ['x'] * 9)}]" for n in range(12))
    line = load_yaml_with_lines(bomb).line(("a11",))  # apart from the assertion, which would print the whole value
    assert line == 12


@pytest.mark.parametrize("text", ["a: \x00", "a: !!python/name:os.system 1", "[" * 5_000])
def test_hostile_text_is_no_yaml(text: str) -> None:
    with pytest.raises(YamlError):
        load_yaml_with_lines(text)
