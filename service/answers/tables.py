"""Questions for a list by a fact ("which projects ended before 2020?") become a table, each row with its quotation."""

from __future__ import annotations

import re

from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex
from pes_search.index.types import DocumentText
from pes_search.ingest.types import Document
from pes_search.service.answers.kinds import is_silent
from pes_search.service.answers.questions import Understood, YearCondition
from pes_search.service.answers.quotable import quotable_sentences
from pes_search.service.answers.sentences import DIGESTS
from pes_search.service.answers.types import Citation, TableRow

MOST_ROWS, MOST_FIGURES = 30, 10
_SCALES = {"million": 1e6, "m": 1e6, "billion": 1e9, "bn": 1e9, "thousand": 1e3, "k": 1e3}
_NUMBER = r"(?P<number>\d[\d.,\u00a0]*)\s?(?P<scale>million|billion|thousand|bn|m|k)?\b"
_MONEY = re.compile(rf"(?:€|EUR|euros?|£|\$)\s?{_NUMBER}", re.IGNORECASE)
_COUNT = re.compile(rf"(?<![\d.,€£$]){_NUMBER}(?!\s?%)(?<!\b(?:19|20)\d\d)", re.IGNORECASE)
_PEOPLE = re.compile(
    r"\b(?:people|participants?|persons?|jobseekers?|women|men|took part|young|workers|unemployed|beneficiar\w+|trainees|"
    r"pupils|students)\b",
    re.IGNORECASE,
)


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
        for document in index.stored.documents(filters)
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


def _by_figure(asked: Understood, index: OpenIndex, filters: Filters) -> list[TableRow]:
    """Return the practices with the largest or smallest figures: of money where the question is of money, else of people."""
    found: list[tuple[float, TableRow]] = []
    ids = [document.id for document in index.stored.documents(filters) if document.kind not in DIGESTS]
    for text in index.stored.texts(ids):
        if asked.countries and not asked.countries & set(text.document.countries):
            continue
        figures = [
            (figure, TableRow(text.document, citation))
            for citation, _ in quotable_sentences(text)
            if not is_silent(citation.quote) and (figure := _figure(citation.quote, of_money=asked.is_of_money)) is not None
        ]
        if figures:
            found.append(max(figures, key=lambda pair: pair[0]))
    found.sort(key=lambda pair: (-pair[0] if asked.extreme == "most" else pair[0], pair[1].document.id))
    return [row for _, row in found[:MOST_FIGURES]]


def _figure(text: str, *, of_money: bool) -> float | None:
    """Return the largest amount of a sentence, or number of people; None where it states none."""
    if not of_money and not _PEOPLE.search(text):
        return None
    found = [_value(match) for match in (_MONEY if of_money else _COUNT).finditer(text)]
    return max(found, default=None)


def _value(match: re.Match[str]) -> float:
    digits = match["number"].rstrip(".,")
    number = float(
        re.sub(r"[,\u00a0 ]", "", digits)
        if re.fullmatch(r"\d{1,3}([, \u00a0]\d{3})+(\.\d+)?", digits)
        else digits.replace(",", "")
    )
    return number * _SCALES.get((match["scale"] or "").lower(), 1.0)


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
