"""Questions for a list by a fact ("which projects ended before 2020?") become a table, each row with its quotation."""

from __future__ import annotations

import re

from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex
from pes_search.index.types import DocumentText
from pes_search.ingest.types import PEOPLE, Document
from pes_search.service.answers.kinds import is_silent
from pes_search.service.answers.questions import Understood, YearCondition
from pes_search.service.answers.quotable import quotable_sentences
from pes_search.service.answers.sentences import DIGESTS, with_pointed_at
from pes_search.service.answers.types import Citation, TableRow

MOST_ROWS, MOST_FIGURES = 30, 10
MONEY = "EUR"  # sums of other currencies are not comparable with it


def table_rows(asked: Understood, index: OpenIndex, filters: Filters) -> list[TableRow]:
    """Return the rows that answer a question for practices by a fact, in its order; none for other questions."""
    if asked.named or not asked.kind.as_table:
        return []
    if asked.extreme:
        return _by_figure(asked, index, filters)
    condition = asked.condition
    if condition is None:
        return []
    documents = [
        document
        for document in _listed(index, filters)
        if (year := _year(document, condition)) is not None
        and _holds(condition, year)
        and (not asked.countries or asked.countries & set(document.countries))
    ]
    documents.sort(key=lambda document: (_year(document, condition) or 0, document.id))
    shown = documents[:MOST_ROWS]
    return [
        TableRow(text.document, citation)
        for text in index.stored.texts([document.id for document in shown])
        if (citation := _stating(text, _year(text.document, condition) or 0)) is not None
    ]


def _listed(index: OpenIndex, filters: Filters) -> list[Document]:
    """Return the documents that pass the filters, of copies and translations one."""
    documents = {document.id: document for document in index.stored.documents(filters)}
    return [documents[one] for one in index.copies.without_others(documents)]


def _by_figure(asked: Understood, index: OpenIndex, filters: Filters) -> list[TableRow]:
    """Return the practices with the largest or smallest figures: of money where the question is of money, else of people."""
    unit = MONEY if asked.is_of_money else PEOPLE
    documents = [
        document
        for document in _listed(index, filters)
        if document.kind not in DIGESTS and (not asked.countries or asked.countries & set(document.countries))
    ]
    stated = [(figure, document) for document in documents for figure in document.figures if figure.unit == unit]
    passages = index.stored.passages([figure.passage_id for figure, _ in stated])
    largest: dict[str, TableRow] = {}
    for (figure, document), (passage, _) in zip(stated, passages, strict=True):
        row = TableRow(document, Citation(passage, document, with_pointed_at(passage, figure.start), figure.end), figure)
        before = largest.get(document.id)
        if not is_silent(row.citation.quote) and (before is None or figure.value > (before.figure or figure).value):
            largest[document.id] = row
    order = -1 if asked.extreme == "most" else 1
    rows = sorted(largest.values(), key=lambda row: (order * (row.figure.value if row.figure else 0), row.document.id))
    return rows[:MOST_FIGURES]


def _year(document: Document, condition: YearCondition) -> int | None:
    if document.kind in DIGESTS:
        return None
    return document.end_year if condition.of_end else document.year


def _holds(condition: YearCondition, year: int) -> bool:
    return {
        "before": year < condition.year,
        "until": year <= condition.year,
        "after": year > condition.year,
        "since": year >= condition.year,
        "in": year == condition.year,
    }[condition.relation]


def _stating(text: DocumentText, year: int) -> Citation | None:
    """Return the first sentence that has the year, else the first one of the document, as its quotation."""
    first: Citation | None = None
    for citation, _ in quotable_sentences(text):
        if re.search(rf"(?<!\d){year}(?!\d)", citation.quote) and not is_silent(citation.quote):
            return citation
        first = first or citation
    return first
