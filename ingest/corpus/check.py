"""Check a corpus folder: schema, ids, controlled terms, links, and that every number of a text stands in its facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from pes_search.ingest.corpus.rules import Text, check_text
from pes_search.ingest.corpus.schema import Facts, Item, NewsItem, PracticeItem
from pes_search.ingest.errors import SourceNotFoundError
from pes_search.ingest.faults import Fault, read_utf8, read_yaml, validation_faults
from pes_search.ingest.questions import FOLDER, QUESTION_VECTORS, QuestionFileError, read_questions
from pes_search.ingest.readers.markdown import FRONT_MATTER
from pes_search.ingest.taxonomy import FIELDS, check_taxonomy
from pes_search.ingest.yaml_lines import YamlWithLines

Model = TypeVar("Model", bound=BaseModel)
README = "README.md"


@dataclass(slots=True)
class CorpusReport:
    """What a check found."""

    practices: int = 0
    news: int = 0
    counts: dict[str, dict[str, int]] = field(default_factory=dict)  # practices by country, target group …
    faults: list[Fault] = field(default_factory=list)


def check_corpus(folder: Path) -> CorpusReport:
    """Check every file of a corpus folder.

    Raises:
        SourceNotFoundError: the folder is none, or holds no practices.
    """
    if not (folder / "practices").is_dir():
        raise SourceNotFoundError(f"{folder} holds no folder practices/; give the folder of a corpus, such as corpus/")
    report = CorpusReport()
    taxonomy, report.faults = check_taxonomy(folder / "taxonomy")
    facts = dict(_read_facts(folder / "facts", report.faults))
    practices = list(_read_texts(folder / "practices", PracticeItem, report.faults))
    news = list(_read_texts(folder / "news", NewsItem, report.faults))
    ids = {
        name: {path.stem for path in folder.glob(f"{name}/*") if path.name != README} for name in ("practices", "news", "facts")
    }
    for both in sorted(ids["practices"] & ids["news"]):
        report.faults.append(
            Fault(str(folder / f"news/{both}.md"), 1, f"the id {both!r} is taken by a practice; take another one")
        )
    documents = ids["practices"] | ids["news"]
    for text in (*practices, *news):
        if text.item.id not in ids["facts"]:
            message = f"no facts; put what is known into facts/{text.item.id}.yaml"
            report.faults.append(Fault(text.path, text.front_matter.line(("id",)), message))
        report.faults += check_text(text, documents, facts, taxonomy)
    for alone in sorted(ids["facts"] - documents):
        path = str(folder / f"facts/{alone}.yaml")
        report.faults.append(Fault(path, 1, f"no write-up has the id {alone!r}; write one, or remove these facts"))
    report.faults += _question_faults(folder / FOLDER, documents)
    report.practices, report.news = len(practices), len(news)
    report.counts = _counts([text.item for text in practices if isinstance(text.item, PracticeItem)])
    report.faults.sort(key=lambda fault: (fault.path, fault.line, fault.message))
    return report


def _read_facts(folder: Path, faults: list[Fault]) -> Iterator[tuple[str, Facts]]:
    for path in _files(folder, ".yaml", faults):
        text = read_utf8(path, faults)
        content = read_yaml(text, str(path), faults) if text is not None else None
        facts = _validated(Facts, content, str(path), faults) if content else None
        if content and facts and _has_own_id(facts.id, path, content, faults):
            yield path.stem, facts


def _read_texts(folder: Path, model: type[Item], faults: list[Fault]) -> Iterator[Text]:
    for path in _files(folder, ".md", faults):
        if path.name == README or (text := read_utf8(path, faults)) is None:
            continue
        match = FRONT_MATTER.match(text)
        if match is None:
            faults.append(Fault(str(path), 1, "no front matter; begin the file with `---`, `key: value` lines and `---`"))
            continue
        content = read_yaml(match[1], str(path), faults, first_line=2)
        item = _validated(model, content, str(path), faults) if content else None
        if content and item and _has_own_id(item.id, path, content, faults):
            yield Text(str(path), item, content, text[match.end() :], text[: match.end()].count("\n") + 1)


def _question_faults(folder: Path, documents: set[str]) -> Iterator[Fault]:
    """Yield what is wrong with the files of questions; a document needs none."""
    for path in sorted(folder.glob("*")):
        if path.name in {README, QUESTION_VECTORS}:
            continue
        if path.stem not in documents or path.suffix != ".yaml":
            yield Fault(str(path), 1, f"no write-up has the id {path.stem!r}; write one, or remove these questions")
            continue
        try:
            read_questions(path)
        except QuestionFileError as error:
            yield Fault(str(path), 1, str(error))


def _files(folder: Path, suffix: str, faults: list[Fault]) -> Iterator[Path]:
    """Yield the files of a folder that are checked; tell of all others, which a build might read unchecked."""
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or path.name.startswith("."):
            continue
        if path.parent == folder and path.suffix == suffix:
            yield path
        elif path.name != README:
            faults.append(Fault(str(path), 1, f"this file is not checked; make it {folder.name}/<id>{suffix}, or move it away"))


def _has_own_id(document_id: str, path: Path, content: YamlWithLines, faults: list[Fault]) -> bool:
    if document_id == path.stem:
        return True
    faults.append(Fault(str(path), content.line(("id",)), f"the id is not the file's name; make both {path.stem!r}"))
    return False


def _validated(model: type[Model], content: YamlWithLines, path: str, faults: list[Fault]) -> Model | None:
    try:
        return model.model_validate(content.value)
    except ValidationError as error:
        faults += validation_faults(error, content, path)
        return None


def _counts(practices: Sequence[PracticeItem]) -> dict[str, dict[str, int]]:
    counts: Mapping[str, Counter[str]] = {
        key: Counter(value for practice in practices for value in getattr(practice, key)) for key in ("countries", *FIELDS)
    } | {"evidence": Counter(practice.evidence.strength for practice in practices)}
    return {key: dict(sorted(numbers.items(), key=lambda item: (-item[1], item[0]))) for key, numbers in counts.items()}
