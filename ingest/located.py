"""YAML whose values know their lines, so that a fault can name the line to mend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

Place = tuple[str | int, ...]
"""Keys and list positions from the top of a file down to a value."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a file that has to be mended: where, what, and what to do."""

    path: str
    line: int  # from 1
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Located:
    """A YAML file's value and the line of each of its parts."""

    value: Any
    lines: Mapping[Place, int]
    repeated: tuple[Place, ...]  # keys that a mapping has twice; YAML would keep the last one without a word

    def line(self, place: Sequence[str | int]) -> int:
        """Return the line of a value, or of the nearest thing around it that the file has."""
        whole = tuple(place)
        return next(line for size in range(len(whole), -1, -1) if (line := self.lines.get(whole[:size])) is not None)


class YamlError(Exception):
    """A text is no YAML; `line` says where."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def load_located(text: str, first_line: int = 1) -> Located:
    """Read YAML; `first_line` is the line of the file where the text begins.

    Raises:
        YamlError: the text is no valid YAML.
    """
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        value = loader.construct_document(node) if node is not None else None
        places = list(_places(node, (), set())) if node is not None else []
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:  # a day such as 2023-02-30 is a ValueError
        mark = getattr(error, "problem_mark", None)
        line = first_line + (mark.line if mark else 0)
        raise YamlError(line, f"no valid YAML ({getattr(error, 'problem', None) or error})") from error
    lines: dict[Place, int] = {(): first_line}
    repeated = []
    for place, line in places:
        if place in lines and place:
            repeated.append(place)
        lines[place] = first_line + line
    return Located(value, lines, tuple(repeated))


def _places(node: yaml.Node, place: Place, seen: set[int]) -> Iterator[tuple[Place, int]]:
    """Yield every value's place with its line, counted from 0; a value in a mapping has the line of its key.

    What an alias repeats is gone into once: aliases of aliases would take for ever, and one of itself has no end.
    """
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*place, str(key.value))
            yield here, key.start_mark.line
            yield from _places(value, here, seen)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            here = (*place, number)
            yield here, value.start_mark.line
            yield from _places(value, here, seen)
