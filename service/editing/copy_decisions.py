"""An editor says of documents that they are copies, or that they are none, and takes it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pes_search.index.copy_groups import contradicted
from pes_search.index.errors import QueryError
from pes_search.index.open_index import OpenIndex, unknown_document
from pes_search.ingest.errors import VisitorError
from pes_search.service.records.copies import CopyDecision, CopyRecords, by_pair
from pes_search.service.records.file import NotStoredError

Verdict = Literal["confirm", "part", "undo"]


class ContradictionError(VisitorError):
    """A decision cannot hold beside earlier ones."""


def of_seen(decisions: Sequence[CopyDecision], index: OpenIndex) -> list[CopyDecision]:
    """Return the decisions that who sees an index may know of: all of a whole one, else those about what it has."""
    known = index.concepts.rows
    return [one for one in decisions if index.is_whole or (one.first in known and one.second in known)]


def decide(verdict: Verdict, document_id: str, other_ids: Sequence[str], index: OpenIndex, records: CopyRecords) -> None:
    """Keep what an editor says of a document and each of the others: copies of it, none of its copies, or nothing any more.

    A pair's later decision takes the place of its earlier one.

    Raises:
        QueryError: no other document is named, or one twice.
        NotInIndexError: no document has one of the ids. What was decided of one that has gone can be taken back.
        NotStoredError: nothing that could be taken back was decided.
        ContradictionError: two documents would be copies of one, and no copies of each other.
    """
    ids = [document_id, *other_ids]
    if not other_ids:
        raise QueryError("name at least two documents, the first and what it is a copy of; `pes duplicates` lists ids")
    if twice := sorted(one for one in {*ids} if ids.count(one) > 1):
        raise QueryError(f"{twice[0]!r} is named twice; name each document once")
    pairs = [(min(document_id, other), max(document_id, other)) for other in other_ids]
    decided = by_pair(records.find())
    if verdict == "undo":
        pairs = [pair for pair in pairs if pair in decided]
        if not pairs:
            raise NotStoredError(f"nothing was decided about {' and '.join(ids)}; `pes duplicates` lists what was")
        records.decide(pairs, are_copies=None, index_id=index.manifest.index_id)
        return
    if unknown := [one for one in ids if one not in index.concepts.rows]:
        raise unknown_document(unknown[0])
    are_copies = verdict == "confirm"
    if kept_apart := contradicted(decided | dict.fromkeys(pairs, are_copies)):
        first, second = next((pair for pair in kept_apart if pair not in pairs), kept_apart[0])
        raise ContradictionError(
            f"{first!r} and {second!r} cannot be copies where documents that are copies of them are not copies of each other; "
            f"take the other decisions about them back first (`pes duplicates --undo ID ID`)"
        )
    records.decide(pairs, are_copies=are_copies, index_id=index.manifest.index_id)
