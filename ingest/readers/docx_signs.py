"""Signs of a Word document that are drawn and not typed: formulas, raised and lowered text, symbols of special fonts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pes_search.ingest.cleaning.text import LOWERED, RAISED
from pes_search.ingest.readers.docx_styles import M, W, is_on, name_of

# ── Formulas ────────────────────────────────────────────────────────────────────────────────────────────────────────

_UNSHOWN_MATH = {"m:ctrlPr", "del", "moveFrom", "rPr", "instrText", "delText"}


def math_text(element: Any) -> str:
    """Return a formula on one line: "233/412", "10⁶", "√(a + b)", "∑_(i=1)^n x"."""
    return _math(element).strip()


def _math(element: Any) -> str:
    name = name_of(element)
    if name in _UNSHOWN_MATH or (name.startswith("m:") and name.endswith("Pr")):
        return ""
    if name in ("m:t", "t"):
        return (element.text or "").replace("\u2061", " ")  # the unseen sign between a function and what it is of
    if name in ("m:r", "r") and is_on(element.find(W + "rPr"), "vanish"):
        return ""
    if name.startswith("m:") and (rule := _RULES.get(name[2:])):
        return rule(element)
    said, was_run = "", True
    pieces = []
    for child in element:
        if piece := _math(child):
            is_run = name_of(child) in ("m:r", "r")
            # The 3 and the 1/2 of "3 1/2" are two figures; "x^k a" is no power of "ka". Runs of one figure join.
            between = said[-1:] + piece[:1]
            apart = _are_figures(between) if was_run and not is_run else not was_run and _are_words(between)
            pieces.append(" " + piece if apart else piece)
            said, was_run = piece, is_run
    return "".join(pieces)


def _are_figures(signs: str) -> bool:
    return len(signs) == 2 and signs.isdecimal()


def _are_words(signs: str) -> bool:
    return len(signs) == 2 and all(sign.isalpha() or sign.isdecimal() for sign in signs)


def _part(element: Any, name: str) -> str:
    child = element.find(M + name)
    return _math(child).strip() if child is not None else ""


def _sign(element: Any, properties: str, name: str, default: str) -> str:
    child = element.find(f"{M}{properties}/{M}{name}")
    return default if child is None else (child.get(M + "val") or "")[:4]


def _grouped(text: str) -> str:
    """Return a part in brackets unless it is one word or figure, or in brackets already."""
    is_one = len(text) < 2 or re.fullmatch(r"[\w.,%√∑′]*|\([^()]*\)", text)
    return text if is_one else f"({text})"


def _power(text: str) -> str:
    if text in ("∘", "°"):
        return "°"
    return text.translate(RAISED) if re.fullmatch(r"[-+−]?[0-9ni]+", text) else f"^{_grouped(text)}" if text else ""


def _index(text: str) -> str:
    return text.translate(LOWERED) if re.fullmatch(r"[-+−]?[0-9]+", text) else f"_{_grouped(text)}" if text else ""


def _fraction(element: Any) -> str:
    above, below = _part(element, "num"), _part(element, "den")
    if _sign(element, "fPr", "type", "bar") == "noBar":
        return f"({above} over {below})"
    return f"{_grouped(above)}/{_grouped(below)}"


def _root(element: Any) -> str:
    degree = _part(element, "deg")
    return f"{_power(degree) if degree != '2' else ''}√{_grouped(_part(element, 'e'))}"


def _delimited(element: Any) -> str:
    between = _sign(element, "dPr", "sepChr", "|")
    inner = between.join(_math(part).strip() for part in element.iterfind(M + "e"))
    return f"{_sign(element, 'dPr', 'begChr', '(')}{inner}{_sign(element, 'dPr', 'endChr', ')')}"


def _sum(element: Any) -> str:
    limits = _index(_part(element, "sub")) + _power(_part(element, "sup"))
    return f"{_sign(element, 'naryPr', 'chr', '∫')}{limits} {_part(element, 'e')}"


def _scripted(element: Any) -> str:
    base = _part(element, "e")
    return f"{_grouped(base)}{_index(_part(element, 'sub'))}{_power(_part(element, 'sup'))}"


_RULES: dict[str, Callable[[Any], str]] = {
    "f": _fraction,
    "rad": _root,
    "d": _delimited,
    "nary": _sum,
    "sSup": _scripted,
    "sSub": _scripted,
    "sSubSup": _scripted,
    "sPre": lambda element: f"{_index(_part(element, 'sub'))}{_power(_part(element, 'sup'))}{_part(element, 'e')}",
    "func": lambda element: f"{_part(element, 'fName')} {_part(element, 'e')}",
    "limLow": lambda element: f"{_part(element, 'e')}{_index(_part(element, 'lim'))}",
    "limUpp": lambda element: f"{_part(element, 'e')}{_power(_part(element, 'lim'))}",
    "m": lambda element: f"[{'; '.join(_math(row) for row in element.iterfind(M + 'mr'))}]",
    "mr": lambda element: ", ".join(_math(cell).strip() for cell in element.iterfind(M + "e")),
    "eqArr": lambda element: "; ".join(_math(row).strip() for row in element.iterfind(M + "e")),
}


# ── Raised and lowered text ─────────────────────────────────────────────────────────────────────────────────────────

Segment = tuple[str, str]
"""A stretch of text and how it is set: "" or superscript, subscript, raised, lowered; formula."""

_MARK = re.compile(r"(\s*)[(\[]?((?:[0-9]{1,3}|[*†‡§]+)(?:\s*[,;–-]\s*[0-9]{1,3})*)[)\]]?([\s.,;:]*)")
_EXPONENT = re.compile(r"([-+−–]?) ?([0-9]{1,2})")
_TEN = re.compile(r"(?<![0-9.,])10$")
# A raised 2 or 3 after these is a power; after other words it is a note's mark.
_MEASURES = frozenset(
    ("m", "km", "cm", "mm", "dm", "dam", "hm", "nm", "µm", "μm", "ft", "in", "yd", "mi", "pc", "ha", "s", "h", "x", "y", "z",
     "n", "r", "R", "k", "p", "t", "χ", "σ", "CO")
)  # fmt: skip
_IN_BRACKETS = re.compile(r"\s*\[[^\]]*\][\s.,;:]*")
_LETTERS = re.compile(r"[^\W\d_]+$")
_TAIL = 24  # characters before a raised figure that tell what it is


def joined(segments: list[Segment], *, has_marks: bool = True) -> str:
    """Return the text with powers as "10⁶", indices as "CO₂", marks of notes as "[2]" or not at all: none joins a figure."""
    merged = _merged(segments)
    if not any(text.strip() for text, align in merged if align in ("", "formula")):
        return "".join(text for text, _ in merged)  # all of it is raised: nothing stands beside it
    parts: list[str] = []
    tail = ""
    place, align_before = 0, ""
    while place < len(merged):
        text, align = merged[place]
        if fraction := _typed_fraction(merged[place : place + 3]):
            text = f" {fraction}" if tail[-1:].isdecimal() else fraction  # 3 and 1/2 are no 31/2
            place += 2
        elif align == "superscript" or (align == "raised" and tail[-1:].strip()):
            raised = _raised(text, tail)
            text = raised if has_marks or not _IN_BRACKETS.fullmatch(raised) else ""
        elif align == "subscript" or (align == "lowered" and tail[-1:].strip()):
            text = _lowered(text, tail)
        elif "formula" in (align, align_before) and _is_apart(tail[-1:] + text[:1], is_formula=align == "formula"):
            text = f" {text}"
        align_before = align
        parts.append(text)
        tail = (tail + text)[-_TAIL:]
        place += 1
    return "".join(parts)


def _is_apart(signs: str, *, is_formula: bool) -> bool:
    """Tell whether a formula and what is typed beside it, by the two signs where they meet, would read as one."""
    return _are_words(signs) if is_formula else _are_figures(signs)


def _merged(segments: list[Segment]) -> list[Segment]:
    merged: list[tuple[list[str], str]] = []
    for text, align in segments:
        if merged and merged[-1][1] == align != "formula":
            merged[-1][0].append(text)
        elif text:
            merged.append(([text], align))
    return [("".join(texts), align) for texts, align in merged]


def _typed_fraction(segments: list[Segment]) -> str:
    """Return "1/2" where a raised 1, a slash and a lowered 2 stand side by side."""
    if [align for _, align in segments] not in (["superscript", "", "subscript"], ["raised", "", "lowered"]):
        return ""
    above, slash, below = (text.strip() for text, _ in segments)
    is_fraction = slash in ("/", "⁄") and above.isdecimal() and below.isdecimal()
    return f"{above}/{below}" if is_fraction else ""


def _raised(text: str, before: str) -> str:
    if (match := _EXPONENT.fullmatch(text.strip())) and _is_power(before, match[1], match[2]):
        return (match[1].replace("–", "-") + match[2]).translate(RAISED)
    if match := _MARK.fullmatch(text):
        return f"{match[1]}{match[2] if match[2][0] in '*†‡§' else f'[{match[2]}]'}{match[3]}"
    word = _LETTERS.search(before)
    is_after_word = word is not None and len(word[0]) > 2 and re.fullmatch("[a-k]", text)
    is_after_figure = re.search(r"[0-9][0-9.,][0-9]$", before) and re.fullmatch("[a-dfg]", text)
    if is_after_word or is_after_figure:
        return f"[{text}]"
    return f" {text}" if before[-1:].isdecimal() and text[:1].isdecimal() else text


def _is_power(before: str, sign: str, digits: str) -> bool:
    if _TEN.search(before) or sign:
        return True
    word = _LETTERS.search(before)
    return word is not None and word[0] in _MEASURES and digits in ("2", "3", "4")


def _lowered(text: str, before: str) -> str:
    if before[-1:].isdecimal() and text.strip()[:1].isdecimal():
        return f"[{text.strip()}]"
    return re.sub(r"[0-9]+", lambda match: match[0].translate(LOWERED), text) if before[-1:].strip() else text


# ── Signs of symbol fonts ───────────────────────────────────────────────────────────────────────────────────────────

_SYMBOL = dict(
    zip(
        (*range(0x20, 0x7F), *range(0xA0, 0xFF)),
        " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"
        "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…|—↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊⟨®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪ ⟩∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭",
        strict=True,
    )
)


def _table(**signs: str) -> dict[int, str]:
    """Return a font's signs by code: `x6C="●"` is one, `x80="⓪①"` the first of several in a row."""
    return {int(code[1:], 16) + place: sign for code, row in signs.items() for place, sign in enumerate(row)}


_FONTS = {
    "symbol": _SYMBOL,
    "wingdings": _table(
        x20=" ✏✂✁", x28="☎✆✉", x36="⏳", x3F="✍✍✌", x43="👍👎☜☞☝☟✋☺😐☹💣☠⚑", x51="✈☼💧❄", x58="✠✡☪☯", x6C="●○■□□❑❒⬧⧫◆❖⬥⌧",
        x80="⓪①②③④⑤⑥⑦⑧⑨⑩⓿❶❷❸❹❺❻❼❽❾❿", x9E="·•▪○", xA4="◉◎", xA7="▪◻", xAA="✦★✶✴✹✵", xDF="←→↑↓↖↗↙↘←→↑↓↖↗↙↘⇦⇨⇧⇩⇔⇕", xFB="✗✓☒☑",
    ),
    "wingdings 2": _table(x20=" ", x4F="✗✓☒☑☒", x6A="⓪①②③④⑤⑥⑦⑧⑨⑩", x75="⓿❶❷❸❹❺❻❼❽❾❿", x97="●", xA0="■", xA2="■□□"),
    "wingdings 3": _table(x20=" ", x66="←→↑↓↖↗↙↘↔↕▲▼△▽◀▶◁▷", x7D="▶"),
    "webdings": _table(x20=" ", x33="◀▶▲▼", x61="✔", x63="□", x67="■", x6E="●", x72="✖"),
}  # fmt: skip


def symbol(code: int, font: str) -> str:
    """Return the Unicode character of a font's code; "" where the font's sign is not known here."""
    signs = _FONTS.get(font.casefold().removesuffix(" (normal text)"))
    if 0xF000 <= code <= 0xF0FF:  # Word adds this to the codes of symbol fonts
        code -= 0xF000
        signs = signs if signs is not None else {code: bytes([code]).decode("cp1252", "ignore")}
    elif not 0 < code < 0xD800 and not 0xE000 <= code <= 0x10FFFF:
        return ""
    return chr(code) if signs is None or code > 0xFF else signs.get(code, "")


def as_shown(text: str, font: str) -> str:
    """Return a run's typed text with the signs that a symbol font shows for it."""
    if font.casefold().removesuffix(" (normal text)") in _FONTS or re.search("[\uf020-\uf0ff]", text):
        text = "".join(symbol(ord(sign), font) for sign in text)
    return text.replace("\u2011", "-")
