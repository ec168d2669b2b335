"""The rules that one write-up of the corpus keeps: terms, sections, links, and what its facts say."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt

from pes_search.ingest.corpus.provenance import figures, unsupported
from pes_search.ingest.corpus.schema import REQUIRED_SECTIONS, SECTIONS, Facts, Item, NewsItem, PracticeItem
from pes_search.ingest.faults import Fault
from pes_search.ingest.taxonomy import EVIDENCE_LIST, FIELDS, Taxonomy
from pes_search.ingest.yaml_lines import YamlWithLines

WHEN = "When to think of it"
WHEN_SENTENCES = (3, 6)
_SENTENCE_END = re.compile(r"[.?!]['”’\")]?(?=\s+[^a-z\s]|\s*$)")  # not the stops of "e.g. a mother"
_ADDRESS = re.compile(r"https?://[^\s<>\[\]]+")
LINE_BREAKS = {"softbreak": " ", "hardbreak": " "}  # markdown-it's names
_YEARS = re.compile(r"(?P<start>\d{4})(?:-(?P<end>\d{4})?)?")


@dataclass(frozen=True, slots=True)
class Text:
    """A write-up: its front matter, and its body from `first_line` of the file on."""

    path: str
    item: Item
    front_matter: YamlWithLines
    body: str
    first_line: int


FaultAt = Callable[[Sequence[str | int] | int, str], None]
"""Takes a place in the front matter, or a line of the body counted from 0, and says what has to be mended there."""


def check_text(text: Text, documents: Collection[str], facts: Mapping[str, Facts], taxonomy: Taxonomy) -> list[Fault]:
    """Return what a text has to mend; `documents` are the ids of the corpus. Without facts it is held against the rest."""
    faults: list[Fault] = []

    def fault(place: Sequence[str | int] | int, message: str) -> None:
        line = text.first_line + place if isinstance(place, int) else text.front_matter.line(place)
        faults.append(Fault(text.path, line, message))

    item = text.item
    _check_lists(item, documents, taxonomy, fault)
    _check_body(text, fault)
    if item.id in facts:
        item_facts = facts[item.id]
        _check_facts(item, item_facts, taxonomy, fault)
        # A news item may repeat what is known of the practices that it links.
        linked = [facts[related] for related in item.related if related in facts and isinstance(item, NewsItem)]
        for line, words in unsupported(text.body, [fact for source in (item_facts, *linked) for fact in source.texts()]):
            fault(line - 1, f"{words!r} is not in facts/{item.id}.yaml; correct the text, or add the fact with its source")
    return faults


def _check_lists(item: Item, documents: Collection[str], taxonomy: Taxonomy, fault: FaultAt) -> None:
    for key in (*FIELDS, "countries", "related"):
        values: Sequence[str] = getattr(item, key, [])
        name = FIELDS.get(key, key)
        for number, value in enumerate(values):
            if value in values[:number]:
                fault((key, number), f"{value!r} stands there twice; keep one")
            _check_id(name, value, taxonomy, (key, number), fault)
            if key == "related" and (value not in documents or value == item.id):
                fault((key, number), f"{value!r} is no other document of the corpus; take an id from practices/ or news/")
    if isinstance(item, PracticeItem):
        _check_id(EVIDENCE_LIST, item.evidence.strength, taxonomy, ("evidence", "strength"), fault)
        if item.id[:2].upper() not in item.countries:
            fault(("countries",), f"{item.id[:2].upper()!r} is missing, with which the id begins; add it, or give another id")


def _check_id(name: str, value: str, taxonomy: Taxonomy, place: Sequence[str | int], fault: FaultAt) -> None:
    """Check that a list has an id; without the list, which is told elsewhere, any will do."""
    if name in taxonomy.lists and value not in taxonomy.lists[name]:
        near = get_close_matches(value, taxonomy.lists[name], n=1)
        advice = f"did you mean {near[0]!r}? Else add it there" if near else "take one from there, or add it there"
        fault(place, f"{value!r} is no id of taxonomy/{name}.yaml; {advice}")


# ── The body ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_body(text: Text, fault: FaultAt) -> None:
    lines = text.body.split("\n")
    titles = [(number, line[2:].strip()) for number, line in enumerate(lines) if line.startswith("# ")]
    if [title for _, title in titles] != [text.item.title]:
        fault(
            titles[0][0] if titles else 0,
            f"the text must have one heading `# {text.item.title}`, the title of the front matter",
        )
    links = list(_links(text.body))
    for number, target in links:
        if not _leads_somewhere(target, Path(text.path).parent):
            fault(number, f"the link to {target!r} leads nowhere; give the path of a file from here, or a whole address")
    if isinstance(text.item, NewsItem):
        _check_news(text.item, {Path(unquote(target)).stem for _, target in links}, fault)
    sections = _sections(lines)
    if isinstance(text.item, PracticeItem):
        _check_sections(sections, fault)
        _check_evidence(text.item.evidence.sentence, sections, fault)
    _check_sources(text, next((section.content for section in sections if section.name == "Sources"), ""), fault)


def _check_news(item: NewsItem, linked: Collection[str], fault: FaultAt) -> None:
    if not item.id.startswith(f"news-{item.date}-"):
        fault(("id",), f"the id must begin with `news-` and the date: news-{item.date}-…; change it, and the file's name")
    for number, related in enumerate(item.related):
        if related not in linked:
            fault(
                ("related", number), f"the text has no link to {related!r}; add one, such as [words](../practices/{related}.md)"
            )


def _links(markdown: str) -> Iterator[tuple[int, str]]:
    """Yield the targets of links and pictures, each with the line, from 0, where its paragraph begins."""
    for token in MarkdownIt("commonmark").parse(markdown):
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if target is not None:
                yield token.map[0] if token.map else 0, str(target)


def _leads_somewhere(target: str, folder: Path) -> bool:
    try:
        parts = urlsplit(target)
        if parts.scheme or not parts.path:  # another site, a mail address, or a place in this text
            return True
        return not parts.path.startswith("/") and (folder / unquote(parts.path)).is_file()
    except (OSError, ValueError):  # longer than a name can be, or no address
        return False


def _check_sources(text: Text, section: str, fault: FaultAt) -> None:
    """Check that the section Sources names each source, and that the text has no address of any other."""
    listed = " ".join(section.split())
    for number, source in enumerate(text.item.sources):
        if not re.search(re.escape(" ".join(str(source).split())) + r"(?![\w/?#&=%-])", listed):
            fault(("sources", number), f"{source} is missing from the section Sources; add it there")
    known = {str(source) for source in text.item.sources}
    for match in _ADDRESS.finditer(text.body):
        address = match[0]
        if address not in known and address.rstrip(".,;:)") not in known:
            line = text.body.count("\n", 0, match.start())
            fault(line, f"{address} is none of the sources of the front matter; add it there, or take it out")


@dataclass(frozen=True, slots=True)
class _Section:
    """A part of the text under one heading."""

    line: int  # of the heading, from 0
    name: str
    content: str


def _sections(lines: Sequence[str]) -> list[_Section]:
    starts = [number for number, line in enumerate(lines) if line.startswith("## ")]
    return [
        _Section(start, lines[start][3:].strip(), "\n".join(lines[start + 1 : end]))
        for start, end in itertools.pairwise([*starts, len(lines)])
    ]


def _check_sections(sections: Sequence[_Section], fault: FaultAt) -> None:
    last = -1
    for section in sections:
        name = section.name
        if name not in SECTIONS:
            fault(section.line, f"no section is called {name!r}; the sections are {', '.join(SECTIONS)}")
        elif SECTIONS.index(name) <= last:
            fault(section.line, f"the section {name!r} stands in the wrong place; the order is {', '.join(SECTIONS)}")
        else:
            last = SECTIONS.index(name)
        if not section.content.strip():
            fault(section.line, f"the section {name!r} is empty; leave it out where the facts are silent")
        least, most = WHEN_SENTENCES
        if name == WHEN and not least <= len(_SENTENCE_END.findall(section.content)) <= most:
            fault(section.line, f"the section {name!r} must have {least} to {most} sentences")
    for name in sorted(REQUIRED_SECTIONS - {section.name for section in sections}, key=SECTIONS.index):
        fault(0, f"the section {name!r} is missing; add it")


def _check_evidence(sentence: str | None, sections: Sequence[_Section], fault: FaultAt) -> None:
    """Check that the text says the sentence that states its evidence, other than among the situations that it is for."""
    said = [line for section in sections if section.name != WHEN for line in _plain_paragraphs(section.content)]
    if sentence and not any(" ".join(sentence.split()) in line for line in said):
        fault(
            ("evidence", "sentence"), f"the text does not say this outside {WHEN!r}; copy one of its sentences, word for word"
        )


def _plain_paragraphs(markdown: str) -> Iterator[str]:
    """Yield each paragraph and list item on one line, of links and pictures their words, without other markup."""
    for token in MarkdownIt("commonmark").parse(markdown):
        yield " ".join("".join(LINE_BREAKS.get(child.type, child.content) for child in token.children or ()).split())


# ── The facts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_facts(item: Item, facts: Facts, taxonomy: Taxonomy, fault: FaultAt) -> None:
    """Check that the front matter says what the facts do: the same names and sources, and a term for every free tag."""
    source = f"facts/{item.id}.yaml"
    for key in ("title", "native_title", "organisation", "region"):
        if getattr(item, key) != getattr(facts, key):
            fault((key,), f"`{key}` is {getattr(item, key)!r} but {source} has {getattr(facts, key)!r}; agree on one")
    if item.sources != facts.sources:
        fault(("sources",), f"not the sources of {source}, or not with their dates; make both the same")
    if isinstance(item, PracticeItem):
        if item.partners != facts.partners:
            fault(("partners",), f"not the partners of {source}; make both the same")
        _check_years(item, facts.years, source, fault)
    tags = {
        "target_groups": facts.target_groups,
        "measure_types": facts.measure_types,
        "channels": _channel_tags(facts.channel, taxonomy),
    }
    for key, name in FIELDS.items():
        ids = getattr(item, key, None)
        if ids is not None and name in taxonomy.lists:
            _check_tags(key, name, ids, tags[key], source, taxonomy, fault)


def _check_years(item: PracticeItem, years: str, source: str, fault: FaultAt) -> None:
    plain = _YEARS.fullmatch(years)
    known = {figure.value for figure in figures(years)}
    for key, year in (("start", item.start), ("end", item.end)):
        if plain and year != (int(plain[key]) if plain[key] else None):
            fault((key,), f"`{key}` is {year or 'left out'} but `years` of {source} is {years!r}; agree on one")
        elif year and year not in known:
            fault((key,), f"{year} is not in `years` of {source}, which is {years!r}; agree on one, or leave it out")


def _check_tags(
    key: str,
    name: str,
    ids: Sequence[str],
    tags: Sequence[str],
    source: str,
    taxonomy: Taxonomy,
    fault: FaultAt,
) -> None:
    """Check that the ids of a list are what the tags mean, and no others."""
    meant = {tag: taxonomy.tagged(name, tag) for tag in tags}
    for tag, concepts in meant.items():
        if not concepts:
            fault((key,), f"the tag {tag!r} of {source} means no term; add it to `tags` in taxonomy/{name}.yaml")
        for concept in concepts:
            if concept not in ids:
                fault((key,), f"{concept!r} is missing, since {source} has the tag {tag!r}; add it")
    for number, concept in enumerate(ids):
        if concept in taxonomy.lists[name] and not any(concept in concepts for concepts in meant.values()):
            fault((key, number), f"no tag of {source} means {concept!r}; take it out, or add the tag with its source")


def _channel_tags(channel: str, taxonomy: Taxonomy) -> list[str]:
    """Return a channel note's tags: the whole note where the list knows it, else its parts between commas."""
    if taxonomy.tagged("channels", channel):
        return [channel]
    return [part.strip() for part in channel.split(",") if part.strip()]
