"""Acronyms and former names in a query are written out, as the controlled lists have them; names of the field itself left out.

In a collection of public employment services "PES" says nothing: written out it would bring up whoever spells it out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pes_search.index.types import Expansion
from pes_search.ingest.taxonomy import Concept, Taxonomy

LISTS = ("acronyms", "organisations")
ENDING_LETTERS = 3  # at most, of a plural or case behind a name of the field: "services", "Arbeitsverwaltungen"
FEWEST_SHOUTED_WORDS = 3  # of a query in capitals; fewer may be a name
LEAST_FIELD_SHARE = 0.05  # of the passages that have each word of such a name, from which on the collection is of that field


@dataclass(frozen=True, slots=True)
class Wording:
    """A query as it is searched."""

    plain: str  # without what says nothing here; its language is the query's
    written_out: str  # followed by what its acronyms and former names stand for
    expansions: tuple[Expansion, ...]


class Expander:
    """Finds the short and former names of the lists. Case counts: "NINI" and "nini" may be names, "einem" holds no INEM."""

    def __init__(self, taxonomy: Taxonomy, language: str, is_of_field: Callable[[str], bool]) -> None:
        """`language` is the one that most of the collection is in; `is_of_field` tells whether a label is of its own field."""
        self._added: dict[str, list[str]] = {}
        of_field: list[Concept] = []
        for name in LISTS:
            for concept in taxonomy.lists.get(name, {}).values():
                label = concept.label(language)
                if concept.names_field and is_of_field(label):
                    of_field.append(concept)
                    continue
                for short in _names(concept):
                    if short != label and label not in self._added.setdefault(short, []):
                        self._added[short].append(label)
        self._pattern = re.compile(rf"(?<![\w-])(?:{_any_of(self._added)})(?![\w-])") if self._added else None

        short_names = {name for one in of_field for names in one.short.values() for name in names}
        long_names = {
            name for one in of_field for labels in (one.terms, one.plain) for names in labels.values() for name in names
        }
        self._field = (
            re.compile(
                rf"(?<![\w-])(?:(?:{_any_of(short_names)})(?![\w-])"
                rf"|(?i:{_any_of(long_names)})\w{{0,{ENDING_LETTERS}}}(?![\w-]))"
            )
            if of_field
            else None
        )

    def wording(self, query: str) -> Wording:
        """Return how a query is searched."""
        plain = self._without_field(self._in_lower_case(query))
        written_out, expansions = self._written_out(plain)
        return Wording(plain, written_out, expansions)

    def _in_lower_case(self, query: str) -> str:
        """Return a query that is all in capitals in lower case, but for the lists' acronyms: models read capitals as names."""
        words = query.split()
        if not query.isupper() or len(words) < FEWEST_SHOUTED_WORDS:
            return query
        return " ".join(word if word in self._added else word.lower() for word in words)

    def _without_field(self, query: str) -> str:
        """Return the query without names of the collection's own field, where anything is left then."""
        rest = " ".join(self._field.sub(" ", query).split()) if self._field else query
        return rest if re.search(r"\w{3}", rest) else query

    def _written_out(self, query: str) -> tuple[str, tuple[Expansion, ...]]:
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


def _any_of(names: Iterable[str]) -> str:
    """Return an expression for any of the names, the longest first."""
    return "|".join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)))


def _names(concept: Concept) -> Iterable[str]:
    """Return the names that a concept should be found by although documents may not use them."""
    return dict.fromkeys(
        [*(name for names in concept.short.values() for name in names), *(old.name for old in concept.earlier)]
    )
