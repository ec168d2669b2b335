"""A web page's blocks in document order, each with the part of the page that it stands in, and the links in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pes_search.ingest.cleaning.tables import table_rows
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.readers.html_marks import is_mark, mark_text
from pes_search.ingest.types import Block, BlockKind

HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCK_TAGS = {
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "li", "main", "nav", "ol", "p",
    "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", *HEADINGS,
}  # fmt: skip
NEVER_TEXT = {
    "script", "style", "noscript", "template", "svg", "head", "iframe", "object", "select", "textarea", "input", "math",
    "audio", "video", "canvas", "datalist",
}  # fmt: skip
FRAMES = {"html", "body", "main", "article", "table", "tbody", "tr"}  # whose classes tell of the whole page or of a table

# ── Which part of the page ──────────────────────────────────────────────────────────────────────────────────────────

CONTENT, MENUS, FOOTERS, DIALOGS, RELATED, OTHER = (
    "", "menus", "footers", "dialogs", "related pages", "other parts of the page",
)  # fmt: skip
TAG_PARTS = {"nav": MENUS, "menu": MENUS, "footer": FOOTERS, "dialog": DIALOGS}
ROLE_PARTS = {
    "navigation": MENUS, "menu": MENUS, "menubar": MENUS, "tablist": MENUS, "toolbar": MENUS, "search": MENUS,
    "contentinfo": FOOTERS, "dialog": DIALOGS, "alertdialog": DIALOGS, "tooltip": DIALOGS,
}  # fmt: skip
# Words of class names and ids. The first tell surely enough to drop the text unseen, the others only that text which
# trafilatura did not choose there is no content.
SURE_WORDS = {
    **dict.fromkeys(("breadcrumb", "breadcrumbs", "crumbs", "navbar", "offcanvas"), MENUS),
    **dict.fromkeys(("cookie", "cookies", "consent", "gdpr", "modal", "popup", "lightbox"), DIALOGS),
}
LIKELY_WORDS = {
    **dict.fromkeys(
        ("nav", "navigation", "subnav", "sidenav", "menu", "submenu", "dropdown", "pagination", "pager", "toolbar", "topbar",
         "toc", "skip", "search", "login", "language", "languages", "lang"), MENUS),
    **dict.fromkeys(("footer", "colophon", "copyright"), FOOTERS),
    **dict.fromkeys(("overlay", "tooltip", "snackbar", "toast"), DIALOGS),
    **dict.fromkeys(
        ("related", "recommended", "recommendations", "recommendation", "recirc", "teaser", "teasers", "trending", "popular",
         "latest", "sidebar", "outbrain", "taboola"), RELATED),
    **dict.fromkeys(
        ("share", "sharing", "shares", "sharebar", "social", "newsletter", "subscribe", "subscription", "signup", "promo",
         "promoted", "advert", "advertisement", "ads", "ad", "sponsor", "sponsored", "banner", "comment",
         "comments", "disqus", "respond",
         "byline", "author", "authors", "meta", "tags", "taglist", "rating", "caption", "print", "donate", "widget"), OTHER),
}  # fmt: skip
PANEL_WORDS = {
    "accordion", "accordions", "collapse", "collapsible", "tabpanel", "pane", "tab", "tabs", "panel", "panels", "toggle", "faq",
    "faqs", "answer", "expander", "expandable", "expand", "expanded", "readmore", "spoiler", "disclosure",
}  # fmt: skip
REFERENCES = ("aria-controls", "href", "for", "onclick", "aria-owns")  # and data-*: how a control names what it opens
UNBROKEN_PAGE = 0.5  # a part that holds more of the page's text is no part: a tag was left open
MOST_CHECKS = 50  # of that, since each may look through the whole page
MOST_COLUMNS = 100  # that cells spanning rows may fill: each row of a hostile table adds one more
BREAK = "\x1e"  # stands for <br>; a space for `str.split`

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_OVERLAY = re.compile(r"position\s*:\s*fixed", re.IGNORECASE)


@dataclass(slots=True)
class Node:
    """A block element: which pieces it holds, from `start` up to `end`."""

    tag: str
    start: int
    parent: int  # -1: none
    part: str
    end: int = 0
    is_likely: bool = False  # `part` is told by words that may mislead


@dataclass(slots=True)
class Piece:
    """A block, and what tells whether it is the page's own."""

    block: Block
    key: str  # letters and digits only: spaces differ between the two views of the page
    node: int  # the block element whose text it is
    part: str  # of the page; empty: its content
    is_link: bool = False  # all of it
    is_panel: bool = False  # in what a script opens
    is_likely: bool = False  # `part` is told by words that may mislead
    whole: str = ""  # key of the text that it is a line of
    cells: tuple[str, ...] = ()  # keys of a row's cells, or of a definition's term and text
    parts: tuple[str, ...] = ()  # keys of the lines in the table's cells, on its first row
    table: int = 0  # which table a row is of, from 1
    links_away: bool = False  # a heading that is a link to another page
    links: list[tuple[str, Any]] = field(default_factory=list)  # in it: targets and elements


@dataclass(slots=True)
class _Frame:
    """What an open element passes on to those inside it."""

    kind: BlockKind
    level: int
    node: int
    part: str
    is_likely: bool
    is_panel: bool
    link: str | None  # address of the link around
    in_title: bool  # a heading, term or summary: buttons in it hold its text


@dataclass(slots=True)
class Walk:
    """What a walk through the page gives."""

    pieces: list[Piece] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    dropped: list[Any] = field(default_factory=list)  # elements that are surely no content
    opened: list[Any] = field(default_factory=list)  # hidden ones that are
    titles: list[Any] = field(default_factory=list)  # buttons that hold a heading, or stand in one
    marks: list[tuple[Any, str]] = field(default_factory=list)  # raised or lowered text, and as what it is read
    skipped: Counter[str] = field(default_factory=Counter)  # characters within lines that are no content, by part


def key_of(text: str) -> str:
    """Return the letters and digits of a clean text."""
    return _NO_LETTERS.sub("", text)


_NO_LETTERS = re.compile(r"[\W_]+")


def walk(root: Any) -> Walk:
    """Return the page's blocks: text between the edges of block elements, one block a table row."""
    walker = _Walker(root)
    walker.run()
    return walker.walk


class _Walker:
    def __init__(self, root: Any) -> None:
        self.root = root
        self.walk = Walk()
        self.inline: list[str] = []
        self.linked = self.unlinked = 0  # letters of the open text in links, and outside
        self.address: str | None = None  # of the last link in it
        self.links: list[tuple[str, Any]] = []  # in it, or around it
        self.frames = [_Frame("paragraph", 0, -1, CONTENT, False, False, None, False)]
        self.tables = 0
        self.checks = MOST_CHECKS
        self.text_length = 0
        self.references: set[str] | None = None
        self.term: int | None = None  # index of a definition's term that waits for its text

    def run(self) -> None:
        from lxml import etree

        events = etree.iterwalk(self.root, events=("start", "end"))
        for event, element in events:
            if event == "start":
                if not self.enter(element):
                    events.skip_subtree()
            else:
                self.leave(element)
        self.flush(self.frames[0])

    # ── Elements ────────────────────────────────────────────────────────────────────────────────────────────────────

    def enter(self, element: Any) -> bool:
        """Open an element, and tell whether its children are to be walked through."""
        tag = element.tag if isinstance(element.tag, str) else ""
        frame = self.frames[-1]
        if not tag or tag in NEVER_TEXT or (tag == "button" and not self.is_title(element, frame)):
            self.frames.append(frame)
            return False
        if tag == "br":
            self.inline.append(BREAK)
            self.frames.append(frame)
            return False
        if element.attrib or tag in TAG_PARTS or tag == "aside":
            found = self.part_of(element, tag, frame)
        else:
            found = (frame.part, frame.is_likely, frame.is_panel)
        part, is_likely, is_panel = found
        if part and not is_likely and part != frame.part and tag not in BLOCK_TAGS:
            self.walk.skipped[part] += _length(element)  # within a line
            self.frames.append(frame)
            return False
        if is_mark(element, tag):
            self.add_mark(element, frame)
            self.frames.append(frame)
            return False
        is_block = tag in BLOCK_TAGS or (tag == "button" and not frame.in_title)
        if is_block:
            self.flush(frame)
        node = frame.node
        if is_block:
            self.walk.nodes.append(Node(tag, len(self.walk.pieces), frame.node, part, is_likely=is_likely))
            node = len(self.walk.nodes) - 1
        if tag == "table" and element.get("role") not in ("presentation", "none") and _is_data(element):
            self.tables += 1
            self.add_table(element, _Frame("row", 0, node, part, is_likely, is_panel, None, False))
            self.frames.append(frame)
            self.walk.nodes[node].end = len(self.walk.pieces)
            return False
        kind, level, in_title = frame.kind, frame.level, frame.in_title
        if tag in HEADINGS:
            kind, level, in_title = "heading", HEADINGS[tag], True
        elif tag in ("li", "dd"):
            kind, level = "item", 0
        elif tag in ("dt", "summary"):
            in_title = True
        elif is_block and element.get("role") == "heading":
            stated = element.get("aria-level", "2")
            kind, level, in_title = "heading", min(int(stated), 6) if stated in "123456789" and stated else 2, True
        link = element.get("href", "") if tag == "a" else frame.link
        if tag == "a" and link:
            self.links.append((link, element))
        self.frames.append(_Frame(kind, level, node, part, is_likely, is_panel, link, in_title))
        self.add(element.text, link)
        return True

    def leave(self, element: Any) -> None:
        frame = self.frames.pop()
        outer = self.frames[-1]
        if frame is not outer and frame.node != outer.node:
            self.flush(frame)
            self.walk.nodes[frame.node].end = len(self.walk.pieces)
        if element is not self.root:
            self.add(element.tail, outer.link)

    def add(self, text: str | None, link: str | None) -> None:
        if not text:
            return
        if text.isspace():
            if self.inline:
                self.inline.append(" ")
            return
        self.inline.append(text)
        if link is None:
            self.unlinked += 1
        else:
            self.linked += 1
            self.address = link

    def flush(self, frame: _Frame) -> None:
        """End the open text: it becomes a piece, or several where its lines are labelled values."""
        if not self.inline:
            return
        raw = "".join(self.inline)
        is_link = self.linked > 0 and not self.unlinked
        links_away = is_link and not (self.address or "#").startswith(("#", "javascript:"))
        self.inline.clear()
        self.linked = self.unlinked = 0
        links, self.links = self.links, []
        texts = split_lines(raw) if BREAK in raw and frame.kind != "heading" else (clean_text(raw),)
        whole = key_of(clean_text(raw)) if len(texts) > 1 else ""
        for text in texts:
            if text:
                self.add_piece(text, frame, is_link=is_link, links_away=links_away)
                self.walk.pieces[-1].whole = whole
                self.walk.pieces[-1].links += links
                links = []

    def add_piece(self, text: str, frame: _Frame, *, is_link: bool, links_away: bool) -> None:
        pieces, nodes = self.walk.pieces, self.walk.nodes
        key = key_of(text)
        tag = nodes[frame.node].tag if frame.node >= 0 else ""
        if (
            self.term == len(pieces) - 1
            and pieces
            and tag != "dt"
            and frame.kind == "item"
            and _is_label(pieces[-1].block.text, text)
        ):
            term = pieces.pop()
            joined = f"{term.block.text.rstrip(': ')}: {text}"
            pieces.append(Piece(Block("item", joined), term.key + key, term.node, term.part, cells=(term.key, key),
                                links=term.links, is_panel=term.is_panel, is_likely=term.is_likely))  # fmt: skip
            self.term = None
            return
        if tag == "dt":
            self.term = len(pieces)
        pieces.append(
            Piece(
                Block(frame.kind, text, level=frame.level),
                key,
                frame.node,
                frame.part,
                is_link=is_link,
                is_panel=frame.is_panel,
                is_likely=frame.is_likely,
                links_away=links_away,
            )
        )

    # ── Which part of the page ──────────────────────────────────────────────────────────────────────────────────────

    def part_of(self, element: Any, tag: str, frame: _Frame) -> tuple[str, bool, bool]:
        """Return the part of the page that an element opens, whether words only told it, and whether a script opens it."""
        if frame.part and not frame.is_likely:
            return frame.part, False, frame.is_panel
        role = (element.get("role") or "").lower()
        names = words_of(element.get("class", "") + " " + element.get("id", "")) if tag not in FRAMES else frozenset[str]()
        sure = TAG_PARTS.get(tag) or ROLE_PARTS.get(role) or (DIALOGS if element.get("aria-modal") == "true" else None)
        sure = sure or _part_of(names, SURE_WORDS)
        if sure and self.is_part(element):
            self.walk.dropped.append(element)
            return sure, False, False
        if is_hidden(element):
            if tag in ("html", "body", "main") or not self.is_part(element):
                self.walk.opened.append(element)  # the whole page, until a script shows it
                return frame.part, frame.is_likely, frame.is_panel
            if not self.is_panel(element, names, frame):
                self.walk.dropped.append(element)
                return _part_of(names, LIKELY_WORDS) or OTHER, False, False
            self.walk.opened.append(element)
            return frame.part, frame.is_likely, True
        is_panel = frame.is_panel or tag == "details" or role == "tabpanel" or bool(names & {"accordion", "collapse", "pane"})
        likely = RELATED if tag == "aside" else _part_of(names, LIKELY_WORDS)
        if likely and tag in BLOCK_TAGS:
            return likely, True, is_panel
        return frame.part, frame.is_likely, is_panel

    def is_part(self, element: Any) -> bool:
        """Tell whether an element is only a part of the page: one that was left open by mistake may hold it all."""
        if not self.checks or next(element.iter("main", "article", "h1"), None) is None:
            return True
        self.checks -= 1
        self.text_length = self.text_length or _length(self.root)
        return _length(element) <= UNBROKEN_PAGE * self.text_length

    def is_panel(self, element: Any, names: frozenset[str], frame: _Frame) -> bool:
        """Tell whether a hidden element is text that a control on the page opens, and no menu, form or dialog."""
        if element.tag not in BLOCK_TAGS or frame.part or self.is_interface(element, names):
            return False
        if (
            element.get("hidden", "").lower() == "until-found"
            or element.tag in ("dd", "details")
            or element.get("role") in ("tabpanel", "region")
            or element.get("aria-labelledby")
            or names & PANEL_WORDS
            or frame.is_panel
        ):
            return True
        if self.references is None:
            self.references = references(self.root)
        if element.get("id") in self.references:
            return True
        parent = element.getparent()
        if parent is not None and words_of(parent.get("class", "")) & PANEL_WORDS:
            return True
        return _is_control(element.getprevious()) or _is_control(element.getnext(), button_only=True)

    def is_interface(self, element: Any, names: frozenset[str]) -> bool:
        if names & (SURE_WORDS.keys() | LIKELY_WORDS.keys()) or _OVERLAY.search(element.get("style") or ""):
            return True
        if not self.checks:
            return True
        self.checks -= 1
        linked = controls = 0
        for inner in element.iter("a", "input", "select", "textarea", "button", "nav", "form"):
            if inner.tag == "a":
                linked += _length(inner)
            elif inner.tag in ("nav", "form") or inner.get("type") not in ("hidden", None):
                controls += 1
            if "close" in words_of(inner.get("class", "") + " " + inner.get("aria-label", "")) or inner.get("data-dismiss"):
                return True
        return controls > 0 or 2 * linked > _length(element)

    def is_title(self, button: Any, frame: _Frame) -> bool:
        """Tell whether a button holds a heading or stands in one, or opens a panel; then its text is the page's."""
        is_it = frame.in_title or _holds_heading(button) or (button.get("aria-expanded") is not None and self.opens(button))
        if is_it:
            self.walk.titles.append(button)
        return is_it

    def opens(self, button: Any) -> bool:
        """Tell whether what follows a button is a panel of text, and not a menu."""
        below = button.getnext()
        return below is not None and below.tag in ("div", "section", "p") and not self.is_interface(below, words_of(
            f"{below.get('class', '')} {below.get('id', '')}"))  # fmt: skip

    # ── Raised and lowered text, tables ─────────────────────────────────────────────────────────────────────────────

    def add_mark(self, element: Any, frame: _Frame) -> None:
        before = "".join(self.inline[-4:])
        text = mark_text(element, before)
        self.walk.marks.append((element, text))
        self.add(text, frame.link)

    def add_table(self, table: Any, frame: _Frame) -> None:
        """Add a table's rows; tables that hold tables or headings are layout and never come here."""
        number, first = self.tables, len(self.walk.pieces)

        def add(kind: BlockKind, text: str, cells: tuple[str, ...] = (), parts: tuple[str, ...] = (), *, is_link: bool) -> None:
            self.walk.pieces.append(
                Piece(
                    Block(kind, text),
                    key_of(text),
                    frame.node,
                    frame.part,
                    is_link=is_link,
                    is_panel=frame.is_panel,
                    is_likely=frame.is_likely,
                    cells=cells,
                    parts=parts,
                    table=number,
                )
            )  # fmt: skip

        for caption in table.iterchildren("caption"):
            if text := clean_text(" ".join(self.lines(caption))):
                add("paragraph", text, is_link=False)
        rows = [[cell for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")]
        rows = [row for row in rows if row]
        cell_lines = [[self.lines(cell) for cell in row] for row in rows]
        texts = _filled(rows, [[join_lines(lines) for lines in row] for row in cell_lines])
        header = bool(rows) and all(cell.tag == "th" for cell in rows[0])
        header = header and (len(rows[0]) > 1 or all(len(row) == 1 for row in rows))  # else a title over all columns
        lines = table_rows(texts, header=header)
        linked = sum(_length(link) for link in table.iter("a"))
        is_link = bool(linked) and 10 * linked > 9 * sum(len(key_of(text)) for row in texts for text in row)
        parts = tuple(key_of(line) for row in cell_lines for cell in row for line in cell)
        for line, cells in zip(lines, texts[len(texts) - len(lines) :], strict=True):
            if line:
                add("row", line, tuple(key for cell in cells if (key := key_of(cell))), parts, is_link=is_link)
                parts = ()
        if len(self.walk.pieces) > first:
            self.walk.pieces[-1].links = [(link.get("href"), link) for link in table.iter("a") if link.get("href")]

    def lines(self, cell: Any) -> list[str]:
        """Return the lines of a table's cell: what breaks and block elements part."""
        from lxml import etree

        parts: list[str] = []
        events = etree.iterwalk(cell, events=("start", "end"))
        for event, element in events:
            tag = element.tag if isinstance(element.tag, str) else ""
            if event == "start":
                if not tag or tag in NEVER_TEXT or (element is not cell and is_hidden(element)):
                    events.skip_subtree()
                elif is_mark(element, tag):
                    parts.append(text := mark_text(element, "".join(parts[-4:])))
                    self.walk.marks.append((element, text))
                    events.skip_subtree()
                else:
                    if tag == "br" or tag in BLOCK_TAGS:
                        parts.append(BREAK)
                    parts.append(element.text or "")
            else:
                if tag in BLOCK_TAGS:
                    parts.append(BREAK)
                if element is not cell:
                    parts.append(element.tail or "")
        return [text for line in "".join(parts).split(BREAK) if (text := clean_text(line))]


@lru_cache(maxsize=4096)
def words_of(names: str) -> frozenset[str]:
    """Return the words of class names and ids: "site-navBar" has "site", "nav" and "bar"."""
    return frozenset(word.lower() for word in _WORD.findall(names[:500])) | frozenset(
        name.lower() for name in re.findall(r"[A-Za-z]+", names[:500])
    )


def _part_of(names: frozenset[str], words: Mapping[str, str]) -> str | None:
    """Return the part of the page that names tell; of several always the same, whatever the order of a set in this process."""
    found = words.keys() & names
    return words[min(found)] if found else None


def is_hidden(element: Any) -> bool:
    """Tell whether an element says itself that it is not shown."""
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    style = element.get("style")
    return bool(style) and _HIDING.search(style) is not None


def references(root: Any) -> set[str]:
    """Return the ids that controls of the page name."""
    found: set[str] = set()
    for element in root.iter("a", "button", "summary", "label", "input", "li", "div", "span", "h2", "h3", "h4", "td", "dt"):
        for name, value in element.attrib.items():
            if (name in REFERENCES or name.startswith("data-")) and (name != "href" or value.startswith("#")):
                found.update(re.findall(r"[\w-]+", value[:200]))
    return found


def _is_control(element: Any, *, button_only: bool = False) -> bool:
    """Tell whether an element is a heading or button that may open the one beside it."""
    for _ in range(3):  # wrappers
        if element is None or not isinstance(element.tag, str):
            return False
        if element.tag in ("button", "summary") or element.get("role") == "button" or element.get("aria-expanded") is not None:
            return True
        if element.tag == "a" and (element.get("href") or "#").startswith(("#", "javascript:")):
            return True
        if not button_only and (element.tag in HEADINGS or element.tag == "dt" or element.get("role") == "heading"):
            return True
        if len(element) != 1 or (element.text or "").strip():
            return False
        element = element[0]
    return False


def _holds_heading(element: Any) -> bool:
    return next(element.iter(*HEADINGS), None) is not None


def _is_data(table: Any) -> bool:
    """Tell whether a table holds no other table and no headings: then it is no layout."""
    inner = table.iter("table", "h1", "h2", "h3")
    next(inner)  # itself
    return next(inner, None) is None


def _length(element: Any) -> int:
    return sum(len(text.strip()) for text in element.itertext())


def _is_label(term: str, text: str) -> bool:
    return len(term) <= 60 and len(text) <= 300 and not term.endswith(("?", ".", "!"))


# ── Lines ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_LABEL = re.compile(r"[^\W\d_][^:.!?]{1,50}:(?=\s|$)")


def split_lines(raw: str) -> list[str]:
    """Return the texts of a block with line breaks: one each for labelled lines and for what empty lines part."""
    texts: list[str] = []
    for paragraph in re.split(rf"{BREAK}\s*{BREAK}[\s{BREAK}]*", raw):
        lines = [line for part in paragraph.split(BREAK) if (line := clean_text(part))]
        labelled = [_LABEL.match(line) is not None for line in lines]
        if sum(labelled) < 2:
            texts.append(" ".join(lines))
            continue
        groups: list[list[str]] = []
        for line, is_start in zip(lines, labelled, strict=True):
            if is_start or not groups:
                groups.append([])
            groups[-1].append(line)
        texts.extend(" ".join(group) for group in groups)
    return texts


def join_lines(lines: Iterable[str]) -> str:
    """Return a cell's lines as one text: with semicolons between what looks like entries of a list."""
    text = ""
    for line in lines:
        is_entry = bool(text) and (text[-1].isalnum() or text[-1] in ")]%") and (line[0].isupper() or line[0].isdigit())
        text += ("; " if is_entry else " " if text else "") + line
    return text


def _filled(rows: list[list[Any]], cell_texts: list[list[str]]) -> list[list[str]]:
    """Return the cells' texts; a cell that spans several rows is given in each, one that spans columns once."""
    texts: list[list[str]] = []
    below: dict[int, tuple[int, str]] = {}  # by column: how many more rows a cell covers, and its text
    for row, row_texts in zip(rows, cell_texts, strict=True):
        cells = iter(zip(row, row_texts, strict=True))
        filled: list[str] = []
        while True:
            column = len(filled)
            if column in below and column < MOST_COLUMNS:
                left, text = below.pop(column)
                if left > 1:
                    below[column] = (left - 1, text)
            else:
                cell, text = next(cells, (None, ""))
                if cell is None:
                    break
                span = cell.get("rowspan", "1")
                if span.isdecimal() and 1 < int(span[:6]) <= len(rows):
                    below[column] = (int(span[:6]) - 1, text)
            filled.append(text)
        texts.append(filled)
    return texts
