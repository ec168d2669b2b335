"""Country codes from the names that documents print ("Country: Czech Republic", "Germany: Short-time work")."""

from __future__ import annotations

import re
from functools import cache

from pes_search.ingest.languages import any_of, known_languages

# Codes that are written like names and are none of ISO 3166-1.
CODES = {"eu": "EU", "uk": "GB", "el": "GR"}  # EL: the EU's own code for Greece
# What the Unicode CLDR lists beside the countries: unknown and test regions, the United Nations, the euro area …
NO_COUNTRIES = {"ZZ", "XA", "XB", "UN", "EZ", "QO"}
_END_OF_TITLE = re.compile(r"[,(]|\s[-–—]\s")


def country_code(name: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code (EU for the European Union) of a country's name or code, or None."""
    name = name.strip(" .)").replace("&", "and")
    if re.fullmatch(r"[A-Za-z]{2}", name) and name.upper() in _codes():
        return name.upper()
    return _names().get(name.casefold())


def countries_of_title(title: str) -> tuple[str, ...]:
    """Return the country that a title begins or ends with: "Germany: short-time work", "Vouchers for training, Lithuania"."""
    before_colon, colon, _ = title.partition(":")
    ends = [before_colon if colon else "", _END_OF_TITLE.split(title)[-1] if _END_OF_TITLE.search(title) else ""]
    for name in (end.strip(" .)") for end in ends):
        # Two letters there are more often an abbreviation ("IT: courses for beginners") than a country's code.
        if len(name) > 2 and (code := country_code(name)):
            return (code,)
    return ()


def codes_in(text: str) -> tuple[str, ...]:
    """Return the codes of the countries that a field names, one after the other."""
    # "Bosnia and Herzegovina" is one country, "Austria and Germany" are two.
    parts = [part for listed in re.split(r"[,;/\n()]|\s[-–—]\s", text) for part in (listed, *_conjunction().split(listed))]
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
def _conjunction() -> re.Pattern[str]:
    return re.compile(
        rf"\s(?:{any_of(language.conjunction for language in known_languages().values() if language.conjunction)})\s"
    )
