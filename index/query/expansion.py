"""Acronyms and former names in a query are written out, as the controlled lists have them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pes_search.index.types import Expansion
from pes_search.ingest.taxonomy import Concept, Taxonomy

LISTS = ("acronyms", "organisations")


class Expander:
    """Finds the short and former names of the lists. Case counts: "NINI" and "nini" may be names, "einem" holds no INEM."""

    def __init__(self, taxonomy: Taxonomy, language: str) -> None:
        """`language` is the one that most of the collection is in."""
        self._added: dict[str, list[str]] = {}
        for name in LISTS:
            for concept in taxonomy.lists.get(name, {}).values():
                label = concept.label(language)
                for short in _names(concept):
                    if short != label and label not in self._added.setdefault(short, []):
                        self._added[short].append(label)
        longest_first = sorted(self._added, key=len, reverse=True)
        self._pattern = (
            re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])") if longest_first else None
        )

    def expand(self, query: str) -> tuple[str, tuple[Expansion, ...]]:
        """Return the query followed by what its names stand for, in brackets, and what was found."""
        if self._pattern is None:
            return query, ()
        names = list(dict.fromkeys(self._pattern.findall(query)))
        expansions = tuple(
            Expansion(name, label) for name in names for label in self._added[name] if label.casefold() not in query.casefold()
        )
        if not expansions:
            return query, ()
        return f"{query} ({'; '.join(dict.fromkeys(expansion.added for expansion in expansions))})", expansions


def _names(concept: Concept) -> Iterable[str]:
    """Return the names that a concept should be found by although documents may not use them."""
    return dict.fromkeys(
        [*(name for names in concept.short.values() for name in names), *(old.name for old in concept.earlier)]
    )
