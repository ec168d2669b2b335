"""Web pages: trafilatura decides which text is the page's own, the page's markup gives headings, lists and tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pes_search.ingest.cleaning.tables import table_rows
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.dates import date_line, find_date
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.types import Block, BlockKind, FileContent

HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCK_TAGS = {
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "li", "main", "nav", "ol", "p", "pre",
    "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", *HEADINGS,
}  # fmt: skip
NEVER_TEXT = {
    "script", "style", "noscript", "template", "svg", "head", "iframe", "object", "button", "select", "textarea", "input",
    "nav", "dialog",
}  # fmt: skip
# Where trafilatura finds less than this share of a page's text, and little in all, the page is no article (a lone table, a
# test page): then everything but navigation counts.
LEAST_SHARE = 0.2
LEAST_CHARACTERS = 250
# A text shorter than this is the page's own only if it is one of trafilatura's blocks; a longer one may be part of one.
PART_CHARACTERS = 20
HEAD_BLOCKS = 30  # how far down a page its date may stand


@dataclass(slots=True)
class _Piece:
    block: Block
    key: str  # letters and digits only: spaces differ between the two views of the page
    cells: tuple[str, ...] = ()  # keys of a row's cells
    parts: tuple[str, ...] = ()  # keys of the stretches of text in the table's cells, on its first row
    table: int = 0  # which table a row is of, from 1
    is_link: bool = False  # all of it


def read(data: bytes) -> FileContent:
    """Read a web page.

    Raises:
        UnreadableFileError: the file holds no markup that can be parsed.
    """
    import trafilatura
    from lxml import html as lxml_html

    tree = trafilatura.load_html(data)
    if tree is None:
        raise UnreadableFileError("no HTML found in it")
    encoded = lxml_html.tostring(tree, encoding="unicode")
    pieces = list(_walk(lxml_html.fromstring(encoded)))
    extracted = trafilatura.bare_extraction(encoded, include_comments=False, include_tables=True, with_metadata=True)
    blocks = _article_blocks(pieces, extracted.body if extracted is not None else None)
    fields: dict[str, object] = {"language": _stated_language(tree)}
    if extracted is not None:
        fields |= {"title": extracted.title, "url": extracted.url}
    fields["date"] = _stated_date(tree) or date_line(clean_text(block.text) for block in blocks[:HEAD_BLOCKS])
    return FileContent(blocks, {key: value for key, value in fields.items() if value})


def _article_blocks(pieces: list[_Piece], body: Any) -> list[Block]:
    """Keep the blocks whose text trafilatura kept, and the headings above them."""
    extracted = {_key(" ".join(element.itertext())) for element in body.iter()} if body is not None else set()
    everything = _key(" ".join(body.itertext())) if body is not None else ""
    total = sum(len(item.key) for item in pieces)
    if total < LEAST_CHARACTERS or (len(everything) < LEAST_CHARACTERS and len(everything) < LEAST_SHARE * total):
        return [item.block for item in pieces]

    texts = {key for item in pieces if not item.is_link for key in (item.key, *item.cells, *item.parts)}

    def is_known(key: str) -> bool:
        return key in extracted or (len(key) >= PART_CHARACTERS and key in everything)

    def is_extracted(item: _Piece) -> bool:
        return is_known(item.key) or (bool(item.cells) and all(is_known(cell) for cell in item.cells))

    is_article = [not (item.is_link and item.key in texts) and is_extracted(item) for item in pieces]  # links: menu entries
    rows = Counter(item.table for item in pieces if item.table)
    article_rows = Counter(item.table for item, is_kept in zip(pieces, is_article, strict=True) if item.table and is_kept)
    kept: list[Block] = []
    pending: list[Block] = []  # headings that wait for text of their own
    for item, is_kept in zip(pieces, is_article, strict=True):
        if item.block.kind == "heading":
            pending = [heading for heading in pending if heading.level < item.block.level]
            pending.append(item.block)
        elif is_kept or (item.table and 2 * article_rows[item.table] >= rows[item.table]):
            kept.extend(pending)
            pending = []
            kept.append(item.block)
    return kept or [item.block for item in pieces]


def _walk(root: Any) -> Iterator[_Piece]:
    """Yield the page's blocks in document order: text between the edges of block elements, one block a table row."""
    inline: list[tuple[str, bool]] = []  # text, and whether it stands in a link

    def flush(kind: BlockKind, level: int = 0) -> Iterator[_Piece]:
        text = "".join(part for part, _ in inline)
        is_link = all(in_link for part, in_link in inline if part.strip())
        inline.clear()
        if clean_text(text):
            yield _Piece(Block(kind, text, level=level), _key(text), is_link=is_link)

    tables = 0

    def visit(element: Any, kind: BlockKind, level: int, in_link: bool) -> Iterator[_Piece]:
        nonlocal tables
        tag = element.tag if isinstance(element.tag, str) else ""
        if not tag or tag in NEVER_TEXT or _is_hidden(element):
            return
        if tag == "br":
            inline.append((" ", in_link))
            return
        if tag == "table" and not element.xpath(".//table | .//h1 | .//h2 | .//h3"):
            yield from flush(kind, level)
            tables += 1
            yield from _table(element, tables)
            return
        if tag in BLOCK_TAGS:
            yield from flush(kind, level)
            if tag in HEADINGS:
                kind, level = "heading", HEADINGS[tag]
            elif tag in ("li", "dd"):
                kind, level = "item", 0
        in_link = in_link or tag == "a"
        inline.append((element.text or "", in_link))
        for child in element:
            yield from visit(child, kind, level, in_link)
            inline.append((child.tail or "", in_link))
        if tag in BLOCK_TAGS:
            yield from flush(kind, level)

    yield from visit(root, "paragraph", 0, in_link=False)
    yield from flush("paragraph")


def _table(table: Any, number: int) -> Iterator[_Piece]:
    """Yield a table's rows; tables that hold tables or headings are layout and never come here."""
    for caption in table.iter("caption"):
        text = " ".join(_visible_text(caption))
        if clean_text(text):
            yield _Piece(Block("paragraph", text), _key(text), table=number)
    rows = [[cell for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")]
    rows = [row for row in rows if row]
    texts = _filled(rows)
    header = bool(rows) and all(cell.tag == "th" for cell in rows[0])
    lines = table_rows(texts, header=header)
    parts = tuple(_key(part) for row in rows for cell in row for part in _visible_text(cell))
    for line, cells in zip(lines, texts[len(texts) - len(lines) :], strict=True):
        if line:
            keys = tuple(key for cell in cells if (key := _key(cell)))
            yield _Piece(Block("row", line), _key(line), cells=keys, parts=parts, table=number)
            parts = ()


def _filled(rows: list[list[Any]]) -> list[list[str]]:
    """Return the cells' texts; a cell that spans several rows is given in each, one that spans columns once."""
    texts: list[list[str]] = []
    below: dict[int, tuple[int, str]] = {}  # by column: how many more rows a cell covers, and its text
    for row in rows:
        cells = iter(row)
        filled: list[str] = []
        while True:
            column = len(filled)
            if column in below:
                left, text = below.pop(column)
                if left > 1:
                    below[column] = (left - 1, text)
            else:
                cell = next(cells, None)
                if cell is None:
                    break
                text = " ".join(_visible_text(cell))
                span = cell.get("rowspan", "1")
                if span.isdecimal() and 1 < int(span) <= len(rows):
                    below[column] = (int(span) - 1, text)
            filled.append(text)
        texts.append(filled)
    return texts


def _visible_text(element: Any) -> Iterator[str]:
    if not isinstance(element.tag, str) or element.tag in NEVER_TEXT:
        return
    if element.text:
        yield element.text
    for child in element:
        yield from _visible_text(child)
        if child.tail:
            yield child.tail


def _is_hidden(element: Any) -> bool:
    return (
        element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or re.search(r"display\s*:\s*none", element.get("style") or "") is not None
    )


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


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", "", clean_text(text))
