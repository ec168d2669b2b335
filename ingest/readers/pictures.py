"""Pictures and scans: Tesseract recognises the text (OCR) where it is installed, in the languages that it has."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import pytesseract
from PIL import Image, ImageOps, ImageSequence

from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.languages.identify import detect_language
from pes_search.ingest.types import Block, FileContent

ADVICE = "install tesseract (Debian: apt install tesseract-ocr tesseract-ocr-all), or run it through OCR first"
LARGEST_PIXELS = 100_000_000
LONGEST_SIDE = 4_000  # pixels; A4 at 300 dots an inch has 3,508
MOST_PAGES = 500  # of a TIFF
SECONDS_A_PAGE = 30
LEAST_CHARACTERS = 40  # of a page; less is a logo or a drawing's label
LEAST_CONFIDENCE = 0.5  # of a page's words on average; below it they are no words
_SCRIPTS = {"Greek": "ell", "Cyrillic": "bul", "Arabic": "ara", "Hebrew": "heb", "Han": "chi_sim", "Latin": "eng"}
# Tesseract's names of languages, by ISO 639-1.
_NAMES = {
    "bg": "bul", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "es": "spa", "et": "est", "fi": "fin",
    "fr": "fra", "ga": "gle", "hr": "hrv", "hu": "hun", "is": "isl", "it": "ita", "lt": "lit", "lv": "lav", "mt": "mlt",
    "nb": "nor", "nl": "nld", "no": "nor", "pl": "pol", "pt": "por", "ro": "ron", "sk": "slk", "sl": "slv", "sv": "swe",
    "tr": "tur", "uk": "ukr",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recognised:
    """What is recognised on a page."""

    paragraphs: Sequence[str]
    confidence: float  # of its words on average, a long one counting more; from 0 to 1


def read(data: bytes) -> FileContent:
    """Read a picture; one of several pages is a scan.

    Raises:
        UnreadableFileError: Tesseract is not installed, the picture is damaged or too large, or no text is recognised in it.
    """
    if not is_installed():
        raise UnreadableFileError(f"a picture: {ADVICE}")
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > LARGEST_PIXELS:
                raise UnreadableFileError(f"too large: more than {LARGEST_PIXELS // 1_000_000} million pixels")
            count = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
            frames = (
                frame.copy() for frame, _ in zip(ImageSequence.Iterator(image), range(min(count, MOST_PAGES)), strict=False)
            )
            found = [recognise(frame) for frame in frames]
    except UnreadableFileError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableFileError(f"damaged or no picture: {type(error).__name__}: {error}") from error
    numbers: list[int | None] = [*range(1, len(found) + 1)] if count > 1 else [None]
    pages = {number: page for number, page in zip(numbers, found, strict=True) if page}
    if not pages:
        raise UnreadableFileError("no text was recognised in it (OCR)")
    return FileContent([*blocks_of(pages)], recognised_fields(pages))


def is_installed() -> bool:
    """Tell whether Tesseract is there."""
    return shutil.which(pytesseract.pytesseract.tesseract_cmd) is not None


def recognise(image: Image.Image) -> Recognised | None:
    """Return the text of a picture, or None where there is none to speak of.

    It is read as English first, or in the language of its script, and again in the language that it then turns out to be in.
    """
    image = ImageOps.exif_transpose(image).convert("L")
    if max(image.size) > LONGEST_SIDE:
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    there = _languages()
    if not there:
        return None
    image, script = _upright(image)
    first = next((name for name in (_SCRIPTS.get(script, "eng"), "eng") if name in there), there[0])
    found = _words(image, first)
    language = _NAMES.get(detect_language(" ".join(found.paragraphs)) or "", first)
    if language != first and language in there:
        again = _words(image, language)
        found = max(found, again, key=lambda one: one.confidence)
    is_text = sum(map(len, found.paragraphs)) >= LEAST_CHARACTERS and found.confidence >= LEAST_CONFIDENCE
    return found if is_text else None


def blocks_of(pages: Mapping[int | None, Recognised]) -> Iterator[Block]:
    """Yield the paragraphs of pages."""
    for number, page in pages.items():
        for text in page.paragraphs:
            yield Block("paragraph", text, number)


def recognised_fields(pages: Mapping[int | None, Recognised]) -> dict[str, object]:
    """Return what a document says of its recognised pages: which, and how sure their words are."""
    letters = [sum(map(len, page.paragraphs)) for page in pages.values()]
    mean = sum(page.confidence * count for page, count in zip(pages.values(), letters, strict=True)) / max(sum(letters), 1)
    return {"recognised_pages": tuple(pages), "recognition_confidence": round(mean, 3)}


@cache
def _languages() -> tuple[str, ...]:
    return tuple(name for name in pytesseract.get_languages() if name != "osd")


def _upright(image: Image.Image) -> tuple[Image.Image, str]:
    """Return a picture turned upright, and the script that it is in."""
    try:
        told = pytesseract.image_to_osd(image, output_type=pytesseract.Output.DICT, timeout=SECONDS_A_PAGE)
    except (pytesseract.TesseractError, RuntimeError):
        return image, "Latin"  # too few letters to tell, or no data to tell by
    turn = int(told.get("rotate") or 0)
    is_sure = float(told.get("orientation_conf") or 0) > 2
    return (image.rotate(-turn, expand=True) if turn and is_sure else image), str(told.get("script"))


def _words(image: Image.Image, language: str) -> Recognised:
    """Return the paragraphs that Tesseract sees."""
    try:
        table = pytesseract.image_to_data(image, lang=language, output_type=pytesseract.Output.DICT, timeout=SECONDS_A_PAGE)
    except (pytesseract.TesseractError, RuntimeError) as error:
        raise UnreadableFileError(f"its text could not be recognised: {clean_text(str(error))}") from error
    lines: dict[tuple[int, int], list[tuple[int, str]]] = {}
    letters = weighed = 0.0
    for block, paragraph, line, word, confidence in zip(
        *(table[name] for name in ("block_num", "par_num", "line_num", "text", "conf")), strict=True
    ):
        if text := clean_text(word):
            lines.setdefault((block, paragraph), []).append((line, text))
            letters += len(text)
            weighed += len(text) * max(float(confidence), 0) / 100
    paragraphs = [clean_text(_joined(words)) for words in lines.values()]
    return Recognised([text for text in paragraphs if re.search(r"\w", text)], weighed / letters if letters else 0.0)


def _joined(words: Sequence[tuple[int, str]]) -> str:
    """Join words; one that a hyphen breaks at a line's end is whole again."""
    text = ""
    last = words[0][0]
    for line, word in words:
        if line != last and re.search(r"[^\W\d_]-$", text) and word[:1].islower():
            text = text[:-1] + word
        else:
            text += f" {word}"
        last = line
    return text
