"""Hits or documents as a file for another program: a spreadsheet, a script, or a reference manager.

To add a format: its name in `Format`, one function, one line in `_FORMATS`.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from pes_search.ingest.taxonomy import EVIDENCE_LIST, FIELDS, Taxonomy
from pes_search.ingest.types import Document, Passage
from pes_search.service.answers.names import plain_text
from pes_search.service.links import deep_link

Format = Literal["csv", "json", "bib", "ris"]  # the files' extensions too

COLUMNS = (
    "rank", "score", "id", "title", "native_title", "kind", "countries", "region", "organisation", "year", "end_year",
    "target_groups", "measure_types", "channels", "evidence", "evidence_sentence", "inferred", "language", "passage", "page",
    "source", "link", "visibility",
)  # fmt: skip
REPORT_KINDS = {"report", "factsheet"}  # what BibTeX calls a technical report
SLUG_CHARACTERS = 40
# Letters that Unicode does not take apart into a plain one and an accent.
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})
# Control characters, which readers refuse or stop at, and halves of characters, which UTF-8 cannot write.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
# A spreadsheet would run such a cell (OWASP, "CSV Injection"). Some cut off blanks first, and read wide signs as plain ones.
_FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@＝＋－＠]")
# Braces as commands: BibTeX counts braces even where a backslash stands before them.
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExportRow:
    """A hit, or a document of a list."""

    document: Document
    passage: Passage | None  # the best one; None where documents are only listed
    rank: int | None  # from 1
    score: float | None
    link: str  # absolute address of the document's page, with the passage, in this service


@dataclass(frozen=True, slots=True)
class Exported:
    """A file to hand over."""

    content: bytes
    media_type: str
    filename: str  # ASCII, without what a header or a file system would mind


def export(
    rows: Sequence[ExportRow],
    format: Format,  # noqa: A002
    taxonomy: Taxonomy,
    *,
    query: str = "",
    language: str = "en",
    index_id: str = "",
) -> Exported:
    """Return rows as a file, in their order, with the labels of concepts and countries in a language.

    CSV and JSON have every row; BibTeX and RIS have one entry a document, that of its first row.
    """
    media_type, write = _FORMATS[format]
    text = write(_Export(rows, taxonomy, query, language, index_id))
    slug = re.sub(r"[^a-z0-9]+", "-", plain_text(query).translate(_PLAIN)).strip("-")[:SLUG_CHARACTERS].rstrip("-")
    return Exported(text.encode("utf-8", "replace"), media_type, f"{'-'.join(filter(None, ['pes-search', slug]))}.{format}")


@dataclass(frozen=True, slots=True)
class _Export:
    """What is to be written, and the names for it."""

    rows: Sequence[ExportRow]
    taxonomy: Taxonomy
    query: str
    language: str
    index_id: str

    def label(self, field: str, concept_id: str) -> str:
        return self.taxonomy.label(FIELDS[field], concept_id, self.language)

    def labels(self, document: Document, *fields: str) -> list[str]:
        """Return the labels of a document's concepts in some of its fields, without repeats."""
        return list(dict.fromkeys(self.label(field, concept_id) for field in fields for concept_id in getattr(document, field)))

    def evidence(self, document: Document) -> str | None:
        """Return how strong the evidence for a practice is, where anything tells."""
        return self.taxonomy.label(EVIDENCE_LIST, document.evidence, self.language) if document.evidence else None

    def inferred_fields(self, document: Document) -> list[str]:
        """Return the names of the fields whose values nothing states."""
        return list(dict.fromkeys(value.field.replace("_", " ") for value in document.inferred))

    def countries(self, document: Document) -> list[str]:
        """Return the names of a document's countries; a code that has none stays as it is."""
        names = _country_names(self.language)
        return [names.get(code, code) for code in document.countries]

    def documents(self) -> list[ExportRow]:
        """Return the first row of each document."""
        first: dict[str, ExportRow] = {}
        for row in self.rows:
            first.setdefault(row.document.id, row)
        return list(first.values())


def _csv(wanted: _Export) -> str:
    file = io.StringIO()
    file.write("\ufeff")  # without it Excel takes the letters for those of an old Windows code page
    table = csv.writer(file, lineterminator="\r\n")
    table.writerow(COLUMNS)
    for row in wanted.rows:
        document, passage = row.document, row.passage
        values: dict[str, str | float | None] = {
            "rank": row.rank,
            "score": row.score,
            "countries": "; ".join(document.countries),
            **{field: "; ".join(wanted.labels(document, field)) for field in FIELDS},
            "evidence": wanted.evidence(document),
            "evidence_sentence": document.saying_evidence,
            "inferred": "; ".join(f"{one.field} {one.value} ({one.confidence}): {one.sentence}" for one in document.inferred),
            "passage": passage.text if passage else None,
            "page": passage.page if passage else None,
            "source": deep_link(document, passage.page if passage else None),
            "link": row.link,
        }
        table.writerow([_cell(values[name] if name in values else getattr(document, name)) for name in COLUMNS])
    return file.getvalue()


def _cell(value: str | float | None) -> str | float | None:
    """Return a value that no spreadsheet takes for a formula; numbers stay numbers."""
    if not isinstance(value, str):
        return value
    text = _UNWRITABLE.sub("", value)
    return f"'{text}" if _FORMULA.match(text) else text


def _json(wanted: _Export) -> str:
    results = [_result(row, wanted) for row in wanted.rows]
    return json.dumps({"query": wanted.query, "index_id": wanted.index_id, "results": results}, ensure_ascii=False, indent=1)


def _result(row: ExportRow, wanted: _Export) -> dict[str, Any]:
    document, passage = row.document, row.passage
    countries = zip(document.countries, wanted.countries(document), strict=True)
    return {
        "rank": row.rank,
        "score": row.score,
        "id": document.id,
        "title": document.title,
        "native_title": document.native_title,
        "kind": document.kind,
        "countries": [{"id": code, "label": name} for code, name in countries],
        "region": document.region,
        "organisation": document.organisation,
        "year": document.year,
        "end_year": document.end_year,
        **{
            field: [{"id": concept_id, "label": wanted.label(field, concept_id)} for concept_id in getattr(document, field)]
            for field in FIELDS
        },
        "partners": list(document.partners),
        "evidence": {"id": document.evidence, "label": wanted.evidence(document)} if document.evidence else None,
        "evidence_sentence": document.saying_evidence,
        "inferred": [dataclasses.asdict(value) for value in document.inferred],
        "figures": [dataclasses.asdict(figure) for figure in document.figures],
        "language": document.language,
        "passage": {"id": passage.id, "page": passage.page, "text": passage.text} if passage else None,
        "source": deep_link(document, passage.page if passage else None),
        "link": row.link,
        "visibility": document.visibility,
    }


def _bibtex(wanted: _Export) -> str:
    taken: set[str] = set()
    return "\n".join(_entry(row.document, _citation_key(row.document.id, taken), wanted) for row in wanted.documents())


def _entry(document: Document, key: str, wanted: _Export) -> str:
    is_report = document.kind in REPORT_KINDS
    organisation = _latex(document.organisation)
    author = f"{{{organisation}}}" if organisation else ""  # in braces of its own: else "A and B" would be two people
    source = deep_link(document, None)
    note = {
        "Country": wanted.countries(document),
        "target groups": wanted.labels(document, "target_groups"),
        "inferred": wanted.inferred_fields(document),
        "visibility": [document.visibility] if document.visibility else [],
    }
    fields = {
        "title": f"{{{_latex(document.title)}}}",  # in braces of its own: else styles change its capitals
        "author": author,
        "institution": author if is_report else "",
        "howpublished": "Online" if source and not is_report else "",
        "year": str(document.year or ""),
        "url": _braceless(source),
        "note": _latex("; ".join(f"{name}: {', '.join(values)}" for name, values in note.items() if values)),
        "language": _latex(document.language),
        # A comma would end the keyword.
        "keywords": ", ".join(_latex(label.replace(",", "")) for label in wanted.labels(document, *FIELDS)),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{'techreport' if is_report else 'misc'}{{{key},", *lines, "}\n"])


def _citation_key(document_id: str, taken: set[str]) -> str:
    """Return a document's id as a key that is not taken yet, and take it. BibTeX makes no difference of case."""
    safe = re.sub(r"[^A-Za-z0-9:_-]+", "-", document_id).strip("-") or "document"
    key, number = safe, 1
    while key.lower() in taken:
        number += 1
        key = f"{safe}-{number}"
    taken.add(key.lower())
    return key


def _latex(text: str | None) -> str:
    """Return a text on one line that LaTeX prints as it is."""
    return _line(text).translate(_LATEX)


def _braceless(address: str | None) -> str:
    """Return an address that may stand in braces; BibTeX styles print it verbatim, so the rest stays as it is."""
    return re.sub(r"[{}\\\s]", lambda match: quote(match[0], safe=""), _line(address))


def _ris(wanted: _Export) -> str:
    return "\r\n".join("".join(f"{tag}  - {value}\r\n" for tag, value in _tags(row, wanted)) for row in wanted.documents())


def _tags(row: ExportRow, wanted: _Export) -> Iterable[tuple[str, str]]:
    """Yield the lines of a record; what the document does not tell has none."""
    document = row.document
    values = [
        ("ID", document.id),
        ("TI", document.title),
        ("TT", document.native_title),
        ("AU", document.organisation),
        ("PY", str(document.year or "")),
        ("UR", deep_link(document, None)),
        ("L2", row.link),
        ("LA", document.language),
        ("CY", ", ".join(wanted.countries(document))),
        *(("KW", label) for label in wanted.labels(document, *FIELDS)),
        ("N1", f"inferred: {', '.join(inferred)}" if (inferred := wanted.inferred_fields(document)) else None),
        ("N1", f"visibility: {document.visibility}" if document.visibility else None),
        ("AB", row.passage.text if row.passage else None),
    ]
    yield "TY", "NEWS" if document.kind == "news" else "RPRT"
    yield from ((tag, line) for tag, value in values if (line := _line(value)))
    yield "ER", ""


def _line(text: str | None) -> str:
    """Return a text on one line, whichever way Unicode has to break one."""
    return " ".join(_UNWRITABLE.sub(" ", text or "").split())


def _country_names(language: str) -> Mapping[str, str]:
    """Return the countries' names by their codes in a language, as CLDR has them; in English where it has no such language."""
    from babel import Locale, UnknownLocaleError

    try:
        names: Mapping[str, str] = Locale(language).territories
    except (UnknownLocaleError, ValueError):
        names = Locale("en").territories
    return names


_FORMATS: Mapping[Format, tuple[str, Callable[[_Export], str]]] = {
    "csv": ("text/csv; charset=utf-8", _csv),
    "json": ("application/json", _json),
    "bib": ("application/x-bibtex; charset=utf-8", _bibtex),
    "ris": ("application/x-research-info-systems; charset=utf-8", _ris),
}
