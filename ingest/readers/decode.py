"""Bytes of a text file as text.

A single-byte encoding is told by what the bytes become: the letters of one language, as often as it has them, within words, and
not the symbols and control characters that another encoding has at their places.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache

from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.languages import known_languages
from pes_search.ingest.languages.identify import detect_language

LARGEST_DAMAGE = 0.01  # of the characters of a Unicode text
LARGEST_CONTROL_SHARE = 0.01  # of characters that no text has; bytes of other files have many more
MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",  # before UTF-16, whose mark it begins with
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
UNICODE_SAMPLE_BYTES = 4_096
LEAST_LETTERS, LEAST_SPACES = 0.6, 0.02  # of the characters of a Unicode text without a mark
SAMPLE_WORDS = 400  # with other than ASCII letters
SAMPLE_BYTES = 3_000  # for the language

# The single-byte encodings of the continent, the likelier first, with what it costs to be less likely.
WINDOWS = ("cp1252", "cp1250", "cp1253", "cp1251", "cp1254", "cp1257")
ISO = (
    "iso8859-15",
    "iso8859-2",
    "iso8859-7",
    "iso8859-5",
    "iso8859-9",
    "iso8859-13",
    "iso8859-4",
    "iso8859-3",
    "iso8859-16",
    "koi8-r",
)
MACINTOSH = (
    "mac_roman",
    "mac_latin2",
    "mac_greek",
    "mac_cyrillic",
    "mac_turkish",
    "mac_croatian",
    "mac_romanian",
    "mac_iceland",
)
DOS = ("cp850", "cp852", "cp737", "cp866", "cp775", "cp857")
COSTS: Mapping[str, float] = {
    encoding: cost + 0.0001 * rank
    for cost, encodings in ((0.0, WINDOWS), (0.02, ISO), (0.04, MACINTOSH), (0.06, DOS))
    for rank, encoding in enumerate(encodings)
}
LEAST_ENCODED = 0.7  # of a language's letters, in an encoding that it may be in
# What else the legacy files of the continent may be in; charset-normalizer knows them.
OTHER_SCRIPTS = ("cp1255", "cp1256", "shift_jis", "gb18030", "big5", "euc_kr")

# The letters beyond ASCII of each language, the more frequent first.
LETTERS: Mapping[str, str] = {
    "bg": "аиоентрсвлкдпмзгъубчщцжяхйшюфь",
    "ca": "àéóèíçòúïü",
    "cs": "íáéěřčýžůšúóťďň",
    "da": "åøæéö",
    "de": "üäößé",
    "el": "αοιετσνηυρπκμλςωάίόγέήθδχύφβώξζψϊΐϋΰ",
    "en": "éèêïö",
    "es": "óíáéñúü",
    "et": "äõüöšž",
    "eu": "ñü",
    "fi": "äöåéšž",
    "fr": "éèàêçôûîùâœëïü",
    "ga": "íáéóú",
    "gl": "óáíéñúü",
    "hr": "čšžćđ",
    "hu": "áéöóőüíúű",
    "is": "áíðóéúþýöæ",
    "it": "àèùòìé",
    "lb": "éëäüô",
    "lt": "ėįšžųąčūę",
    "lv": "āīēšūņžļģčķ",
    "mt": "ħżġċàùìòè",
    "nb": "åøæéôò",
    "nl": "ëéèïöü",
    "nn": "åøæéôò",
    "no": "åøæéôò",
    "pl": "ąęłżóśćńź",
    "pt": "ãçáéóíõêúâàô",
    "ro": "ăîâşţ",
    "ru": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
    "sk": "áíýéčžúšľťôňďäóŕĺ",
    "sl": "čšž",
    "sq": "ëç",
    "sr": "аоиеунтсјвркдмпзлгбжшчцћхљњђфџ",
    "sv": "äåöéü",
    "tr": "ıüşçğöİâî",
}
COMMA_BELOW, CEDILLA = str.maketrans("şţ", "șț"), str.maketrans("șț", "şţ")  # Romanian has either, by the encoding
WHOLE_ALPHABETS = frozenset({"bg", "el", "ru", "sr"})  # whose words have no other letters
TYPOGRAPHY = frozenset("\u00a0«»„“”‚‘’‹›–—…•·°§€")

# Logarithms of how likely a character is. Found by trying texts of 24 languages in all their encodings.
STRANGE_LETTER = math.log(0.003)  # of another language: in names
CAPITAL = math.log(0.2)  # at the start of a word
MARK = math.log(0.03)
STRANGE_MARK = math.log(0.0005)
BROKEN_WORD = math.log(0.0001)  # a symbol between two letters, a capital after a small one
NEVER = math.log(0.000001)  # control characters, places that the encoding leaves empty
SAME_LANGUAGE, SAME_ENCODING = 1.2, 0.6  # what it counts that the text is taken for the language, or for one of the encoding's
STATED = 1.2
LEAST_LIKELY = math.log(0.001)  # less is no text of a language that is known here


def decode(data: bytes, stated: str | None = None) -> str:
    """Return the text of bytes in UTF-8, UTF-16, UTF-32, or the single-byte encoding in which they read best.

    `stated` is the encoding that the file or its sender names: a hint, since many name the wrong one.

    Raises:
        UnreadableFileError: the bytes are no text.
    """
    encoding = next((name for mark, name in MARKS.items() if data.startswith(mark)), None) or _unmarked(data)
    try:
        text = data.decode(encoding or "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode(encoding, "replace") if encoding else _legacy(data, stated)
    controls = sum(character < " " and character not in "\t\n\r\f" for character in text)
    if "\x00" in text or controls > LARGEST_CONTROL_SHARE * len(text):
        raise UnreadableFileError("not text: the file holds binary data")
    return text


def _unmarked(data: bytes) -> str | None:
    """Return the form of Unicode of a text without a mark whose characters take two or four bytes; None for any other."""
    sample = data[:UNICODE_SAMPLE_BYTES]
    if 0 not in sample or len(data) % 2:
        return None
    for encoding, size in (("utf-32-le", 4), ("utf-32-be", 4), ("utf-16-le", 2), ("utf-16-be", 2)):
        text = sample[: len(sample) // size * size].decode(encoding, "replace") if len(data) % size == 0 else ""
        letters = sum(character < "\u0600" and character.isalnum() for character in text)
        spaces = sum(map(str.isspace, text))
        if "\x00" not in text and letters > LEAST_LETTERS * len(text) and spaces > LEAST_SPACES * len(text):
            return encoding
    return None


def _legacy(data: bytes, stated: str | None) -> str:
    unicode = data.decode("utf-8", "replace")
    damaged = unicode.count("\ufffd")
    whole = sum(not character.isascii() for character in unicode) - damaged
    if damaged <= LARGEST_DAMAGE * len(unicode) and damaged < whole:
        return unicode  # a wrong byte or two
    sample, context = _samples(data)
    likelihoods = {encoding: _likelihood(encoding, sample, context) for encoding in _candidates()}
    if stated and (name := _python_name(stated)) in likelihoods:
        likelihoods[name] += STATED
    best = max(likelihoods, key=likelihoods.__getitem__)  # of equals the first, the most common one
    if likelihoods[best] < LEAST_LIKELY and (text := _of_another_script(data)) is not None:
        return text
    return data.decode(best, "replace")


def _samples(data: bytes) -> tuple[bytes, bytes]:
    """Return the words with other than ASCII characters, and a stretch of text from the first of them on."""
    words = []
    first = None
    for match in re.finditer(rb"[^\s\x80-\xff]{0,30}[\x80-\xff][^\s]{0,60}", data):
        first = match.start() if first is None else first
        words.append(match[0])
        if len(words) == SAMPLE_WORDS:
            break
    start = max(0, (first or 0) - SAMPLE_BYTES // 3)
    return b" ".join(words), data[start : start + SAMPLE_BYTES]


def _likelihood(encoding: str, sample: bytes, context: bytes) -> float:
    """Return how likely the characters beyond ASCII are on average, in the likeliest language of the encoding."""
    counts = Counter(_characters(sample.decode(encoding, "replace")))
    total = sum(counts.values()) or 1
    detected = detect_language(_letters_only(context.decode(encoding, "replace")))
    languages = _candidates()[encoding]

    def of(language: str) -> float:
        letters = _letter_likelihoods(language)
        sum_of_all = sum(
            count * (penalty if penalty is not None else letters.get(character, STRANGE_LETTER))
            for (character, penalty), count in counts.items()
        )
        same = SAME_LANGUAGE if language == detected else SAME_ENCODING if detected in languages else 0.0
        return sum_of_all / total + same

    return max(map(of, languages)) - COSTS.get(encoding, 0.0)


def _letters_only(text: str) -> str:
    return re.sub(r"[^\w\s]|\d", " ", text)


def _characters(text: str) -> Iterator[tuple[str, float | None]]:
    """Yield each character beyond ASCII, with its likelihood where that does not depend on the language.

    Letters are small but for a capital at the start of a word.
    """
    opened = sum(map(text.count, "«„‘‹")) - sum(map(text.count, "»“’›"))
    before = " "
    for character, after in zip(text, text[1:] + " ", strict=True):
        if not character.isascii():
            if character.isalpha():
                broken = (character.isupper() and before.islower()) or (after.isupper() and character.islower())
                is_initial = character.isupper() and not before.isupper() and not after.isupper()
                yield ("", BROKEN_WORD) if broken else (character if is_initial else _small(character), None)
            elif character == "\ufffd" or unicodedata.category(character).startswith("C"):
                yield ("", NEVER)
            elif before.isalpha() and after.isalpha() and character not in "’·-–":
                yield ("", BROKEN_WORD)
            elif character == "’" and not before.isalpha() and after.isalpha():
                yield ("", STRANGE_MARK)
            elif character in "«‘‹" and opened > 0 and after.isalpha():  # never closed
                yield ("", BROKEN_WORD)
            else:
                yield ("", MARK if character in TYPOGRAPHY else STRANGE_MARK)
        before = character


def _small(letter: str) -> str:
    return letter if letter == "İ" else letter.lower().translate(CEDILLA)


@cache
def _letter_likelihoods(language: str) -> Mapping[str, float]:
    """Return the logarithm of each letter's share of the language's letters beyond ASCII."""
    letters = LETTERS.get(language)
    if letters is None:  # a language file without letters here
        script = known_languages()[language].script.upper()
        alphabet = [chr(code) for code in range(0xC0, 0x590) if unicodedata.name(chr(code), "").startswith(script)]
        return dict.fromkeys(alphabet, math.log(1 / max(len(alphabet), 1)))
    # By Zipf's law; flatter in a whole alphabet, where the average has to be comparable.
    weights = [1 / (rank + (10 if language in WHOLE_ALPHABETS else 2)) for rank in range(len(letters))]
    small = {letter: math.log(weight / sum(weights)) for letter, weight in zip(letters, weights, strict=True)}
    return {letter.upper(): likelihood + CAPITAL for letter, likelihood in small.items()} | small


@cache
def _candidates() -> Mapping[str, frozenset[str]]:
    """Return the encodings to try, each with its languages, the most common first."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for encoding in COSTS:
        found[encoding] |= {language for language in known_languages() if _is_encoded(language, encoding)}
    for encodings in (_encodings(is_latin=True), _encodings(is_latin=False)):
        for encoding, languages in encodings.items():
            found[encoding] |= languages
    return {encoding: frozenset(languages) for encoding, languages in found.items() if languages}


def _is_encoded(language: str, encoding: str) -> bool:
    letters = LETTERS.get(language, "")
    encoded = max(len(form.encode(encoding, "ignore")) for form in (letters, letters.translate(COMMA_BELOW)))
    return bool(letters) and encoded >= LEAST_ENCODED * len(letters)


@cache
def _encodings(*, is_latin: bool) -> Mapping[str, frozenset[str]]:
    """Return the encodings of Latin or of other scripts, each with its languages; that of the most languages comes first."""
    languages: defaultdict[str, set[str]] = defaultdict(set)
    for language in known_languages().values():
        if language.encoding and (language.script == "Latin") == is_latin:
            languages[language.encoding].add(language.code)
    ordered = sorted(languages, key=lambda encoding: (-len(languages[encoding]), encoding))
    return {encoding: frozenset(languages[encoding]) for encoding in ordered}


def _python_name(encoding: str) -> str | None:
    """Return the name of an encoding as it stands here, or None where Python knows none of that name."""
    import codecs

    try:
        name = codecs.lookup(encoding.strip()).name
    except LookupError:
        return None
    return "cp1252" if name == "iso8859-1" else name.replace("-", "_") if name.startswith("mac") else name


def _of_another_script(data: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(data[: 10 * SAMPLE_BYTES], cp_isolation=list(OTHER_SCRIPTS)).best()
    return data.decode(best.encoding, "replace") if best is not None else None
