"""The documents related to one, and why they are; copies and translations, as the index has them, stand apart.

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
    """A document that is related to another; the hit names its copies and translations (`also`), which are not listed again."""

    hit: Hit
    reasons: tuple[Reason, ...]


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
    """Return the k documents related to one, the nearest first, without copies of it or of a nearer one.

    Raises:
        NotInIndexError: no document has this id.
        QueryError: `k` is out of range.
    """
    copies = index.copies.group_of(document_id)
    most = k if not 1 <= k < LARGEST_K else min(LARGEST_K, k + len(copies) + SEARCHED_BEYOND)
    hits = {
        hit.document.id: hit for hit in related(document_id, index, k=most, filters=filters) if hit.document.id not in copies
    }
    # However far they are: an editor may have said that they are copies.
    same = related(document_id, index, k=min(len(copies), LARGEST_K), filters=filters, among=copies) if len(copies) > 1 else ()
    document = index.document(document_id)
    listed = index.copies.without_others(hits, document.language)[:k]
    shown = [RelatedDocument(hits[one], _reasons(document, hits[one], index)) for one in listed]
    return Relations(tuple(shown), same, stated_relations(document_id, index))


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
