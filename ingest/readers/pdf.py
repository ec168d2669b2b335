"""PDF: text by PDFium, structure by pypdf. Lines are cleaned of what pages repeat and joined to paragraphs.

The parts: `pdf_text` (letters with positions), `pdf_lines` (reading order, raised marks, columns), `pdf_tables` (rows of
tables), `pdf_edges` (running lines and page numbers), `pdf_hyphens` (broken words), `pdf_structure` (all that is not text).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import dropwhile, pairwise

from pes_search.ingest.cleaning.blocks import from_title, interface_texts
from pes_search.ingest.cleaning.links import links_of
from pes_search.ingest.cleaning.tables import table_rows
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.dates import date_line
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.languages.identify import detect_language
from pes_search.ingest.readers.pdf_edges import Edges, without_edges
from pes_search.ingest.readers.pdf_hyphens import Hyphens
from pes_search.ingest.readers.pdf_lines import Line, build_lines, build_pieces
from pes_search.ingest.readers.pdf_structure import (
    MOST_PAGES,
    Structure,
    complaints,
    is_damaged,
    page_text,
    read_structure,
    stuck_to,
)
from pes_search.ingest.readers.pdf_tables import BULLETS, Piece, Rule
from pes_search.ingest.readers.pdf_text import PageText, PdfiumFile, Run
from pes_search.ingest.types import Block, FileContent, Link

# None of the numbers below was measured: they were set by hand while reading PDFs, and tests/ingest/readers/test_pdf.py and
# tests/ingest/test_shared_data.py hold what they give. "Letters" are letter sizes, "widths" the characters of the longest line
# of a page's body text.

# Headings.
HEADING_SCALE = 1.12  # a line is a heading when its letters are that much larger than the body's …
SLIGHTLY_LARGER = 1.06  # … or that much, if it stands alone and reads like one
LONE_CHARACTERS = 90
SMALLER = 0.9  # than the body's: bold letters of this size head nothing
CUT_TITLE_CHARACTERS = 30  # of a stated title that may be cut short
HALF_LINE, ENTRY_GAP = 0.5, 1.1  # an entry of a list: shorter than half a line, and the next one a bit further down
SAME_START = 2  # points by which the lines of a paragraph may start apart
CHART_LABELS, CHART_LABEL_CHARACTERS = 3, 20  # below the title of a chart
MUCH_LARGER = 1.5  # than the text: then a heading may end like a sentence
SENTENCE_CHARACTERS = 30
HEADING_CHARACTERS = 160  # … and it is no longer than this
SAME_SIZE = 0.08  # of the size, by which letters may differ and count as equally large
LOWEST_SIZED_HEADING = 5  # level of the fifth largest letters and all smaller ones
BOLD_HEADING = 6  # level of headings that are only bold
# Paragraphs.
PARAGRAPH_GAP = 1.3  # line distances from one line to the next, above which a paragraph ends
CUT_GAP = 2  # line distances from a line to the one that its sentence goes on in, at most
LARGE_LINE = 1.1  # letters from one line of large letters to the next
LARGEST_DISTANCE = 4  # letters, of the body's or of LEAST_BODY, between two lines; more is no line distance
LEAST_BODY = 8  # points
SHORT_LINE = 0.7  # widths; a shorter line that ends a sentence ends its paragraph
SPARE = 0.12  # of a line's possible length, that must be free beyond the next word's where it was ended on purpose
LINES_AROUND = 5  # a line, which show how long it could have been …
INDENT = 3  # … if they start within so many letters of where it does
# Fields: a label and its value.
LABEL_CHARACTERS = 50
LABEL_WIDTH = 0.5  # widths; a longer line that ends in a colon is running text
VALUE_GAP = 3  # line distances or letters from a label to its value
# The title.
HEAD_LINES = 60  # the first page's lines among which a title and a date are looked for
TITLE_CHARACTERS = 200
TITLE_LETTERS = 3  # a shorter or equal line in large letters is an ornament
TITLE_WORDS_SHOWN = 1 / 2  # of a stated title's words on the first page; with fewer it is that of a template or an older file
# What could not be read.
DAMAGED_LOOKED_AT = 50  # pages without text whose content is tried, to say why
UNKNOWN_LETTERS = 0.1  # of the first page; from there on the other extraction is asked too
WORDS_AGREEING = 0.6  # of the words of the one extraction of the first page that the other has; with fewer they disagree
LANGUAGE_LINES = 12  # that tell it

_BULLET = re.compile(rf"^\s*(?:[{re.escape(BULLETS)}\ue000-\uf8ff]|/[a-z]+\d+)\s+")  # /square6: a glyph without a character
_NUMBER = re.compile(r"^\s*(?:\(?\d{1,2}[.)]|\(?[a-z]\))\s+")
_SENTENCE_END = re.compile(r"[.!?:;»”\")]\s*$")
_FIELD = re.compile(r"[^\W\d][^:.!?]{1,40}:\s+\S")
_CAPTION = re.compile(
    r"(?:Table|Figure|Fig\.|Chart|Graph|Box|Map|Exhibit|Tabelle|Tab\.|Abbildung|Abb\.|Grafik|Diagramm|Kasten|Tableau|Graphique|"
    r"Encadré|Carte|Cuadro|Tabla|Gráfico|Figura|Recuadro|Tabella|Grafico|Riquadro|Tabela|Rysunek|Wykres|Ramka|Tabel|Figuur|"
    r"Grafiek|Kader|Tabell|Figur|Diagram|Taulukko|Kuvio|Kuva|Tabulka|Obrázek|Graf|Táblázat|ábra|Πίνακας|Διάγραμμα|Таблица|"
    r"Фигура)\s*\d+(?:[.\-–]\d+)*\s*(?:[.:–—|-]|\s|$)",
    re.IGNORECASE,
)
_FILE_NAME = re.compile(
    r"^(?:Microsoft \w+ - |untitled|unbenannt|sans titre|slide \d+$|document\d*$)"
    r"|\.(?:docx?|odt|rtf|pptx?|xlsx?|indd|qxd|pdf|html?|tex|dvi)$",
    re.IGNORECASE,
)


def read(data: bytes) -> FileContent:
    """Read a PDF's text, page by page.

    Raises:
        UnreadableFileError: the file is encrypted with a password or too damaged to open.
    """
    with complaints():
        structure = read_structure(data)
        if structure.is_empty:
            return FileContent([])
        pdf = _opened(data)
        try:
            content = _with_scans(pdf, *_read(pdf, structure))
        finally:
            pdf.close()
    if structure.damage and not content.blocks:
        raise UnreadableFileError(f"damaged PDF: {structure.damage}")
    return content


def _opened(data: bytes) -> PdfiumFile:
    import pypdfium2

    error: Exception | None = None
    for mend in (bytes, _with_trailer):
        try:
            pdf = PdfiumFile(mend(data))
        except pypdfium2.PdfiumError as refusal:
            error = error or refusal
            continue
        if len(pdf):
            return pdf
        pdf.close()
    raise UnreadableFileError(f"damaged PDF: {error or 'it has no pages'}") from error


def _with_trailer(data: bytes) -> bytes:
    """Return a file that was cut with an end that names its catalogue, so that PDFium looks for the rest."""
    catalogues = re.findall(rb"(\d+) (\d+) obj(?:(?!endobj).){0,300}?/Type\s*/Catalog", data, re.DOTALL)
    if not catalogues:
        return data
    number, generation = catalogues[-1]
    whole = data[: data.rfind(b"endobj") + len(b"endobj")]  # without half an object, or half a table of where objects are
    return whole + b"\ntrailer\n<< /Root %s %s R >>\nstartxref\n0\n%%%%EOF\n" % (number, generation)


def _with_scans(pdf: PdfiumFile, content: FileContent, scanned: Sequence[int]) -> FileContent:
    """Add the text of pages that are pictures, as far as it can be recognised."""
    from pes_search.ingest.readers import pdf_scans  # rarely needed, and takes a tenth of a second to load

    return pdf_scans.with_recognised(content, pdf, scanned) if scanned else content


def _read(pdf: PdfiumFile, structure: Structure) -> tuple[FileContent, list[int]]:
    """Return what a PDF's letters say, and the numbers, from 0, of the pages that are pictures without any."""
    warnings = list(structure.warnings)
    numbers = _numbers(pdf, structure, warnings)
    objects = dict(zip(structure.numbers, structure.pages, strict=True)) if numbers == structure.numbers else {}
    texts: list[PageText] = []
    pages: list[list[Piece]] = []
    notes: list[list[str]] = []
    for number in numbers:
        text, values, stuck = _page(
            pdf, number, objects.get(number), warnings, ask_for_unknown=not any(text.runs for text in texts)
        )
        texts.append(text)
        notes.append(stuck)
        pages.append(_with_values(build_pieces(text.runs), values))
    empty = [number for number, text in zip(numbers, texts, strict=True) if not text.runs and not text.turned]
    warnings += _damaged_pages(empty, objects)
    warnings += _disagreement(numbers, texts, objects)
    edges = without_edges(pages)
    lines = [_lines(pdf, number, page) for number, page in zip(numbers, edges.pages, strict=True)]
    content = _content(structure, pdf.outline(), edges, numbers, lines, [text.turned for text in texts], notes, warnings)
    links = links_of(Link(target, letters) for text in texts for target, letters in text.links)
    return replace(content, links=links), [number for number in empty if _has_image(pdf, number)]


def _numbers(pdf: PdfiumFile, structure: Structure, warnings: list[str]) -> list[int]:
    """Return the pages to read, counted from 0: each once, though a file may list one page many times."""
    count = len(pdf)
    if structure.pages and len(structure.pages) + structure.repeated == count:
        if structure.repeated:
            warnings.append(f"{structure.repeated} of the {count} pages are others again, and are read once")
        return structure.numbers
    if count > MOST_PAGES:
        warnings.append(f"only the first {MOST_PAGES} of {count} pages were read")
    return list(range(min(count, MOST_PAGES)))


def _page(
    pdf: PdfiumFile, number: int, page: object, warnings: list[str], *, ask_for_unknown: bool
) -> tuple[PageText, list[Piece], list[str]]:
    """Return a page's text, the values of its form fields and its notes; a damaged part costs a warning."""
    text, values, notes = PageText([]), list[Piece](), list[str]()
    try:
        text = pdf.text(number, ask_for_unknown=ask_for_unknown)
        if page is not None and text.has_notes:
            values, notes = stuck_to(page)
    except Exception as error:  # noqa: BLE001 – one damaged page must not lose the others
        if not text.runs and page is not None:
            text = PageText(_runs_of(page_text(page)))
        rest = ", but for its text by another way" if text.runs else ""
        warnings.append(f"page {number + 1} could not be read{rest}: {type(error).__name__}: {error}")
    return text, values, notes


def _runs_of(text: str) -> list[Run]:
    """Return the lines of a text without positions as if they stood below each other."""
    lines = [line for line in map(clean_text, text.splitlines()) if line]
    return [Run(line, 0, len(line) * 5, -12.0 * i, 10, False, False) for i, line in enumerate(lines)]


def _with_values(pieces: list[Piece], values: list[Piece]) -> list[Piece]:
    """Return a page's pieces with the values of its form fields: each behind its label, and on its height."""
    for value in values:
        beside = [i for i, piece in enumerate(pieces) if abs(piece.y - value.y) < max(piece.size, value.size)]
        label = min(beside, key=lambda i: abs(pieces[i].x1 - value.x0), default=len(pieces) - 1)
        if beside:
            value.y, value.size = pieces[label].y, pieces[label].size
        pieces.insert(label + 1, value)
    for order, piece in enumerate(pieces):
        piece.order = order
    return pieces


def _lines(pdf: PdfiumFile, number: int, pieces: list[Piece]) -> list[Line]:
    @cache
    def rules() -> Sequence[Rule]:
        return pdf.objects(number)[1]

    return build_lines(pieces, rules)


# ── What could not be read ──────────────────────────────────────────────────────────────────────────────────────────


def _damaged_pages(empty: Sequence[int], objects: dict[int, object]) -> Iterator[str]:
    """Yield a warning for each page without text that is damaged."""
    for number in empty[:DAMAGED_LOOKED_AT]:
        reason = is_damaged(objects[number]) if number in objects else None
        if reason:
            yield f"page {number + 1} could not be read: {reason}"


def _has_image(pdf: PdfiumFile, number: int) -> bool:
    import pypdfium2

    try:
        return pdf.objects(number)[0]
    except pypdfium2.PdfiumError:
        return False  # a page that is damaged, of which a warning speaks


def _disagreement(numbers: list[int], texts: list[PageText], objects: dict[int, object]) -> Iterator[str]:
    """Yield a warning where the first page's letters are of unknown meaning, and pypdf reads other words from them.

    pypdf takes twenty times as long, so that it is asked only where PDFium is in doubt.
    """
    first = next(((number, text) for number, text in zip(numbers, texts, strict=True) if text.runs), None)
    if first is None or first[0] not in objects or first[1].unknown < UNKNOWN_LETTERS:
        return
    number, text = first
    ours = Counter(re.findall(r"\w+", " ".join(run.text for run in text.runs)))
    theirs = Counter(re.findall(r"\w+", page_text(objects[number])))
    if sum((ours & theirs).values()) < WORDS_AGREEING * max(sum(ours.values()), sum(theirs.values()), 1):
        yield f"page {number + 1}: its letters cannot be told for certain; the text may be wrong"


# ── Lines become blocks ─────────────────────────────────────────────────────────────────────────────────────────────


def _content(
    structure: Structure,
    outline: list[tuple[str, int]],
    edges: Edges,
    numbers: list[int],
    lines: list[list[Line]],
    turned: list[str],
    notes: list[list[str]],
    warnings: list[str],
) -> FileContent:
    left_out = Counter(edges.left_out)
    kept = [_without_interface(page, left_out) for page in lines]
    style = _Style(kept, outline)
    language = cache(lambda: _language(kept))
    hyphens = Hyphens((text for page in kept for line in page for text in _texts(line)), language)
    blocks: list[Block] = []
    for number, page, across, stuck in zip(numbers, kept, turned, notes, strict=True):
        groups = list(_groups(page, style.body, style.bold_heads))
        for i, group in enumerate(groups):
            below = [line for lines in groups[i + 1 : i + 1 + CHART_LABELS] for line in lines][:CHART_LABELS]
            blocks.extend(style.blocks(group, below, number + 1, hyphens))
        blocks += [Block("paragraph", text, number + 1) for text in (across.strip(), *stuck) if text]
    fields, title = _fields(structure, edges.running, lines)
    if title:
        shown = from_title(blocks, title)
        left_out["text above the title"] += sum(len(block.text) for block in blocks[: len(blocks) - len(shown)])
        blocks = shown
    left_out["attachments"] += structure.attachments
    return FileContent(blocks, fields, tuple(warnings), {what: count for what, count in left_out.items() if count})


def _language(pages: list[list[Line]]) -> str | None:
    """Return the language of the longest lines: the others may be names and titles in another one."""
    texts = sorted((line.text for page in pages for line in page if line.table is None), key=len, reverse=True)
    return detect_language(" ".join(texts[:LANGUAGE_LINES]))


def _texts(line: Line) -> Iterator[str]:
    if line.table is None:
        yield line.text
    else:
        yield from (text for row in line.table.rows for cell in row for text in cell)


def _without_interface(lines: list[Line], left_out: Counter[str]) -> list[Line]:
    interface = interface_texts([line.text for line in lines])
    left_out["buttons, forms and banners"] += sum(len(line.text) for line, drop in zip(lines, interface, strict=True) if drop)
    return [line for line, drop in zip(lines, interface, strict=True) if not drop]


class _Style:
    """How a file writes its headings, and its body text."""

    def __init__(self, pages: Sequence[Sequence[Line]], outline: Sequence[tuple[str, int]]) -> None:
        sizes: Counter[float] = Counter()
        bold: Counter[bool] = Counter()
        for page in pages:
            for line in page:
                sizes[line.size] += len(line.text)
                bold[line.bold] += len(line.text)
        self.body = sizes.most_common(1)[0][0] if sizes else 0.0
        larger = sorted({line.size for page in pages for line in page if self._is_large(line)}, reverse=True)
        self._levels = {size: min(level, LOWEST_SIZED_HEADING) for level, size in enumerate(larger, start=1)}
        self.bold_heads = bold[False] > bold[True]
        self._outline = {_key(title): min(len(larger) + level, BOLD_HEADING) for title, level in outline}

    def _is_large(self, line: Line) -> bool:
        return line.table is None and line.size > self.body * HEADING_SCALE

    def blocks(self, group: list[Line], below: Sequence[Line], page: int, hyphens: Hyphens) -> list[Block]:
        """Return the blocks of a paragraph's lines: one, or the rows of a table; `below` are the lines that follow."""
        first = group[0]
        if first.table is None:
            return [self._block(hyphens.join([line.text for line in group]), group, below, page)]
        rows = [[hyphens.join(cell) if cell else "" for cell in row] for row in first.table.rows]
        if len(rows[0]) > 2 and not first.table.has_header:
            return [Block("row", " | ".join(_with_labels(row)), page) for row in rows]
        return [Block("row", text, page) for text in table_rows(rows, header=first.table.has_header) if text]

    def _block(self, text: str, group: list[Line], below: Sequence[Line], page: int) -> Block:
        if marker := _BULLET.match(text):
            return Block("item", text[marker.end() :], page)
        is_large, is_bold = self._is_large(group[0]), all(line.bold for line in group)
        level = self._level(text, group, is_large=is_large, is_bold=is_bold)
        if level and not self._is_chart_title(group, below):
            return Block("heading", text, page, level)
        if _NUMBER.match(text) and not is_large and not is_bold:
            return Block("item", text, page)
        return Block("paragraph", text, page)

    def _level(self, text: str, group: list[Line], *, is_large: bool, is_bold: bool) -> int:
        """Return the level of the heading that a text is, or 0: captions, boxes and filled-in fields head nothing."""
        short = len(text) <= HEADING_CHARACTERS and any(character.isalpha() for character in text)
        if not short or group[0].in_box or _CAPTION.match(text):
            return 0
        if group[0].parts > 1 and not is_large:
            return 0  # the columns' names of a table that could not be told
        is_sentence = len(text) > SENTENCE_CHARACTERS and text.rstrip().endswith((".", ",", ";"))
        if is_sentence and group[0].size <= MUCH_LARGER * self.body:
            return 0  # running text in large letters
        if is_large:
            return self._levels.get(group[0].size, LOWEST_SIZED_HEADING)
        if self._outline and (level := self._outline.get(_key(text))):
            return level
        size = group[0].size
        if len(group) == 1 and size > SLIGHTLY_LARGER * self.body and self._is_alone(text, group[0]):
            return BOLD_HEADING
        if size < SMALLER * self.body:
            return 0  # a label in a table or a chart
        is_head = self.bold_heads and is_bold and not text.rstrip().endswith((".", ",", ";")) and not _FIELD.match(text)
        return BOLD_HEADING if is_head else 0

    def _is_chart_title(self, group: list[Line], below: Sequence[Line]) -> bool:
        """Tell whether a chart stands below: a few short labels in small letters, one below the other."""
        small = [line for line in below if line.size < SMALLER * self.body and len(line.text) <= CHART_LABEL_CHARACTERS]
        return len(small) == CHART_LABELS and not any(line.in_box for line in group)

    @staticmethod
    def _is_alone(text: str, line: Line) -> bool:
        """Tell whether a line in slightly larger letters reads like a heading."""
        return len(text) <= LONE_CHARACTERS and text[:1].isupper() and line.table is None and not _SENTENCE_END.search(text)


def _with_labels(cells: list[str]) -> list[str]:
    """Return a row's cells, a label and the value behind it as one."""
    joined: list[str] = []
    for cell in filter(None, cells):
        if joined and joined[-1].endswith(":"):
            joined[-1] += f" {cell}"
        else:
            joined.append(cell)
    return joined


def _key(title: str) -> str:
    return "".join(re.findall(r"[^\W_]+", title.casefold()))


def _groups(lines: list[Line], body: float, bold_heads: bool) -> Iterator[list[Line]]:
    """Yield the lines of each paragraph, heading or item."""
    running_text = [line for line in lines if abs(line.size - body) <= SAME_SIZE * body]
    distances = Counter(
        round(a.y - b.y) for a, b in pairwise(running_text) if 0 < a.y - b.y < LARGEST_DISTANCE * max(body, LEAST_BODY)
    )
    distance = distances.most_common(1)[0][0] if distances else 0
    width = max((len(line.text) for line in lines if line.size <= body * HEADING_SCALE), default=0)
    group: list[Line] = []
    edges = _edges(lines)
    for i, line in enumerate(lines):
        if group and _starts_block(group, line, distance, width, edges[i - 1], body, bold_heads):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _starts_block(
    group: list[Line], line: Line, distance: float, width: int, edge: float, body: float, bold_heads: bool
) -> bool:
    last = group[-1]
    gap = last.y - line.y
    if line.table or last.table or line.in_box != last.in_box:
        return True
    if _BULLET.match(line.text):
        return True
    if _NUMBER.match(line.text) and (
        _SENTENCE_END.search(last.text) or len(last.text) < SHORT_LINE * width or _NUMBER.match(group[0].text)
    ):
        return True  # after running text "27." may be a day and "a)" the end of a remark
    if _is_label(last, width):
        return _is_label(line, width) or not 0 <= gap <= VALUE_GAP * max(distance, last.size)  # its value may be set apart
    if abs(line.size - last.size) > SAME_SIZE * max(line.size, last.size):
        return True
    if _is_label(line, width) and not _runs_into(last, line, gap, distance, width, edge):
        return True
    if bold_heads and line.bold != last.bold and (last.bold or _SENTENCE_END.search(last.text)):
        return True
    if _is_cut(last, line, gap, distance, width):
        return False
    # Large letters stand further apart.
    largest = PARAGRAPH_GAP * max(distance, last.size * LARGE_LINE if last.size > body * HEADING_SCALE else 0)
    if largest and not -largest < gap <= largest:
        return not (gap < 0 and line.text[:1].islower())  # a sentence that goes on in the next column
    if last.size > body * HEADING_SCALE:
        return False
    # The last line of a paragraph, or an entry of a list or menu: the next word would have had room.
    ends = last.text.rstrip().endswith((",", ";")) or bool(_SENTENCE_END.search(last.text)) or not line.text[:1].islower()
    ends = ends or (len(last.text) < HALF_LINE * width and gap > ENTRY_GAP * distance)  # entries whose bullets are drawings
    return ends and not last.text.endswith("-") and _has_room(last, line, edge)


def _runs_into(last: Line, line: Line, gap: float, distance: float, width: int, edge: float) -> bool:
    """Tell whether a full line goes on in the next one: "In particular, | the plan aims to:" is no label."""
    is_full = len(last.text) >= SHORT_LINE * width and not _SENTENCE_END.search(last.text)
    is_below = abs(last.x - line.x) < SAME_START and 0 < gap <= PARAGRAPH_GAP * distance
    return is_full and is_below and not _has_room(last, line, edge)


def _has_room(last: Line, line: Line, edge: float) -> bool:
    """Tell whether the next line's first word would have had room at the end of a line: it was ended on purpose."""
    letter = (line.x1 - line.x) / max(len(line.text), 1)
    word = len(line.text.split(maxsplit=1)[0]) * letter
    return edge - last.x1 > word + SPARE * (edge - last.x)


def _edges(lines: Sequence[Line]) -> list[float]:
    """Return how far to the right the lines around each line go that start where it does."""
    edges: list[float] = []
    for i, line in enumerate(lines):
        around = lines[max(0, i - LINES_AROUND) : i + LINES_AROUND + 1]
        alike = [other.x1 for other in around if abs(other.x - line.x) < INDENT * line.size and other.table is None]
        edges.append(max(alike, default=line.x1))
    return edges


def _is_cut(last: Line, line: Line, gap: float, distance: float, width: int) -> bool:
    """Tell whether a full line stops within a sentence that goes on below: raised marks push lines apart."""
    is_full = len(last.text) >= SHORT_LINE * width and not _SENTENCE_END.search(last.text)
    return is_full and line.text[:1].islower() and 0 < gap <= CUT_GAP * max(distance, last.size)


def _is_label(line: Line, width: int) -> bool:
    """Tell whether a line is a field's name ("Country:"), whose value stands on the next line."""
    text = line.text.strip()
    return text.endswith(":") and not text[:1].islower() and len(text) <= min(LABEL_CHARACTERS, LABEL_WIDTH * width)


# ── What the file says about itself ─────────────────────────────────────────────────────────────────────────────────


def _fields(structure: Structure, running: set[str], pages: list[list[Line]]) -> tuple[dict[str, object], str | None]:
    """Return the metadata, and the title as it stands on the first page (None where it does not).

    The day on which the file was made is no date: old documents are printed to PDF every day.
    """
    stated = clean_text(structure.metadata.get("Title", "")).strip(" |–—")
    head = [line for lines in pages[:1] for line in lines[:HEAD_LINES]]
    texts = [clean_text(line.text) for line in head]
    # Web pages printed to PDF carry the site's name behind a bar.
    candidates = [stated, *(part.strip() for part in re.split(r"\s[|–—]\s", stated))]
    candidates = [one for one in candidates if one and not _FILE_NAME.search(one)]
    shown = next((one for one in candidates if one in texts), None) or _cut_short(candidates, texts)
    largest = _largest(head)
    if shown and largest and _is_of_series(shown, running, head):
        shown = None  # the name of a series, which runs over its pages
    title = shown or (stated if stated in candidates and _is_about(stated, " ".join(texts)) else None) or largest
    if title and largest and title != shown and _is_of_series(title, running, head):
        title = largest
    return {"title": title, "date": date_line(texts)}, title


def _cut_short(candidates: Sequence[str], texts: Sequence[str]) -> str | None:
    """Return the line that a stated title is the beginning of: some programs state the first words only."""
    begun = [one for one in candidates if len(one) >= CUT_TITLE_CHARACTERS]
    return next((text for text in texts if text.startswith(tuple(begun)) and len(text) <= TITLE_CHARACTERS), None)


def _is_of_series(title: str, running: set[str], head: Sequence[Line]) -> bool:
    """Tell whether a stated title is that of a series: it stands above the document's own, in smaller letters, or only runs."""
    sizes = [line.size for line in head if clean_text(line.text) == title]
    if not sizes:
        return any(title in text for text in running)
    below = list(dropwhile(lambda line: clean_text(line.text) != title, head))
    own = [line.size for line in below if len(line.text.split()) > 1]
    return max(sizes) < max(own, default=0.0) / HEADING_SCALE


def _is_about(stated: str, head: str) -> bool:
    """Tell whether a stated title speaks of this document: many carry their template's or an older file's."""
    words, shown = set(re.findall(r"\w{4,}", stated.casefold())), set(re.findall(r"\w{4,}", head.casefold()))
    return bool(words) and len(words & shown) > TITLE_WORDS_SHOWN * len(words)


def _largest(head: list[Line]) -> str | None:
    """Return the first lines in the largest letters."""
    sizes = [line.size for line in head if len(line.text.strip()) > TITLE_LETTERS]
    largest = max(sizes, default=0)
    if not sizes or largest <= HEADING_SCALE * min(sizes):
        return None  # letters of one size: nothing stands out
    title: list[str] = []
    for line in head:
        if line.size == largest and largest:
            title.append(line.text)
        elif title:
            break
    return clean_text(" ".join(title))[:TITLE_CHARACTERS] or None
