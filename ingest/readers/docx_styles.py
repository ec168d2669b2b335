"""What stands behind a Word document's text: styles, list numbers, and the values that content controls show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_SPACES = {
    W: "",
    M: "m:",
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}": "mc:",
    "{http://schemas.openxmlformats.org/drawingml/2006/main}": "a:",
    "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}": "wp:",
    "{urn:schemas-microsoft-com:vml}": "v:",
}


def name_of(element: Any) -> str:
    """Return an element's name: "p" for Word's own, "m:f", "mc:Choice" … for the known others, "" for what is no element."""
    return _name(element.tag) if isinstance(element.tag, str) else ""


@lru_cache(maxsize=1024)
def _name(tag: str) -> str:
    space, _, local = tag.rpartition("}")
    return _SPACES.get(space + "}", "?:") + local


def value_of(parent: Any, name: str) -> str | None:
    """Return the `w:val` of a child, or None without the child."""
    child = parent.find(W + name) if parent is not None else None
    return child.get(W + "val") if child is not None else None


def is_on(parent: Any, name: str) -> bool | None:
    """Return what a child such as `w:vanish` switches, or None without it."""
    child = parent.find(W + name) if parent is not None else None
    return None if child is None else child.get(W + "val", "1") not in ("0", "false", "off")


def number_of(value: str | None, default: int = 0) -> int:
    """Return a whole number of at most six digits, else the default."""
    return int(value) if value and re.fullmatch(r"[+-]?[0-9]{1,6}", value) else default


# ── Styles ──────────────────────────────────────────────────────────────────────────────────────────────────────────

LOWEST_HEADING = 6  # Word has nine levels
# Word stores a heading style's name in English whatever the language of its menus; other programs write their own.
_HEADING_WORDS = (
    "heading|überschrift|titre|título|titolo|titlu|kop|rubrik|overskrift|otsikko|pealkiri|virsraksts|antraštė|nagłówek|nadpis|"
    "naslov|címsor|encabezado|cabeçalho|intestazione|επικεφαλίδα|заглавие|заголовок"
)
_HEADING = re.compile(rf"(?:{_HEADING_WORDS})\s*([1-9])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Style:
    """A style with what it takes from those that it is based on. None: not said."""

    level: int | None = None  # of a heading from 1; 0: body text
    is_list: bool | None = None
    number: tuple[str, int] | None = None  # the id and level of its list
    is_hidden: bool | None = None
    align: str | None = None  # superscript, subscript
    font: str | None = None
    has_header_row: bool | None = None  # a table's, whose first row looks unlike the others


@dataclass(frozen=True, slots=True)
class Look:
    """How a run shows its text."""

    is_hidden: bool = False
    align: str = ""  # superscript, subscript; raised, lowered where only the position says so
    font: str = ""


class Styles:
    """The styles of a document, each with what it inherits."""

    def __init__(self, root: Any | None) -> None:
        self._elements: dict[str, Any] = {}
        self._styles: dict[str, Style] = {}
        self._default = ""  # of paragraphs
        self._is_hidden = False
        for element in root if root is not None else ():
            if name_of(element) == "style" and (style_id := element.get(W + "styleId")):
                self._elements[style_id] = element
                if element.get(W + "default") in ("1", "true", "on") and element.get(W + "type") == "paragraph":
                    self._default = style_id
            elif name_of(element) == "docDefaults":
                self._is_hidden = is_on(element.find(f"{W}rPrDefault/{W}rPr"), "vanish") or False

    def style(self, style_id: str | None) -> Style:
        """Return the style of an id; an empty one where the document does not define it."""
        chain: dict[str, None] = {}  # in order; a damaged file's styles may be based on each other
        following = style_id
        while following and following in self._elements and following not in self._styles and following not in chain:
            chain[following] = None
            following = value_of(self._elements[following], "basedOn")
        known = self._styles.get(following or "", Style())
        for name in reversed(chain):
            known = self._styles[name] = _inherited(_own_style(self._elements[name]), known)
        return known

    def of_paragraph(self, properties: Any | None) -> Style:
        """Return a paragraph's style by its `w:pPr`."""
        return self.style(value_of(properties, "pStyle") or self._default)

    def look(self, properties: Any | None, paragraph: Style) -> Look:
        """Return how a run looks, by its `w:rPr`, its character style and its paragraph's style."""
        if properties is None:
            return Look(paragraph.is_hidden or self._is_hidden, paragraph.align or "", paragraph.font or "")
        style = self.style(value_of(properties, "rStyle"))
        own = _own_look(properties)
        # Two styles that both hide show again: the property is a toggle.
        by_styles = bool(style.is_hidden) != bool(paragraph.is_hidden) or self._is_hidden
        align = next((value for value in (own.align, style.align, paragraph.align) if value is not None), "")
        if not align and (raised := number_of(value_of(properties, "position"))):
            align = "raised" if raised >= 4 else "lowered" if raised <= -4 else ""  # half points
        font = own.font or style.font or paragraph.font or ""
        return Look(by_styles if own.is_hidden is None else own.is_hidden, align, font)


def _own_style(element: Any) -> Style:
    paragraph = element.find(W + "pPr")
    number = paragraph.find(W + "numPr") if paragraph is not None else None
    name = value_of(element, "name") or ""
    level = None
    if (outline := value_of(paragraph, "outlineLvl")) is not None:
        level = heading_level(outline)
    elif match := _HEADING.fullmatch(name.strip()):
        level = min(int(match[1]), LOWEST_HEADING)
    elif name.casefold() == "title":
        level = 1
    own = _own_look(element.find(W + "rPr"))
    return Style(
        level=level,
        is_list=True if name.startswith("List") else None,
        number=(value_of(number, "numId") or "", number_of(value_of(number, "ilvl"))) if number is not None else None,
        is_hidden=own.is_hidden,
        align=own.align,
        font=own.font,
        has_header_row=True if element.find(f"{W}tblStylePr[@{W}type='firstRow']") is not None else None,
    )


def _own_look(properties: Any | None) -> Style:
    if properties is None:
        return Style()
    align = value_of(properties, "vertAlign")
    fonts = properties.find(W + "rFonts")
    font = fonts.get(W + "ascii") or fonts.get(W + "hAnsi") if fonts is not None else None
    return Style(is_hidden=is_on(properties, "vanish"), align="" if align == "baseline" else align, font=font)


def _inherited(own: Style, base: Style) -> Style:
    mine = (getattr(own, name) for name in Style.__slots__)
    return Style(
        *(value if value is not None else getattr(base, name) for name, value in zip(Style.__slots__, mine, strict=True))
    )


def heading_level(outline: str) -> int:
    """Return a heading's level by the outline level that Word states from 0; its 9 is body text: 0."""
    level = number_of(outline, 9)
    return min(level + 1, LOWEST_HEADING) if 0 <= level < 9 else 0


# ── List numbers ────────────────────────────────────────────────────────────────────────────────────────────────────

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"),
    (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


def formatted(number: int, number_format: str) -> str:
    """Return a number as Word's formats print it; those that are not known here in digits."""
    if number_format.endswith("Letter") and number > 0:
        letters = chr(ord("a") + (number - 1) % 26) * min((number - 1) // 26 + 1, 9)
        return letters.upper() if number_format.startswith("upper") else letters
    if number_format.endswith("Roman") and 0 < number < 4000:
        roman = ""
        for value, sign in _ROMAN:
            roman += sign * (number // value)
            number %= value
        return roman.upper() if number_format.startswith("upper") else roman
    return f"{number:02}" if number_format == "decimalZero" else str(number)


@dataclass(slots=True)
class _ListLevel:
    number_format: str
    text: str  # "%1.%2)": the numbers of the levels with what stands around them
    start: int


class Numbering:
    """The numbers of a document's lists, counted as its paragraphs come."""

    def __init__(self, root: Any | None) -> None:
        self._lists: dict[str, str] = {}  # the abstract list of each list
        self._levels: dict[str, dict[int, _ListLevel]] = {}  # by abstract list
        self._starts: dict[tuple[str, int], int] = {}  # with which a list starts anew
        self._counts: dict[str, list[int | None]] = {}  # by abstract list: of each level, None before its first
        for element in root if root is not None else ():
            if name_of(element) == "abstractNum":
                self._levels[element.get(W + "abstractNumId", "")] = dict(_list_levels(element))
            elif name_of(element) == "num" and (list_id := element.get(W + "numId")):
                self._lists[list_id] = value_of(element, "abstractNumId") or ""
                for override in element.iterfind(W + "lvlOverride"):
                    if (start := value_of(override, "startOverride")) is not None:
                        self._starts[list_id, number_of(override.get(W + "ilvl"))] = number_of(start, 1)

    def next(self, list_id: str, level: int) -> str:
        """Return the number of the next item of a list, "2." or "b)", or "" where it has a bullet."""
        abstract = self._lists.get(list_id, "")
        levels = self._levels.get(abstract, {})
        if level not in levels:
            return ""
        counts = self._counts.setdefault(abstract, [None] * 9)
        if (start := self._starts.pop((list_id, level), None)) is not None:
            counts[level] = start
        else:
            current = counts[level]
            counts[level] = levels[level].start if current is None else current + 1
        counts[level + 1 :] = [None] * (8 - level)
        if levels[level].number_format in ("bullet", "none"):
            return ""
        return re.sub("%([1-9])", lambda match: self._printed(levels, counts, int(match[1]) - 1), levels[level].text).strip()

    @staticmethod
    def _printed(levels: Mapping[int, _ListLevel], counts: list[int | None], level: int) -> str:
        if level not in levels:
            return ""
        count = counts[level]
        return formatted(levels[level].start if count is None else count, levels[level].number_format)


def _list_levels(abstract: Any) -> Iterator[tuple[int, _ListLevel]]:
    for element in abstract.iterfind(W + "lvl"):
        if 0 <= (level := number_of(element.get(W + "ilvl"))) < 9:
            text = (value_of(element, "lvlText") or "")[:40]
            number_format = value_of(element, "numFmt") or "decimal"
            yield level, _ListLevel(number_format, text, number_of(value_of(element, "start")))


# ── Values that content controls show ───────────────────────────────────────────────────────────────────────────────

_STEP = re.compile(r"/(?:(@?)(?:([\w.-]+):)?([\w.-]+)(?:\[([0-9]{1,6})\])?|text\(\))")
_PREFIX = re.compile(r"xmlns:([\w.-]+)\s*=\s*['\"]([^'\"]*)['\"]")


@dataclass(slots=True)
class BoundValues:
    """The values of one XML part of a file, by the way to each: looked up in time that the part's size does not change."""

    _nodes: dict[tuple[int, str, int], int] = field(default_factory=dict)  # parent, name, place among its like: the node
    _texts: list[str] = field(default_factory=lambda: [""])  # of each node; the document itself is node 0

    @classmethod
    def of(cls, root: Any) -> BoundValues:
        """Return the values of a parsed part."""
        values = cls()
        parents = [(0, root)]
        places: dict[tuple[int, str], int] = {}
        while parents:
            parent, element = parents.pop()
            place = places[parent, element.tag] = places.get((parent, element.tag), 0) + 1
            node = values._add(parent, element.tag, place, element.text or "")
            for name, text in element.attrib.items():
                values._add(node, f"@{name}", 1, text)
            parents.extend((node, child) for child in reversed(element) if isinstance(child.tag, str))
        return values

    def _add(self, parent: int, name: str, place: int, text: str) -> int:
        self._texts.append(text)
        self._nodes[parent, name, place] = len(self._texts) - 1
        return len(self._texts) - 1

    def get(self, xpath: str, prefixes: str) -> str | None:
        """Return the text at a path of plain steps such as `/ns0:form[1]/ns0:city[1]`, or None."""
        spaces = dict(_PREFIX.findall(prefixes))
        node: int | None = 0
        end = 0
        for match in _STEP.finditer(xpath):
            if match.start() != end:
                return None
            end = match.end()
            sign, prefix, name, place = match.groups()
            if name and node is not None:
                full = f"{sign or ''}{{{spaces.get(prefix, '')}}}{name}" if prefix else f"{sign or ''}{name}"
                node = self._nodes.get((node, full, int(place or 1)))
        return self._texts[node] if node and end == len(xpath) else None
