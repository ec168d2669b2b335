"""Dates as documents print them, in the languages of the European Union and of its neighbours.

The names of months come from the Unicode CLDR. It has the nominative and the genitive; the endings of the other cases, and the
forms that the CLDR lacks, stand here by language.
"""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import regex

from pes_search.ingest.languages import EU_LANGUAGES, any_of, known_languages

FIRST_YEAR = 1900
FIRST_SHORT_YEAR = 1980  # "27.04.79" is more often a number of something
LINE_CHARACTERS = 60  # a date line carries little else; a longer line is prose that happens to name a date
MONTH_LINE_WORDS = 4  # beside a month and year: "Newsletter of the region, April 2023"; more is a sentence

# What a case takes from the end of the CLDR's name, and what it may put there.
CASES: Mapping[str, Sequence[tuple[str, str]]] = {
    "cs": [("a", "u em i"), ("e", "i em"), ("u", "em")],
    "el": [("ς", "|"), ("ιος", "η ης")],
    "et": [("", "i is il ist ini s l st"), ("er", "ri ris ril rist rini")],
    "fi": [("ta", "n ssa sta un hun lla lta")],
    "hr": [("a", "u em om"), ("e", "i u om")],
    "hu": [("", "i a e ban ben ában ében jában án én ig tól től ra re hoz")],
    "lt": [("is", "į yje iui"), ("as", "ą e ui"), ("a", "ą oje"), ("ė", "ę ėje")],
    "lv": [("is", "a ī i im"), ("s", "a ā u am")],
    "pl": [("a", "u em")],
    "sk": [("a", "i u om e")],
    "sl": [("", "a u om ja ju em jem"), ("er", "ra ru rom"), ("ec", "ca cu cem")],
}
FURTHER_NAMES: Mapping[str, Mapping[int, str]] = {
    "bg": {1: "ян", 2: "февр", 9: "септ", 11: "ноем"},
    "de": {1: "Jänner Jän", 2: "Feber"},
    "en": {9: "Sept"},
    "es": {9: "setiembre"},
    "ga": {4: "Aibreáin", 6: "Meithimh", 11: "Samhna Samhnadh", 12: "Nollag"},
    "hr": {11: "studenog studenom studenome"},
    "lv": {4: "aprīļa"},
    "pl": {2: "lutym", 11: "listopadzie"},
}
# Short names that are also words. With a day they are months, with a year alone ("set 2023 targets") they are not.
ALSO_WORDS = frozenset(
    [
        "set",
        "out",
        "ago",
        "may",
        "mar",
        "mag",
        "gen",
        "lip",
        "lis",
        "pro",
        "tra",
        "kol",
        "bal",
        "dub",
        "lut",
        "sie",
        "vas",
        "led",
        "elo",
        "noll",
        "ara",
    ]
)
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
YEAR_FIRST = frozenset({"hu", "lt", "lv"})  # languages that put the year before the month

# Beside those of the language files.
DAY_ENDINGS = (
    "st|nd|rd|th|er|re|ère|º|°|ª|η|ης|ste|de|e|ú|:a|:e|-ми|-ти|-ви|-ри|-и|a|r|n|t"  # 1st, 1er, 1º, 1η, 27ste, 27e, 1:a, 27-ми
)
PARTICLES = r"de|del|di|of|day of|ta['’]|mí na|na|den|a"
YEAR_WORDS = r"m\.|gada|g\.|года|г\."  # "2023 m.", "2023. gada"
MONTH_WORDS = r"mėn\.|mėnesio|mėnesį"
NUMBER_LABEL = regex.compile(
    r"(?:tel|phone|fon|fax|mobile|gsm|nr|no|núm|num|number|nummer|ref|id|code|isbn|issn|nip|cif|vat|n°|№|#|\+)\.?\s*:?\s*\Z",
    regex.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    date: str  # ISO 8601: a day, or a month where the text names none


def date_line(lines: Iterable[str], language: str | None = None) -> str | None:
    """Return the first date (ISO 8601) that stands on a short line, such as "News 27/04/2023" or "22 January 2013".

    A month ("Brussels, April 2023" gives "2023-04") counts where no line has a day; a period ("1.2.2020 – 3.4.2021") does not.
    """
    months = []
    for line in lines:
        found = sorted(_found(line, language), key=_place) if len(line) <= LINE_CHARACTERS else []
        if not found or _is_period(line, found):
            continue
        if len(found[0].date) == len("2023-04-27"):
            return found[0].date
        beside = line[: found[0].start] + line[found[0].end :]
        if len(regex.findall(r"\w+", beside)) <= MONTH_LINE_WORDS:
            months.append(found[0].date)
    return months[0] if months else None


def find_date(text: str, language: str | None = None) -> str | None:
    """Return the first date in the text as ISO 8601, or None; "April 2023" gives the month, "2023-04".

    Numbers are day, month and year, or year, month and day; month and day only where they can be nothing else. `language`,
    where it is known, decides which month a name means that two languages have: "listopada" is October in Croatian, November
    in Polish.
    """
    first = min(_found(text, language), key=_place, default=None)
    return first.date if first else None


def _place(found: _Found) -> tuple[int, int, int]:
    return found.start, -len(found.date), -found.end


def _is_period(line: str, found: Sequence[_Found]) -> bool:
    """Tell whether a second date follows the first one after nothing but a dash."""
    later = (other for other in found if other.start >= found[0].end)
    return any(regex.fullmatch(r"\.?\s*[-–—]\s*", line[found[0].end : other.start]) for other in later)


def _found(text: str, language: str | None) -> Iterator[_Found]:
    text = unicodedata.normalize("NFC", text)
    for pattern in (*_in_figures(), *_in_words()):
        for match in pattern.finditer(text, overlapped=True):
            if date := _date(match, language):
                yield _Found(match.start(), match.end(), date)


def _date(match: regex.Match[str], language: str | None) -> str | None:
    """Return the date of a match, or None where there is no such day, or where no document can be of it."""
    parts = match.groupdict()
    year, month, day = _year(parts), _month(match, language), int(parts.get("day") or 0)
    if "compact" in parts and NUMBER_LABEL.search(match.string[max(0, match.start() - 12) : match.start()]):
        return None
    if "may_be_month_first" in parts and month > len(ROMAN) >= day:
        month, day = day, month
    if "is_issue" in parts and day <= len(ROMAN):  # "no. 3/4 2023"
        return None
    try:
        date = datetime.date(year, month, day or 1)
    except ValueError:
        return None
    if date.year < FIRST_YEAR or date > datetime.datetime.now(datetime.UTC).date():
        return None
    return date.isoformat() if "day" in parts else date.isoformat()[: len("2023-04")]


def _year(parts: Mapping[str, str]) -> int:
    if parts.get("year"):
        return int(parts["year"])
    year = 2000 + int(parts["short_year"])
    if year > datetime.datetime.now(datetime.UTC).year:
        year -= 100
    return year if year >= FIRST_SHORT_YEAR else 0


def _month(match: regex.Match[str], language: str | None) -> int:
    """Return the number of a match's month, or 0 where the word is none."""
    written = match["month"]
    if written.isdecimal():
        return int(written)
    if written.upper() in ROMAN:
        return ROMAN.index(written.upper()) + 1
    name = _folded(written)
    months = _months().get(name, {})
    parts = match.groupdict()
    if "day" not in parts and name in ALSO_WORDS:
        is_english = any("en" in languages for languages in months.values())
        return _meant(months, match, language) if is_english and written[0].isupper() else 0
    if "is_year_first" in parts and not any(YEAR_FIRST & languages for languages in months.values()):
        return 0
    return _meant(months, match, language)


def _meant(months: Mapping[int, frozenset[str]], match: regex.Match[str], language: str | None) -> int:
    """Return which of the months a name means that is one in each of several languages."""
    if len(months) < 2:
        return next(iter(months), 0)
    of_language = [month for month, languages in months.items() if language in languages]
    if of_language:
        return of_language[0]
    # Croatian writes "27. listopada 2023.", Polish "27 listopada 2023 r.", Czech "27. lis 2023".
    parts = match.groupdict()
    is_dotted = "day" not in parts or parts.get("ending") == "."
    is_croatian = is_dotted and (match.string[match.end() : match.end() + 1] == "." or match["month"][-1] in "aA")
    fitting = (month for month, languages in months.items() if ("hr" in languages) == is_croatian)
    return next(fitting, next(iter(months)))


@cache
def _in_figures() -> tuple[regex.Pattern[str], ...]:
    """Return the expressions of "2023-04-27", "27. 4. 2023", "27/4-2023", "27.IV.2023", "27.04.23" and "20230427"."""
    before, after = r"(?<!\d)(?<!\d[.,:/-])", r"(?!\d)(?![.,:/-]\d)"
    year, month, day = r"(?P<year>\d{4})", r"(?P<month>\d{1,2})", r"(?P<day>\d{1,2})"
    dot, slash, dash = r"\s?\.\s?", r"\s?/\s?", r"\s?[-–—]\s?"
    roman = rf"(?P<month>{'|'.join(reversed(ROMAN))})"
    padded = r"(?<!\d[.,:/ -])(?P<day>\d\d){}(?P<month>\d\d){}(?P<short_year>\d\d)(?! \d)"
    us, compact = r"(?P<may_be_month_first>)", r"(?P<compact>)(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)"
    expressions = (
        *(rf"{before}{year}{mark}{month}{mark}{day}{after}" for mark in (dot, slash)),
        rf"{before}{year}-{month}-{day}(?!\d)(?![.,:-]\d)",  # "2023-04-27/2023-05-02" is a period
        rf"{before}{day}{dot}{month}{dot}{year}(?!\d)(?![.,:/]\d)",  # so is "27.4.2023-2.5.2023"
        rf"{before}{day}{dot}{month}\.?{dash}\d{{1,2}}{dot}\d{{1,2}}{dot}{year}{after}",  # 27.4.–2.5.2023
        rf"{before}{day}\.?{dash}\d{{1,2}}{dot}{month}{dot}{year}{after}",  # 27.–29.4.2023
        rf"{before}{us}{day}{slash}{month}{slash}{year}(?!\d)(?![.,:/]\d)",
        rf"{before}{us}{day}-{month}-{year}{after}",
        before + padded.format(dot, dot) + after,
        *(before + us + padded.format(mark, mark) + after for mark in ("/", "-")),
        rf"{before}{day}/{month}(?P<is_issue>\s|-){year}{after}",
        rf"(?<=\b(?:den|d\.)\s){day}/{month}(?:\s|-){year}{after}",
        rf"{before}{day}[.\s-]\s?{roman}[.\s-]\s?{year}{after}",
        rf"{before}{year}\.?\s?{roman}\.\s?{day}{after}",
        rf"(?<![\w./,:-]){compact}(?=T\d{{4}}|[.,;)]?(?:\s*$|\s*[\n|)–]))",
    )
    return tuple(regex.compile(expression) for expression in expressions)


@cache
def _in_words() -> tuple[regex.Pattern[str], ...]:
    """Return the expressions of "1 May 2020", "May 1, 2020", "2020. május 1.", "2020. gada 1. maijs" and "May 2020"."""
    languages = known_languages().values()
    endings = any_of((r"\.[º°ª]?", *(ending for language in languages for ending in sorted(language.day_endings)), DAY_ENDINGS))
    particles = any_of((PARTICLES, *(language.date_particle for language in languages if language.date_particle)))
    # Irish has months of two words.
    month = r"(?<![^\W_])(?P<month>(?:Mh?eán|Dh?eireadh)\s+Fómhair|[^\W\d_]{2,20})\b\.?"
    year, no_digit = r"(?:(?P<year>\d{4})|['’](?P<short_year>\d\d))(?!\d)", r"(?!\d)"
    full_year = r"(?<!\d)(?<!\d[.,/-])(?P<year>\d{4})"
    day = rf"(?<!\d)(?<!\d[.,:/])(?P<day>\d{{1,2}})(?P<ending>{endings})?(?:\s?[-–—/]\s?\d{{1,2}}(?:{endings})?)?"
    last_day = r"(?P<day>\d{1,2})(?!\d|\.?,?\s+\d{4}|[.,:]\d)"
    link = rf"(?:\s+(?:(?:{particles})\s+|[dt]['’]\s?)?|(?<=\.)|\s?[-/]\s?)"
    after_month = rf",?(?:\s+(?:(?:{particles})\s+)?|\s?[-/]\s?)"
    no_day = rf"(?<!(?<!\d)\d{{1,2}}(?:{endings})?(?:\s+(?:(?:{particles})\s+)?|\s?[-/]\s?))"
    until = r"(?:\s?[-–—/]\s?[^\W\d_]{3,20}\.?)?"
    expressions = (
        rf"{day}{link}{month}{after_month}{year}",
        rf"{day}{link}{month}\s?[-–—]\s?\d{{1,2}}(?:{endings})?{link}[^\W\d_]{{3,20}}\.?{after_month}{year}",
        rf"{month}\s+(?P<day>\d{{1,2}})(?:{endings})?(?:\s?[-–—]\s?\d{{1,2}})?,?\s+(?:(?:{particles}|päivänä)\s+)?{year}",
        rf"{full_year}[.,]?\s*(?:(?:{YEAR_WORDS})\s*)?{month}\s*(?:(?:{MONTH_WORDS})\s*)?{last_day}",
        rf"{full_year}\.?\s*(?:{YEAR_WORDS})\s*(?P<day>\d{{1,2}})\.?\s+{month}",
        rf"{no_day}{month}{until},?(?:\s+(?:(?:{particles})\s+)?){year}{no_digit}",
        rf"{full_year}(?P<is_year_first>)\.?\s*(?:(?:{YEAR_WORDS})\s*)?{month}(?!\s*(?:(?:{MONTH_WORDS})\s*)?\d)",
    )
    return tuple(regex.compile(expression, regex.IGNORECASE) for expression in expressions)


@cache
def _months() -> dict[str, dict[int, frozenset[str]]]:
    """Return the months' names, folded, each with its number and the languages in which it is that one."""
    found: dict[str, dict[int, frozenset[str]]] = {}
    for language in sorted(known_languages(), key=lambda code: (code not in EU_LANGUAGES, code)):
        for name, month in _names(language):
            of_name = found.setdefault(_folded(name), {})
            if month in of_name or language in EU_LANGUAGES or not of_name:
                of_name[month] = of_name.get(month, frozenset()) | {language}
    return found


def _names(language: str) -> Iterator[tuple[str, int]]:
    from babel import Locale, UnknownLocaleError
    from babel.dates import get_month_names

    try:
        Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return  # the CLDR does not know it
    for width in ("wide", "abbreviated") if language in EU_LANGUAGES else ("wide",):
        for context in ("format", "stand-alone"):
            for month, name in get_month_names(width, context, locale=language).items():
                yield name, month
                for taken, endings in CASES.get(language, ()) if width == "wide" else ():
                    if name.endswith(taken):
                        stem = name.removesuffix(taken)
                        yield from ((stem + ending.strip("|"), month) for ending in endings.split())
    for month, names in FURTHER_NAMES.get(language, {}).items():
        yield from ((name, month) for name in names.split())
    if language == "ga":
        yield from (("Mheán Fómhair", 9), ("Dheireadh Fómhair", 10))


def _folded(name: str) -> str:
    """Return a name without case, accents and its dot: capitals and typewriters do without accents."""
    letters = unicodedata.normalize("NFD", name.casefold())
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).rstrip(".").split())
