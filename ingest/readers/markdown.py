"""Markdown with front matter in YAML or TOML: headings, paragraphs, list items and table rows, without the markup.

A text is rendered as every renderer does it and its blocks are taken from that page, since Markdown may hold HTML anywhere.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Annotated, Any, Literal

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pes_search.ingest.cleaning.links import links_of
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.countries import country_code
from pes_search.ingest.dates import find_date
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.languages import known_languages
from pes_search.ingest.questions import checked_questions
from pes_search.ingest.readers.decode import decode
from pes_search.ingest.readers.html_blocks import NEVER_TEXT, walk
from pes_search.ingest.types import FileContent, Link, Question
from pes_search.ingest.visibility import combined, read_label
from pes_search.ingest.yaml_lines import YamlError, load_yaml_with_lines

FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?$\n?", re.DOTALL | re.MULTILINE)
TOML_FRONT_MATTER = re.compile(r"\A\+\+\+[ \t]*\r?\n(.*?)^\+\+\+[ \t]*\r?$\n?", re.DOTALL | re.MULTILINE)
TOML_TABLES = ("extra", "params", "taxonomies")  # where site generators want keys of one's own
VISIBILITY = "visibility"  # the key, which may be written in capitals
LEAST_LIKENESS = 0.85  # of a key that was meant to be that one: "visiblity" .95, "visible" .82
LONGEST_FRONT_MATTER = 200  # lines
_LABEL_LINE = re.compile(r"\s*[\"']?visibility[\"']?\s*[:=]", re.IGNORECASE)
DEEPEST = 100  # levels of lists and quotations


def _country(value: object) -> object:
    # YAML reads Norway's unquoted NO as false.
    code = "NO" if value is False else country_code(str(value))
    if code is None:
        raise ValueError(f"{value!r} is no country name or ISO 3166-1 alpha-2 code")
    return code


def _text(value: object) -> object:
    return str(value) if isinstance(value, (int, float)) or hasattr(value, "isoformat") else value


def _listed(value: object) -> object:
    """Return a list where one value stands alone, or several in one line: `young people, women`."""
    if value is False or (isinstance(value, str) and country_code(value)):
        return [value]  # "Bosnia and Herzegovina"
    if isinstance(value, str):
        return [part for text in re.split(r"[,;\n]", value) if (part := text.strip())]
    return value


def _first_year(value: object) -> object:
    """Return the year of a date."""
    match = re.match(r"(\d{4})-\d\d(-\d\d)?\b", str(value))
    return int(match[1]) if match else value


def _language(value: object) -> object:
    """Return the code of a language that is written otherwise: en-GB, English."""
    if not isinstance(value, str):
        return value
    names = {language.name.lower(): code for code, language in known_languages().items()}
    return names.get(value.strip().lower()) or re.split(r"[-_]", value.strip().lower())[0]


def _visibility(value: object) -> object:
    """Return the visibility of a document with these labels: who reads it may read each of them."""
    return combined(*map(read_label, value if isinstance(value, list) else [value]))


def _questions(value: object) -> object:
    return checked_questions(value)


Text = Annotated[str, BeforeValidator(_text)]
Country = Annotated[str, BeforeValidator(_country)]
Listed = BeforeValidator(_listed)


Year = Annotated[int, Field(ge=1000, le=9999)]


class Source(BaseModel):
    """Where a document's facts come from: an address, or a reference where the whole address is not known."""

    url: str | None = None
    reference: Text | None = None
    date: Text | None = None


class Evidence(BaseModel):
    """How strong the evidence for a practice is, and the sentence of its text that says so."""

    strength: str
    sentence: Text | None = None


class FrontMatter(BaseModel):
    """The keys that mean something here; others are kept by the file and ignored."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")] | None = None
    title: Text | None = None
    native_title: Text | None = None
    kind: str | None = None
    language: Annotated[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | Literal[False] | None, BeforeValidator(_language)] = (
        None
    )
    date: Text | None = None
    url: str | None = None
    organisation: Text | None = None
    partners: Annotated[list[Text], Listed] = []
    region: Text | None = None
    countries: Annotated[list[Country], Listed] = []
    start: Annotated[Year | None, BeforeValidator(_first_year)] = None
    end: Annotated[Year | None, BeforeValidator(_first_year)] = None
    target_groups: Annotated[list[str], Listed] = []
    measure_types: Annotated[list[str], Listed] = []
    channels: Annotated[list[str], Listed] = []
    evidence: Annotated[
        Evidence | None, BeforeValidator(lambda value: {"strength": value} if isinstance(value, str) else value)
    ] = None
    related: Annotated[list[str], Listed] = []
    visibility: Annotated[str, BeforeValidator(_visibility)] = ""
    questions: Annotated[list[Question], BeforeValidator(_questions)] = []
    sources: list[Annotated[Source, BeforeValidator(lambda value: {"url": value} if isinstance(value, str) else value)]] = []

    def fields(self) -> dict[str, object]:
        """Return the values under the names of `Document`."""
        values: dict[str, object] = self.model_dump(exclude={"sources", "start", "end", "date", "language", "evidence"})
        date = _stated_date(self.date) if self.date else None
        values |= {
            "url": self.url or next((source.url for source in self.sources if source.url), None),
            "date": date,
            "language": "no" if self.language is False else self.language,
            "year": self.start or (int(date[:4]) if date else None),
            "end_year": self.end,
            "evidence": self.evidence.strength if self.evidence else None,
            "evidence_sentence": self.evidence.sentence if self.evidence else None,
        }
        values["countries"] = list(dict.fromkeys(self.countries))
        return {name: value for name, value in values.items() if value}


def _stated_date(text: str) -> str | None:
    """Return a date, a month or a year."""
    return text if re.fullmatch(r"(19|20)\d\d(-(0[1-9]|1[0-2]))?", text) else find_date(text)


def read(data: bytes) -> FileContent:
    """Read CommonMark with tables, notes, struck text and HTML.

    Raises:
        UnreadableFileError: the front matter is no valid YAML or TOML, or one of its known keys has a value of another type.
    """
    text = decode(data)
    if match := FRONT_MATTER.match(text):
        fields = _front_matter(_yaml(match[1])).fields()
    elif match := TOML_FRONT_MATTER.match(text):
        fields = _front_matter(_toml(match[1])).fields()
    else:
        _check_no_label(text)
        fields = {}
    source = _Source()
    source.read(text[match.end() :] if match else text)
    tree, warnings = _tree(source)
    struck = _without_struck(tree)
    walked = walk(tree)
    left_out = Counter(walked.skipped) + Counter({"comments": source.commented, "struck text": struck})
    blocks, links = [], list[Link]()
    for piece in walked.pieces:
        if piece.part and not piece.is_likely:
            left_out[piece.part] += len(piece.block.text)
        else:
            blocks.append(piece.block)
            links += (Link(target, "".join(element.itertext())) for target, element in piece.links)
    first = next((block for block in blocks if block.kind == "heading"), None)
    if first:
        fields.setdefault("title", first.text)
    counted = {what: count for what, count in left_out.items() if count}
    return FileContent(blocks, fields, warnings, counted, links=links_of(links))


# ── Front matter ────────────────────────────────────────────────────────────────────────────────────────────────────


def _yaml(text: str) -> Any:
    try:
        content = load_yaml_with_lines(text, first_line=2)
    except YamlError as error:
        raise UnreadableFileError(f"front matter is {error} at line {error.line}") from error
    if twice := next((place for place in content.repeated if len(place) == 1 and _is_visibility(place[0])), None):
        raise UnreadableFileError(f"front matter has `{twice[0]}` twice; say it once")
    return content.value


def _toml(text: str) -> Any:
    try:
        values = tomllib.loads(text.replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UnreadableFileError(f"front matter is no valid TOML ({error})") from error
    for name in TOML_TABLES:
        if isinstance(table := values.get(name), dict):
            labels = [value for part in (values, table) for value in _labels(part)]
            values = table | {key: value for key, value in values.items() if not _is_visibility(key)} | {VISIBILITY: labels}
    return values


def _parts(value: object) -> list[object]:
    listed = _listed(value)
    return listed if isinstance(listed, list) else [value]


def _front_matter(values: Any) -> FrontMatter:
    if values is None:
        return FrontMatter()
    if not isinstance(values, dict):
        raise UnreadableFileError("front matter must be `key: value` lines")
    if "country" in values and all(country_code(str(part)) for part in _parts(values["country"])):
        values.setdefault("countries", values["country"])
    known = {key: value for key, value in values.items() if value is not None and not _is_visibility(key)}
    try:
        return FrontMatter.model_validate(known | {VISIBILITY: _labels(values)})
    except ValidationError as error:
        first = error.errors()[0]
        raise UnreadableFileError(f"front matter `{'.'.join(map(str, first['loc']))}`: {first['msg']}") from error


def _labels(values: Mapping[Any, Any]) -> list[object]:
    """Return what front matter says of who may read the document.

    Raises:
        UnreadableFileError: a key is `visibility` but for a slip, which must not make a document public.
    """
    for key in values:
        if not _is_visibility(key) and SequenceMatcher(None, str(key).lower(), VISIBILITY).ratio() >= LEAST_LIKENESS:
            raise UnreadableFileError(f"front matter `{key}`: write it as {VISIBILITY}; until then the document is left out")
    stated = [value for key, value in values.items() if _is_visibility(key)]
    return [one for value in stated for one in (value if isinstance(value, list) else [value])]


def _is_visibility(key: object) -> bool:
    return str(key).strip().lower() == VISIBILITY


def _check_no_label(text: str) -> None:
    """Check that a text without front matter does not begin with something that was meant to be some, with a visibility.

    Raises:
        UnreadableFileError: it does; nobody may read what was meant to be closed because a line is missing.
    """
    first, *others = text.lstrip().splitlines()[:LONGEST_FRONT_MATTER] or [""]
    if first.strip() in ("---", "+++") and any(_LABEL_LINE.match(line) for line in others):
        raise UnreadableFileError(
            f"it states a {VISIBILITY}, but not in front matter: the file begins with {first.strip()} and has such a line below"
        )


# ── Text ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_FENCE = re.compile(r" {0,3}(?:[-*+>]\s+|\d{1,9}[.)]\s+)*(`{3,}|~{3,})(.*)")
_NOTE = re.compile(r" {0,3}\[\^([^\]\s]{1,100})\]:[ \t]*(.*)")
_ATTRIBUTES = re.compile(r"(#{1,6}[ \t].*?)[ \t]*\{[#.:][^{}]{0,200}\}[ \t]*")
_TASK = re.compile(r"(\s*(?:[-*+]|\d{1,9}[.)])[ \t]+)\[[ xX]\][ \t]+")
_NOTE_MARK = re.compile(r"\[\^([^\]\s]{1,100})\]")
_INLINE_NOTE = re.compile(r"\^\[([^\[\]]{1,1000})\]")
_RAISED = re.compile(r"\^([^\s^~\[\]]{1,20})\^")
_LOWERED = re.compile(r"~(\d{1,3})~")
_DEEP = re.compile(r"((?:>[ \t]?|[-*+][ \t]+){10})(?:>[ \t]?|[-*+][ \t]+)+|( {80}) +")
_DEEP_STARTS = frozenset("> -*+")
_LONG_TAG = re.compile(r"<([a-zA-Z][\w-]*)\s[^<>]{2000,}>")  # libxml2 compares each attribute with all others
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)(?:\s[^<>]*)?>")
_TAGS_WITH_CONTENT = NEVER_TEXT - {"input"}


@dataclass(slots=True)
class _Source:
    """A Markdown text without comments and definitions of notes."""

    lines: list[str] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)  # their lines, by their labels
    commented: int = 0  # characters

    def read(self, text: str) -> None:
        """Take a text's lines; what stands in fenced code stays as it is."""
        fence, note = "", ""
        for line, is_code in self._without_comments(text):
            fence = "x" if is_code else ""
            definition = _NOTE.fullmatch(line) if not fence else None
            if definition:
                note = definition[1]
                self.notes.setdefault(note, []).append(definition[2])
            elif note and not fence and (not line.strip() or line.startswith(("  ", "\t")) or self.notes[note][-1].strip()):
                self.notes[note].append(line.strip())
            else:
                note = ""
                self.lines.append(line if fence else _plain_line(line))

    def _without_comments(self, text: str) -> Iterator[tuple[str, bool]]:
        """Yield the lines, and whether each is of fenced code."""
        last_end, start, fence, in_comment = text.rfind("-->"), 0, "", False
        for line in text.split("\n"):
            match = _FENCE.match(line) if not in_comment else None
            if fence:
                yield line, True
                if match and match[1].startswith(fence) and not match[2].strip():
                    fence = ""
            elif match and not (match[1][0] == "`" and "`" in match[2]):
                fence = match[1]
                yield line, True
            elif in_comment or "<!--" in line:
                kept, in_comment = self._without_comment(line, in_comment, last_end - start)
                yield kept, False
            else:
                yield line, False
            start += len(line) + 1

    def _without_comment(self, line: str, in_comment: bool, last_end: int) -> tuple[str, bool]:
        """Return what of a line is no comment, and whether one goes on after it; `last_end` is where the last one ends."""
        kept, at = [], 0
        while at < len(line):
            if in_comment:
                end = line.find("-->", at)
                self.commented += len(line[at : end if end >= 0 else None].strip())
                at, in_comment = (end + 3, False) if end >= 0 else (len(line), True)
                continue
            begin = line.find("<!--", at)
            if begin < 0:
                kept.append(line[at:])
                break
            kept.append(line[at:begin])
            if len(kept) % 2 and "`" in line and line.count("`", 0, begin) % 2:  # in code
                kept.append("<!--")
            else:
                in_comment = begin < last_end  # one that never ends hides nothing
            at = begin + 4
        return "".join(kept), in_comment

    def numbers(self) -> Mapping[str, str]:
        """Return the number of each note: its label, where that is one."""
        numbers = {label: label for label in self.notes if label.isdecimal()}
        following = max(map(int, numbers), default=0)
        for label in self.notes:
            if label not in numbers:
                following += 1
                numbers[label] = str(following)
        return numbers


def _plain_line(line: str) -> str:
    """Return a line without the marks of tasks and without a heading's attributes, and not deeper than can be parsed."""
    line = f"{match[1] or match[2]}{line[match.end() :]}" if line[:1] in _DEEP_STARTS and (match := _DEEP.match(line)) else line
    if line.startswith("#") and (match := _ATTRIBUTES.fullmatch(line)):
        return match[1]
    return _TASK.sub(r"\1", line, count=1) if "[" in line else line


def _renderer(numbers: Mapping[str, str], inline_notes: list[str]) -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"maxNesting": DEEPEST}).enable(["table", "strikethrough"])

    def add(state: StateInline, match: re.Match[str], html: str, silent: bool) -> bool:
        if not silent:
            state.push("html_inline", "", 0).content = html
        state.pos += len(match[0])
        return True

    def note_mark(state: StateInline, silent: bool) -> bool:
        match = _NOTE_MARK.match(state.src, state.pos, state.posMax)
        if match is None or not (match[1] in numbers or match[1].isdecimal()):
            return False
        return add(state, match, f"<sup>[{numbers.get(match[1], match[1])}]</sup>", silent)

    def raised(state: StateInline, silent: bool) -> bool:
        if match := _INLINE_NOTE.match(state.src, state.pos, state.posMax):
            if not silent:
                inline_notes.append(match[1])
            number = max(map(int, numbers.values()), default=0) + len(inline_notes)
            return add(state, match, f"<sup>[{number}]</sup>", silent)
        match = _RAISED.match(state.src, state.pos, state.posMax)
        return match is not None and add(state, match, f"<sup>{_escaped(match[1])}</sup>", silent)

    def lowered(state: StateInline, silent: bool) -> bool:
        match = _LOWERED.match(state.src, state.pos, state.posMax)
        is_after_letter = state.pos > 0 and state.src[state.pos - 1].isalpha()
        return match is not None and is_after_letter and add(state, match, f"<sub>{match[1]}</sub>", silent)

    markdown.inline.ruler.before("link", "note_mark", note_mark)
    markdown.inline.ruler.before("link", "raised", raised)
    markdown.inline.ruler.before("strikethrough", "lowered", lowered)
    markdown.add_render_rule("html_block", lambda _self, tokens, at, *_: _safe(tokens[at].content))
    markdown.add_render_rule("html_inline", lambda _self, tokens, at, *_: _safe(tokens[at].content))
    return markdown


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _safe(html: str) -> str:
    """Return HTML without the tags that would swallow what follows, since they are not closed: "the <select> element"."""
    counts = Counter((match[1], match[2].lower()) for match in _TAG.finditer(html))
    open_tags = {name for _, name in counts if name in _TAGS_WITH_CONTENT and counts["", name] != counts["/", name]}
    return _TAG.sub(lambda match: " " if match[2].lower() in open_tags else match[0], html) if open_tags else html


def _tree(source: _Source) -> tuple[Any, tuple[str, ...]]:
    """Return the rendered page, and what could not be read of it."""
    numbers, inline_notes = source.numbers(), list[str]()
    renderer = _renderer(numbers, inline_notes)
    notes = [f"\\[{numbers[label]}\\] " + "\n".join(lines) for label, lines in source.notes.items()]
    html = renderer.render("\n".join([*source.lines, "", *(f"{note}\n" for note in notes)]))
    first = max(map(int, numbers.values()), default=0) + 1
    html += "".join(f"<p>[{number}] {renderer.renderInline(note)}</p>" for number, note in enumerate(inline_notes[:], first))
    tree, is_whole = _parsed(html)
    if is_whole:
        return tree, ()
    return _parsed(_TAG.sub("<p>", html))[0], ("elements nested too deeply: read without its lists and tables",)


def _parsed(html: str) -> tuple[Any, bool]:
    """Return the page's tree, and whether it is whole: libxml2 stops where elements are nested too deeply."""
    from lxml import html as lxml_html

    html = _LONG_TAG.sub(r"<\1>", html)
    parser = lxml_html.HTMLParser(remove_comments=True, remove_pis=True, collect_ids=False, encoding="utf-8")
    tree = lxml_html.fromstring(
        f"<html><body>{_NO_CHARACTERS.sub(' ', html)}</body></html>".encode("utf-8", "replace"), parser=parser
    )
    return tree, not any("depth" in error.message for error in parser.error_log.filter_from_fatals())


_NO_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def _without_struck(tree: Any) -> int:
    """Take struck text out of a page, put images' descriptions in their places, and return the characters that went."""
    for image in list(tree.iter("img")):
        image.tail = f"{image.get('alt') or ''}{image.tail or ''}"
    struck = 0
    for element in list(tree.iter("s", "del", "strike")):
        struck += len(clean_text("".join(element.itertext())))
        element.drop_tree()
    return struck
