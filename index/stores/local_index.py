"""One generation of the local store in memory, searched exactly. `local` says which files it is made of."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pes_search.index.errors import NotInIndexError
from pes_search.index.evidence.bm25 import load_bm25
from pes_search.index.evidence.concept_labels import LabelMatcher
from pes_search.index.evidence.concepts import ConceptSpace, activations, labels_of
from pes_search.index.evidence.fusion import related_score
from pes_search.index.filters import Columns
from pes_search.index.query.expansion import Expander, Expansion
from pes_search.index.types import Candidate, Facets, Filters, Manifest, Query
from pes_search.ingest.taxonomy import Taxonomy
from pes_search.ingest.types import Document, Page, Passage, passage_id

if TYPE_CHECKING:
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]


class LocalIndex:
    """One generation in memory, searched exactly."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self.taxonomy = Taxonomy.from_values(json.loads((folder / "taxonomy.json").read_text(encoding="utf-8")))
        self._documents = {row["id"]: _document(row) for row in _read_lines(folder / "documents.jsonl")}
        self._pages: dict[str, list[Page]] = {document_id: [] for document_id in self._documents}
        for row in _read_lines(folder / "pages.jsonl"):
            self._pages[row["document"]].append(_page(row))
        texts = {(page.document_id, page.number): page.text for pages in self._pages.values() for page in pages}
        rows = list(_read_lines(folder / "passages.jsonl"))
        self._passages = [_passage(row, texts) for row in rows]
        self._passage_rows = {passage.id: row for row, passage in enumerate(self._passages)}
        order = {document_id: row for row, document_id in enumerate(self._documents)}
        self._document_rows = np.array([order[passage.document_id] for passage in self._passages], dtype=np.int64)
        self._document_order = list(self._documents.values())

        vectors = np.fromfile(folder / "vectors.f32", np.float32).reshape(-1, manifest.dimensions)
        if len(vectors) != len(self._passages):
            raise ValueError(f"{len(vectors)} vectors for {len(self._passages)} passages")
        self._means = _means(vectors, self._document_rows, len(order))
        self._whole = _Flat(vectors)

        windows = np.fromfile(folder / "windows.f32", np.float32).reshape(-1, manifest.dimensions)
        counts_of_windows = [row["windows"] for row in rows]
        if len(windows) != sum(counts_of_windows):
            raise ValueError(f"{len(windows)} vectors for {sum(counts_of_windows)} windows")
        self._windows = _Flat(windows)
        self._window_starts = np.concatenate([[0], np.cumsum(counts_of_windows)]).astype(np.int64)
        self._window_rows = np.repeat(np.arange(len(self._passages)), counts_of_windows)  # the passage of each window

        self._sentence_spans = [[(start, end) for start, end in row["sentences"]] for row in rows]
        counts_of_sentences = [len(spans) for spans in self._sentence_spans]
        self._sentence_starts = np.concatenate([[0], np.cumsum(counts_of_sentences)]).astype(np.int64)
        self._sentences = np.fromfile(folder / "sentences.f16", np.float16).reshape(-1, manifest.dimensions)
        if len(self._sentences) != self._sentence_starts[-1]:
            raise ValueError(f"{len(self._sentences)} vectors for {self._sentence_starts[-1]} sentences")

        self._bm25 = load_bm25(folder / "bm25")
        # Not when they are first asked for: by then later builds may have removed the files.
        self._words: dict[str, dict[str, int]] = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        self._main_language = next(iter(manifest.languages), "") or "en"
        self._expander = Expander(self.taxonomy, self._main_language)
        labels = labels_of(self.taxonomy)
        of_labels = np.fromfile(folder / "labels.f16", np.float16).reshape(-1, manifest.dimensions)
        if len(of_labels) != len(labels):
            raise ValueError(f"{len(of_labels)} vectors for {len(labels)} labels")
        self._space = ConceptSpace(labels, of_labels.astype(np.float32))
        self.language_means: Mapping[str, Vectors] = self._space.language_means
        concepts = list(_read_lines(folder / "concepts.jsonl"))
        if len(concepts) != len(self._documents):
            raise ValueError(f"concepts of {len(concepts)} documents for {len(self._documents)}")
        countries = [("countries", own) for own in self.taxonomy.lists.get("countries", {})]
        held = _held_matrix(concepts, [*self._space.keys, *countries])
        self._held = held[:, : len(self._space.keys)]
        # A country is no concept that a query is vaguely about, but it has a name in every language.
        self._names_of_documents = LabelMatcher(self.taxonomy, [*self._space.keys, *countries], held)
        self._names_of_concepts = LabelMatcher(self.taxonomy, self._space.keys, np.eye(len(self._space.keys), dtype=np.float32))
        self._columns_of_concepts = {key: column for column, key in enumerate(self._space.keys)}
        self._concept_idf = _concept_idf(self._held)
        self._profiles = _unit(self._held * self._concept_idf)  # a document's concepts, the rarer the weightier
        self._columns = Columns(self._document_order, self.taxonomy)
        languages = [passage.language for passage in self._passages]
        counts = Counter(languages)
        self._languages = list(counts)
        codes = {language: code for code, language in enumerate(self._languages)}
        self._language_codes = np.array([codes[language] for language in languages], dtype=np.int64)
        self._of_language = {
            language: np.array([other == language for other in languages]) if len(counts) > 1 else None for language in counts
        }

    def candidates(self, query: Query, filters: Filters, depth: int) -> list[Candidate]:
        """Return the `depth` best passages of each leg among those that pass the filters, in any order.

        The legs are words, vectors, and what the documents are about.
        """
        allowed = self._allowed(filters)
        if allowed is not None and not allowed.any():
            return []
        lexical = self._lexical(query.terms, allowed)
        agreement = self._agreement(query)
        labels = self._called(self._names_of_documents, query.text, query.language)
        about = (agreement + labels)[self._document_rows]
        named = _top(about if allowed is None else np.where(allowed, about, np.float32(0)), depth)
        rows = self._near(query, allowed, depth) | set(_top(lexical, depth).tolist()) | set(named.tolist())
        return self._scored(np.array(sorted(rows), dtype=np.int64), lexical, agreement, labels, query)

    def _near(self, query: Query, allowed: npt.NDArray[np.bool_] | None, depth: int) -> set[int]:
        """Return the rows of the passages that, whole or by a window, are nearest to one of the query's vectors."""
        allowed_windows = None if allowed is None else allowed[self._window_rows]
        rows: set[int] = set()
        for vector in {id(vector): vector for vector in query.vectors.values()}.values():
            rows.update(self._whole.top(vector, allowed, depth).tolist())
            rows.update(self._window_rows[self._windows.top(vector, allowed_windows, depth)].tolist())
        return rows

    def _scored(
        self, rows: npt.NDArray[np.int64], lexical: Vectors, agreement: Vectors, labels: Vectors, query: Query
    ) -> list[Candidate]:
        """Return the passages of these rows with what each kind of evidence says of them.

        `lexical` is by passage, `agreement` and `labels` are by document.
        """
        documents = self._document_rows[rows]
        by_code = np.stack([query.vectors[language] for language in self._languages])
        queries = by_code[self._language_codes[rows]]
        dense = np.einsum("ij,ij->i", self._whole.vectors[rows], queries)
        topic = np.einsum("ij,ij->i", self._means[documents], queries)
        closest = self._closest_windows(rows, queries)
        return [
            Candidate(
                passage := self._passages[row],
                self._documents[passage.document_id],
                float(lexical[row]),
                float(cosine),
                float(window if has_windows else cosine),
                float(of_topic),
                float(of_concepts),
                float(of_labels),
            )
            for row, cosine, (has_windows, window), of_topic, of_concepts, of_labels in zip(
                rows.tolist(), dense, closest, topic, agreement[documents], labels[documents], strict=True
            )
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

    def concepts(self, text: str, language: str | None, vector: Vectors) -> list[tuple[str, str, float]]:
        """Return the concepts that a query is about: list, id and share, the highest first. `vector` is the encoder's."""
        named = self._called(self._names_of_concepts, text, language)
        shares = activations(self._space.similarities(vector.reshape(1, -1))[0], named, self._concept_idf)
        order = sorted(np.flatnonzero(shares).tolist(), key=lambda row: (-float(shares[row]), self._space.keys[row]))
        return [(*self._space.keys[row], float(shares[row])) for row in order]

    def expand(self, query: str) -> tuple[str, tuple[Expansion, ...]]:
        """Return the query with its acronyms and former names written out, and which they are."""
        return self._expander.expand(query)

    def idf(self, term: str) -> float:
        """Return a term's inverse document frequency over all passages."""
        return self._bm25.idf(term)

    def words(self, language: str | None) -> Mapping[str, int]:
        """Return the words of the passages in a language, with the number of passages that have each."""
        return self._words.get(language or "", {})

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

    def sentences(self, passage_id: str) -> tuple[list[tuple[int, int]], Vectors]:
        """Return the places of a passage's sentences in its text, and their vectors.

        Raises:
            NotInIndexError: no passage has this id.
        """
        row = self._passage_rows[self.passage(passage_id).id]
        start, end = self._sentence_starts[row], self._sentence_starts[row + 1]
        return self._sentence_spans[row], self._sentences[start:end].astype(np.float32)

    def nearest(self, document_id: str, filters: Filters, k: int) -> list[tuple[float, float, Passage]]:
        """Return the k documents nearest to this one by `fusion.related_score`, best first.

        Of each: the cosine of the mean vectors, the overlap of the concepts (0 to 1), and the passage closest to this document.
        """
        self.document(document_id)
        row = list(self._documents).index(document_id)
        cosines = self._means @ self._means[row]
        # Where one of the two holds no concept, what they say is all that is known.
        known = self._profiles.any(axis=1) & self._profiles[row].any()
        overlaps = np.where(known, self._profiles @ self._profiles[row], cosines)
        scores = [related_score(float(cosine), float(overlap)) for cosine, overlap in zip(cosines, overlaps, strict=True)]
        mask = self._columns.mask(filters)
        others = [other for other in range(len(scores)) if other != row and (mask is None or mask[other])]
        others.sort(key=lambda other: (-scores[other], self._document_order[other].id))
        found = []
        for other in others[:k]:
            rows = np.flatnonzero(self._document_rows == other)
            if len(rows):
                closest = rows[np.argmax(self._whole.vectors[rows] @ self._means[row])]
                found.append((float(cosines[other]), float(overlaps[other]), self._passages[closest]))
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

    def _agreement(self, query: Query) -> Vectors:
        """Return for each document how much of what the query is about it holds."""
        columns = [self._columns_of_concepts[name, own] for name, own, _ in query.concepts]
        agreement: Vectors = self._held[:, columns] @ np.array([share for _, _, share in query.concepts], np.float32)
        return agreement

    def _called(self, names: LabelMatcher, text: str, language: str | None) -> Vectors:
        """Return the scores by the labels in the query's language or in the collection's: a few words are easily misread."""
        scores = names.scores(text, self._main_language)
        if language in {None, self._main_language}:
            return scores
        better: Vectors = np.maximum(scores, names.scores(text, str(language)))
        return better

    def _closest_windows(self, rows: npt.NDArray[np.int64], queries: Vectors) -> list[tuple[bool, float]]:
        """Return for each passage whether it has windows, and the highest cosine among them; row i of `queries` is for it."""
        starts, ends = self._window_starts[rows], self._window_starts[rows + 1]
        own = np.concatenate([np.arange(start, end) for start, end in zip(starts, ends, strict=True)] or [starts])
        cosines = np.einsum("ij,ij->i", self._windows.vectors[own.astype(np.int64)], np.repeat(queries, ends - starts, axis=0))
        offsets = np.concatenate([[0], np.cumsum(ends - starts)])
        return [
            (True, float(cosines[start:end].max())) if end > start else (False, 0.0)
            for start, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
        ]


class _Flat:
    """Vectors that are searched exactly."""

    def __init__(self, vectors: Vectors) -> None:
        import faiss

        self._faiss = faiss.IndexFlatIP(vectors.shape[1])
        self._faiss.add(vectors)
        # FAISS holds the only copy; this is a view of it.
        held = faiss.rev_swig_ptr(self._faiss.get_xb(), vectors.size) if vectors.size else vectors.reshape(-1)
        self.vectors: Vectors = held.reshape(vectors.shape)

    def top(self, vector: Vectors, allowed: npt.NDArray[np.bool_] | None, depth: int) -> npt.NDArray[np.int64]:
        """Return the rows of the `depth` highest inner products among the allowed ones, best first."""
        import faiss

        count = len(self.vectors) if allowed is None else int(allowed.sum())
        if not count:
            return np.empty(0, np.int64)
        parameters: Any = None
        if allowed is not None:
            library: Any = faiss  # its annotations are those of the C++ signatures, not of the Python ones
            parameters = library.SearchParameters(sel=library.IDSelectorBitmap(np.packbits(allowed, bitorder="little")))
        _, rows = self._faiss.search(vector.reshape(1, -1), min(depth, count), params=parameters)
        found: npt.NDArray[np.int64] = rows[0][rows[0] >= 0]
        return found


def _top(scores: Vectors, depth: int) -> npt.NDArray[np.int64]:
    """Return the rows of the best positive scores, at most `depth`, in any order."""
    positive = np.flatnonzero(scores)
    if len(positive) <= depth:
        return positive
    return positive[np.argpartition(-scores[positive], depth - 1)[:depth]]


def _held_matrix(rows: Sequence[Mapping[str, float]], keys: Sequence[tuple[str, str]]) -> Vectors:
    """Return how far each document holds each concept, shape (documents, concepts)."""
    at = {f"{name}/{own}": column for column, (name, own) in enumerate(keys)}
    held = np.zeros((len(rows), len(keys)), np.float32)
    for row, own in enumerate(rows):
        for key, confidence in own.items():
            held[row, at[key]] = confidence
    return held


def _concept_idf(held: Vectors) -> Vectors:
    """Return each concept's inverse document frequency, the highest that can be as 1; 0 for one that no document holds."""
    frequency = (held > 0).sum(axis=0)
    most = np.log(len(held) + 1)
    idf: Vectors = np.where(frequency > 0, np.log((len(held) + 1) / np.maximum(frequency, 1)) / most, 0).astype(np.float32)
    return idf


def _means(vectors: Vectors, rows: npt.NDArray[np.int64], count: int) -> Vectors:
    """Return each document's mean vector, of unit length; zero for a document without passages."""
    sums = np.zeros((count, vectors.shape[1]), np.float32)
    np.add.at(sums, rows, vectors)
    return _unit(sums)


def _unit(vectors: Vectors) -> Vectors:
    """Return the rows at unit length; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return units


# ── Reading the files ───────────────────────────────────────────────────────────────────────────────────────────────


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
