"""The documents related to one, why they are, and which say the same as another: copies and translations stand apart.

Related by what they are about is one thing, by what they say of each other another: that one cites or updates the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from pes_search.index.filters import EVERYTHING, Filters
from pes_search.index.open_index import OpenIndex
from pes_search.index.relations import STRENGTH, RelationTo
from pes_search.index.search import LARGEST_K, related
from pes_search.index.types import Hit
from pes_search.ingest.types import Document
from pes_search.service.editing.duplicates import LEAST_DUPLICATE_SCORE, pair_score

SEARCHED_BEYOND = 20  # documents more than are wanted, as some are copies
# Of documents' mean vectors, from which on they have one topic: a fifth of the corpus' six nearest have it.
LEAST_TOPIC_COSINE = 0.905
REASONS = {"target_groups": "people", "measure_types": "measure", "channels": "channel"}
"""What documents share, by the field that states it."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why two documents are related: `topic`, or a field's `people`, `measure` or `channel` with the terms that both have."""

    name: str
    terms: tuple[str, ...] = ()  # ids of the field's controlled list


@dataclass(frozen=True, slots=True)
class RelatedDocument:
    """A document that is related to another."""

    hit: Hit
    reasons: tuple[Reason, ...]
    same: tuple[Document, ...]  # copies and translations of it, which are not listed again


@dataclass(frozen=True, slots=True)
class StatedRelation:
    """That a document, or the other one, cites, updates or continues the other or names it as something else to read."""

    relation: RelationTo
    document: Document  # the other one


@dataclass(frozen=True, slots=True)
class Relations:
    """What is related to a document."""

    related: tuple[RelatedDocument, ...]
    same: tuple[Hit, ...]  # copies and translations of the document itself
    stated: tuple[StatedRelation, ...]  # whatever the filters


def relations(document_id: str, index: OpenIndex, *, k: int, filters: Filters = EVERYTHING) -> Relations:
    """Return the k documents related to one, the nearest first, without those that say the same as it or as a nearer one.

    Raises:
        NotInIndexError: no document has this id.
        QueryError: `k` is out of range.
    """
    most = k if not 1 <= k < LARGEST_K else min(LARGEST_K, k + SEARCHED_BEYOND)
    hits = related(document_id, index, k=most, filters=filters)
    documents = [index.document(document_id), *(hit.document for hit in hits)]
    ids = [document.id for document in documents]
    means = index.stored.means(ids)
    cosines = means @ means.T
    overlaps = index.concepts.overlaps(ids, ids, cosines)

    def say_the_same(first: int, second: int) -> bool:
        nearness = float(cosines[first, second]), float(overlaps[first, second])
        return pair_score(documents[first], documents[second], *nearness) >= LEAST_DUPLICATE_SCORE

    same: list[Hit] = []
    listed: dict[int, list[Document]] = {}  # of each row that is listed its copies
    for row, hit in enumerate(hits, start=1):
        if say_the_same(0, row):
            same.append(hit)
        elif (original := next((other for other in listed if say_the_same(other, row)), None)) is not None:
            listed[original].append(hit.document)
        else:
            listed[row] = []
    shown = [
        RelatedDocument(hits[row - 1], _reasons(documents[0], hits[row - 1], index), tuple(copies))
        for row, copies in list(listed.items())[:k]
    ]
    return Relations(tuple(shown), tuple(same), stated_relations(document_id, index))


def stated_relations(document_id: str, index: OpenIndex) -> tuple[StatedRelation, ...]:
    """Return what a document and others say of each other, the strongest kind first, in the order of the others' titles."""
    found = index.relations.of(document_id)
    documents = {text.document.id: text.document for text in index.stored.texts([one.document_id for one in found])}
    stated = [StatedRelation(one, documents[one.document_id]) for one in found if one.document_id in documents]
    return tuple(
        sorted(stated, key=lambda one: (-STRENGTH.index(one.relation.kind), one.relation.is_by_other, one.document.title))
    )


def newest_version(document_id: str, index: OpenIndex) -> Document | None:
    """Return the newest version of a document, where there is a newer one."""
    newest = index.relations.newest(document_id)
    return index.document(newest) if newest else None


def _reasons(document: Document, hit: Hit, index: OpenIndex) -> tuple[Reason, ...]:
    shared = []
    for field, name in REASONS.items():
        list_name = field.replace("_", "-")
        ours = set(index.taxonomy.with_broader(list_name, getattr(document, field)))
        if both := [term for term in getattr(hit.document, field) if term in ours]:
            shared.append(Reason(name, tuple(both)))
    topic = [Reason("topic")] if hit.scores.topic >= LEAST_TOPIC_COSINE or not shared else []
    return (*topic, *shared)
