"""YAML whose values know their lines, so that a fault can name file, line and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

LONGEST_VALUE = 60  # characters of a faulty value that a message shows
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


def load_located(text: str, first_line: int = 1) -> Located:
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
    return Located(value, lines, tuple(repeated))


def read_utf8(path: Path, faults: list[Fault]) -> str | None:
    """Return a file's text, or None and a fault."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        faults.append(Fault(str(path), 1, "no UTF-8; save it as UTF-8"))
    except OSError as error:
        faults.append(Fault(str(path), 1, f"cannot be read ({error.strerror}); mend or remove it"))
    return None


def validation_faults(error: ValidationError, located: Located, path: str, top: Place = ()) -> list[Fault]:
    """Return what a schema says against the value at `top` of a file, each with what to do."""
    return [Fault(path, located.line((*top, *found["loc"])), _advice(found)) for found in error.errors()]


def _advice(found: ErrorDetails) -> str:
    name = ".".join(map(str, found["loc"]))
    subject = f"`{name}`" if name else "it"
    value = repr(found["input"])
    shown = value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]} …"
    match found["type"]:
        case "missing":
            return f"{subject} is missing; add it"
        case "extra_forbidden":
            return f"{subject} is no key of this file; take it out, or correct its spelling"
        case "model_type" | "model_attributes_type":
            return f"{subject} must be `key: value` lines, not {shown}; correct it"
        case "list_type":
            return f"{subject} must be a list such as [a, b], not {shown}; correct it"
        case "too_short":
            size, least = found["ctx"]["actual_length"], found["ctx"]["min_length"]
            return f"{subject} holds {size} and must hold {least} at least; add to it"
        case "string_type":
            return f"{subject} must be text, not {shown}; correct it, or put it in quotes if it holds a colon"
        case "string_pattern_mismatch":
            return f"{subject} is {shown}, which has not the form {found['ctx']['pattern']}; correct it"
        case "value_error":
            return f"{subject}: {found['ctx']['error']}; correct it"
        case _:
            return f"{subject}: {found['msg']}, not {shown}; correct it"


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
