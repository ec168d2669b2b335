"""Raised and lowered text of a web page, read so that a note's mark never joins a figure."""

from __future__ import annotations

import re
from typing import Any

from pes_search.ingest.cleaning.text import LOWERED, RAISED

_RAISED = re.compile(r"vertical-align\s*:\s*super", re.IGNORECASE)
_NOTE = re.compile(r"[\[(]?\s*(\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*|[a-z])\s*[\])]?")
_NOTE_ADDRESS = re.compile(r"#_*(?:fn|ftn|edn|sdfoot|foot|note|end|cite|ref|bib)", re.IGNORECASE)
_ORDINALS = {
    "st",
    "nd",
    "rd",
    "th",
    "er",
    "re",
    "ère",
    "ere",
    "e",
    "ème",
    "eme",
    "o",
    "a",
    "os",
    "as",
    "º",
    "ª",
    "da",
    "de",
    "ste",
}
# What an exponent follows: ten as a number of its own, a unit, a variable of one letter.
_BASE = re.compile(r"(?:(?<![\d.,])10|(?<![^\W\d_])(?:[mn]|[kcdm]m|[^\W\d_])|[)\]])\Z")


def is_mark(element: Any, tag: str) -> bool:
    """Tell whether an element is raised or lowered text, or a link to a note without being raised."""
    if tag in ("sup", "sub"):
        return True
    if tag == "span":
        style = element.get("style")
        return bool(style) and _RAISED.search(style) is not None
    return tag == "a" and _to_note(element) and _NOTE.fullmatch(_inner_text(element)) is not None


def mark_text(element: Any, before: str) -> str:
    """Return raised or lowered text as it is read after `before`: it never joins a figure."""
    text = _inner_text(element)
    if not text:
        return ""
    last = before[-1:]
    if element.tag == "sub":
        if (element.tail or "").strip() and before.rstrip()[-1:] in "⁄/" and before.strip():
            return text
        return text.translate(LOWERED) if last.isdigit() else text
    is_note = _NOTE.fullmatch(text) is not None
    is_link = element.tag == "a" or next(element.iter("a"), None) is not None or _in_note_link(element)
    if is_note and is_link:
        return _note(text, last)
    if (element.tail or "").lstrip()[:1] in ("⁄", "/") and text.isdigit():
        return f" {text}" if last.isdigit() else text  # a fraction's upper part
    if text.lower().rstrip(".") in _ORDINALS and (last.isdigit() or text.lower() != "a"):
        return text
    digits = text.lstrip("+-−–")
    if digits.isdigit() and (digits != text or _is_exponent(before, digits)):
        return text.translate(RAISED)
    if is_note:
        return _note(text, last) if last or not text.isalpha() else text
    return text if not (last.isdigit() and text[0].isdigit()) else f"^{text}"


def _is_exponent(before: str, digits: str) -> bool:
    base = _BASE.search(before)
    if base is None:
        return False
    if base[0] == "10":
        return digits != "1"
    return base[0] not in ")]" and len(digits) == 1 and digits in "23456"


def _note(text: str, last: str) -> str:
    match = _NOTE.fullmatch(text)
    mark = f"[{match[1] if match else text}]"
    return mark if last.strip() else f"{mark} "


def _inner_text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split()) if len(element) < 20 else ""


def _to_note(link: Any) -> bool:
    return _NOTE_ADDRESS.search(link.get("href", "")[:500]) is not None


def _in_note_link(element: Any) -> bool:
    parent = element.getparent()
    return parent is not None and parent.tag == "a" and "#" in parent.get("href", "")[:500]
