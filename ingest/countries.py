"""Country codes from the names that documents print ("Country: Czech Republic", "Germany: Short-time work")."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from pes_search.ingest.languages import any_of, known_languages
from pes_search.ingest.types import Block

# Codes that are written like names and are none of ISO 3166-1.
CODES = {"eu": "EU", "uk": "GB", "el": "GR"}  # EL: the EU's own code for Greece
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
    labels = _labels()
    texts = [block.text for block in blocks[:LABEL_BLOCKS]]
    for label, following in zip(texts, [*texts[1:], ""], strict=False):
        name, _, value = label.partition(":")
        if name.strip().casefold() in labels and (codes := _codes_in(value if value.strip() else following)):
            return codes
    return ()


def _codes_in(text: str) -> tuple[str, ...]:
    # "Bosnia and Herzegovina" is one country, "Austria and Germany" are two.
    parts = [part for listed in re.split(r"[,;/\n]", text) for part in (listed, *_conjunction().split(listed))]
    return tuple(dict.fromkeys(code for part in parts if (code := country_code(part))))


@cache
def _names() -> dict[str, str]:
    from babel import Locale

    languages = known_languages().values()
    names = {
        name.casefold().replace("&", "and"): code
        for language in languages
        if language.countries_and_months
        for code, name in Locale(language.code).territories.items()
        if len(code) == 2 and code.isalpha() and code not in NO_COUNTRIES
    }
    return names | {name: code for language in languages for name, code in language.country_names.items()} | CODES


@cache
def _codes() -> set[str]:
    return set(_names().values())


@cache
def _labels() -> frozenset[str]:
    return frozenset(label for language in known_languages().values() for label in language.country_labels)


@cache
def _conjunction() -> re.Pattern[str]:
    return re.compile(
        rf"\s(?:{any_of(language.conjunction for language in known_languages().values() if language.conjunction)})\s"
    )
