"""Check a corpus folder: schema, ids, controlled terms, links, and that every number of a text stands in its facts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from pes_search.ingest.corpus.provenance import unsupported
from pes_search.ingest.corpus.schema import REQUIRED_SECTIONS, SECTIONS, Facts, NewsItem, PracticeItem
from pes_search.ingest.errors import SourceNotFoundError
from pes_search.ingest.located import Fault, Located, YamlError, load_located
from pes_search.ingest.taxonomy import FIELDS, Taxonomy, check_taxonomy

FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?P<yaml>.*?)^---[ \t]*$\n?", re.DOTALL | re.MULTILINE)
WHEN_SENTENCES = (3, 6)
_SENTENCE_END = re.compile(r"[.?!]['”’\"]?(?=\s|$)")
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_ADDRESS = re.compile(r"https?://[^\s<>)]+")

Item = PracticeItem | NewsItem
Model = TypeVar("Model", bound=BaseModel)


@dataclass(slots=True)
class CorpusReport:
    """What a check found."""

    practices: int = 0
    news: int = 0
    counts: dict[str, dict[str, int]] = field(default_factory=dict)  # practices by country, target group …
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Text:
    """A write-up: its front matter, and its body from `first_line` of the file on."""

    path: str
    item: Item
    located: Located
    body: str
    first_line: int


def check_corpus(folder: Path) -> CorpusReport:
    """Check every file of a corpus folder.

    Raises:
        SourceNotFoundError: the folder is none, or holds no practices.
    """
    if not (folder / "practices").is_dir():
        raise SourceNotFoundError(f"{folder} holds no folder practices/; give the folder of a corpus, such as corpus/")
    report = CorpusReport()
    taxonomy, faults = check_taxonomy(folder / "taxonomy")
    report.faults += faults
    facts = _read_facts(folder / "facts", report.faults)
    texts = {
        text.item.id: text
        for name, model in (("practices", PracticeItem), ("news", NewsItem))
        for text in _read_texts(folder / name, model, report.faults)
    }
    for text in texts.values():
        report.faults += _check_text(text, texts, facts, taxonomy)
    for facts_id, (path, _, _) in facts.items():
        if facts_id not in texts:
            report.faults.append(Fault(path, 1, f"no write-up has the id {facts_id!r}; write one, or remove these facts"))
    practices = [text.item for text in texts.values() if isinstance(text.item, PracticeItem)]
    report.practices, report.news = len(practices), len(texts) - len(practices)
    report.counts = _counts(practices)
    report.faults.sort(key=lambda fault: (fault.path, fault.line, fault.message))
    return report


# ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

KnownFacts = Mapping[str, tuple[str, Located, Facts]]


def _read_facts(folder: Path, faults: list[Fault]) -> KnownFacts:
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        if (text := _read(path, faults)) is None:
            continue
        located = _located(text, 1, str(path), faults)
        facts = _validated(Facts, located, str(path), faults) if located else None
        if located and facts:
            if facts.id != path.stem:
                faults.append(
                    Fault(str(path), located.line(("id",)), f"the id is not the file's name; make both {path.stem!r}")
                )
            found[path.stem] = (str(path), located, facts)
    return found


def _read_texts(folder: Path, model: type[Item], faults: list[Fault]) -> Iterator[_Text]:
    for path in sorted(folder.glob("*.md")):
        if path.stem == "README" or (text := _read(path, faults)) is None:
            continue
        match = FRONT_MATTER.match(text)
        if match is None:
            faults.append(Fault(str(path), 1, "no front matter; begin the file with `---`, `key: value` lines and `---`"))
            continue
        located = _located(match["yaml"], 2, str(path), faults)
        item = _validated(model, located, str(path), faults) if located else None
        if located and item:
            if item.id != path.stem:
                faults.append(
                    Fault(str(path), located.line(("id",)), f"the id is not the file's name; make both {path.stem!r}")
                )
            else:
                yield _Text(str(path), item, located, text[match.end() :], text[: match.end()].count("\n") + 1)


def _read(path: Path, faults: list[Fault]) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        faults.append(Fault(str(path), 1, f"cannot be read: {error}; save it as UTF-8"))
        return None


def _located(text: str, first_line: int, path: str, faults: list[Fault]) -> Located | None:
    try:
        located = load_located(text, first_line)
    except YamlError as error:
        faults.append(Fault(path, error.line, f"{error}; mend the YAML"))
        return None
    faults += [Fault(path, located.line(place), f"`{place[-1]}` stands there twice; keep one") for place in located.repeated]
    return located


def _validated(model: type[Model], located: Located, path: str, faults: list[Fault]) -> Model | None:
    try:
        return model.model_validate(located.value)
    except ValidationError as error:
        for found in error.errors():
            name = ".".join(map(str, found["loc"]))
            faults.append(Fault(path, located.line(found["loc"]), f"`{name}`: {found['msg']}" if name else found["msg"]))
        return None


# ── Checks of one text ──────────────────────────────────────────────────────────────────────────────────────────────


def _check_text(text: _Text, texts: Mapping[str, _Text], facts: KnownFacts, taxonomy: Taxonomy) -> list[Fault]:
    faults: list[Fault] = []

    def fault(place: Sequence[str | int] | int, message: str) -> None:
        line = text.first_line + place if isinstance(place, int) else text.located.line(place)
        faults.append(Fault(text.path, line, message))

    _check_terms(text.item, taxonomy, fault)
    for number, related in enumerate(text.item.related):
        if related not in texts or related == text.item.id:
            fault(("related", number), f"{related!r} is no other document of the corpus; take an id from practices/ or news/")
    _check_body(text, fault)
    if text.item.id not in facts:
        fault(("id",), f"no facts; put what is known into facts/{text.item.id}.yaml")
        return faults
    own = facts[text.item.id][2]
    _check_facts(text.item, own, taxonomy, fault)
    # A news item may repeat what is known of the practices that it links.
    linked = [facts[related][2] for related in text.item.related if related in facts and isinstance(text.item, NewsItem)]
    known = [line for source in (own, *linked) for line in source.texts()]
    for line, words in unsupported(text.body, known):
        fault(
            line - 1,
            f"{words!r} is not in facts/{text.item.id}.yaml; correct the text, or add the fact with its source",
        )
    return faults


FaultAt = Callable[[Sequence[str | int] | int, str], None]


def _check_terms(item: Item, taxonomy: Taxonomy, fault: FaultAt) -> None:
    for key, name in FIELDS.items():
        ids: Sequence[str] = getattr(item, key, [])
        for number, concept in enumerate(ids):
            if name in taxonomy.lists and concept not in taxonomy.lists[name]:
                fault((key, number), f"{concept!r} is no id of taxonomy/{name}.yaml; take one from there, or add it there")
            if concept in ids[:number]:
                fault((key, number), f"{concept!r} stands there twice; keep one")
    for number, code in enumerate(item.countries):
        if "countries" in taxonomy.lists and code not in taxonomy.lists["countries"]:
            fault(("countries", number), f"{code!r} is not in taxonomy/countries.yaml; add it there")


def _check_body(text: _Text, fault: FaultAt) -> None:
    """Check the title, the sections and the addresses; lines are counted from the body's first as 0."""
    lines = text.body.split("\n")
    titles = [(number, line[2:].strip()) for number, line in enumerate(lines) if line.startswith("# ")]
    if [title for _, title in titles] != [text.item.title]:
        fault(
            titles[0][0] if titles else 0,
            f"the text must have one heading `# {text.item.title}`, the title of the front matter",
        )
    for number, line in enumerate(lines):
        for match in _LINK.finditer(line):
            target = match["target"].partition("#")[0]
            if target and "://" not in target and not (Path(text.path).parent / target).exists():
                fault(number, f"the link to {target!r} leads nowhere; correct it")
    stated = set(_ADDRESS.findall(text.body))
    for number, source in enumerate(text.item.sources):
        if source.url and source.url not in stated:
            fault(("sources", number), f"{source.url} is missing from the text; add it to the section Sources")
    if isinstance(text.item, PracticeItem):
        _check_sections(lines, fault)


def _check_sections(lines: Sequence[str], fault: FaultAt) -> None:
    headings = [(number, line[3:].strip()) for number, line in enumerate(lines) if line.startswith("## ")]
    order = {name: place for place, name in enumerate(SECTIONS)}
    last = -1
    for number, name in headings:
        if name not in order:
            fault(number, f"no section is called {name!r}; the sections are {', '.join(SECTIONS)}")
        elif order[name] <= last:
            fault(number, f"the section {name!r} stands in the wrong place; the order is {', '.join(SECTIONS)}")
        else:
            last = order[name]
    for name in sorted(REQUIRED_SECTIONS - {name for _, name in headings}, key=SECTIONS.index):
        fault(0, f"the section {name!r} is missing; add it")
    ends = [number for number, _ in headings[1:]] + [len(lines)]
    for (number, name), end in zip(headings, ends, strict=True):
        content = " ".join(lines[number + 1 : end]).strip()
        if not content:
            fault(number, f"the section {name!r} is empty; leave it out where the facts are silent")
        least, most = WHEN_SENTENCES
        if name == "When to think of it" and not least <= len(_SENTENCE_END.findall(content)) <= most:
            fault(number, f"the section {name!r} must have {least} to {most} sentences")


def _check_facts(item: Item, facts: Facts, taxonomy: Taxonomy, fault: FaultAt) -> None:
    """Check that the front matter says what the facts do: the same sources, and a term for every free tag."""
    for key in ("title", "native_title", "organisation", "region"):
        if getattr(item, key) != getattr(facts, key):
            fault(
                (key,), f"`{key}` is {getattr(item, key)!r} but facts/{item.id}.yaml has {getattr(facts, key)!r}; agree on one"
            )
    if isinstance(item, PracticeItem) and item.partners != facts.partners:
        fault(("partners",), f"not the partners of facts/{item.id}.yaml; make both the same")
    if [str(source) for source in item.sources] != [str(source) for source in facts.sources]:
        fault(("sources",), f"not the sources of facts/{item.id}.yaml; make both the same")
    tags = {
        "target_groups": facts.target_groups,
        "measure_types": facts.measure_types,
        "channels": _channel_tags(facts.channel, taxonomy),
    }
    for key, name in FIELDS.items():
        ids = getattr(item, key, None)
        if ids is None or name not in taxonomy.lists:
            continue
        for tag in tags[key]:
            concepts = taxonomy.tagged(name, tag)
            if not concepts:
                fault(
                    (key,),
                    f"the tag {tag!r} of facts/{item.id}.yaml means no term; add it to `tags` in taxonomy/{name}.yaml",
                )
            for concept in concepts:
                if concept not in ids:
                    fault((key,), f"{concept!r} is missing: facts/{item.id}.yaml has the tag {tag!r}")
        meant = {concept for tag in tags[key] for concept in taxonomy.tagged(name, tag)}
        for number, concept in enumerate(ids):
            if concept not in meant and isinstance(item, PracticeItem):
                fault(
                    (key, number),
                    f"no tag of facts/{item.id}.yaml means {concept!r}; take it out, or add the tag with its source",
                )


def _channel_tags(channel: str, taxonomy: Taxonomy) -> list[str]:
    """Return a channel note's tags: the whole note where the list knows it, else its parts between commas."""
    if taxonomy.tagged("channels", channel):
        return [channel]
    return [part.strip() for part in channel.split(",") if part.strip()]


# ── Counts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _counts(practices: Sequence[PracticeItem]) -> dict[str, dict[str, int]]:
    counts = {
        key: Counter(value for practice in practices for value in getattr(practice, key)) for key in ("countries", *FIELDS)
    }
    return {key: dict(sorted(found.items(), key=lambda item: (-item[1], item[0]))) for key, found in counts.items()}
