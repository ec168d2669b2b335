"""A PDF page's letters with their positions, by PDFium, as runs: letters of one size that stand on one height without a gap.

PDFium is asked for all letters of a page at once: one call of Python's a letter would take longer than PDFium itself.
"""

from __future__ import annotations

import ctypes
import math
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

LEAST_SIZE = 0.5  # points
OFF_START = 0.15  # letters from its box's left side to where a letter begins; more is a letter that is turned
ANGLES_ASKED = 40  # letters of a page that say how it is turned …
DOWNWARDS, HEADLONG, UPWARDS = 1, 2, 3  # … and how their lines go, in quarters of a circle
WIDE_GAP = 1.0  # letters between two on a line, from which on they are not one run: a wide space of justified text is less
SPACE_GAP = 0.12  # letters between two of a word, at most; in letterspaced words all gaps are wide
FURTHEST_POINTS = 1e6  # from a page's corner
BEFORE_SPACES = ",;:"  # behind them nearly every gap is a space, so that their usual gap says nothing
USUAL_PART = 5  # a fifth of the gaps behind a letter are smaller than the usual one: the others may be missing spaces
MOST_UNEVEN = 0.1  # letters by which a letter's usual gap may be larger than that of all letters
LEAST_GAP = 0.02  # letters that are free where a space is missing
SIZES = 256  # half points that letter sizes are told apart by
OVERLAP = 0.3  # letters by which two of a word may overlap; those of a ligature do more
BACKWARDS = 0.6  # letters by which the next may stand further left: marks over letters, and kerning
HEIGHT_STEP = 0.06  # letters by which the next may stand higher or lower
SIZE_STEP = 0.06  # of the size, by which the next may be larger or smaller
LATE_LETTERS = 3  # of a mark that is written after its line, at most …
LATE_SIZE = 0.85  # … of its line's letters, …
LATE_RISE = 0.5  # … letters that it may stand higher or lower, …
LATE_ROOM = 0.1  # … and by which it may reach beyond its gap
LETTERS_ASKED = 200  # of a page, whether the file tells what they are
OBJECTS_LOOKED_AT = 20_000  # of a page, for images and rules …
PATHS_LOOKED_AT = 3_000  # … and how many of them may be rules
ANNOTATIONS_LOOKED_AT = 2_000
LONGEST_ADDRESS = 2_000  # bytes
MOST_OUTLINE_ENTRIES = 5_000
DEEPEST_OUTLINE = 15
LINK, POPUP = 2, 16  # types of annotations, as PDFium numbers them
IMAGE, PATH = 3, 2  # types of objects, as PDFium numbers them
RULE_POINTS = 3  # a path that is not higher than this is a horizontal rule
SPACE = 0x20  # this and what is below it leaves no ink …
LAST_CODE = 0xFFFF
OTHER_SPACES = frozenset({0x7F, 0xA0, 0xAD, 0x1680, *range(0x2000, 0x200F), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF})
BOLD = ("bold", "black", "heavy")
BOLD_WEIGHT = 650

Numbers = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(slots=True)
class Run:
    """Letters in the order of the file, with positions in points from the page's lower left corner."""

    text: str
    x0: float
    x1: float
    y: float  # of the line that the letters stand on
    size: float
    bold: bool
    space_before: bool


@dataclass(slots=True)
class PageText:
    """What PDFium finds on a page."""

    runs: list[Run]
    turned: str = ""  # letters that stand across the page's text, such as a stamp at its side
    has_notes: bool = False  # or form fields
    links: list[tuple[str, str]] = field(default_factory=list)  # addresses, and the letters that they lie over
    unknown: float = 0.0  # share of the letters of which the file does not tell what they are; 0 where not asked for


class PdfiumFile:
    """A PDF opened by PDFium, which is not to be used by two threads at once."""

    def __init__(self, data: bytes, password: str | None = None) -> None:
        """Open the file.

        Raises:
            pypdfium2.PdfiumError: it cannot be.
        """
        import pypdfium2

        self._document = pypdfium2.PdfDocument(data, password=password)

    def __len__(self) -> int:
        return len(self._document)

    def close(self) -> None:
        """Give back what PDFium holds."""
        self._document.close()

    def outline(self) -> list[tuple[str, int]]:
        """Return the titles of the outline with their levels, the highest 1; pypdf takes fifty times as long."""
        entries = islice(self._document.get_toc(max_depth=DEEPEST_OUTLINE), MOST_OUTLINE_ENTRIES)
        return [(title, entry.level + 1) for entry in entries if (title := _title_of(entry))]

    def text(self, number: int, *, ask_for_unknown: bool = False) -> PageText:
        """Return the text of a page, counted from 0, with the share of unknown letters if it is asked for."""
        import pypdfium2.raw as raw

        page = self._document[number]
        try:
            text_page = page.get_textpage()
            try:
                found = _page_text(text_page.raw)
                if ask_for_unknown:
                    found.unknown = _unknown_letters(text_page)
                kinds = set(_annotations(page.raw, raw))
                found.has_notes = bool(kinds - {LINK, POPUP})
                if LINK in kinds:
                    found.links = list(_links(self._document.raw, page.raw, text_page))
            finally:
                text_page.close()
            return found
        finally:
            page.close()

    def picture(self, number: int, dots_per_inch: int) -> Image.Image:
        """Return a page, counted from 0, as a picture in shades of grey."""
        page = self._document[number]
        try:
            picture: Image.Image = page.render(scale=dots_per_inch / 72, grayscale=True).to_pil()
            return picture
        finally:
            page.close()

    def objects(self, number: int) -> tuple[bool, list[tuple[float, float, float]]]:
        """Tell whether a page has images, and return its horizontal rules: left and right end, and height.

        The upper and lower edges of boxes count as rules.
        """
        import pypdfium2.raw as raw

        page = self._document[number]
        try:
            handle = ctypes.cast(page.raw, ctypes.c_void_p).value or 0
            count = min(raw.FPDFPage_CountObjects(page.raw), OBJECTS_LOOKED_AT)
            items = list(map(_calls().page_item, repeat(handle), range(count)))
            kinds = list(map(_calls().kind, items))
            paths = [item for item, kind in zip(items, kinds, strict=True) if kind == PATH][:PATHS_LOOKED_AT]
            return IMAGE in kinds, [rule for path in paths for rule in _edges(ctypes.cast(path or 0, raw.FPDF_PAGEOBJECT))]
        finally:
            page.close()


def _unknown_letters(text_page: Any) -> float:
    """Return the share of a page's letters of which the file does not tell what they are, by a sample."""
    count = text_page.count_chars()
    asked = range(0, count, max(1, count // LETTERS_ASKED))
    handle = ctypes.cast(text_page.raw, ctypes.c_void_p).value or 0
    return sum(value == 1 for value in map(_calls().unknown, repeat(handle), asked)) / max(len(asked), 1)


def _annotations(page: Any, raw: Any) -> Iterator[int]:
    """Yield the kinds of a page's annotations, as PDFium numbers them."""
    for i in range(min(raw.FPDFPage_GetAnnotCount(page), ANNOTATIONS_LOOKED_AT)):
        annotation = raw.FPDFPage_GetAnnot(page, i)
        if annotation:
            yield raw.FPDFAnnot_GetSubtype(annotation)
            raw.FPDFPage_CloseAnnot(annotation)


def _links(document: Any, page: Any, text_page: Any) -> Iterator[tuple[str, str]]:
    """Yield the addresses that a page links to, with the letters that each lies over."""
    import pypdfium2.raw as raw

    place, link, box = ctypes.c_int(0), raw.FPDF_LINK(), raw.FS_RECTF()
    for _ in range(ANNOTATIONS_LOOKED_AT):
        if not raw.FPDFLink_Enumerate(page, place, link):
            return
        action = raw.FPDFLink_GetAction(link)
        if not action or raw.FPDFAction_GetType(action) != raw.PDFACTION_URI:
            continue
        size = raw.FPDFAction_GetURIPath(document, action, None, 0)
        if not 1 < size <= LONGEST_ADDRESS:
            continue
        address = ctypes.create_string_buffer(size)
        raw.FPDFAction_GetURIPath(document, action, address, size)
        is_placed = raw.FPDFLink_GetAnnotRect(link, box)
        text = text_page.get_text_bounded(box.left, box.bottom, box.right, box.top) if is_placed else ""
        yield address.value.decode("utf-8", "replace"), text


def _edges(item: Any) -> Iterator[tuple[float, float, float]]:
    import pypdfium2.raw as raw

    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if raw.FPDFPageObj_GetBounds(item, left, bottom, right, top):
        if top.value - bottom.value <= RULE_POINTS:
            yield left.value, right.value, (top.value + bottom.value) / 2
        else:
            yield left.value, right.value, top.value
            yield left.value, right.value, bottom.value


# ── Letters, all of a page at once ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Calls:
    """PDFium's functions as plain addresses, which can be mapped over all letters of a page."""

    code: Callable[..., int]
    origin: Callable[..., int]
    loose_box: Callable[..., int]
    angle: Callable[..., float]
    unknown: Callable[..., int]
    item: Callable[..., int | None]
    font: Callable[..., int | None]
    page_item: Callable[..., int | None]
    kind: Callable[..., int]


@cache
def _calls() -> _Calls:
    import pypdfium2.raw as raw

    handle, number = ctypes.c_void_p, ctypes.c_int

    def function(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        address = ctypes.cast(getattr(raw, name), ctypes.c_void_p).value
        return ctypes.PYFUNCTYPE(result, *arguments)(address or 0)

    return _Calls(
        code=function("FPDFText_GetUnicode", ctypes.c_uint, handle, number),
        origin=function("FPDFText_GetCharOrigin", number, handle, number, handle, handle),
        loose_box=function("FPDFText_GetLooseCharBox", number, handle, number, handle),
        angle=function("FPDFText_GetCharAngle", ctypes.c_float, handle, number),
        unknown=function("FPDFText_HasUnicodeMapError", number, handle, number),
        item=function("FPDFText_GetTextObject", handle, handle, number),
        font=function("FPDFTextObj_GetFont", handle, handle),
        page_item=function("FPDFPage_GetObject", handle, handle, number),
        kind=function("FPDFPageObj_GetType", number, handle),
    )


def _page_text(text_page: Any) -> PageText:
    import pypdfium2.raw as raw

    count = raw.FPDFText_CountChars(text_page)
    if count <= 0:
        return PageText([])
    handle = ctypes.cast(text_page, ctypes.c_void_p).value or 0
    text = _text(text_page, handle, count)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    ink = np.flatnonzero(~_leaves_no_ink()[np.minimum(codes, LAST_CODE)])
    if not len(ink):
        return PageText([])
    boxes = _boxes(handle, count, ink)
    runs, across = _runs(handle, text, ink, codes[ink], boxes)
    return PageText(runs, "".join(text[ink[0] : ink[-1] + 1]) if not runs else "".join(across))


def _title_of(entry: Any) -> str:
    """Return an outline entry's title, or nothing where it is damaged."""
    try:
        return str(entry.get_title())
    except UnicodeDecodeError:
        return ""


@cache
def _leaves_no_ink() -> NDArray[np.bool_]:
    table = np.zeros(LAST_CODE + 1, dtype=np.bool_)
    table[[*range(SPACE + 1), *OTHER_SPACES]] = True
    return table


def _text(text_page: Any, handle: int, count: int) -> str:
    """Return the page's letters, one a place."""
    import pypdfium2.raw as raw

    buffer = (ctypes.c_ushort * (2 * count + 2))()
    written = raw.FPDFText_GetText(text_page, 0, count, buffer) - 1
    text = bytes(buffer)[: 2 * written].decode("utf-16-le", "replace")
    if len(text) != count:  # letters without a character are missing there
        text = "".join(map(_character, map(_calls().code, repeat(handle), range(count))))
    return text.replace("\x02", "-").replace("\ufffe", "-")  # its signs for a hyphen at the end of a line


def _character(code: int) -> str:
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"


@dataclass(frozen=True, slots=True)
class _Boxes:
    """The letters' boxes, as if the page's text were upright: row i is that of letter i.

    PDFium's loose box begins where the letter does, and is as high as the letter size.
    """

    x0: Numbers
    x1: Numbers
    bottom: Numbers
    size: Numbers
    quarter: int  # by which the page's text is turned

    def of(self, places: Places) -> _Boxes:
        """Return those of some letters."""
        return _Boxes(self.x0[places], self.x1[places], self.bottom[places], self.size[places], self.quarter)


def _boxes(handle: int, count: int, ink: Places) -> _Boxes:
    calls = _calls()
    sides = np.zeros((count, 4), dtype=np.float32)
    start = sides.ctypes.data
    _all(map(calls.loose_box, repeat(handle), range(count), range(start, start + 16 * count, 16)))
    left, top, right, bottom = _on_page(sides.astype(np.float64)).T
    asked = ink[:: max(1, len(ink) // ANGLES_ASKED)].tolist()
    quarters = Counter(round(angle / (math.pi / 2)) % 4 for angle in map(calls.angle, repeat(handle), asked))
    quarter = quarters.most_common(1)[0][0]
    size = np.abs(top - bottom if quarter in (0, HEADLONG) else right - left)
    x0, y0 = _upright(quarter, left, bottom)
    x1, y1 = _upright(quarter, right, top)
    return _Boxes(np.minimum(x0, x1), np.maximum(x0, x1), np.minimum(y0, y1), size, quarter)


def _upright(quarter: int, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    """Return places on a page that is turned so that its lines go from left to right."""
    turned = {UPWARDS: (y, -x), DOWNWARDS: (-y, x), HEADLONG: (-x, -y)}
    return turned.get(quarter, (x, y))


def _origins(handle: int, places: Places, quarter: int) -> tuple[Numbers, Numbers]:
    """Return where letters stand: their left ends, and the heights of their lines."""
    origins = np.zeros((len(places), 2))
    start, end = origins.ctypes.data, origins.ctypes.data + 16 * len(places)
    _all(map(_calls().origin, repeat(handle), places.tolist(), range(start, end, 16), range(start + 8, end + 8, 16)))
    return _upright(quarter, *_on_page(origins).T)


def _on_page(places: Numbers) -> Numbers:
    """Return places that can be: damaged files have letters nowhere or beyond any page."""
    return np.clip(np.nan_to_num(places), -FURTHEST_POINTS, FURTHEST_POINTS)


def _all(results: Iterator[int]) -> None:
    deque(results, maxlen=0)


# ── Runs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _runs(handle: int, text: str, ink: Places, codes: NDArray[np.uint32], all_boxes: _Boxes) -> tuple[list[Run], list[str]]:
    """Return the page's runs, and the letters that stand across them."""
    boxes = all_boxes.of(ink)
    starts, order = _with_late_marks(_starts(codes, boxes), boxes)
    firsts = ink[starts]
    lasts = ink[np.append(starts[1:] - 1, len(ink) - 1)]
    x, y = _origins(handle, firsts, boxes.quarter)
    sizes = np.minimum.reduceat(boxes.size, starts)
    is_across = np.abs(x - boxes.x0[starts]) > OFF_START * np.maximum(sizes, LEAST_SIZE)
    values = [firsts, lasts, np.minimum.reduceat(boxes.x0, starts), np.maximum.reduceat(boxes.x1, starts), y, sizes, is_across]
    spaced_text = _with_spaces(text, ink, codes, boxes)
    runs: dict[int, Run] = {}
    across: list[str] = []
    before = 0
    bold = _bold(handle, starts, ink)
    for i, (first, last, left, right, height, size, is_other, is_bold) in enumerate(
        zip(*(row.tolist() for row in values), bold, strict=True)
    ):
        piece = " ".join("".join(spaced_text[first : last + 1]).split())
        if is_other:
            across.append(piece)
            continue
        spaced = " " in text[before:first] or "\xa0" in text[before:first]
        spaced = spaced or (before > 0 and spaced_text[before - 1].endswith(" "))  # found by the gap, at the end of a run
        runs[i] = Run(piece, left, right, height, round(size, 1), is_bold, spaced)
        before = last + 1
    return [runs[i] for i in order if i in runs], across


def _with_spaces(text: str, ink: Places, codes: NDArray[np.uint32], boxes: _Boxes) -> list[str]:
    """Return the letters, with a space behind those after which PDFium did not see one.

    The gap behind such a letter is much wider than behind the same letter elsewhere, and not all gaps around it are.
    """
    spaced = list(text)
    if len(ink) < 2:
        return spaced
    is_next = np.diff(ink) == 1
    gaps = (boxes.x0[1:] - boxes.x1[:-1]) / np.maximum(boxes.size[1:], LEAST_SIZE)
    is_within = is_next & (gaps > -OVERLAP) & (gaps < WIDE_GAP)
    letters = codes[:-1] * SIZES + np.minimum(boxes.size[:-1] * 2, SIZES - 1).astype(np.uint32)
    wider = np.where(is_within, gaps - _usual_gaps(letters, gaps, is_within), WIDE_GAP)
    is_wide = wider > SPACE_GAP
    all_wide = np.append(True, is_wide[:-1]) & np.append(is_wide[1:], True)
    for i in ink[:-1][
        is_within & (wider > SPACE_GAP) & (gaps > LEAST_GAP) & (gaps + wider > 2 * SPACE_GAP) & ~all_wide
    ].tolist():
        spaced[i] += " "
    return spaced


def _usual_gaps(letters: NDArray[np.uint32], gaps: Numbers, is_within: NDArray[np.bool_]) -> Numbers:
    """Return the gap that usually stands behind each letter of a size in words: some programs round the widths."""
    usual = np.zeros(len(letters))
    if is_within.any():
        order = np.flatnonzero(is_within)[np.lexsort((gaps[is_within], letters[is_within]))]
        kinds, firsts, counts = np.unique(letters[order], return_index=True, return_counts=True)
        of_kind = np.where(counts < USUAL_PART, 0, gaps[order][firsts + counts // USUAL_PART])
        # A letter that mostly ends words has missing spaces for its usual gap.
        of_kind = np.minimum(of_kind, np.median(gaps[order]) + MOST_UNEVEN)
        usual = of_kind[np.minimum(np.searchsorted(kinds, letters), len(kinds) - 1)]
        usual[np.isin(letters // SIZES, [ord(sign) for sign in BEFORE_SPACES])] = 0
    return usual


def _starts(codes: NDArray[np.uint32], boxes: _Boxes) -> Places:
    """Return the places where a run starts."""
    x0, x1, size = boxes.x0, boxes.x1, boxes.size
    larger = np.maximum(size[1:], size[:-1])
    gap = x0[1:] - x1[:-1]
    to_left = ((codes >= 0x590) & (codes <= 0x8FF)) | ((codes >= 0xFB1D) & (codes <= 0xFEFC))  # Hebrew and Arabic
    back = to_left[1:] | to_left[:-1]
    gap = np.where(back, np.maximum(gap, x0[:-1] - x1[1:]), gap)
    breaks = (
        (np.abs(np.diff(boxes.bottom)) > HEIGHT_STEP * larger)
        | (np.abs(np.diff(size)) > SIZE_STEP * larger)
        | (gap > WIDE_GAP * larger)
        | (~back & (gap < -BACKWARDS * larger) & (np.diff(x0) != 0))  # the letters of a ligature have one box
    )
    return np.concatenate([[0], np.flatnonzero(breaks) + 1])


def _with_late_marks(starts: Places, boxes: _Boxes) -> tuple[Places, list[int]]:
    """Return the runs' starts, and the runs in the order in which they are read.

    Some programs write a line first and the small index within it later ("CO emissions" and then the 2): a small run that
    stands in a gap within another run parts it there, and is read there.
    """
    ends = np.append(starts[1:], len(boxes.x0))
    sizes = np.minimum.reduceat(boxes.size, starts)
    gap_before, gap_after = boxes.x1[:-1], boxes.x0[1:]
    is_within = np.ones(len(gap_before), np.bool_)
    is_within[starts[1:] - 1] = False  # from one run to the next
    marks: dict[int, int] = {}  # the start of a late run, and the letter after which it stands
    for run in np.flatnonzero((ends - starts <= LATE_LETTERS) & (sizes < LATE_SIZE * boxes.size.max())).tolist():
        first, last, size = int(starts[run]), int(ends[run]) - 1, float(sizes[run])
        larger = boxes.size[:-1]
        room = LATE_ROOM * larger
        fits = is_within & (size < LATE_SIZE * larger) & (np.abs(boxes.bottom[:-1] - boxes.bottom[first]) < larger * LATE_RISE)
        fits &= (gap_before - room <= boxes.x0[first]) & (boxes.x1[last] <= gap_after + room)
        if fits.any():
            marks[first] = int(np.argmax(fits))
    if not marks:
        return starts, list(range(len(starts)))
    starts = np.union1d(starts, np.array([place + 1 for place in marks.values()]))
    number_of = {int(start): number for number, start in enumerate(starts)}
    key = {number_of[start]: (number_of[place + 1] - 0.5) for start, place in marks.items()}
    return starts, sorted(range(len(starts)), key=lambda number: (key.get(number, float(number)), number))


def _bold(handle: int, starts: Places, ink: Places) -> list[bool]:
    """Tell for each run whether all its words are bold, from the fonts of the words' first letters."""
    calls = _calls()
    is_start = np.append(True, np.diff(ink) > 1)
    is_start[starts] = True
    words = np.flatnonzero(is_start)
    items = map(calls.item, repeat(handle), ink[words].tolist())
    fonts = [calls.font(item) if item else None for item in items]
    is_bold = {font: _is_bold(font) for font in set(fonts)}
    bold = np.array([is_bold[font] for font in fonts])
    return [bool(value) for value in np.logical_and.reduceat(bold, np.searchsorted(words, starts))]


def _is_bold(font: int | None) -> bool:
    import pypdfium2.raw as raw

    if not font:
        return False
    handle = ctypes.cast(font, raw.FPDF_FONT)
    buffer = ctypes.create_string_buffer(128)
    length = raw.FPDFFont_GetBaseFontName(handle, buffer, len(buffer))
    name = buffer.raw[: min(length, len(buffer))].decode("utf-8", "replace").lower()
    return any(word in name for word in BOLD) or raw.FPDFFont_GetWeight(handle) >= BOLD_WEIGHT
