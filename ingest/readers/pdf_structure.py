"""What a PDF says beside its text, by pypdf: metadata, form fields, notes, attachments, which pages there are.

Every part is bounded, and a damaged one costs that part: a file may list one page 100,000 times, or a tree of pages itself.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers.pdf_tables import Piece

MOST_PAGES = 20_000
MOST_NODES = 200_000  # of the page tree
MOST_ANNOTATIONS = 2_000  # of a page
MOST_FIELD_PARENTS = 20
FIELD_CHARACTERS = 20_000  # of one form field or note
TEXT_SIZE = 10.0  # points, of a form field's letters: the file need not tell
PASSWORD_BIT = 1 << 13  # of a form field's flags
NOTE_KINDS = frozenset({"/Text", "/FreeText", "/Highlight", "/Underline", "/Squiggly", "/StrikeOut", "/Caret", "/Stamp"})


@dataclass(slots=True)
class Structure:
    """What pypdf tells of a file."""

    metadata: Mapping[str, str] = field(default_factory=dict)
    pages: list[Any] = field(default_factory=list)  # pypdf's objects, each page once
    numbers: list[int] = field(default_factory=list)  # the place of each of them in the file, from 0
    repeated: int = 0  # times that a page is listed again
    attachments: int = 0  # characters, of text files, or bytes
    warnings: list[str] = field(default_factory=list)
    damage: str | None = None  # why pypdf cannot open the file

    @property
    def is_empty(self) -> bool:
        """Tell whether it is a whole file without pages."""
        return not (self.pages or self.repeated or self.warnings)


@contextmanager
def complaints() -> Iterator[list[str]]:
    """Collect what pypdf and pypdfium2 log of the file's faults, instead of printing it."""
    collected: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: collected.append(record.getMessage())  # type: ignore[method-assign]
    loggers = [logging.getLogger(name) for name in ("pypdf", "pypdfium2")]
    propagate = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.propagate = False
        logger.addHandler(handler)
    try:
        yield collected
    finally:
        for logger, before in zip(loggers, propagate, strict=True):
            logger.removeHandler(handler)
            logger.propagate = before


def read_structure(data: bytes) -> Structure:
    """Return what the file says beside its text, with a warning where a part is damaged.

    Raises:
        UnreadableFileError: it needs a password.
    """
    # Strict reading does without a look at every object of the file, which takes longer than all the rest.
    found = _structure(data, strict=True)
    return found if not found.warnings else _structure(data, strict=False)


def _structure(data: bytes, *, strict: bool) -> Structure:
    import pypdf

    found = Structure()
    try:
        pdf = pypdf.PdfReader(io.BytesIO(data), strict=strict)
        pdf.strict = False  # for what is read from now on
        locked = pdf.is_encrypted and not pdf.decrypt("")
        root: Any = pdf.trailer["/Root"].get_object() if not locked else None
    except Exception as error:  # noqa: BLE001 – the text may be readable all the same
        found.damage = f"{type(error).__name__}: {error}"
        found.warnings.append(f"the file is damaged: {found.damage}")
        return found
    if locked:
        raise UnreadableFileError("encrypted: needs a password")
    _part(found, "the list of pages", lambda: _list_pages(found, root))
    _part(found, "the metadata", lambda: _read_metadata(found, pdf))
    _part(found, "the attachments", lambda: _count_attachments(found, root))
    return found


def _part(found: Structure, name: str, read: Any) -> None:
    try:
        read()
    except Exception as error:  # noqa: BLE001 – a damaged part costs that part, and is named
        found.warnings.append(f"{name} could not be read: {type(error).__name__}: {error}")


def _read_metadata(found: Structure, pdf: Any) -> None:
    found.metadata = {str(key).removeprefix("/"): str(value) for key, value in (pdf.metadata or {}).items()}


def _list_pages(found: Structure, root: Any) -> None:
    """List the pages, each once, in the order of the page tree, whatever its depth and its circles."""
    place = 0
    seen: set[int] = set()
    nodes = 0
    stack = [root.raw_get("/Pages")]
    while stack and nodes < MOST_NODES and len(found.pages) < MOST_PAGES:
        node = stack.pop()
        nodes += 1
        number = getattr(node, "idnum", None)
        known = number in seen
        if number is not None:
            seen.add(number)
        value: Any = node.get_object() if not known else None
        if known or not hasattr(value, "get"):
            found.repeated += 1
            place += 1
            continue
        kids = value.get("/Kids")
        if kids is not None and value.get("/Type") != "/Page":
            stack.extend(reversed(list(kids.get_object())))
        else:
            found.pages.append(value)
            found.numbers.append(place)
            place += 1


def _count_attachments(found: Structure, root: Any) -> None:
    names = root.get("/Names")
    tree: Any = names.get_object().get("/EmbeddedFiles") if names is not None else None
    stack = [tree.get_object()] if tree is not None else []
    for _ in range(MOST_ANNOTATIONS):
        if not stack:
            return
        node = stack.pop()
        stack.extend(kid.get_object() for kid in _value_of(node, "/Kids") or ())
        for file in list(_value_of(node, "/Names") or ())[1::2]:
            stream = _value_of(_value_of(file.get_object(), "/EF"), "/F")
            if stream is not None:
                found.attachments += _length(stream.get_object())


def _length(stream: Any) -> int:
    """Return an attachment's size without unpacking it."""
    stated = _value_of(_value_of(stream, "/Params"), "/Size")
    return int(stated) if stated is not None else len(getattr(stream, "_data", b""))


def _value_of(node: Any, key: str) -> Any:
    """Return a dictionary's value, or None where there is no such dictionary or value."""
    value = node.get(key) if hasattr(node, "get") else None
    return value.get_object() if value is not None else None


# ── What is stuck to a page ─────────────────────────────────────────────────────────────────────────────────────────


def stuck_to(page: Any) -> tuple[list[Piece], list[str]]:
    """Return the values of a page's form fields, with their places, and the texts of its notes."""
    values: list[Piece] = []
    notes: list[str] = []
    annotations = page.get("/Annots")
    for entry in list(annotations.get_object() or ())[:MOST_ANNOTATIONS] if annotations is not None else ():
        annotation = entry.get_object()
        kind = annotation.get("/Subtype") if hasattr(annotation, "get") else None
        if kind == "/Widget":
            value = _value(annotation)
            if value:
                values.append(_piece(annotation, value, len(values)))
        elif kind in NOTE_KINDS:
            text = clean_text(str(annotation.get("/Contents") or ""))[:FIELD_CHARACTERS]
            if text:
                notes.append(text)
    return values, notes


def _value(widget: Any) -> str:
    """Return what is filled in, with the field's own name for people where it has one."""
    kind, value, flags = (_inherited(widget, key) for key in ("/FT", "/V", "/Ff"))
    if kind == "/Sig" or value is None or (kind == "/Tx" and int(flags or 0) & PASSWORD_BIT):
        return ""
    if kind == "/Btn":
        state = widget.get("/AS")
        return "[x]" if state is not None and state != "/Off" else ""
    value = value.get_object()
    parts = value if isinstance(value, list) else [value]
    if kind == "/Ch":
        shown = _options(widget)
        parts = [shown.get(str(part), part) for part in parts]
    texts = (part.get_data().decode("utf-8", "replace") if hasattr(part, "get_data") else str(part) for part in parts)
    return ", ".join(filter(None, map(clean_text, texts)))[:FIELD_CHARACTERS]


def _options(widget: Any) -> dict[str, str]:
    """Return what people see of a list's options, by what the file notes of them."""
    options = _inherited(widget, "/Opt") or []
    pairs = [option.get_object() for option in options[:MOST_ANNOTATIONS]]
    return {str(pair[0]): str(pair[1]) for pair in pairs if isinstance(pair, list) and len(pair) == 2}


def _inherited(widget: Any, key: str) -> Any:
    node = widget
    for _ in range(MOST_FIELD_PARENTS):
        if key in node:
            return node[key]
        if "/Parent" not in node:
            return None
        node = node["/Parent"]
    return None


def _piece(widget: Any, value: str, order: int) -> Piece:
    sides = [float(side) for side in widget["/Rect"]]
    x0, x1, y0, y1 = min(sides[0::2]), max(sides[0::2]), min(sides[1::2]), max(sides[1::2])
    x1 = min(x1, x0 + len(value) * TEXT_SIZE / 2)
    return Piece(value, x0, x1, max(y0, (y0 + y1) / 2 - TEXT_SIZE / 3), TEXT_SIZE, False, -1 - order)


def is_damaged(page: Any) -> str | None:
    """Return why a page without text cannot be read, or None where it has none to read."""
    with complaints() as collected:
        try:
            contents = page.get("/Contents")
            for part in contents.get_object() if isinstance(contents.get_object(), list) else [contents]:
                part.get_object().get_data()
        except Exception as error:  # noqa: BLE001 – what is wrong is what is asked for
            return f"{type(error).__name__}: {error}"
    return collected[0] if collected else None


def page_text(page: Any) -> str:
    """Return a page's text as pypdf reads it; nothing where it cannot."""
    from pypdf import PageObject

    try:
        if not isinstance(page, PageObject):
            found = PageObject(page.indirect_reference.pdf, page.indirect_reference)
            found.update(page)
            page = found
        return str(page.extract_text())
    except Exception:  # noqa: BLE001 – a second opinion that cannot be had is none
        return ""
