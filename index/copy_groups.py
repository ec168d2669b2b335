"""The groups of copies and translations: as a build found them, changed by what editors decided.

An editor says of two documents that they are copies, or that they are none. A group is then what remains joined: pairs that are
confirmed first, then those of the build, and never two that were parted. What was decided about a document that has gone still
tells of those that it was the same as, and counts again when it comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pes_search.index.types import NOTHING_DECIDED

if TYPE_CHECKING:
    from pes_search.index.types import CopyDecisions, CopyGroup, DocumentText
    from pes_search.ingest.types import Document

DESCRIBING = (
    "countries",
    "organisation",
    "target_groups",
    "measure_types",
    "url",
)  # fields that say which of several is kept well


class Copies:
    """The groups of an index, by document."""

    def __init__(self, groups: Iterable[CopyGroup], decisions: CopyDecisions = NOTHING_DECIDED) -> None:
        """The first of a group stands for it; `groups` already are as the decisions want them (`decided_groups`)."""
        languages = [dict(group) for group in groups]
        self.groups = [tuple(group) for group in languages]
        self.decisions = decisions
        self._languages = {one: language for group in languages for one, language in group.items()}
        self._group_of: Mapping[str, tuple[str, ...]] = {one: group for group in self.groups for one in group}
        self._confirmed = {one: group for group in _joined([], decisions) for one in group}

    def group_of(self, document_id: str) -> tuple[str, ...]:
        """Return the ids of a document's group, the one that stands for it first; its own alone where it has none."""
        return self._group_of.get(document_id, (document_id,))

    def language_of(self, document_id: str) -> str | None:
        """Return the language of a document in a group."""
        return self._languages.get(document_id) or None

    def without_others(self, document_ids: Iterable[str], language: str | None = None) -> list[str]:
        """Return ids in their order, of each group one, where the first of it stood.

        It is the one in this language, else the one that stands for the group, else the next of the group that is given.
        """
        given = dict.fromkeys(document_ids)
        chosen: dict[str, str] = {}
        for group in map(self.group_of, given):
            if group[0] not in chosen:
                there = [one for one in group if one in given]
                chosen[group[0]] = next((one for one in there if language and self.language_of(one) == language), there[0])
        return list(chosen.values())

    def is_confirmed(self, document_ids: Sequence[str]) -> bool:
        """Tell whether editors said of all of these that they are copies of each other."""
        return set(document_ids) <= set(self._confirmed.get(document_ids[0], ()))

    def parted_from(self, document_ids: Iterable[str]) -> list[str]:
        """Return the ids of what editors said that it is no copy of one of these."""
        ours = set(document_ids)
        parted = (pair for pair, are_copies in self.decisions.items() if not are_copies)
        return sorted({other for pair in parted for one, other in (pair, pair[::-1]) if one in ours})

    def is_settled(self, first: str, second: str) -> bool:
        """Tell whether two documents are in one group, or kept apart by what editors said of their groups."""
        group = self.group_of(second)
        return first in group or not set(group).isdisjoint(self.parted_from(self.group_of(first)))


def standing(document: Document, characters: int) -> tuple[int, str, int]:
    """Return what makes a document stand for its group, where it is highest: how well described, how new, how full it is."""
    described = sum(document.states(name) for name in DESCRIBING)
    return described, document.date or str(document.year or ""), characters


def decided_groups(
    groups: Sequence[CopyGroup], decisions: CopyDecisions, texts: Callable[[Sequence[str]], list[DocumentText]]
) -> list[CopyGroup]:
    """Return a build's groups as editors decided, first those that did not change.

    `texts` gives documents, without those that are not there: a new group is led by the best of its own.
    """
    joined = {frozenset(group) for group in _joined([list(dict(group)) for group in groups], decisions)}
    built = {frozenset(dict(group)): group for group in groups}
    changed = joined - built.keys()
    known = {text.document.id: text for text in texts(sorted({one for group in changed for one in group}))}
    standings = {one: _standing_of_text(text) for one, text in known.items()}
    made = []
    for group in changed:
        # In the order of a build's: the one that stands for the others, then they by id.
        there = sorted(group & known.keys())
        if len(there) > 1:
            first = max(there, key=standings.__getitem__)
            made.append([first, *(one for one in there if one != first)])
    made.sort(key=lambda group: (standings[group[0]], group[0]), reverse=True)
    unchanged = [group for ids, group in built.items() if ids in joined]
    return [*unchanged, *([(one, known[one].document.language or "") for one in group] for group in made)]


def groups_among(
    groups: Sequence[CopyGroup], ids: Collection[str], texts: Callable[[Sequence[str]], list[DocumentText]]
) -> list[CopyGroup]:
    """Return a build's groups among some documents only: where the one that stands for a group is not there, the best is."""
    made: list[CopyGroup] = []
    for group in groups:
        there = [member for member in group if member[0] in ids]
        if len(there) > 1 and there[0] != group[0]:
            best = max(texts(sorted(one for one, _ in there)), key=_standing_of_text).document.id
            there.sort(key=lambda member: (member[0] != best, member[0]))
        if len(there) > 1:
            made.append(there)
    return made


def _standing_of_text(text: DocumentText) -> tuple[int, str, int]:
    return standing(text.document, sum(len(passage.text) + 1 for passage in text.passages) - 1)


def contradicted(decisions: CopyDecisions) -> list[tuple[str, str]]:
    """Return the confirmed pairs that others of the decisions keep apart."""
    group_of = {one: group for group in _joined([], decisions) for one in group}
    return [pair for pair, are_copies in decisions.items() if are_copies and pair[1] not in group_of.get(pair[0], ())]


def _joined(groups: Iterable[Sequence[str]], decisions: CopyDecisions) -> list[set[str]]:
    """Return sets of two documents or more that are joined by decisions and groups; no two of one set were parted."""
    parted: dict[str, set[str]] = {}
    group_of: dict[str, set[str]] = {}

    def join(first: str, second: str) -> bool:
        """Put two groups together, unless some of them were parted; return whether they are together."""
        smaller, larger = sorted((group_of.setdefault(first, {first}), group_of.setdefault(second, {second})), key=len)
        if smaller is larger:
            return True
        if any(not larger.isdisjoint(parted.get(one, ())) for one in smaller):
            return False
        larger |= smaller
        group_of.update(dict.fromkeys(smaller, larger))
        return True

    for (first, second), are_copies in decisions.items():
        if not are_copies:
            parted.setdefault(first, set()).add(second)
            parted.setdefault(second, set()).add(first)
    for pair in sorted(pair for pair, are_copies in decisions.items() if are_copies):
        join(*pair)
    for group in groups:
        apart: list[str] = []  # one of each part that the group falls into
        for one in group:
            if not any(join(other, one) for other in apart):
                apart.append(one)
    return [group for group in {id(group): group for group in group_of.values()}.values() if len(group) > 1]
