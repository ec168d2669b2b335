"""The interface's languages: gettext catalogues, and dates, numbers and names as each language writes them.

A catalogue is `locale/<language>/LC_MESSAGES/messages.po`; the English texts are its keys. `make catalogues` collects them.
"""

from __future__ import annotations

import datetime
import gettext
import io
import logging
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from fastapi import Request

LOCALE = Path(__file__).parent / "locale"
# In the order of the list that visitors choose from, each by its own name.
LANGUAGES = {
    "en": "English", "de": "Deutsch", "es": "Español", "fr": "Français", "it": "Italiano", "pl": "Polski",
}  # fmt: skip
LANGUAGE_COOKIE = "language"
_ACCEPTED = re.compile(r"\s*([A-Za-z]{1,8})(?:-[\w-]+)?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*")
logger = logging.getLogger(__name__)


def _(message: str) -> str:
    """Mark a text for the catalogues; it is translated where it is shown."""
    return message


@dataclass(frozen=True, slots=True)
class Interface:
    """A language of the interface."""

    code: str  # ISO 639-1
    locale: Locale
    translations: gettext.NullTranslations

    def text(self, message: str) -> str:
        """Return a message in this language."""
        return self.translations.gettext(message)

    def number(self, value: float) -> str:
        """Return a number with this language's separators."""
        return str(format_decimal(value, locale=self.locale))

    def percent(self, share: float) -> str:
        """Return a share from 0 to 1 in per cent, whole."""
        return str(
            format_percent(share, format="#,##0 %" if self.code in {"de", "es", "fr", "pl"} else None, locale=self.locale)
        )

    def date(self, iso: str) -> str:
        """Return an ISO 8601 date or time as a date; what is none (a year and month, say) stays as it is."""
        try:
            return str(format_date(datetime.date.fromisoformat(iso[:10]), format="long", locale=self.locale))
        except ValueError:
            return iso

    def time(self, iso: str) -> str:
        """Return an ISO 8601 time, in UTC, as a date with its time."""
        moment = datetime.datetime.fromisoformat(iso)
        return str(format_datetime(moment, format="medium", tzinfo=datetime.UTC, locale=self.locale))

    def country(self, code: str) -> str:
        """Return a country's name; a code that has none stays as it is."""
        return str(self.locale.territories.get(code, code))

    def language(self, code: str) -> str:
        """Return a language's name; a code that has none stays as it is."""
        return str(self.locale.languages.get(code, code))


@cache
def interface(code: str) -> Interface:
    """Return the interface in one of `LANGUAGES`."""
    return Interface(code, Locale(code), _translations(code))


def interface_of(request: Request) -> Interface:
    """Return the interface that a visitor has chosen, or whose browser asks for it, or English."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return interface(chosen)
    return interface(next((code for code in accepted(request.headers.get("accept-language", "")) if code in LANGUAGES), "en"))


def accepted(header: str) -> list[str]:
    """Return the languages of an Accept-Language header, the most wanted first."""
    languages = [(float(match[2] or 1), match[1].lower()) for part in header.split(",") if (match := _ACCEPTED.fullmatch(part))]
    return [code for quality, code in sorted(languages, key=lambda item: -item[0]) if quality > 0]


def text_direction(code: str | None) -> str:
    """Return how a language is written, as HTML's `dir` says it: documents may be in any language."""
    try:
        return str(Locale.parse(code or "en").text_direction)
    except (UnknownLocaleError, ValueError):
        return "ltr"


def _translations(code: str) -> gettext.NullTranslations:
    path = LOCALE / code / "LC_MESSAGES" / "messages.po"
    if not path.is_file():
        return gettext.NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)  # fuzzy entries are left out, so they show in English
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
