"""The local store: a folder of generations, each searched exactly and in memory.

    INDEX/CURRENT                      the name of the generation in use
    INDEX/generations/<name>/          manifest.json, documents.jsonl, pages.jsonl, passages.jsonl, taxonomy.json,
                                       vectors.f32, bm25/
    INDEX/.lock                        held while a build writes

A generation is complete before its name goes into CURRENT, which is replaced in one step, so a reader sees the old index
or the new one, whatever happens to the build.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from pes_search.index.bm25 import Bm25Builder, Bm25Config, load_bm25
from pes_search.index.columns import Columns
from pes_search.index.errors import BuildRunningError, IndexDamagedError, IndexNotFoundError, NotInIndexError
from pes_search.index.passage_text import full_text
from pes_search.index.tokens import terms as terms_of
from pes_search.index.types import Candidate, Facets, Filters, Manifest
from pes_search.ingest.taxonomy import Taxonomy
from pes_search.ingest.types import Document, Page, Passage, passage_id

if TYPE_CHECKING:
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

SCHEMA = 2  # raise it when a change of the files makes older indexes unreadable
KEPT_GENERATIONS = 2  # the one in use, and the one that a running service may still be opening


class LocalStore:
    """An index folder."""

    def __init__(self, folder: Path, bm25: Bm25Config) -> None:
        self.folder = folder
        self.place = str(folder)
        self._bm25 = bm25

    def current(self) -> Manifest | None:
        """Return the manifest of the generation in use, or None where there is none."""
        name = self.current_name()
        return _read_manifest(self._generation(name), self.folder) if name else None

    def current_name(self) -> str | None:
        """Return the name of the generation in use; a change of it means that a build has finished."""
        try:
            return (self.folder / "CURRENT").read_text(encoding="ascii").strip() or None
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise _damaged(self.folder, f"CURRENT cannot be read: {error}") from error

    def open(self) -> LocalIndex:
        """Open the generation in use after checking every file against its hash.

        Raises:
            IndexNotFoundError: no index has been built here.
            IndexDamagedError: files are missing, altered, or of another version.
        """
        name = self.current_name()
        if name is None:
            raise IndexNotFoundError(f"no index in {self.folder}; build one with `pes build --index {self.folder}`")
        generation = self._generation(name)
        manifest = _read_manifest(generation, self.folder)
        for file, stated in manifest.files.items():
            path = generation / file
            if not path.is_file() or path.stat().st_size != stated["bytes"] or _sha256(path) != stated["sha256"]:
                raise _damaged(self.folder, f"{file} is missing or altered")
        try:
            return LocalIndex(generation, manifest)
        except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
            raise _damaged(self.folder, f"{type(error).__name__}: {error}") from error

    def begin(self) -> LocalWriter:
        """Start a new generation.

        Raises:
            BuildRunningError: another process is writing one.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise IndexNotFoundError(
                f"cannot make the index folder {self.folder}: {error.strerror}; give --index another"
            ) from error
        lock = FileLock(self.folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise BuildRunningError(
                f"another build of {self.folder} is running; wait for it, or give --index another folder"
            ) from error
        self._remove_unused()
        return LocalWriter(self, lock, self._bm25)

    def _generation(self, name: str) -> Path:
        if not name.replace("-", "").isalnum():
            raise _damaged(self.folder, "CURRENT names no generation")
        return self.folder / "generations" / name

    def publish(self, aside: Path, index_id: str) -> None:
        """Give a finished generation a name that none had before, and make it the current one."""
        name = f"{index_id}-{time.time_ns():x}"
        target = self._generation(name)
        os.rename(aside, target)
        _sync(target.parent)
        _write_text(self.folder / "CURRENT", name)
        self._remove_unused()

    def _remove_unused(self) -> None:
        """Remove older generations and what dead builds left behind. Called with the lock held."""
        folder = self.folder / "generations"
        if not folder.is_dir():
            return
        try:
            current = self.current_name()
        except IndexDamagedError:
            current = None  # a build is what mends it
        named = [path for path in folder.iterdir() if not path.name.startswith(".")]
        newest = sorted(named, key=lambda path: (path.name == current, path.stat().st_mtime), reverse=True)
        unused = [*newest[KEPT_GENERATIONS:], *(path for path in folder.iterdir() if path.name.startswith("."))]
        for path in unused:
            shutil.rmtree(path, ignore_errors=True)


class LocalWriter:
    """Writes one generation aside."""

    def __init__(self, store: LocalStore, lock: FileLock, bm25: Bm25Config) -> None:
        self._store = store
        self._lock = lock
        generations = store.folder / "generations"
        generations.mkdir(exist_ok=True)
        self._aside = Path(tempfile.mkdtemp(prefix=".new-", dir=generations))
        self._files: dict[str, IO[Any]] = {
            name: (self._aside / f"{name}.jsonl").open("w", encoding="utf-8") for name in ("documents", "pages", "passages")
        }
        self._vectors = (self._aside / "vectors.f32").open("wb")
        self._terms = Bm25Builder(bm25)

    def add(self, document: Document, pages: Sequence[Page], passages: Sequence[Passage], vectors: Vectors) -> None:
        """Add a document with its passages; row i of `vectors` is passage i."""
        _write_line(self._files["documents"], dataclasses.asdict(document))
        for page in pages:
            _write_line(
                self._files["pages"],
                {"document": document.id, "number": page.number, "text": page.text, "headings": page.headings},
            )
        for passage in passages:
            # The text is a slice of its page and is not stored twice.
            _write_line(
                self._files["passages"],
                {
                    "document": document.id,
                    "page": passage.page,
                    "start": passage.start,
                    "end": passage.end,
                    "headings": passage.headings,
                    "language": passage.language,
                },
            )
            self._terms.add(terms_of(full_text(document, passage), passage.language))
        self._vectors.write(np.ascontiguousarray(vectors, np.float32).tobytes())

    def commit(self, manifest: Manifest, taxonomy: Taxonomy) -> Manifest:
        """Make this generation the current one, at once, and return its manifest with the files' hashes."""
        _write_text(self._aside / "taxonomy.json", json.dumps(taxonomy.values(), ensure_ascii=False))
        for file in (*self._files.values(), self._vectors):
            file.flush()
            os.fsync(file.fileno())
            file.close()
        self._terms.save(self._aside / "bm25")
        for path in (self._aside / "bm25").iterdir():
            _sync(path)
        _sync(self._aside / "bm25")
        files = {
            path.relative_to(self._aside).as_posix(): {"bytes": path.stat().st_size, "sha256": _sha256(path)}
            for path in sorted(self._aside.rglob("*"))
            if path.is_file()
        }
        complete = dataclasses.replace(manifest, files=files)
        _write_text(self._aside / "manifest.json", json.dumps(dataclasses.asdict(complete), indent=1, sort_keys=True))
        self._aside.chmod(0o755)
        self._store.publish(self._aside, complete.index_id)
        self._lock.release()
        return complete

    def discard(self) -> None:
        """Remove what was written; does nothing after `commit`."""
        for file in (*self._files.values(), self._vectors):
            file.close()
        shutil.rmtree(self._aside, ignore_errors=True)
        self._lock.release()


class LocalIndex:
    """One generation in memory, searched exactly."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        import faiss

        self.manifest = manifest
        self.taxonomy = Taxonomy.from_values(json.loads((folder / "taxonomy.json").read_text(encoding="utf-8")))
        self._documents = {row["id"]: _document(row) for row in _read_lines(folder / "documents.jsonl")}
        self._pages: dict[str, list[Page]] = {document_id: [] for document_id in self._documents}
        for row in _read_lines(folder / "pages.jsonl"):
            self._pages[row["document"]].append(_page(row))
        texts = {(page.document_id, page.number): page.text for pages in self._pages.values() for page in pages}
        self._passages = [_passage(row, texts) for row in _read_lines(folder / "passages.jsonl")]
        self._passage_rows = {passage.id: row for row, passage in enumerate(self._passages)}
        order = {document_id: row for row, document_id in enumerate(self._documents)}
        self._document_rows = np.array([order[passage.document_id] for passage in self._passages], dtype=np.int64)
        self._document_order = list(self._documents.values())

        vectors = np.fromfile(folder / "vectors.f32", np.float32).reshape(-1, manifest.dimensions)
        if len(vectors) != len(self._passages):
            raise ValueError(f"{len(vectors)} vectors for {len(self._passages)} passages")
        self._means = _means(vectors, self._document_rows, len(order))
        self._faiss = faiss.IndexFlatIP(manifest.dimensions)
        self._faiss.add(vectors)
        # FAISS holds the only copy; this is a view of it.
        held = faiss.rev_swig_ptr(self._faiss.get_xb(), vectors.size) if vectors.size else vectors.reshape(-1)
        self._vectors: Vectors = held.reshape(vectors.shape)

        self._bm25 = load_bm25(folder / "bm25")
        self._columns = Columns(self._document_order, self.taxonomy)
        languages = [passage.language for passage in self._passages]
        counts = Counter(languages)
        self._of_language = {
            language: np.array([other == language for other in languages]) if len(counts) > 1 else None for language in counts
        }

    def candidates(
        self, terms: Mapping[str | None, Sequence[str]], vector: Vectors, filters: Filters, depth: int
    ) -> list[Candidate]:
        """Return the `depth` best passages of each leg among those that pass the filters, in any order."""
        allowed = self._allowed(filters)
        count = len(self._passages) if allowed is None else int(allowed.sum())
        if not count:
            return []
        lexical = self._lexical(terms, allowed)
        rows = np.union1d(_top(lexical, depth), self._dense_top(vector, allowed, min(depth, count)))
        dense = self._vectors[rows] @ vector.reshape(-1)
        return [
            Candidate(passage := self._passages[row], self._documents[passage.document_id], float(lexical[row]), float(cosine))
            for row, cosine in zip(rows.tolist(), dense, strict=True)
        ]

    def size(self, filters: Filters) -> tuple[int, int]:
        """Return how many documents and passages pass the filters."""
        mask = self._columns.mask(filters)
        if mask is None:
            return len(self._documents), len(self._passages)
        return int(mask.sum()), int(mask[self._document_rows].sum())

    def facets(self, filters: Filters) -> Facets:
        """Return the facet counts for these filters."""
        return self._columns.facets(filters)

    def idf(self, term: str) -> float:
        """Return a term's inverse document frequency over all passages."""
        return self._bm25.idf(term)

    def documents(self, filters: Filters) -> list[Document]:
        """Return the documents that pass the filters, by id."""
        mask = self._columns.mask(filters)
        passing = [document for row, document in enumerate(self._document_order) if mask is None or mask[row]]
        return sorted(passing, key=lambda document: document.id)

    def document(self, document_id: str) -> Document:
        """Return one document.

        Raises:
            NotInIndexError: no document has this id.
        """
        try:
            return self._documents[document_id]
        except KeyError:
            raise NotInIndexError(f"no document {document_id!r} in this index; `pes search` lists ids") from None

    def pages(self, document_id: str) -> list[Page]:
        """Return a document's pages in order."""
        return self._pages[self.document(document_id).id]

    def passages(self, document_id: str) -> list[Passage]:
        """Return a document's passages in order."""
        row = list(self._documents).index(self.document(document_id).id)
        return [self._passages[i] for i in np.flatnonzero(self._document_rows == row)]

    def passage(self, passage_id: str) -> Passage:
        """Return one passage.

        Raises:
            NotInIndexError: no passage has this id.
        """
        try:
            return self._passages[self._passage_rows[passage_id]]
        except KeyError:
            raise NotInIndexError(f"no passage {passage_id!r} in this index; `pes search` lists ids") from None

    def nearest(self, document_id: str, filters: Filters, k: int) -> list[tuple[float, Passage]]:
        """Return the k documents nearest in meaning to this one, best first: cosine of mean vectors, and closest passage."""
        self.document(document_id)
        row = list(self._documents).index(document_id)
        similarity = self._means @ self._means[row]
        mask = self._columns.mask(filters)
        others = [other for other in range(len(similarity)) if other != row and (mask is None or mask[other])]
        others.sort(key=lambda other: (-round(float(similarity[other]), 6), self._document_order[other].id))
        found = []
        for other in others[:k]:
            rows = np.flatnonzero(self._document_rows == other)
            if len(rows):
                closest = rows[np.argmax(self._vectors[rows] @ self._means[row])]
                found.append((round(float(similarity[other]), 6), self._passages[closest]))
        return found

    def _allowed(self, filters: Filters) -> npt.NDArray[np.bool_] | None:
        mask = self._columns.mask(filters)
        return None if mask is None else mask[self._document_rows]

    def _lexical(self, terms: Mapping[str | None, Sequence[str]], allowed: npt.NDArray[np.bool_] | None) -> Vectors:
        """Return every passage's bounded score for the query as its own language's stemmer reads it."""
        scores = np.zeros(len(self._passages), np.float32)
        computed: dict[tuple[str, ...], Vectors] = {}  # languages often agree on the terms
        for language, of_language in self._of_language.items():
            query = tuple(terms.get(language, ()))
            if query not in computed:
                computed[query] = self._bm25.scores(query)
            scores = computed[query] if of_language is None else np.where(of_language, computed[query], scores)
        return scores if allowed is None else np.where(allowed, scores, np.float32(0))

    def _dense_top(self, vector: Vectors, allowed: npt.NDArray[np.bool_] | None, depth: int) -> npt.NDArray[np.int64]:
        import faiss

        parameters: Any = None
        if allowed is not None:
            library: Any = faiss  # its annotations are those of the C++ signatures, not of the Python ones
            parameters = library.SearchParameters(sel=library.IDSelectorBitmap(np.packbits(allowed, bitorder="little")))
        _, rows = self._faiss.search(vector.reshape(1, -1), depth, params=parameters)
        found: npt.NDArray[np.int64] = rows[0][rows[0] >= 0]
        return found


def _top(scores: Vectors, depth: int) -> npt.NDArray[np.int64]:
    """Return the rows of the best positive scores, at most `depth`, in any order."""
    positive = np.flatnonzero(scores)
    if len(positive) <= depth:
        return positive
    return positive[np.argpartition(-scores[positive], depth - 1)[:depth]]


def _means(vectors: Vectors, rows: npt.NDArray[np.int64], count: int) -> Vectors:
    """Return each document's mean vector, of unit length; zero for a document without passages."""
    sums = np.zeros((count, vectors.shape[1]), np.float32)
    np.add.at(sums, rows, vectors)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means: Vectors = np.divide(sums, lengths, out=np.zeros_like(sums), where=lengths > 0)
    return means


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_manifest(generation: Path, folder: Path) -> Manifest:
    try:
        values = json.loads((generation / "manifest.json").read_text(encoding="utf-8"))
        schema = values["schema"]
        if schema != SCHEMA:
            raise _damaged(folder, f"it has schema {schema}, this version reads {SCHEMA}")
        if not isinstance(values["files"], dict):
            raise TypeError("files are not listed")
        return Manifest(**values)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _damaged(folder, f"manifest.json cannot be read: {error}") from error


def _damaged(folder: Path, what: str) -> IndexDamagedError:
    return IndexDamagedError(f"the index in {folder} cannot be used: {what}; build it anew with `pes build --index {folder}`")


def _document(row: dict[str, Any]) -> Document:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Document(**values)


def _page(row: dict[str, Any]) -> Page:
    headings = tuple((start, end, level) for start, end, level in row["headings"])
    return Page(row["document"], row["number"], row["text"], headings)


def _passage(row: dict[str, Any], texts: Mapping[tuple[str, int | None], str]) -> Passage:
    start, end = row["start"], row["end"]
    return Passage(
        id=passage_id(row["document"], row["page"], start, end),
        document_id=row["document"],
        page=row["page"],
        start=start,
        end=end,
        headings=tuple(row["headings"]),
        language=row["language"],
        text=texts[row["document"], row["page"]][start:end],
    )


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _write_line(file: IO[str], value: Mapping[str, object]) -> None:
    file.write(json.dumps(value, ensure_ascii=False) + "\n")


def _write_text(path: Path, text: str) -> None:
    """Replace a file in one step; a reader sees the old text or the new."""
    aside = path.with_name(f".{path.name}.new")
    with aside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make a file's content, or the renames in a folder, last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def config_values(configs: Iterable[Any]) -> dict[str, object]:
    """Return the stages' configurations as plain values for the manifest, by class name."""
    return {type(config).__name__: dataclasses.asdict(config) for config in configs}
