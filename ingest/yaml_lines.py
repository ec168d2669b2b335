"""YAML whose values know their lines, so that a fault can name the line to mend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

Place = tuple[str | int, ...]
"""Keys and list positions from the top of a file down to a value."""


@dataclass(frozen=True, slots=True)
class YamlWithLines:
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


class _Loader(yaml.SafeLoader):
    """PyYAML's own loader, where a value that cannot be made names its line.

    Not the C one, though it is six times as fast: brackets nested a hundred thousand deep end the process.
    """

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:  # a day such as 2023-02-30
            raise yaml.constructor.ConstructorError(
                None, None, f"no {node.tag.rpartition(':')[2]}: {error}", node.start_mark
            ) from error


def load_yaml_with_lines(text: str, first_line: int = 1) -> YamlWithLines:
    """Read YAML; `first_line` is the line of the file where the text begins.

    Raises:
        YamlError: the text is no valid YAML.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        # Before the values are made: that step writes what a merge key (`<<`) brings into the nodes.
        places = list(_places(node, (), set())) if node is not None else []
        value = loader.construct_document(node) if node is not None else None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position)
        raise YamlError(first_line + line, f"no valid YAML ({error.reason}: #x{ord(text[error.position]):02x})") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = " ".join(filter(None, (error.context, error.problem)))
        if error.problem == "mapping values are not allowed here":
            message = "a second `: ` in one line; put a value that holds a colon in quotes"
        raise YamlError(first_line + (mark.line if mark else 0), f"no valid YAML ({message})") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise YamlError(first_line, f"no valid YAML ({error})") from error
    lines: dict[Place, int] = {(): first_line}
    repeated = []
    for place, line in places:
        if place in lines and place:
            repeated.append(place)
        lines[place] = first_line + line
    return YamlWithLines(value, lines, tuple(repeated))


def _places(node: yaml.Node, place: Place, seen: set[int]) -> Iterator[tuple[Place, int]]:
    """Yield every value's place with its line, counted from 0; a value in a mapping has the line of its key.

    What an alias repeats is gone into once: aliases of aliases would take for ever, and one of itself has no end.
    """
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                here = (*place, str(key.value))
                yield here, key.start_mark.line
                yield from _places(value, here, seen)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            here = (*place, number)
            yield here, value.start_mark.line
            yield from _places(value, here, seen)
