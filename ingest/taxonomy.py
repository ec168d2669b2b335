"""The controlled lists with their labels: target groups, measure types, channels, strengths of evidence, countries,
organisations and acronyms.

One YAML file a list, one schema for all: a file is a list of concepts. What a list asks of its concepts beyond the schema
stands in `REQUIRED`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from pes_search.ingest.errors import TaxonomyError
from pes_search.ingest.faults import Fault, read_utf8, read_yaml, validation_faults
from pes_search.ingest.languages import EU_LANGUAGES
from pes_search.ingest.yaml_lines import YamlWithLines

ACRONYM_LANGUAGES = ("en", "de", "fr", "es", "pt", "it", "pl", "nl")
ENGLISH_PHRASES = 4
SHOWN_FAULTS = 3


def fold(label: str) -> str:
    """Return a label as it is compared: without case, outer spaces, or two ways to write an accent."""
    return unicodedata.normalize("NFC", label).strip().casefold()


def _unique(labels: list[str]) -> list[str]:
    folded = [fold(label) for label in labels]
    for number, label in enumerate(labels):
        if folded[number] in folded[:number]:
            raise ValueError(f"{label!r} stands there twice; keep one")
    return labels


Label = Annotated[str, Field(min_length=1, pattern=r"^\S(.*\S)?$")]
Labels = dict[
    Annotated[str, Field(pattern=r"^[a-z]{2}$")], Annotated[list[Label], Field(min_length=1), AfterValidator(_unique)]
]


class EarlierName(BaseModel):
    """A name that an organisation had."""

    model_config = ConfigDict(extra="forbid")

    name: Label


class Concept(BaseModel):
    """One entry of a list. Labels are by language; the first term of a language is its preferred label."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,79}$")]  # never changes, whatever the labels do
    about: Label | None = None  # what it covers, in English
    broader: list[str] = []  # concepts of the same list that include this one
    tags: list[str] = []  # free tags that mean this, or this among others
    names_field: bool = False  # of an acronym: it names the collection's own field, and tells no document from others
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None  # of an organisation
    earlier: list[EarlierName] = []  # of an organisation, newest first
    short: Labels = {}  # acronyms
    terms: Labels  # as specialists say it
    plain: Labels = {}  # as people say it

    def label(self, language: str = "en") -> str:
        """Return the preferred label in a language, in English, or in whatever language there is."""
        for labels in (self.terms.get(language), self.terms.get("en"), *self.terms.values()):
            if labels:
                return labels[0]
        return self.id

    def labels(self) -> list[str]:
        """Return every label in every language, earlier names and acronyms included, without repeats."""
        parts = [label for field in (self.short, self.terms, self.plain) for labels in field.values() for label in labels]
        return list(dict.fromkeys([*parts, *(name.name for name in self.earlier)]))


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The lists by name, each with its concepts by id, in the files' order."""

    lists: Mapping[str, Mapping[str, Concept]]

    def label(self, list_name: str, concept_id: str, language: str = "en") -> str:
        """Return a concept's preferred label; an id that the list does not have stays as it is."""
        concept = self.lists.get(list_name, {}).get(concept_id)
        return concept.label(language) if concept else concept_id

    def with_broader(self, list_name: str, ids: Sequence[str]) -> tuple[str, ...]:
        """Return ids followed by those of every concept that includes one of them, without repeats."""
        concepts = self.lists.get(list_name, {})
        return tuple(dict.fromkeys([*ids, *(above for concept_id in ids for above in _above(concept_id, concepts))]))

    def names(self, list_name: str) -> dict[str, set[str]]:
        """Return for each id and label of a list, folded, the ids that it names."""
        ids: dict[str, set[str]] = {}
        for concept in self.lists.get(list_name, {}).values():
            for name in (concept.id, *concept.tags, *concept.labels()):
                ids.setdefault(fold(name), set()).add(concept.id)
        return ids

    def values(self) -> dict[str, Any]:
        """Return the lists as plain values, for JSON; `from_values` reads them again."""
        return {
            name: [concept.model_dump(exclude_defaults=True) for concept in concepts.values()]
            for name, concepts in self.lists.items()
        }

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Taxonomy:
        """Read what `values` gave, which has been checked before."""
        lists = {}
        for name, rows in values.items():
            concepts = [
                Concept.model_construct(**row | {"earlier": [EarlierName(**earlier) for earlier in row.get("earlier", ())]})
                for row in rows
            ]
            lists[name] = {concept.id: concept for concept in concepts}
        return cls(lists)

    def tagged(self, list_name: str, tag: str) -> list[str]:
        """Return the ids of the concepts that a free tag means, in the list's order."""
        return [concept.id for concept in self.lists.get(list_name, {}).values() if tag in concept.tags]


NO_TAXONOMY = Taxonomy({})


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a list asks of its concepts beyond the schema."""

    terms: tuple[str, ...] = ()  # languages that need a term
    plain: tuple[str, ...] = ()  # languages that need a plain phrase
    keys: tuple[str, ...] = ()  # keys that have to be there


# Which list each field of a document takes its ids from: what documents are about, which ranking takes into account.
FIELDS = {"target_groups": "target-groups", "measure_types": "measure-types", "channels": "channels"}
# The list that a practice takes the strength of its evidence from. It filters and is shown; no query is about it.
EVIDENCE_LIST = "evidence-strengths"
REQUIRED: Mapping[str, _Rule] = {
    "target-groups": _Rule(EU_LANGUAGES, EU_LANGUAGES),
    "measure-types": _Rule(EU_LANGUAGES, EU_LANGUAGES),
    "channels": _Rule(EU_LANGUAGES, EU_LANGUAGES),
    EVIDENCE_LIST: _Rule(EU_LANGUAGES),
    "countries": _Rule(EU_LANGUAGES),
    "organisations": _Rule((), (), ("country",)),
    "acronyms": _Rule(ACRONYM_LANGUAGES, (), ("short",)),
}


LABEL_VECTORS = (
    "label_vectors.npz"  # beside the lists: what an index has encoded of them before (`index.evidence.label_vectors`)
)


def list_files(folder: Path) -> list[Path]:
    """Return the lists that a folder holds: none, if it is a folder of something else."""
    return [path for name in REQUIRED if (path := folder / f"{name}.yaml").is_file()]


def read_taxonomy(folder: Path) -> Taxonomy:
    """Read the lists of a folder, as many as there are and with the labels that they have.

    Raises:
        TaxonomyError: a list is faulty; the message names the first faults with file and line.
    """
    files, faults = _read_files(folder)
    if faults:
        more = f"; {len(faults) - SHOWN_FAULTS} more" if len(faults) > SHOWN_FAULTS else ""
        first = "; ".join(map(str, faults[:SHOWN_FAULTS]))
        raise TaxonomyError(f"the lists in {folder} cannot be used ({first}{more}); mend them, or give the folder another name")
    return Taxonomy({name: file.concepts for name, file in files.items()})


def check_taxonomy(folder: Path) -> tuple[Taxonomy, list[Fault]]:
    """Read the lists of a folder; return what could be read, and every fault, gaps in lists and labels included."""
    files, faults = _read_files(folder)
    for name in REQUIRED:
        path = folder / f"{name}.yaml"
        if name in files:
            faults += _check_labels(name, files[name])
        elif not path.exists():
            faults.append(Fault(str(path), 1, "this list is missing; add it"))
    faults += [
        Fault(str(path), 1, f"no list of this name is known; the lists are {', '.join(REQUIRED)}")
        for path in sorted(folder.glob("*.yaml"))
        if path.stem not in REQUIRED
    ]
    return Taxonomy({name: file.concepts for name, file in files.items()}), faults


@dataclass(frozen=True, slots=True)
class _File:
    """A list as its file has it."""

    path: str
    content: YamlWithLines
    concepts: Mapping[str, Concept]
    rows: Mapping[str, int]  # where in the file's list a concept stands, from 0

    def fault(self, concept_id: str, place: tuple[str | int, ...], message: str) -> Fault:
        return Fault(self.path, self.content.line((self.rows[concept_id], *place)), message)


def _read_files(folder: Path) -> tuple[dict[str, _File], list[Fault]]:
    """Read the lists that there are; return those that can be used, and what is wrong with the others."""
    files: dict[str, _File] = {}
    faults: list[Fault] = []
    for name in REQUIRED:
        path = folder / f"{name}.yaml"
        if not path.exists() or (text := read_utf8(path, faults)) is None:
            continue
        file_faults: list[Fault] = []
        content = read_yaml(text, str(path), file_faults)
        file = _read_concepts(content, str(path), file_faults) if content else None
        if file and not file_faults:
            files[name] = file
        faults += file_faults
    return files, faults


def _read_concepts(content: YamlWithLines, path: str, faults: list[Fault]) -> _File:
    def fault(place: tuple[str | int, ...], message: str) -> None:
        faults.append(Fault(path, content.line(place), message))

    concepts: dict[str, Concept] = {}
    rows: dict[str, int] = {}
    if not isinstance(content.value, list):
        fault((), "must be a list of concepts, each with `- id:`; correct it")
        return _File(path, content, concepts, rows)
    for row, value in enumerate(content.value):
        try:
            concept = Concept.model_validate(value)
        except ValidationError as error:
            faults += validation_faults(error, content, path, (row,))
            continue
        if concept.id in concepts:
            fault((row, "id"), f"the id {concept.id!r} is taken; ids name one concept of a list")
            continue
        concepts[concept.id], rows[concept.id] = concept, row
    for concept_id, concept in concepts.items():
        row = rows[concept_id]
        for number, broader in enumerate(concept.broader):
            if broader not in concepts or broader == concept_id:
                fault((row, "broader", number), f"{broader!r} is no other concept of this list; take an id from it")
        if concept_id in _above(concept_id, concepts):
            fault((row, "broader"), f"{concept_id!r} is broader than itself; break the circle")
    return _File(path, content, concepts, rows)


def _check_labels(name: str, file: _File) -> Iterator[Fault]:
    """Tell what a list misses of its concepts, and labels that two of them have."""
    rule = REQUIRED[name]
    owners: dict[tuple[str, str], str] = {}
    for concept in file.concepts.values():
        for key in rule.keys:
            if key not in concept.model_fields_set:
                yield file.fault(concept.id, (), f"{concept.id!r} has no `{key}`; add it")
        for key, wanted in (("terms", rule.terms), ("plain", rule.plain)):
            missing = [language for language in wanted if language not in getattr(concept, key)]
            if missing:
                yield file.fault(concept.id, (key,), f"{concept.id!r} has no {key} in {', '.join(missing)}; add one in each")
        if rule.plain and len(concept.plain.get("en", [])) < ENGLISH_PHRASES:
            yield file.fault(
                concept.id, ("plain",), f"{concept.id!r} needs at least {ENGLISH_PHRASES} plain phrases in English"
            )
        for key in ("terms", "plain"):
            for language, labels in getattr(concept, key).items():
                for label in labels:
                    owner = owners.setdefault((language, fold(label)), concept.id)
                    if owner != concept.id:
                        message = f"{label!r} ({language}) is a label of {owner!r} too; make one of them tell more"
                        yield file.fault(concept.id, (key, language), message)


def _above(concept_id: str, concepts: Mapping[str, Concept]) -> list[str]:
    """Return every concept that includes this one, the nearest first; none for an unknown id."""
    above: list[str] = []
    waiting = [concept_id]
    while waiting:
        concept = concepts.get(waiting.pop(0))
        new = [broader for broader in (concept.broader if concept else ()) if broader in concepts and broader not in above]
        above += new
        waiting += new
    return above
