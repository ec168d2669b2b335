"""Web pages: trafilatura, or the layout of a site, decides which text is the page's own; the markup gives all else about it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any

from pes_search.ingest.cleaning.links import is_see_also, links_of
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.dates import date_line, find_date
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.origin import Layout
from pes_search.ingest.readers.decode import LARGEST_CONTROL_SHARE, decode
from pes_search.ingest.readers.html_blocks import (
    CONTENT,
    DIALOGS,
    FOOTERS,
    HEADINGS,
    MENUS,
    OTHER,
    RELATED,
    Node,
    Piece,
    Walk,
    key_of,
    walk,
)
from pes_search.ingest.types import Block, FileContent, Link

# Where trafilatura finds less than this share of a page's text, and little in all, the page is no article (a lone table, a
# test page): then everything but navigation counts.
LEAST_SHARE = 0.2
LEAST_CHARACTERS = 250
MOST_LINK_SHARE = 0.1  # of a plain document's lines
# A text shorter than this is the page's own only if it is one of trafilatura's blocks; a longer one may be part of one.
PART_CHARACTERS = 20
HEAD_BLOCKS = 30  # how far down a page its date may stand
MAIN_SHARE = 0.9  # of trafilatura's text: the smallest element with so much is the page's main part
PART_SHARE = 0.25  # of trafilatura's text: an element with so much is no menu or teaser, whatever its name is
PROSE_CHARACTERS = 60  # a longer line is no label of a picture or button
TEASER_CHARACTERS = 600  # a longer text under a linked heading is no teaser
TEASERS = 2  # so many side by side are teasers; a single one may be a section
NO_LIST, LABEL = 0, 7  # levels: of no heading, and of a label that is none

# ── Pages that no author wrote ──────────────────────────────────────────────────────────────────────────────────────

MOST_TAGS = 1_500_000  # about two seconds to parse and 1 GB of memory
MOST_ARTICLE_ELEMENTS = 50_000  # trafilatura takes some seconds for so many …
MOST_CHILDREN = 3_000  # … and time by their square for children of one element: 8 s for 20,000
MOST_COMPARISONS = 500_000_000  # characters looked through for parts of blocks
LONG_TAG = 10_000  # characters
MOST_ATTRIBUTES = 200  # of a long tag; libxml2 compares each with all others

_LONG_TAG = re.compile(rf"<(/?[a-zA-Z][\w:-]*)\s([^<>]{{{LONG_TAG},}})>")
_BREAKS = re.compile(r"(?:<br\b[^<>]*>\s*){3,}", re.IGNORECASE)
_NO_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_PROLOGUE = re.compile(r"\s*<\?xml[^>]*>|<!doctype[^>]*>", re.IGNORECASE)
_DECLARED = re.compile(rb"<(?:meta|\?xml)\b[^>]*?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-zA-Z][\w:-]*)[^<>]*>")
_INLINE = {"a", "abbr", "b", "big", "cite", "code", "em", "font", "i", "mark", "q", "s", "small", "span", "strong", "tt", "u"}
_LABELLED = re.compile(r"[^\W\d_][^:.!?]{1,50}: \S.{0,200}\Z")
_RELATED_HEADING = re.compile(
    r"\W*(related|read (more|also|next)|see also|more (on|from|stories|news|articles)|recommended|most (read|popular)|latest|"
    r"you may also|share|weitere|mehr zum thema|lesen sie|lire aussi|à lire|voir aussi|relacionad|también|leer más|leggi anche|"
    r"lees ook|meer over|zobacz|czytaj|läs mer|læs også)\b",
    re.IGNORECASE,
)


def read(data: bytes) -> FileContent:
    """Read a web page.

    Raises:
        UnreadableFileError: the file holds no markup that can be parsed, or more of it than a page can have.
    """
    return _read(data, is_page=True)


def read_all_text(data: bytes) -> FileContent:
    """Read markup that has no frame of menus around its text: a mail, a chapter of a book; raises as `read`."""
    return _read(data, is_page=False)


def read_laid_out(data: bytes, layout: Layout) -> FileContent:
    """Read a web page whose site's layout is known; raises as `read`. One without the main part is read like any other."""
    tree, warnings = parsed(decoded(data))
    fields = _stated(tree)
    labelled = tuple(
        (name, value)
        for name, selector in layout.fields.items()
        for element in tree.cssselect(selector)
        if (value := _value(element))
    )
    title = next(iter(tree.cssselect(layout.title or "h1")), None)
    if layout.title and title is not None:
        fields["title"] = clean_text(" ".join(title.itertext())) or fields["title"]
    for element in tree.cssselect(layout.remove) if layout.remove else ():
        if element.getparent() is not None:
            element.drop_tree()
    main = next(iter(tree.cssselect(layout.main)), None) if layout.main else None
    if layout.main and main is None:
        warnings = (*warnings, "the main part that the layout of its site names is not in it: read like any other page")
    if main is not None:
        body = next(iter(tree.iter("body")), tree)
        has_title = title is None or any(element is title for element in main.iter())
        if main is not body:
            body[:] = [main] if has_title else [title, main]
    return _content(tree, fields, warnings, labelled, is_page=main is None)


def _value(element: Any) -> str:
    """Return what an element states: a time in its own form, what a meta element holds, else its text."""
    return clean_text(element.get("datetime") or element.get("content") or " ".join(element.itertext()))


def _read(data: bytes, *, is_page: bool) -> FileContent:
    tree, warnings = parsed(decoded(data))
    return _content(tree, _stated(tree), warnings, (), is_page=is_page)


def _content(
    tree: Any,
    fields: dict[str, str | None],
    warnings: tuple[str, ...],
    labelled: tuple[tuple[str, str], ...],
    *,
    is_page: bool,
) -> FileContent:
    base = next((element.get("href") for element in tree.iter("base") if element.get("href")), "")
    walked = walk(tree)
    is_all = not is_page or _is_all_text(walked)
    keep = [True] * len(walked.pieces) if is_all else _kept(walked, _article(tree, walked))
    blocks = _with_headings(walked, keep)
    fields["date"] = fields["date"] or date_line(block.text for block in blocks[:HEAD_BLOCKS])
    return FileContent(
        blocks,
        {key: value for key, value in fields.items() if value},
        warnings,
        _left_out(walked, keep, blocks),
        labelled=labelled,
        links=links_of(_links(walked, keep), base),
    )


def with_encoding(data: bytes, name: str) -> bytes:
    """Return a page in UTF-8 whose encoding only its server tells; as it is where it tells itself, or the name misleads."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")) or _DECLARED.search(data[:4096]):
        return data
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return data
    try:
        return data.decode("cp1252" if name.lower() in ("iso-8859-1", "latin1") else name).encode("utf-8-sig")
    except (LookupError, UnicodeError):
        return data


# ── From bytes to a tree ────────────────────────────────────────────────────────────────────────────────────────────


def decoded(data: bytes) -> str:
    """Return a page's text: in UTF-8 if it is that, else in the encoding that it declares."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:1000]:
        return decode(data)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass  # then in what it declares
    declared = _DECLARED.search(data[:4096])
    name = declared[1].decode().lower() if declared else ""
    try:
        # Pages that declare Latin-1 are in Windows' superset of it, and browsers read them so.
        return data.decode("cp1252" if name in ("iso-8859-1", "latin1", "us-ascii", "ascii") else name)
    except (LookupError, UnicodeDecodeError):
        return decode(data)  # told from its bytes


def parsed(text: str) -> tuple[Any, tuple[str, ...]]:
    """Return a page's tree, and what of it could not be read.

    Raises:
        UnreadableFileError: it holds no markup that can be parsed, or more of it than a page can have.
    """
    if text.count("<") > MOST_TAGS:
        text = _BREAKS.sub("<br><br>", text)
        if (tags := text.count("<")) > MOST_TAGS:
            raise UnreadableFileError(f"too large: {tags:,} tags, more than {MOST_TAGS:,}")
    text, controls = _NO_CHARACTERS.subn(" ", text)
    if controls > LARGEST_CONTROL_SHARE * len(text):
        raise UnreadableFileError("not text: the file holds binary data")
    text = _LONG_TAG.sub(_short_tag, text)
    head = text[:4096]
    text = _PROLOGUE.sub(" ", head) + text[4096:]
    if re.search(r"<[a-zA-Z]", text) is None:
        raise UnreadableFileError("no HTML found in it")
    tree, is_whole = _tree(text)
    if is_whole:
        return tree, ()
    return _tree(_flattened(text))[0], ("elements nested too deeply: read without its lists and tables",)


def _tree(text: str) -> tuple[Any, bool]:
    """Return the page's tree, and whether all of the page is in it: libxml2 stops where elements are nested too deeply."""
    from lxml import etree, html

    parser = html.HTMLParser(remove_comments=True, remove_pis=True, collect_ids=False, default_doctype=False, encoding="utf-8")
    # One class for all elements: lxml.html's own lookup asks Python for each, a tenth of the reader's time.
    parser.set_element_class_lookup(etree.ElementDefaultClassLookup(element=html.HtmlElement))
    try:
        tree = html.fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError) as error:
        raise UnreadableFileError(f"no HTML found in it: {error}") from error
    return tree, not any("depth" in error.message for error in parser.error_log.filter_from_fatals())


def _short_tag(match: re.Match[str]) -> str:
    return match[0] if len(match[2].split()) <= MOST_ATTRIBUTES else f"<{match[1]}>"


def _flattened(text: str) -> str:
    """Return the page with headings and paragraphs only."""

    def flat(match: re.Match[str]) -> str:
        name = match[2].lower()
        if name in HEADINGS or name in ("html", "head", "body", "title", "meta", "link", "script", "style", "nav"):
            return match[0]
        return "" if name in _INLINE else "<p>"

    return _TAG.sub(flat, text)


# ── What the page says about itself ─────────────────────────────────────────────────────────────────────────────────


def _stated(tree: Any) -> dict[str, str | None]:
    from trafilatura.metadata import examine_meta, extract_title, extract_url

    meta = examine_meta(tree)
    return {
        "language": _stated_language(tree),
        "title": meta.title or extract_title(tree),
        "url": meta.url or extract_url(tree),
        "date": _stated_date(tree),
    }


def _stated_language(tree: Any) -> str | None:
    names = ("lang", "xml:lang", "{http://www.w3.org/XML/1998/namespace}lang")
    stated = next((value for name in names if (value := tree.get(name))), "").split("-")[0].lower()
    return stated if re.fullmatch(r"[a-z]{2,3}", stated) else None


def _stated_date(tree: Any) -> str | None:
    """Return the date of publication that the markup declares; trafilatura's own search also finds those of teasers."""
    declared = [
        *tree.xpath(
            "//meta[@property='article:published_time' or @itemprop='datePublished' or @name='date' or @name='DC.date' "
            "or @name='dcterms.date' or @name='dcterms.issued' or @name='citation_publication_date']/@content"
        ),
        *re.findall(r'"datePublished"\s*:\s*"([^"]+)"', " ".join(tree.xpath("//script[@type='application/ld+json']/text()"))),
        *tree.xpath("//article//time/@datetime | //main//time/@datetime"),
    ]
    return next((date for value in declared if (date := find_date(value))), None)


# ── What trafilatura chooses ────────────────────────────────────────────────────────────────────────────────────────


def _is_all_text(walked: Walk) -> bool:
    """Tell whether a page has no menus, footers and the like at all, and hardly a line that is a link: a plain document."""
    links = sum(item.is_link for item in walked.pieces)
    return not any(item.part for item in walked.pieces) and links <= MOST_LINK_SHARE * len(walked.pieces)


def _article(tree: Any, walked: Walk) -> Any:
    """Return the body that trafilatura finds, or None; the tree is made ready for it and not to be used again."""
    import trafilatura

    for number, element in enumerate(tree.iter()):
        if number >= MOST_ARTICLE_ELEMENTS or len(element) > MOST_CHILDREN:
            return None
    for element, text in walked.marks:
        for child in list(element):
            element.remove(child)
        element.text, element.tag = text, "span"
    for element in walked.titles:
        element.tag = "span"
        element.attrib.clear()
    for element in walked.opened:
        element.attrib.clear()
    for element in walked.dropped:
        if element.getparent() is not None:
            element.drop_tree()
    # Fast: what its two fallbacks would add, and what they add wrongly, is told below from the page's own structure.
    document = trafilatura.bare_extraction(tree, include_comments=False, with_metadata=False, fast=True)
    return document.body if document is not None else None


def _chosen(pieces: list[Piece], body: Any) -> list[bool] | None:
    """Tell for each piece whether it is in trafilatura's text; None where that is too little to be the page's."""
    texts = (" ".join(element.itertext()) for element in body.iter("p", "head", "item", "cell", "row", "quote", "code", "list"))
    extracted = {key_of(clean_text(text)) for text in texts} if body is not None else set[str]()
    everything = key_of(clean_text(" ".join(body.itertext()))) if body is not None else ""
    total = sum(len(item.key) for item in pieces if not item.part or item.is_likely)
    if total < LEAST_CHARACTERS or (len(everything) < LEAST_CHARACTERS and len(everything) < LEAST_SHARE * total):
        return None
    left = MOST_COMPARISONS

    def is_known(key: str) -> bool:
        nonlocal left
        if key in extracted:
            return bool(key)
        if len(key) < PART_CHARACTERS or left < 0:
            return False
        left -= len(everything)
        return key in everything

    texts_outside_links = {key for item in pieces if not item.is_link for key in (item.key, *item.cells, *item.parts)}
    return [
        (not item.part or item.is_likely)
        and not (item.is_link and item.key in texts_outside_links)  # a menu's entry
        and (is_known(item.key) or is_known(item.whole) or (bool(item.cells) and all(is_known(cell) for cell in item.cells)))
        for item in pieces
    ]


# ── What of the page is kept ────────────────────────────────────────────────────────────────────────────────────────


def _kept(walked: Walk, body: Any) -> list[bool]:
    """Tell for each piece but headings whether it is the page's own text."""
    pieces, nodes = walked.pieces, walked.nodes
    chosen = _chosen(pieces, body) if body is not None else None
    # Of a page of tables only their headings may be chosen.
    if chosen is None or not any(is_in and item.block.kind != "heading" for is_in, item in zip(chosen, pieces, strict=True)):
        keep = [not item.part or item.is_likely for item in pieces]
        if body is None and any(prose := [is_in and not item.is_link for is_in, item in zip(keep, pieces, strict=True)]):
            return prose  # too large a page to be looked at closely
        return keep if any(keep) else [True] * len(pieces)
    region = _Region(pieces, nodes, chosen)
    for i in region.teasers():
        chosen[i] = False
        pieces[i].part = RELATED
    return region.completed() if any(chosen) else [not item.part for item in pieces]


class _Region:
    """The part of the page around what trafilatura chose."""

    def __init__(self, pieces: list[Piece], nodes: list[Node], chosen: list[bool]) -> None:
        self.pieces, self.nodes, self.chosen = pieces, nodes, chosen
        self.lengths = [0, *accumulate(len(item.key) if is_in else 0 for item, is_in in zip(pieces, chosen, strict=True))]
        self.total = self.lengths[-1]
        main = min(
            (node for node in nodes if self.share(node) >= MAIN_SHARE * self.total),
            key=lambda node: node.end - node.start,
            default=Node("body", 0, -1, CONTENT, len(pieces)),
        )
        self.main = range(main.start, main.end)
        frames = [
            node for node in nodes if node.tag in ("main", "article") and node.start <= main.start and main.end <= node.end
        ]
        frame = max(frames, key=lambda node: node.end - node.start, default=None)
        self.frame = range(frame.start, frame.end) if frame else range(len(pieces))

    def share(self, node: Node) -> int:
        """Return how many of the chosen characters an element holds."""
        return self.lengths[node.end] - self.lengths[node.start]

    def is_content(self, item: Piece) -> bool:
        """Tell whether a piece stands in none of the page's other parts, or in one whose name misleads."""
        node = item.node
        while node >= 0 and self.nodes[node].part:
            if self.share(self.nodes[node]) >= PART_SHARE * self.total:
                return True
            node = self.nodes[node].parent
        return not item.part

    def completed(self) -> list[bool]:
        """Return what was chosen, with what stands between and around it and is text of the page too."""
        keep = list(self.chosen)
        inside = [i for i in self.main if keep[i] and self.pieces[i].block.kind != "heading"]
        if not inside:
            return keep
        first, last = inside[0], inside[-1]
        for i in self.frame:
            item = self.pieces[i]
            if keep[i] or item.block.kind == "heading" or not self.is_content(item):
                continue
            if item.is_panel or i in self.main:
                keep[i] = (item.is_panel and not item.is_link) or (first < i < last and self.is_between(i))
        self.complete_tables(keep)
        self.extend(keep, range(last + 1, self.main.stop))
        self.extend(keep, range(first - 1, self.main.start - 1, -1))
        return keep

    def is_between(self, i: int) -> bool:
        """Tell whether a piece between two kept ones is text: a list's or table's, or a paragraph beside a kept one."""
        item = self.pieces[i]
        if item.is_link:
            return item.block.kind != "paragraph" and self.is_listed(i)
        if item.table or self.nodes[item.node].tag == "dt":
            return True
        if item.block.kind != "paragraph":
            return not self.is_over_links(i)
        if not self.is_beside(item) or self.nodes[item.node].tag in ("figcaption", "figure", "form", "fieldset", "legend"):
            return False
        text = item.block.text
        if _LABELLED.match(text):
            return True
        return len(text) >= PROSE_CHARACTERS or text.endswith((".", ":")) or self.pieces[i - 1].block.kind == "heading"

    def is_over_links(self, i: int) -> bool:
        """Tell whether an entry of a list stands over a list of links, as in a menu, without a colon that introduces it."""
        item, below = self.pieces[i], self.pieces[i + 1 : i + 3]
        is_deeper = bool(below) and self.nodes[below[0].node].parent != self.nodes[item.node].parent
        return is_deeper and all(other.is_link for other in below) and not item.block.text.endswith(":")

    def is_beside(self, item: Piece) -> bool:
        """Tell whether chosen text stands in the element that a piece, or the list it is of, is a child of."""
        node = self.nodes[item.node]
        while node.tag in ("li", "ul", "ol", "dl", "dd", "dt") and node.parent >= 0 and not self.share(node):
            node = self.nodes[node.parent]
        return self.share(node) > 0 or (
            node.parent >= 0 and node.tag not in ("div", "section") and self.share(self.nodes[node.parent]) > 0
        )

    def is_listed(self, i: int) -> bool:
        """Tell whether a list of links has a heading of its own, or a sentence that introduces it."""
        if not self.is_beside(self.pieces[i]):
            return False
        above = i - 1
        while above >= 0 and self.pieces[above].is_link and self.pieces[above].block.kind == self.pieces[i].block.kind:
            above -= 1
        if above < self.main.start:
            return False
        item = self.pieces[above]
        if _RELATED_HEADING.match(item.block.text) or not self.is_content(item):
            return False
        return (
            (item.block.kind == "heading" and not item.is_link)
            or item.block.text.endswith(":")
            or (
                item.block.kind == self.pieces[i].block.kind
                and item.node >= 0
                and self.nodes[item.node].parent == self.nodes[self.pieces[i].node].parent
            )
        )

    def complete_tables(self, keep: list[bool]) -> None:
        """Keep all rows of a table of which half is kept."""
        rows = Counter(item.table for item in self.pieces if item.table)
        kept = Counter(item.table for item, is_in in zip(self.pieces, keep, strict=True) if item.table and is_in)
        for i, item in enumerate(self.pieces):
            if item.table and 2 * kept[item.table] >= rows[item.table] and not (item.part and not item.is_likely):
                keep[i] = True

    def extend(self, keep: list[bool], run: range) -> None:
        """Keep lists and tables that follow at either end, with nothing but headings between."""
        for i in run:
            item = self.pieces[i]
            if keep[i] or item.block.kind == "heading":
                if item.links_away or _RELATED_HEADING.match(item.block.text):
                    return
                continue
            is_labelled = bool(item.table or item.cells) or (
                item.block.kind == "paragraph" and _LABELLED.match(item.block.text) is not None and self.is_beside(item)
            )  # above the text stand bylines and dates too, as lists
            if not (is_labelled or (run.step > 0 and item.block.kind == "item" and self.is_beside(item))):
                return
            if item.is_link or not self.is_content(item):
                return
            keep[i] = True

    def teasers(self) -> list[int]:
        """Return the pieces of teasers: several elements side by side, each a linked heading with a short text."""
        cards: dict[int, list[Node]] = {}
        for item in self.pieces:
            if item.block.kind != "heading" or not item.links_away:
                continue
            card = self.card(item)
            if card is not None:
                cards.setdefault(self.group(card), []).append(card)
        found: list[int] = []
        for several in cards.values():
            indices = {i for card in several for i in range(card.start, card.end)}
            length = sum(len(self.pieces[i].key) for i in indices if self.chosen[i])
            if len(several) >= TEASERS and 2 * length < self.total:
                found.extend(sorted(indices))
        return found

    def card(self, heading: Piece) -> Node | None:
        """Return the largest element around a linked heading that holds no other heading and little text."""
        best: Node | None = None
        index = heading.node
        while index >= 0:
            node = self.nodes[index]
            inside = self.pieces[node.start : min(node.end, node.start + 30)]
            if (
                sum(item.block.kind == "heading" for item in inside) > 1
                or sum(len(item.key) for item in inside) > TEASER_CHARACTERS
            ):
                break
            if node.tag not in HEADINGS:
                best = node
            index = node.parent
        return best

    def group(self, card: Node) -> int:
        """Return the element in which teasers stand side by side, perhaps in rows of two or three."""
        parent = card.parent
        return self.nodes[parent].parent if parent >= 0 and self.nodes[parent].parent >= 0 else parent


def _with_headings(walked: Walk, keep: list[bool]) -> list[Block]:
    """Return the kept blocks, each after the headings above it that have no other text before."""
    kept: list[Block] = []
    pending: list[Piece] = []  # headings that wait for text of their own
    after: set[int] = set()  # ids of those after which another part of the page began
    for i, (item, is_in) in enumerate(zip(walked.pieces, keep, strict=True)):
        if item.block.kind == "heading":
            pending = [heading for heading in pending if heading.block.level < item.block.level]
            if is_in or not item.part:
                pending.append(item)
        elif is_in:
            kept.extend(
                heading.block
                for heading in pending
                if not (heading.links_away or id(heading) in after) or _is_above(heading, i, walked.nodes)
            )
            pending = []
            kept.append(item.block)
        elif item.part:
            after.update(id(heading) for heading in pending if heading.block.level > 1)
    return kept


def _is_above(heading: Piece, i: int, nodes: list[Node]) -> bool:
    """Tell whether a piece stands in the element that the heading is in; a linked heading may be all of another one."""
    index = heading.node
    while index >= 0:
        node = nodes[index]
        if node.end > node.start + 1:
            return node.start <= i < node.end
        index = node.parent
    return True


def _links(walked: Walk, keep: list[bool]) -> Iterator[Link]:
    """Yield the links of what is kept, and of lists "see also" in what is not, but for menus and the like."""
    over = NO_LIST  # the level of the heading "see also" that the pieces stand under
    for item, is_in in zip(walked.pieces, keep, strict=True):
        is_heading = item.block.kind == "heading"
        if not item.links or is_heading:
            if is_see_also(item.block.text):
                over = item.block.level if is_heading else LABEL
            elif over == LABEL or (is_heading and item.block.level <= over):
                over = NO_LIST
        is_aside = over > NO_LIST and item.part not in (MENUS, FOOTERS, DIALOGS)
        for target, element in item.links if is_in or is_aside else ():
            if text := "".join(element.itertext()).strip():
                yield Link(target, text, is_aside=not is_in)


def _left_out(walked: Walk, keep: list[bool], blocks: Iterable[Block]) -> dict[str, int]:
    """Return the characters that are not kept, by the part of the page."""
    kept = {id(block) for block in blocks}
    left_out = Counter(walked.skipped)
    for item, is_in in zip(walked.pieces, keep, strict=True):
        if id(item.block) not in kept and not (is_in and item.block.kind != "heading"):
            left_out[item.part or (MENUS if item.is_link and item.block.kind == "item" else OTHER)] += len(item.block.text)
    return {part: characters for part, characters in left_out.items() if characters}
