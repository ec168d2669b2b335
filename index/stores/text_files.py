"""The documents, pages and passages of a generation, in files that are read where they lie.

    documents.jsonl   a document a line         documents.npy   where each line begins, and its first page and passage
    pages.jsonl       a page a line             pages.npy       where each line begins, and each page's text in …
    texts.txt         … the pages' texts, UTF-8, one after the other
    passages.npy      a passage a row: its document, page, place, language, headings and first sentence
    headings.jsonl    a path of headings a line headings.npy    where each line begins
    sentences.npy     where each sentence begins and ends in its passage's text
    ids.json          the documents' ids, and the passages' languages

Opening them reads the ids only, and what nobody asks for takes no memory. A passage's text is a slice of its page's.
"""

from __future__ import annotations

import dataclasses
import json
from array import array
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from pes_search.index.errors import NotInIndexError
from pes_search.index.types import DocumentText, EncodedDocument
from pes_search.ingest.types import Document, InferredValue, Page, Passage, StatedFigure, passage_id

if TYPE_CHECKING:
    import numpy.typing as npt

    from pes_search.index.arrays import Rows

    Table = npt.NDArray[np.void]

NO_PAGE = -1  # the number of the page of a document without pages
KEPT_DOCUMENTS = 1_024  # that were read last
KEPT_ROWS = 65_536  # of passages, whose ids were asked for last
# The last row of each table says where everything ends. Places in files are bytes, those in texts characters.
DOCUMENT = np.dtype([("line", "<i8"), ("first_page", "<i8"), ("first_passage", "<i8")])
PAGE = np.dtype([("line", "<i8"), ("text", "<i8")])
PASSAGE = np.dtype(
    [
        ("document", "<i4"),
        ("page", "<i4"),  # its number, not its row
        ("start", "<i4"),
        ("end", "<i4"),
        ("language", "<i2"),  # its place in `ids.json`
        ("headings", "<i4"),
        ("text", "<i8"),  # where it begins and ends in texts.txt
        ("text_end", "<i8"),
        ("first_sentence", "<i8"),
    ]
)
SENTENCE = np.dtype([("start", "<i4"), ("end", "<i4")])


class TextWriter:
    """Writes them, document by document."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines = {name: (folder / f"{name}.jsonl").open("wb") for name in ("documents", "pages", "headings")}
        self._texts = (folder / "texts.txt").open("wb")
        self._ids: list[str] = []
        self._languages: dict[str | None, int] = {}
        # The tables' rows, one number after the other.
        self._rows: dict[str, array[int]] = {
            name: array("q") for name in ("documents", "pages", "passages", "headings", "sentences")
        }
        self._counts = dict.fromkeys(self._rows, 0)

    def add(self, encoded: EncodedDocument) -> None:
        """Add a document with its pages, its passages, and where their sentences are."""
        document = encoded.document
        values = dataclasses.asdict(dataclasses.replace(document, questions=()))  # their vectors are kept, not their texts
        line = _append_line(self._lines["documents"], values)
        self._append("documents", line, self._counts["pages"], self._counts["passages"])
        pages: dict[int | None, tuple[str, int]] = {}  # of each its text, and where that begins
        for page in encoded.pages:
            pages[page.number] = page.text, self._texts.tell()
            line = _append_line(self._lines["pages"], {"number": page.number, "headings": page.headings})
            self._append("pages", line, self._texts.tell())
            self._texts.write(page.text.encode())
        headings: dict[tuple[str, ...], int] = {}
        for passage, spans in zip(encoded.passages, encoded.sentence_spans, strict=True):
            if passage.headings not in headings:
                headings[passage.headings] = self._counts["headings"]
                self._append("headings", _append_line(self._lines["headings"], passage.headings))
            text, first = pages[passage.page]
            begins = first + len(text[: passage.start].encode())
            self._append(
                "passages",
                len(self._ids),
                NO_PAGE if passage.page is None else passage.page,
                passage.start,
                passage.end,
                self._languages.setdefault(passage.language, len(self._languages)),
                headings[passage.headings],
                begins,
                begins + len(passage.text.encode()),
                self._counts["sentences"],
            )
            for span in spans:
                self._append("sentences", *span)
        self._ids.append(document.id)

    def save(self) -> None:
        """Finish the files."""
        self._append("documents", self._lines["documents"].tell(), self._counts["pages"], self._counts["passages"])
        self._append("pages", self._lines["pages"].tell(), self._texts.tell())
        self._append("headings", self._lines["headings"].tell())
        self._append("passages", *([0] * (len(PASSAGE.names or ()) - 1)), self._counts["sentences"])
        tables = {"documents": DOCUMENT, "pages": PAGE, "passages": PASSAGE, "sentences": SENTENCE}
        for name, numbers in self._rows.items():
            rows = np.frombuffer(numbers, np.int64)
            np.save(self._folder / f"{name}.npy", _table(rows, tables[name]) if name in tables else rows)
        ids = {"documents": self._ids, "languages": list(self._languages)}
        (self._folder / "ids.json").write_text(json.dumps(ids, ensure_ascii=False), encoding="utf-8")
        self.close()

    def close(self) -> None:
        """Close the files."""
        with ExitStack() as stack:  # on a full disk closing one fails, and the others are closed all the same
            for file in (*self._lines.values(), self._texts):
                stack.callback(file.close)

    def _append(self, table: str, *row: int) -> None:
        self._rows[table].extend(row)
        self._counts[table] += 1


class Texts:
    """Reads them. Documents and passages are known by their rows, in the order in which they were added."""

    def __init__(self, folder: Path) -> None:
        ids = json.loads((folder / "ids.json").read_text(encoding="utf-8"))
        self.document_ids: list[str] = ids["documents"]
        self.languages: list[str | None] = ids["languages"]
        self.document_rows = {document_id: row for row, document_id in enumerate(self.document_ids)}
        self._documents = _open_table(folder, "documents")
        self._pages = _open_table(folder, "pages")
        self._passages = _open_table(folder, "passages")
        self._sentences = _open_table(folder, "sentences")
        self._headings: Rows = np.load(folder / "headings.npy", mmap_mode="r").view(np.ndarray)
        self._lines = {name: mapped_bytes(folder / f"{name}.jsonl") for name in ("documents", "pages", "headings")}
        self._texts = mapped_bytes(folder / "texts.txt")
        self.passage_count = len(self._passages) - 1
        self.sentence_count = len(self._sentences)
        # Columns of their own, since rows of a table lie apart.
        self.owners: Rows = self._passages["document"][:-1].astype(np.int64)
        self.language_numbers: Rows = self._passages["language"][:-1].astype(np.int64)
        self.first_sentences: Rows = self._passages["first_sentence"].astype(np.int64)
        self.first_passages: Rows = self._documents["first_passage"].astype(np.int64)
        self.document = lru_cache(KEPT_DOCUMENTS)(self._document)
        self.passage_id = lru_cache(KEPT_ROWS)(self._passage_id)
        self.passage_row = lru_cache(KEPT_ROWS)(self._passage_row)

    def passage(self, row: int) -> Passage:
        """Return a passage."""
        owner, page, start, end, language, headings, text, text_end, _ = self._passages[row].item()
        number = None if page == NO_PAGE else page
        return Passage(
            id=passage_id(self.document_ids[owner], number, start, end),
            document_id=self.document_ids[owner],
            page=number,
            start=start,
            end=end,
            headings=tuple(self._line("headings", self._headings, headings)),
            language=self.languages[language],
            text=self._text(text, text_end),
        )

    def sentence_spans(self, row: int) -> list[tuple[int, int]]:
        """Return where the sentences of a passage are in its text."""
        spans: list[tuple[int, int]] = self._sentences[self.first_sentences[row] : self.first_sentences[row + 1]].tolist()
        return spans

    def document_text(self, row: int) -> DocumentText:
        """Return a document with its pages and passages."""
        document = self.document(row)
        pages = [self._page(document.id, page) for page in range(*self._documents["first_page"][row : row + 2].tolist())]
        return DocumentText(document, pages, [self.passage(member) for member in self.members(row)])

    def members(self, row: int) -> range:
        """Return the rows of a document's passages."""
        return range(int(self.first_passages[row]), int(self.first_passages[row + 1]))

    def _document(self, row: int) -> Document:
        line = self._line("documents", self._documents["line"], row)
        values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in line.items()}
        values["figures"] = tuple(StatedFigure(**figure) for figure in values["figures"])
        values["inferred"] = tuple(InferredValue(**value) for value in values["inferred"])
        return Document(**values)

    def _page(self, document_id: str, row: int) -> Page:
        values = self._line("pages", self._pages["line"], row)
        headings = tuple((start, end, level) for start, end, level in values["headings"])
        return Page(document_id, values["number"], self._text(*self._pages["text"][row : row + 2].tolist()), headings)

    def _passage_id(self, row: int) -> str:
        owner, page, start, end = self._passages[row].item()[:4]
        return passage_id(self.document_ids[owner], None if page == NO_PAGE else page, start, end)

    def _passage_row(self, wanted: str) -> int:
        """Return the row of a passage.

        Raises:
            NotInIndexError: no passage has this id.
        """
        document_id, _, place = wanted.partition("~")
        start, _, end = place.rpartition("~")[2].partition("-")
        if document_id in self.document_rows and start.isdecimal() and end.isdecimal():
            members = self.members(self.document_rows[document_id])
            table = self._passages[members.start : members.stop]
            for offset in np.flatnonzero((table["start"] == int(start)) & (table["end"] == int(end))).tolist():
                if self.passage_id(members.start + offset) == wanted:
                    return int(members.start + offset)
        raise unknown_passage(wanted)

    def _line(self, name: str, starts: Rows, row: int) -> Any:
        return json.loads(self._lines[name][starts[row] : starts[row + 1]].tobytes())

    def _text(self, start: int, end: int) -> str:
        return self._texts[start:end].tobytes().decode()


def unknown_passage(passage_id: str) -> NotInIndexError:
    """Return what to say of an id that no passage has."""
    return NotInIndexError(f"no passage {passage_id!r} in this index; `pes search` lists ids")


def _append_line(file: IO[bytes], value: object) -> int:
    """Write a value as a line of JSON; return where it begins."""
    begins = file.tell()
    file.write(json.dumps(value, ensure_ascii=False).encode() + b"\n")
    return begins


def _table(numbers: Rows, kind: np.dtype[np.void]) -> Table:
    names = kind.names or ()
    columns = numbers.reshape(-1, len(names))
    table = np.empty(len(columns), kind)
    for name, column in zip(names, columns.T, strict=True):
        table[name] = column
    return table


def _open_table(folder: Path, name: str) -> Table:
    table: Table = np.load(folder / f"{name}.npy", mmap_mode="r").view(np.ndarray)
    return table


def mapped_bytes(path: Path) -> npt.NDArray[np.uint8]:
    """Return what is in a file, mapped from disk and not read into memory."""
    return np.memmap(path, np.uint8, "r").view(np.ndarray) if path.stat().st_size else np.empty(0, np.uint8)
