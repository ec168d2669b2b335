"""Country codes from the names that documents print ("Country: Czech Republic", "Germany: Short-time work")."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from pes_search.ingest.types import Block

# Languages whose labels and country names are recognised: those that the EU's institutions publish most in.
LANGUAGES = ("en", "de", "fr", "es", "pt", "it", "nl", "pl")
LABELS = {"country", "countries", "land", "länder", "pays", "país", "países", "paese", "paesi", "kraj"}
# Names that are in use beside the Unicode CLDR's.
ALIASES = {
    "czech republic": "CZ",
    "slovak republic": "SK",
    "the netherlands": "NL",
    "european union": "EU",
    "eu": "EU",
    "eu-wide": "EU",
    "uk": "GB",
    "turkey": "TR",
    "el": "GR",  # the EU's own code for Greece
}
# What the Unicode CLDR lists beside the countries: unknown and test regions, the United Nations, the euro area …
NO_COUNTRIES = {"ZZ", "XA", "XB", "UN", "EZ", "QO"}
LABEL_BLOCKS = 40  # a label that far into a document is about something else


def country_code(name: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code (EU for the European Union) of a country's name or code, or None."""
    name = name.strip().replace("&", "and")
    if re.fullmatch(r"[A-Za-z]{2}", name) and name.upper() in _codes():
        return name.upper()
    return _names().get(name.casefold())


def stated_countries(title: str, blocks: Sequence[Block]) -> tuple[str, ...]:
    """Return the countries that a document states in a labelled field or before a colon in its title."""
    before_colon, colon, _ = title.partition(":")
    # Two letters before a colon are more often an abbreviation ("IT: courses for beginners") than a country's code.
    if colon and len(before_colon.strip()) > 2 and (code := country_code(before_colon)):
        return (code,)
    texts = [block.text for block in blocks[:LABEL_BLOCKS]]
    for label, following in zip(texts, [*texts[1:], ""], strict=False):
        name, _, value = label.partition(":")
        if name.strip().casefold() in LABELS and (codes := _codes_in(value if value.strip() else following)):
            return codes
    return ()


def _codes_in(text: str) -> tuple[str, ...]:
    parts = [
        part for listed in re.split(r"[,;/\n]", text) for part in (listed, *re.split(r"\s(?:and|und|et|y|e|i|en)\s", listed))
    ]
    found = (country_code(part) for part in parts)
    return tuple(dict.fromkeys(code for code in found if code))


@cache
def _names() -> dict[str, str]:
    from babel import Locale

    names = {
        name.casefold().replace("&", "and"): code
        for language in reversed(LANGUAGES)
        for code, name in Locale(language).territories.items()
        if len(code) == 2 and code.isalpha() and code not in NO_COUNTRIES
    }
    return names | ALIASES


@cache
def _codes() -> set[str]:
    return set(_names().values())
