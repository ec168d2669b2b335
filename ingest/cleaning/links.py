"""The links of a file that may lead to another document: each target once, no mail addresses, no places on the page itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from urllib.parse import urljoin, urlsplit

from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.languages import any_of, known_languages
from pes_search.ingest.types import Link

MOST_LINKS = 1_000  # of a file
TARGET_CHARACTERS = 2_000
TEXT_CHARACTERS = 300
HEADING_CHARACTERS = 60  # of one over a list "see also"
FILES = frozenset({"", "file"})  # schemes of paths
SCHEMES = FILES | {"http", "https"}


def links_of(found: Iterable[Link], base: str = "") -> tuple[Link, ...]:
    """Return the links that lead out of a file; `base` is the address that it states for them to start from."""
    links: dict[str, Link] = {}
    for link in found:
        target = _target(link.target, base)
        if target and len(links) < MOST_LINKS:
            kept = links.get(target)
            if kept is None or (kept.is_aside and not link.is_aside):  # what the text says counts more
                links[target] = Link(target, clean_text(link.text)[:TEXT_CHARACTERS], link.is_aside)
    return tuple(links.values())


def _target(target: str, base: str) -> str:
    """Return where a link leads, as an address where the base is one; nothing if that can be no document."""
    target = "".join(target.split()) if "://" in target else target.strip()
    if not target or target.startswith("#") or len(target) > TARGET_CHARACTERS:
        return ""
    try:
        absolute = urljoin(base, target) if base.startswith(("http://", "https://")) else target
        return absolute if urlsplit(absolute).scheme in SCHEMES else ""
    except ValueError:
        return ""  # such as http://[ without its end


def is_see_also(heading: str) -> bool:
    """Tell whether a heading or label stands over links to what else there is to read: "See also", in any known language."""
    return len(heading) <= HEADING_CHARACTERS and _see_also().match(heading) is not None


@cache
def _see_also() -> re.Pattern[str]:
    expressions = (
        expression for language in known_languages().values() for expression in language.relation_words.get("see_also", ())
    )
    return re.compile(rf"\W*(?:{any_of(expressions)})", re.IGNORECASE)
