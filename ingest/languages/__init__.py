"""What is known of each language that documents are written in: one file a language, `<code>.yaml`, and nothing elsewhere.

To add a language: one file whose name is its ISO 639-1 code, with as many of the keys of `Language` as are known. A language
without a file is read, indexed and searched too, by whole words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from pes_search.ingest.errors import LanguageFileError

# The EU's official languages, ISO 639-1.
# fmt: off
EU_LANGUAGES = (
    "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr",
    "hu", "it", "lt", "lv", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv",
)
# fmt: on
FOLDER = Path(__file__).parent
NEVER = r"(?!)"  # the expression that matches nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language. Words are in lower case, "expressions" are regular ones, searched without regard to case."""

    __pydantic_config__ = {"extra": "forbid"}

    code: str  # ISO 639-1; the file's name
    name: str  # in English

    # ── Reading ──
    script: str = "Latin"  # by its Unicode name
    encoding: str | None = None  # the single-byte encoding that its texts were written in before UTF-8, as Python names it
    page: str | None = None  # "page" and …
    page_of: str | None = None  # … "of", as in "page 3 of 12" at the edge of a page
    # Words of web pages' controls, compared without punctuation. `controls` are dropped wherever they are a whole block;
    # `form_words` only where several stand in a row, since "Comment" or "Subject" may also be a field's label.
    controls: frozenset[str] = frozenset()
    form_words: frozenset[str] = frozenset()
    cookie_banners: tuple[str, ...] = ()  # expressions, each in every such banner
    feedback_requests: tuple[str, ...] = ()  # expressions with which a line asks what visitors think of the page

    # ── Describing ──
    source_headings: frozenset[str] = frozenset()  # of lists of sources, without numbering and punctuation
    countries_and_months: bool = False  # whether its names of them, which come from the Unicode CLDR, are recognised
    # Of the fields in which documents describe themselves ("Country: Austria"), by `country`, `start`, `end`, `period`,
    # `published`, `organisation`, `partners`, `native_title`, `target_groups` and `measure_types`.
    field_labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    country_names: Mapping[str, str] = field(default_factory=dict)  # in use beside the CLDR's, with their ISO 3166-1 codes
    conjunction: str | None = None  # "and"
    day_endings: frozenset[str] = frozenset()  # of a day's number: "1st"
    date_particle: str | None = None  # between day, month and year: "1 de mayo de 2020"

    # ── Relating ──
    # Expressions right before or after the name of another document that tell what this one is to it: that it `updates` it or
    # is `updated_by` it, `continues` it or is `continued_by` it, or names it under `see_also`, where they begin a heading.
    relation_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    edition: str = NEVER  # an expression for words of a title that tell a later edition: "second edition", "update"
    part: str = NEVER  # an expression for words before the number of a part in a title: "part", "volume"

    # ── Inferring what nothing states ──
    aimed_at: str = NEVER  # an expression right before those whom something is for: "aimed at"
    # In a text, with the ISO 3166-1 code; none of a country that people come from more than measures do.
    country_adjectives: Mapping[str, str] = field(default_factory=dict)
    runs: str = NEVER  # an expression that a sentence about who runs something has: "run by"
    elsewhere: str = NEVER  # an expression right before a country that a text is not about: "unlike in", "refugees from"

    # ── Indexing and searching ──
    stemmer: str | None = None  # Snowball's name of its algorithm; without one whole words are compared
    dictionary: str | None = None  # simplemma's name of its dictionary where it is not the code
    taken_for: frozenset[str] = frozenset()  # languages that the identifier takes its short texts for

    # ── Answering ──
    negations: frozenset[str] = frozenset()  # words that negate a sentence
    nouns_capitalised: bool = False  # all of them, so that a capital does not tell a name
    people: str = NEVER  # an expression for words that stand for people who are counted
    scales: Mapping[str, str] = field(default_factory=dict)  # expressions behind a number, by `thousand`, `million`, `billion`
    not_stated: tuple[str, ...] = ()  # expressions by which a write-up says that something is not known
    # By the fields of a comparison: an expression of which a sentence that states the field, or the heading above it, has one
    # alternative. Without any, sentences are chosen by their meaning alone.
    field_words: Mapping[str, str] = field(default_factory=dict)

    # ── Asking ──
    # People ask without accents, capitals and question marks. So these are compared with the question in Unicode's NFKD,
    # without combining marks and case-folded, and are written in that form: "que" for "qué", "ποσο" for "πόσο", "кои" for
    # "кой". Letters that NFKD leaves whole ("ł", "ø", "ħ") may be typed as others: "[łl]".
    # By kind of question: expressions any of which tells the kind. Where several kinds match, the match that begins first
    # counts, of those the longest: "how much" beats "how". The kinds: `who` (the body or person that runs, decides,
    # criticised), `who_pays`, `how_much` (money), `how_many` (people, places, hours), `when` (date, year), `how_long`, `where`,
    # `how` (how it works, what to do), `why`, `which_countries`, `which_practices` (a list, examples), `evidence` (whether it
    # works), `contact`, `definition` (what it is, what a word means), `for_whom` (target group, conditions), `problems`
    # (criticism, barriers, lessons) and `compare`.
    question_kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # By kind: a question that is suggested where another one is refused; {name} is that of a practice.
    suggested_questions: Mapping[str, str] = field(default_factory=dict)
    question_words: tuple[str, ...] = ()  # that begin a question or its second part: "who", "which"
    follow_ups: tuple[str, ...] = ()  # expressions with which a question goes on from the one before: "^and", "^what about"
    unnamed: tuple[str, ...] = ()  # expressions that stand for a practice without naming it: "it", "the programme"
    # By relation: expressions that stand before a year (in Estonian, Finnish and Hungarian often after it, and with some no
    # space between): `before`, `after`, `since`, `until`, `in`; and words of what is asked about practices: that they `started`
    # or `ended` then, or have the `most` or `least` ("most participants", "largest").
    year_relations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@cache
def known_languages() -> Mapping[str, Language]:
    """Return the languages that have a file, by code, in the codes' order."""
    return read_languages(FOLDER)


def read_languages(folder: Path) -> Mapping[str, Language]:
    """Read the language files of a folder.

    Raises:
        LanguageFileError: a file is no YAML, or has an unknown key or a value of another type.
    """
    return {path.stem: _read(path) for path in sorted(folder.glob("*.yaml"))}


def any_of(expressions: Iterable[str]) -> str:
    """Return an expression that matches what one of the expressions does, each once; nothing, if there are none."""
    return "|".join(dict.fromkeys(expressions)) or NEVER


@cache
def _schema() -> TypeAdapter[Language]:
    return TypeAdapter(Language)


def _read(path: Path) -> Language:
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        return _schema().validate_python({"code": path.stem} | values)
    except (yaml.YAMLError, TypeError) as error:
        raise LanguageFileError(f"{path} is no YAML of `key: value` lines: {error}; mend it") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        known = ", ".join(Language.__dataclass_fields__)
        raise LanguageFileError(f"{path}: `{key}`: {first['msg']}; mend it (the keys are {known})") from error
