"""Does search do what a person expects of it? Expectations that a program checks, one line a failure.

A file of `eval/expectations/` has `expectations`, and may have `documents`, a small collection of its own: title and text
for each id; without them the questions are put to the index. Each expectation has a query, a kind, a language, filters if it
needs some, and what must hold:

    first: a | [a, b]        the first hit is this document, or one of these
    among: {3: [a, b]}       these are among the first three
    order: [a, b, c]         these are found, in this order
    same_first: [query …]    these other wordings have the same first hit
    without: [a]             these are not found
    nothing: true            nothing matches
    absent: true             the phrase in quotation marks is said to be in no document
    marks: [word …]          these words of the first hit are marked, and …
    unmarked: [word …]       … these are not, in any of the first three
    suggests: {country: AT}  this filter is suggested
    put_right: text          this is proposed for the spelling, or was searched instead
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from pes_search.eval.collections.files import InputError
from pes_search.index.build import write_documents
from pes_search.index.filters import Filters
from pes_search.index.open_index import open_index
from pes_search.index.stores.memory import MemoryStore
from pes_search.index.types import Hit, SearchResult
from pes_search.ingest.faults import Fault
from pes_search.ingest.taxonomy import read_taxonomy
from pes_search.ingest.types import Block, Document
from pes_search.service.engine import Engine, Spelling

PROJECT_EXPECTATIONS = Path(__file__).parent / "expectations"
LOOKED_AT = 10  # hits of a list that a person looks at
MARKED_HITS = 3  # of them whose marks are looked at


class SmallDocument(BaseModel):
    """A document of a file's own collection."""

    model_config = ConfigDict(extra="forbid")

    title: str
    text: str
    language: str = "en"
    countries: tuple[str, ...] = ()
    year: int | None = None
    end_year: int | None = None


class Expectation(BaseModel):
    """What a query is expected to bring."""

    model_config = ConfigDict(extra="forbid")

    query: str
    kind: str
    language: str
    filters: dict[str, Any] = {}
    first: str | list[str] | None = None
    among: dict[int, list[str]] = {}
    order: list[str] = []
    same_first: list[str] = []
    without: list[str] = []
    nothing: bool = False
    absent: bool = False
    marks: list[str] = []
    unmarked: list[str] = []
    suggests: dict[str, str] = {}
    put_right: str | None = None


class ExpectationFile(BaseModel):
    """A file of expectations."""

    model_config = ConfigDict(extra="forbid")

    about: str
    documents: dict[str, SmallDocument] = {}
    expectations: list[Expectation]


@dataclass(frozen=True, slots=True)
class Checked:
    """An expectation with what speaks against it; nothing, if it is met."""

    file: str
    expectation: Expectation
    faults: tuple[str, ...]


def read_expectations(path: Path) -> dict[str, ExpectationFile]:
    """Read a file, or the files of a folder, by name.

    Raises:
        InputError: there is none, or one does not fit; the message names the first faults.
    """
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files:
        raise InputError([Fault(str(path), 1, "holds no expectations; add a file that ends in .yaml")])
    return {file.name: _read(file) for file in files}


def _read(path: Path) -> ExpectationFile:
    try:
        return TypeAdapter(ExpectationFile).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError([Fault(str(path), 1, f"cannot be read: {error.strerror}")]) from error
    except yaml.YAMLError as error:
        raise InputError([Fault(str(path), 1, f"is no YAML: {error}")]) from error
    except ValidationError as error:
        faults = [Fault(str(path), 1, f"{'.'.join(map(str, one['loc']))}: {one['msg']}") for one in error.errors()]
        raise InputError(faults) from error


def checked(files: Mapping[str, ExpectationFile], engine: Engine) -> Iterator[Checked]:
    """Check every expectation, on its file's own collection or else on the engine's index."""
    for name, file in files.items():
        asked = _small_engine(file.documents, engine) if file.documents else engine
        for expectation in file.expectations:
            yield Checked(name, expectation, tuple(_faults(expectation, asked)))


def _faults(wanted: Expectation, engine: Engine) -> Iterator[str]:
    """Yield what is not as expected."""
    result, spelling = _found(wanted.query, wanted, engine)
    ids = [hit.document.id for hit in result.hits]
    shown = ", ".join(ids[:3]) or "nothing"
    able = [wanted.first] if isinstance(wanted.first, str) else wanted.first
    if able is not None and not (ids and ids[0] in able):
        yield f"the first hit is not {wanted.first} but {shown}"
    for most, names in wanted.among.items():
        if missing := [name for name in names if name not in ids[:most]]:
            yield f"not among the first {most}: {', '.join(missing)}; found: {', '.join(ids[:most]) or 'nothing'}"
    places = [ids.index(name) if name in ids else len(ids) for name in wanted.order]
    if places != sorted(set(places)) or len(ids) in places:
        yield f"not in the order {', '.join(wanted.order)}: {', '.join(ids)}"
    for other in wanted.same_first:
        others = [hit.document.id for hit in _found(other, wanted, engine)[0].hits]
        if others[:1] != ids[:1]:
            yield f"{other!r} has another first hit: {(others or ['none'])[0]}, not {(ids or ['none'])[0]}"
    if there := [name for name in wanted.without if name in ids]:
        yield f"found: {', '.join(there)}"
    if wanted.nothing and not result.nothing_relevant:
        yield f"{result.matching} match: {shown}"
    if wanted.absent and not (result.absent_phrases and not ids):
        yield f"the phrase is not said to be absent; found: {shown}"
    yield from _unlike_marks(wanted, result.hits)
    named = {(one.filter, one.value) for one in result.named_filters} | {(one.filter, one.id) for one in result.concepts}
    for name, value in wanted.suggests.items():
        if (name, value) not in named:
            yield f"{name}={value} is not suggested"
    right = spelling.did_you_mean or (result.query if spelling.put_right else None)
    if wanted.put_right is not None and right != wanted.put_right:
        yield f"the spelling is put right to {right!r}, not {wanted.put_right!r}"


def _unlike_marks(wanted: Expectation, hits: Sequence[Hit]) -> Iterator[str]:
    def marked(hit: Hit) -> set[str]:
        return {hit.passage.text[start:end].casefold() for start, end in hit.highlights}

    if wanted.marks and (missing := {word.casefold() for word in wanted.marks} - (marked(hits[0]) if hits else set())):
        yield f"not marked: {', '.join(sorted(missing))}"
    wrongly = {word.casefold() for word in wanted.unmarked} & {word for hit in hits[:MARKED_HITS] for word in marked(hit)}
    if wrongly:
        yield f"marked: {', '.join(sorted(wrongly))}"


def _found(query: str, wanted: Expectation, engine: Engine) -> tuple[SearchResult, Spelling]:
    return engine.find(engine.index(), query, k=LOOKED_AT, offset=0, group="document", filters=Filters(**wanted.filters))


def _small_engine(documents: Mapping[str, SmallDocument], engine: Engine) -> Engine:
    """Index a file's own collection in memory."""
    store = MemoryStore()
    writer = store.writer()
    read = [(_document(name, small), _blocks(small)) for name, small in documents.items()]
    write_documents(
        read,
        writer,
        engine.encoder,
        cache_dir=engine.settings.cache_dir,
        config=engine.settings.index_config(),
        taxonomy=read_taxonomy(engine.settings.taxonomy),
    )
    writer.discard()
    return Engine(engine.settings, store, engine.encoder, open_index(store))


def _document(name: str, small: SmallDocument) -> Document:
    return Document(
        id=name,
        title=small.title,
        kind="practice",
        language=small.language,
        sha256=hashlib.sha256(small.text.encode()).hexdigest(),
        path=f"{name}.md",
        year=small.year,
        end_year=small.end_year,
        countries=small.countries,
    )


def _blocks(small: SmallDocument) -> list[Block]:
    paragraphs = [" ".join(paragraph.split()) for paragraph in small.text.split("\n\n")]
    title = Block("heading", small.title, level=1)
    return [title, *(Block("paragraph", paragraph) for paragraph in paragraphs if paragraph)]
