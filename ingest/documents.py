"""One file becomes a document and its blocks."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import PurePosixPath
from textwrap import shorten
from typing import Any

from pes_search.ingest.cleaning.blocks import clean_blocks
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.countries import countries_of_title
from pes_search.ingest.errors import MissingPartError, TakesTooMuchError, UnreadableFileError
from pes_search.ingest.labelled_fields import Labelled, labelled_fields
from pes_search.ingest.languages.dictionary import has_dictionary, is_word
from pes_search.ingest.languages.identify import detect_language
from pes_search.ingest.origin import Layout, Origin
from pes_search.ingest.readers import READERS, format_of, read_content
from pes_search.ingest.readers.base import Format
from pes_search.ingest.sources.base import SourceFile
from pes_search.ingest.types import Block, Document, FileContent, InferredValue
from pes_search.ingest.visibility import AND, combined, read_label

LARGEST_FILE_BYTES = 200_000_000
WITHIN = "#"  # between a file's name and that of a document within it
DEEPEST = 3  # a mail in a mail in a mail
MOST_INSIDE = 5_000  # documents of a file
TOO_MUCH_MEMORY = "needs more memory than it may take; raise [reading] megabytes"
# Folder and file names that tell what a document is, where it does not tell itself.
KINDS = {
    "practice": "practice",
    "news": "news",
    "factsheet": "factsheet",
    "report": "report",
    "case-stud": "case study",
}
# What a file may state of itself: an index keeps all of it in memory.
FIELD_CHARACTERS, MOST_VALUES = 2_000, 1_000
TITLE_CHARACTERS = 300  # a longer one would fill the encoder's window in every passage
SLUG_CHARACTERS = 32
DESCRIBING_FIELDS = (
    "title", "native_title", "kind", "language", "date", "year", "end_year", "countries", "organisation", "url",
    "target_groups", "measure_types",
)  # fmt: skip
COUNTRY_OF_TITLE_CONFIDENCE = 0.95  # docs/inferred.md
LANGUAGE_PARAGRAPHS = 3
LANGUAGE_CHARACTERS = 40  # of text; less is not enough to tell


@dataclasses.dataclass(frozen=True, slots=True)
class ReadDocument:
    """A document with its clean blocks, and what of the file could not be read or was left out."""

    document: Document
    blocks: list[Block]
    warnings: tuple[str, ...]
    left_out: Mapping[str, int]  # what is no content, by kind, with its characters
    terms: Mapping[str, Sequence[str]]  # for fields of controlled lists, as labelled fields state them
    inferred: tuple[str, ...]  # the document's fields that nothing states: from its text, its title or its name

    def closed(self, visibility: str) -> ReadDocument:
        """Return it for those only who may read the labels of a visibility too."""
        own = combined(self.document.visibility, visibility)
        return dataclasses.replace(self, document=dataclasses.replace(self.document, visibility=own))


def read_documents(source: SourceFile) -> list[ReadDocument]:
    """Read, clean and describe one file: its own document first, then those that it holds.

    One that cannot be read within a file is a warning of the first.

    Raises:
        UnreadableFileError: with the reason, if the file gives no document.
    """
    data = _bytes_of(source)
    content = _with_origin(_content(data, source.name, source.origin.layout if source.origin else None), source.origin)
    documents: list[ReadDocument] = []
    faults: list[str] = []
    try:
        documents.append(_document(content, data, source.name, format_of(source.name)))
    except UnreadableFileError:
        if not content.inside:
            raise
    _add_inside(content, source.name, documents, faults, depth=1)
    if not documents:
        raise UnreadableFileError("; ".join(faults))
    if visibility := _visibility(content.fields):  # of the file, and so of all that it holds
        documents = [one.closed(visibility) for one in documents]
    documents[0] = dataclasses.replace(documents[0], warnings=(*documents[0].warnings, *faults))
    return documents


def _add_inside(content: FileContent, name: str, documents: list[ReadDocument], faults: list[str], *, depth: int) -> None:
    """Read what a file holds, and what that holds."""
    for inside in content.inside:
        path = f"{name}{WITHIN}{inside.name}"
        if depth > DEEPEST or len(documents) >= MOST_INSIDE:
            faults.append(f"{inside.name}: not read, as the file holds too many documents or too deep")
            return
        try:
            if isinstance(inside.content, bytes):
                data, own, format_name = inside.content, _content(inside.content, path), format_of(path)
            else:
                data, own = repr(inside.content.blocks).encode("utf-8", "replace"), inside.content
                format_name = format_of(name)
            documents.append(_document(own, data, path, format_name))
            _add_inside(own, path, documents, faults, depth=depth + 1)
        except UnreadableFileError as error:
            faults.append(f"{inside.name}: {error}")


def read_document(source: SourceFile) -> ReadDocument:
    """Read, clean and describe one file; of those that it holds the first where it has no text itself.

    Raises:
        UnreadableFileError: with the reason, if the file gives no document.
    """
    return read_documents(source)[0]


def _bytes_of(source: SourceFile) -> bytes:
    try:
        status = source.path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFileError("no regular file")  # reading a pipe would wait for ever
        if status.st_size > LARGEST_FILE_BYTES:
            raise UnreadableFileError("too large: more than 200 MB")
        return source.path.read_bytes()
    except OSError as error:
        raise UnreadableFileError(f"cannot be opened: {error.strerror}") from error


def _with_origin(content: FileContent, origin: Origin | None) -> FileContent:
    """Return what a file tells about itself, with what is known from where it was fetched: what it says itself counts first."""
    if origin is None:
        return content
    visibility = combined(_visibility(origin.fields), _visibility(content.fields))
    fields = {**origin.fields, **content.fields, "url": origin.address, "visibility": visibility}
    return dataclasses.replace(content, fields=fields)


def _visibility(fields: Mapping[str, object]) -> str:
    """Return the visibility that a file states, or the place that it was fetched from.

    Raises:
        UnreadableFileError: it cannot be read: what was meant to be closed must not come out open.
    """
    try:
        return combined(*map(read_label, str(fields.get("visibility") or "").split(AND)))
    except ValueError as error:
        raise UnreadableFileError(f"visibility: {error}; until then the document is left out") from error


def _content(data: bytes, name: str, layout: Layout | None = None) -> FileContent:
    try:
        return read_content(data, name, layout)
    except UnreadableFileError:
        raise
    except MissingPartError as error:
        raise UnreadableFileError(str(error)) from error
    except MemoryError as error:
        raise TakesTooMuchError(TOO_MUCH_MEMORY) from error
    except Exception as error:
        raise UnreadableFileError(f"cannot be read: {type(error).__name__}: {error}") from error


def _document(content: FileContent, data: bytes, name: str, format_name: str | None) -> ReadDocument:
    """Clean and describe what a reader found."""
    row = READERS.row(format_name or "")
    cleaned = clean_blocks(content.blocks, has_forms=row.may_have_forms)
    blocks = cleaned.blocks
    if not blocks:
        raise UnreadableFileError("no text left after cleaning: nothing but navigation or interface words")
    fields = _completed(dict(content.fields), name, blocks, row)
    labelled = labelled_fields(blocks, fields["language"], content.labelled)
    document = Document(
        **_bounded(_described(fields, blocks, labelled, is_stated=row.language_is_stated)),
        sha256=hashlib.sha256(data).hexdigest(),
        path=name,
        media_type=row.media_type,
        links=content.links,
    )
    left_out = dict(Counter(content.left_out) + Counter(cleaned.left_out))
    inferred = _inferred(document, {**content.fields, **labelled.fields})
    return ReadDocument(document, blocks, content.warnings, left_out, _bounded(labelled.terms), inferred)


def _inferred(document: Document, stated: Mapping[str, object]) -> tuple[str, ...]:
    """Return the describing fields that have a value which nothing states."""
    values = {name: getattr(document, name) for name in DESCRIBING_FIELDS}
    identified = ["language"] if document.language and stated.get("language") != document.language else []
    return tuple(name for name, value in values.items() if value and (not stated.get(name) or name in identified))


def _completed(fields: dict[str, Any], name: str, blocks: list[Block], row: Format) -> dict[str, Any]:
    """Fill what the file does not state: id and kind from its name, the rest from its text."""
    names = {field.name for field in dataclasses.fields(Document)}
    visibility = _visibility(fields)
    values: dict[str, Any] = {key: _clean(value) for key, value in fields.items() if key in names and value}
    values["visibility"] = visibility
    own_name = _name_in_words(name) if row.is_named_by_file else ""
    title = values.get("title") or own_name or _first_words(blocks) or name
    values["title"] = shorten(str(title), TITLE_CHARACTERS, placeholder=" …")
    values.setdefault("id", document_id(name))
    values.setdefault("url", _address_of(blocks, name))
    values.setdefault("kind", _kind(name))
    # The longest paragraphs are prose; the rest may be names and titles in another language.
    prose = sorted((block.text for block in blocks if block.kind != "heading"), key=len, reverse=True)
    text = " ".join(prose[:LANGUAGE_PARAGRAPHS]) or values["title"]
    # Front matter is written for us; a web page's stated language is often its template's, and its text does not lie.
    if not (values.get("language") and row.language_is_stated) and len(text) >= LANGUAGE_CHARACTERS:
        values["language"] = detect_language(text)
    values.setdefault("language", None)
    return values


def _described(values: dict[str, Any], blocks: Sequence[Block], labelled: Labelled, *, is_stated: bool) -> dict[str, Any]:
    """Add what labelled fields state, and what the title and the date tell.

    `is_stated`: the values were written for this file by people, as front matter is; else a date may be any of the first lines.
    """
    date = values.pop("date", None)
    if not is_stated:
        date = labelled.fields.get("date") or (None if date in labelled.other_dates else date)
    described = {**labelled.fields, **{name: value for name, value in values.items() if value}, "date": date}
    if not described.get("countries"):
        codes = countries_of_title(values["title"])
        described["countries"] = codes
        described["inferred"] = tuple(
            InferredValue("countries", code, COUNTRY_OF_TITLE_CONFIDENCE, values["title"], None) for code in codes
        )
    described.setdefault("native_title", _native_title(values["title"], blocks, values["language"]))
    if not described.get("year") and date:
        described["year"] = int(date[:4])
    return {**values, **described}


def _bounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of which none is longer than somebody means it."""
    return {name: _shortened(value) for name, value in values.items()}


def _shortened(value: Any) -> Any:
    if isinstance(value, str):
        return value[:FIELD_CHARACTERS]
    # Numbers, such as those of recognised pages, stay as many as they are.
    is_of_texts = isinstance(value, (list, tuple)) and any(isinstance(item, str) for item in value[:1])
    return type(value)(item[:FIELD_CHARACTERS] for item in value[:MOST_VALUES]) if is_of_texts else value


def _native_title(title: str, blocks: Sequence[Block], language: str | None) -> str | None:
    """Return the heading right below the title where it is in another language than the text."""
    for above, below in pairwise(blocks):
        if above.text == title:
            is_title = (
                below.page == above.page
                and below.kind == "heading"
                and len(below.text) <= TITLE_CHARACTERS
                and below.text.casefold() != title.casefold()
            )
            return below.text if is_title and _is_in_another(below.text, language) else None
    return None


def _is_in_another(title: str, language: str | None) -> bool:
    """Tell whether a title is in another language: as it is identified, or by a word that the language does not have."""
    if detect_language(title) not in {None, language}:
        return True
    words = [word for word in re.findall(r"[^\W\d_]{4,}", title) if not word.isupper()]
    known = language is not None and has_dictionary(language)
    return known and any(not is_word(word, str(language)) and not is_word(word.lower(), str(language)) for word in words)


def _address_of(blocks: list[Block], name: str) -> str | None:
    """Return an address in the text that ends in the file's own name, as a page's "cite as" line has it."""
    file = PurePosixPath(name).name
    for block in reversed(blocks):
        for match in re.finditer(r"https?://\S+", block.text) if file in block.text else ():
            address = match[0].rstrip(".,;)")
            if address.rpartition("/")[2] == file:
                return address
    return None


def document_id(name: str, number: int = 1) -> str:
    """Return a short, URL-safe id for a file without one: words of its name, and a hash of its whole path.

    `number` tells files apart that had the same name one after the other.
    """
    stem = PurePosixPath(name.rpartition(WITHIN)[2] if is_within(name) else name).stem
    ascii_only = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")[:SLUG_CHARACTERS].rstrip("-")
    whole = name if number == 1 else f"{name}\0{number}"
    digest = hashlib.sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{slug}-{digest}" if slug else digest


def is_within(name: str) -> bool:
    """Tell whether a name is that of a document within a file."""
    return file_of(name) != name


def file_of(name: str) -> str:
    """Return the name of the file that a document is, or is in."""
    file, sign, _ = name.partition(WITHIN)
    return file if sign and format_of(file) is not None else name


def _kind(name: str) -> str:
    return next((kind for part, kind in KINDS.items() if part in name.lower()), "document")


def _name_in_words(name: str) -> str:
    """Return the words of a file's name, or of that of a document within it."""
    stem = PurePosixPath(name.rpartition(WITHIN)[2] if is_within(name) else name).stem
    return re.sub(r"[\s_-]+", " ", stem).strip()


def _first_words(blocks: list[Block]) -> str:
    first = next((block.text for block in blocks if block.kind == "heading"), blocks[0].text)
    return first if len(first) <= 120 else first[:119].rsplit(" ", 1)[0] + "…"


def _clean(value: object) -> object:
    """Return a value without control characters, lists as tuples."""
    if isinstance(value, str):
        return clean_text(value)
    return tuple(_clean(item) for item in value) if isinstance(value, list) else value
