"""When each document was first seen: what is new to a saved search. These dates stay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pes_search.service.records.file import RecordFile
from pes_search.service.records.texts import storable

LOOKUP_IDS = 500  # in one SELECT; SQLite takes at least 999 variables


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a document was first seen."""

    at: str
    lived: int  # seconds that the records had lived through; these tell what came first, whatever the clock said


class ArrivalRecords:
    """Dates of arrival in the file."""

    def __init__(self, file: RecordFile) -> None:
        self._file = file

    def note(self, index_id: str, document_ids: Iterable[str]) -> None:
        """Remember when each document was first seen; one that left the index and comes back keeps its date.

        The ids are not looked at if this index was the last one noted.
        """
        index_id = storable(index_id)
        with self._file.transaction() as connection:
            if connection.execute("SELECT 1 FROM noted_index WHERE index_id = ?", (index_id,)).fetchone():
                return
        now = self._file.time()
        arrived = [storable(document_id) for document_id in document_ids]
        with self._file.transaction(write=True) as connection:
            lived = self._file.count_on(connection)
            connection.executemany(
                "INSERT OR IGNORE INTO arrivals (document_id, at, lived) VALUES (?, ?, ?)",
                [(document_id, now, lived) for document_id in arrived],
            )
            connection.execute("INSERT OR REPLACE INTO noted_index (only_row, index_id) VALUES (1, ?)", (index_id,))

    def first_seen(self, document_ids: Iterable[str]) -> dict[str, Arrival]:
        """Return when each document was first seen, without those that never were."""
        stored_ids = {document_id: storable(document_id) for document_id in document_ids}
        wanted = list(dict.fromkeys(stored_ids.values()))
        seen: dict[str, Arrival] = {}
        with self._file.transaction() as connection:
            for start in range(0, len(wanted), LOOKUP_IDS):
                part = wanted[start : start + LOOKUP_IDS]
                marks = ",".join("?" * len(part))
                rows = connection.execute(f"SELECT document_id, at, lived FROM arrivals WHERE document_id IN ({marks})", part)  # noqa: S608
                seen |= {document_id: Arrival(at, lived) for document_id, at, lived in rows}
        return {document_id: seen[stored_id] for document_id, stored_id in stored_ids.items() if stored_id in seen}
