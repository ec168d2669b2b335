"""Faults of data files: where, what, and what to do; and reading that collects them, so that one fault does not hide others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from pes_search.ingest.yaml_lines import Place, YamlError, YamlWithLines, load_yaml_with_lines

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

LONGEST_VALUE = 60  # characters of a faulty value that a message shows


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a file that has to be mended: where, what, and what to do."""

    path: str
    line: int  # from 1
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def read_utf8(path: Path, faults: list[Fault]) -> str | None:
    """Return a file's text, or None and a fault."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        faults.append(Fault(str(path), 1, "no UTF-8; save it as UTF-8"))
    except OSError as error:
        faults.append(Fault(str(path), 1, f"cannot be read ({error.strerror}); mend or remove it"))
    return None


def read_yaml(text: str, path: str, faults: list[Fault], first_line: int = 1) -> YamlWithLines | None:
    """Return the YAML of a file, or of its part from `first_line` on; None and a fault where it is none."""
    try:
        content = load_yaml_with_lines(text, first_line)
    except YamlError as error:
        faults.append(Fault(path, error.line, f"{error}; mend the YAML"))
        return None
    faults += [Fault(path, content.line(place), f"`{place[-1]}` stands there twice; keep one") for place in content.repeated]
    return content


def validation_faults(error: ValidationError, content: YamlWithLines, path: str, top: Place = ()) -> list[Fault]:
    """Return what a schema says against the value at `top` of a file, each with what to do."""
    return [Fault(path, content.line((*top, *details["loc"])), _advice(details)) for details in error.errors()]


def _advice(details: ErrorDetails) -> str:
    name = ".".join(map(str, details["loc"]))
    subject = f"`{name}`" if name else "it"
    value = repr(details["input"])
    shown = value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]} …"
    match details["type"]:
        case "missing":
            return f"{subject} is missing; add it"
        case "extra_forbidden":
            return f"{subject} is no key of this file; take it out, or correct its spelling"
        case "model_type" | "model_attributes_type":
            return f"{subject} must be `key: value` lines, not {shown}; correct it"
        case "list_type":
            return f"{subject} must be a list such as [a, b], not {shown}; correct it"
        case "too_short":
            size, least = details["ctx"]["actual_length"], details["ctx"]["min_length"]
            return f"{subject} holds {size} and must hold {least} at least; add to it"
        case "string_type":
            return f"{subject} must be text, not {shown}; correct it, or put it in quotes if it holds a colon"
        case "string_pattern_mismatch":
            return f"{subject} is {shown}, which has not the form {details['ctx']['pattern']}; correct it"
        case "value_error":
            return f"{subject}: {details['ctx']['error']}; correct it"
        case _:
            return f"{subject}: {details['msg']}, not {shown}; correct it"
