"""A collection becomes an index: read, split, encoded, written aside, and switched to at once."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import datetime
import hashlib
import importlib.metadata
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import pes_search.index
from pes_search.index.arrays import EightBitVectors, mean_vectors
from pes_search.index.config import IndexConfig
from pes_search.index.copies import CopyFinder, signature_of
from pes_search.index.copy_groups import Copies
from pes_search.index.derived import with_derived
from pes_search.index.encoders.cache import VectorCache, cache_name, encode_cached
from pes_search.index.errors import IndexDamagedError
from pes_search.index.evidence.concepts import ConceptSpace, labels_of
from pes_search.index.evidence.text_vectors import read_text_vectors
from pes_search.index.filters import EVERYTHING
from pes_search.index.inferred import Inferrer
from pes_search.index.kept_documents import KeptDocument, KeptDocuments, kept_path
from pes_search.index.relations import RelationFinder
from pes_search.index.stores.base import IndexStore, IndexWriter
from pes_search.index.stores.files import SCHEMA
from pes_search.index.text.passage_text import full_text, sentence_text
from pes_search.index.text.tokens import terms
from pes_search.index.text.words import words_of
from pes_search.index.types import BuildState, CopyGroup, EncodedDocument, LastBuild, Manifest
from pes_search.ingest.collection import Collection, Sources, find_sources
from pes_search.ingest.config import IN_THIS_PROCESS, PassageConfig, ReadingConfig
from pes_search.ingest.passages import build_pages, build_passages, passage_sentences
from pes_search.ingest.reading import library_versions, reading_files
from pes_search.ingest.taxonomy import NO_TAXONOMY, Taxonomy
from pes_search.ingest.types import Block, Document, Page, Passage, Unread
from pes_search.ingest.visibility import NO_PLACES, PlaceLabels

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors
    from pes_search.index.encoders.base import Encoder

# Passages that wait to be encoded together: enough for batches of like length, few enough to fit in memory whatever the
# collection's size.
BATCH_PASSAGES = 2_048

Progress = Callable[[str, int, int], object]
"""Gets the stage ("reading", "labels", "questions" or "encoding"), how much is done, and the whole.

The whole is 0 where it is not known yet.
"""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did with every file that it was given."""

    index_id: str
    changed: bool  # False: the sources are those of the index in use, which stays
    documents: int
    passages: int
    encoded: int  # texts (passages and sentences) whose vector was not known yet
    read: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()  # could not be read
    skipped: tuple[Unread, ...] = ()  # of a format that has no reader
    duplicates: tuple[Unread, ...] = ()  # same content as another file, or an id that is taken
    warnings: tuple[Unread, ...] = ()  # read, but not all of it
    left_out: Mapping[str, int] = field(default_factory=dict)  # what is no content, by kind, with its characters
    copies: tuple[tuple[str, ...], ...] = ()  # ids of documents that say the same, first of the one that stands for them
    closed: Mapping[str, int] = field(default_factory=dict)  # documents that are not for everybody, by who may read them
    taxonomy: str | None = None  # the folder of the controlled lists
    seconds: float = field(default=0.0, compare=False)
    left_gone_back: bool = False  # the index that was in use had been gone back to (`pes rollback`)


def build_index(
    sources: Sequence[str],
    store: IndexStore,
    load_encoder: Callable[[], Encoder],
    *,
    model: str,
    cache_dir: Path,
    config: IndexConfig,
    default_lists: Path | None = None,
    labels: PlaceLabels = NO_PLACES,
    reading: ReadingConfig = IN_THIS_PROCESS,
    on_progress: Progress | None = None,
) -> BuildReport:
    """Build an index of the sources and make it the current one; nothing changes if it fails or the sources have not changed.

    `load_encoder` is called only if there is something to do; `model` is what tells its model from others without loading it
    (`encoders.model_fingerprint`). `default_lists` is the folder of the controlled lists for sources that bring none; `labels`
    says which places' files are not for everybody.

    Raises:
        SourceNotFoundError: a source names no file.
        TaxonomyError: a source's folder `taxonomy` cannot be used.
        NothingReadError: no file could be read.
        BuildRunningError: another process is building this index.
        NotWrittenError: there is no room; nothing of the new index is left.
    """
    started = datetime.datetime.now(datetime.UTC)
    progress = on_progress or _silent
    with _failure_noted(store, started), contextlib.ExitStack() as stack:
        files = find_sources(sources, default_lists, labels)
        inputs = _inputs_hash(files, model, config, store)
        if (unchanged := _unchanged(store, inputs)) is not None:
            store.tidy()
            _note(store, "finished", started, "nothing had changed", unchanged.index_id)
            return dataclasses.replace(unchanged, skipped=files.skipped, taxonomy=files.taxonomy_folder)

        in_use = [generation.in_use for generation in store.generations()]  # the newest first
        gone_back = any(in_use) and not in_use[0]
        taxonomy = files.taxonomy()
        writer = store.writer()
        stack.callback(writer.discard)
        encoder = load_encoder()
        recipe = _digest(model, SCHEMA, config.values(), _code(store), taxonomy.values())
        kept = KeptDocuments(kept_path(cache_dir, store.place), recipe)
        stack.callback(kept.close)
        count = partial(progress, "reading")
        with Collection(files, count, reading, cache_dir / "files", store.earlier()) as collection:
            found = collection.report
            not_read = {
                "unread": found.unread,
                "skipped": files.skipped,
                "duplicates": found.duplicates,
                "warnings": found.warnings,
            }
            manifest, encoded = write_documents(
                collection.documents(taxonomy),
                writer,
                encoder,
                cache_dir=cache_dir,
                config=config,
                taxonomy=taxonomy,
                expected=len(found.read),
                known_vectors=files.known_vectors(),
                kept=kept,
                inputs_sha256=inputs,
                report={name: [dataclasses.asdict(file) for file in unread] for name, unread in not_read.items()},
                left_out=found.left_out,
                on_progress=progress,
            )
        kept.forget_others()
    return BuildReport(
        index_id=manifest.index_id,
        changed=True,
        documents=manifest.documents,
        passages=manifest.passages,
        encoded=encoded,
        read=tuple(sorted(found.read)),
        **{name: tuple(unread) for name, unread in not_read.items()},
        left_out=manifest.left_out,
        copies=_ids(manifest.copies),
        closed=dict(sorted(found.closed.items())),
        taxonomy=files.taxonomy_folder,
        seconds=round((datetime.datetime.now(datetime.UTC) - started).total_seconds(), 1),
        left_gone_back=gone_back,
    )


@contextlib.contextmanager
def _failure_noted(store: IndexStore, started: datetime.datetime) -> Iterator[None]:
    """Remember a build that fails within."""
    try:
        yield
    except BaseException as error:
        _note(store, "failed", started, str(error) or type(error).__name__)
        raise


def _note(store: IndexStore, state: BuildState, started: datetime.datetime, message: str, index_id: str = "") -> None:
    """Remember what became of this build, unless another one is running, which is what counts then."""
    if not store.is_building():
        began, now = (time.isoformat(timespec="seconds") for time in (started, datetime.datetime.now(datetime.UTC)))
        store.note_build(LastBuild(state, began, now, importlib.metadata.version("pes-search"), message, index_id))


def _silent(stage: str, done: int, total: int) -> None:
    """Show nothing."""


# ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Split:
    """A document with its pages and passages, which is not encoded yet."""

    document: Document
    pages: list[Page]
    passages: list[Passage]


@dataclass(slots=True)
class _Waiting:
    """A document of the batch that is written next: it waits to be encoded, or was kept from a build before."""

    key: bytes
    content: _Split | KeptDocument

    @property
    def passages(self) -> Sequence[Passage]:
        return self.content.encoded.passages if isinstance(self.content, KeptDocument) else self.content.passages


def write_documents(
    documents: Iterable[tuple[Document, Sequence[Block]]],
    writer: IndexWriter,
    encoder: Encoder,
    *,
    cache_dir: Path,
    config: IndexConfig,
    taxonomy: Taxonomy = NO_TAXONOMY,
    known_vectors: Sequence[Path] = (),
    kept: KeptDocuments | None = None,
    expected: int = 0,
    inputs_sha256: str = "",
    report: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
    left_out: Mapping[str, int] | None = None,
    on_progress: Progress | None = None,
) -> tuple[Manifest, int]:
    """Split, encode and write the documents, and make them the current generation.

    `known_vectors` are files that may hold vectors of labels and questions; `kept` has what builds before made of documents,
    and takes up what this one makes; `expected` is the number of documents, if known; `left_out` is complete when the documents
    have come to their end.
    Returns its manifest, and how many texts had to be encoded.
    """
    progress = on_progress or _silent
    started = datetime.datetime.now(datetime.UTC)
    languages: Counter[str] = Counter()
    content = hashlib.sha256(json.dumps(taxonomy.values()).encode())
    copies, relations = CopyFinder(), RelationFinder()
    written = passages = encoded = texts_before = texts_done = 0

    def count(finished: int, texts: int, split: int) -> None:
        nonlocal texts_done
        texts_done += finished
        # The documents that are still to be split are taken to be like those before.
        whole = (texts_before + texts) * max(1, expected / (written + split))
        progress("encoding", texts_done, round(whole))

    labels = [label.text for label in labels_of(taxonomy)]
    read_as_query = partial(_query_vectors, known_vectors=known_vectors, encoder=encoder, cache_dir=cache_dir)
    label_vectors = EightBitVectors.of(read_as_query(labels, on_progress=partial(progress, "labels")))
    space = ConceptSpace(labels_of(taxonomy), label_vectors)
    kept = kept or KeptDocuments(None)
    inferrer = Inferrer(taxonomy)
    cache = VectorCache(cache_dir / "vectors", cache_name(encoder, "passages"))
    try:
        for batch in _batches(_split(documents, encoder, config.passages, kept)):
            new = [(waiting.key, waiting.content) for waiting in batch if isinstance(waiting.content, _Split)]
            questions = [text for _, split in new for _, text in split.document.questions]
            vectors = read_as_query(questions, on_progress=partial(progress, "questions"))
            made, texts, fresh = _made(
                [split for _, split in new], vectors, encoder, cache, inferrer, space, partial(count, split=len(batch))
            )
            texts_before, encoded = texts_before + texts, encoded + fresh
            kept.put(zip((key for key, _ in new), made, strict=True))
            of_new = iter(made)
            for waiting in batch:
                document = waiting.content if isinstance(waiting.content, KeptDocument) else next(of_new)
                one = document.encoded
                mean = mean_vectors(one.vectors, np.zeros(len(one.vectors), np.int64), 1)[0]
                copies.add(document.signature, mean)
                relations.add(dataclasses.replace(one.document, links=document.links), one.pages)
                writer.add(one)
                parts = [(page.number, page.text) for page in one.pages], [passage.id for passage in one.passages]
                content.update(repr((one.document, parts)).encode("utf-8", "replace"))
                languages.update(passage.language or "" for passage in one.passages)
                passages += len(one.passages)
            written += len(batch)
        groups = copies.groups()
        related = relations.rows(Copies(groups))
    finally:
        cache.close()
        relations.close()
    manifest = Manifest(
        schema=SCHEMA,
        index_id=_index_id(content.hexdigest(), encoder.model_id, config),
        built_at=started.isoformat(timespec="seconds"),
        version=importlib.metadata.version("pes-search"),
        model_id=encoder.model_id,
        adapter=encoder.adapter,
        dimensions=encoder.dimensions,
        inputs_sha256=inputs_sha256,
        config=config.values(),
        documents=written,
        passages=passages,
        languages=dict(sorted(languages.items(), key=lambda item: (-item[1], item[0]))),
        report=report or {},
        files={},
        left_out={what: characters for what, characters in sorted((left_out or {}).items()) if characters},
        copies=groups,
        relations=related,
    )
    return writer.commit(manifest, taxonomy, label_vectors), encoded


def _query_vectors(
    texts: Sequence[str],
    *,
    known_vectors: Sequence[Path],
    encoder: Encoder,
    cache_dir: Path,
    on_progress: Callable[[int, int], object],
) -> Vectors:
    """Return the vectors of texts read as queries, in their order; only those that no file has are encoded."""
    known: dict[str, Vectors] = {}
    for path in known_vectors:
        known.update(read_text_vectors(path, encoder.model_id, texts))
    missing = [text for text in dict.fromkeys(texts) if text not in known]
    done = 0

    def count(finished: int) -> None:
        nonlocal done
        done += finished
        on_progress(done, len(missing))

    if missing:
        cache = VectorCache(cache_dir / "vectors", cache_name(encoder, "queries"))
        try:
            vectors, _ = encode_cached(missing, encoder.encode_queries, encoder.dimensions, cache, count)
        finally:
            cache.close()
        known.update(zip(missing, vectors, strict=True))
    return np.stack([known[text] for text in texts]) if texts else np.empty((0, encoder.dimensions), np.float32)


def _split(
    documents: Iterable[tuple[Document, Sequence[Block]]], encoder: Encoder, config: PassageConfig, kept: KeptDocuments
) -> Iterator[_Waiting]:
    for document, blocks in documents:
        key = kept.key(document, blocks)
        known = kept.get(key)
        if known is not None:
            yield _Waiting(key, known)
            continue
        pages = build_pages(document, blocks)
        passages = build_passages(document, pages, encoder.token_starts, config)
        yield _Waiting(key, _Split(document, [page for page, _ in pages], passages))


def _batches(documents: Iterator[_Waiting]) -> Iterator[list[_Waiting]]:
    batch: list[_Waiting] = []
    waiting = 0
    for one in documents:
        batch.append(one)
        waiting += len(one.passages)
        if waiting >= BATCH_PASSAGES:
            yield batch
            batch, waiting = [], 0
    if batch:
        yield batch


def _made(
    batch: Sequence[_Split],
    questions: Vectors,
    encoder: Encoder,
    cache: VectorCache,
    inferrer: Inferrer,
    space: ConceptSpace,
    progress: Callable[[int, int], object],
) -> tuple[list[KeptDocument], int, int]:
    """Encode a batch's passages and their sentences; return its documents. `questions` are the vectors of theirs.

    Returns also how many texts it has, and how many of them had to be encoded.
    """
    if not batch:
        return [], 0, 0
    passages = [(split.document, passage) for split in batch for passage in split.passages]
    page_of = {(page.document_id, page.number): page for split in batch for page in split.pages}
    sentence_places = [passage_sentences(passage, page_of[passage.document_id, passage.page]) for _, passage in passages]
    read = [full_text(document, passage) for document, passage in passages]
    texts = [
        *read,
        *(
            sentence_text(passage.text[start:end])
            for (_, passage), spans in zip(passages, sentence_places, strict=True)
            for start, end in spans
        ),
    ]
    vectors, encoded = encode_cached(
        texts, encoder.encode_passages, encoder.dimensions, cache, lambda finished: progress(finished, len(texts))
    )
    whole, sentences = np.split(vectors.astype(np.float16), [len(passages)])
    sentences_of = np.split(sentences, np.cumsum([len(spans) for spans in sentence_places])[:-1])
    similarities = space.similarities(whole.astype(np.float32))
    of_questions = np.split(questions, np.cumsum([len(split.document.questions) for split in batch])[:-1])
    made: list[KeptDocument] = []
    first = 0
    for split, own_questions in zip(batch, of_questions, strict=True):
        rows = slice(first, first + len(split.passages))
        first = rows.stop
        document = dataclasses.replace(split.document, links=())
        encoded_document = EncodedDocument(
            document=with_derived(document, split.pages, split.passages, sentence_places[rows], inferrer),
            pages=split.pages,
            passages=split.passages,
            vectors=whole[rows].copy(),
            sentence_spans=sentence_places[rows],
            sentences=np.concatenate([sentences[:0], *sentences_of[rows]]),
            # What was inferred is not among them: ranking goes by what is stated.
            concepts=space.concepts_of(split.document, similarities[rows], inferrer.taxonomy),
            terms=[terms(text, passage.language) for text, passage in zip(read[rows], split.passages, strict=True)],
            words=_words(read[rows], split.passages),
            question_languages=[language for language, _ in split.document.questions],
            questions=own_questions.astype(np.float16) if len(own_questions) else None,
        )
        made.append(KeptDocument(encoded_document, signature_of(split.document, split.passages), split.document.links))
    return made, len(texts), encoded


def _words(texts: Sequence[str], passages: Sequence[Passage]) -> dict[str, Counter[str]]:
    """Return in how many of the passages each word is, by language; `texts` is what is read of them."""
    words: dict[str, Counter[str]] = {}
    for text, passage in zip(texts, passages, strict=True):
        words.setdefault(passage.language or "", Counter()).update(words_of(text))
    return words


# ── Identity ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _inputs_hash(files: Sources, model: str, config: IndexConfig, store: IndexStore) -> str:
    """Hash all that the index depends on, so that an unchanged one is recognised without reading a document."""
    return _digest(model, SCHEMA, config.values(), _code(store), files.content_hash())


def _code(store: IndexStore) -> str:
    """Hash the code that builds, and the versions of the libraries that it imports."""
    return _code_of(type(store).__module__)


@cache
def _code_of(module_of_store: str) -> str:
    code = [path.read_bytes() for path in _files_of_code(module_of_store)]
    digest = hashlib.sha256(repr(library_versions(code)).encode())
    for content in code:
        digest.update(content)
    return digest.hexdigest()


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "replace")).hexdigest()


def building_code(store: IndexStore) -> list[Path]:
    """Return the files whose change may change what a build writes: reading, this module, the store, and what they import.

    Searching is not among them: a change of its code must not make every index stale.
    """
    return _files_of_code(type(store).__module__)


def _files_of_code(module_of_store: str) -> list[Path]:
    folder = Path(pes_search.index.__path__[0])
    waiting = [Path(__file__), folder.joinpath(*module_of_store.split(".")[2:]).with_suffix(".py")]
    known: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in known or not path.is_file():
            continue
        known.add(path)
        imported = [str(node.module) for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.ImportFrom)]
        parts = [name.split(".")[2:] for name in imported if name.startswith("pes_search.index.")]
        waiting += [folder.joinpath(*names).with_suffix(".py") for names in parts]
    return sorted(known | set(reading_files()))


def _unchanged(store: IndexStore, inputs: str) -> BuildReport | None:
    """Return the report of the index in use if it was made of the same inputs and is whole."""
    try:
        manifest = store.current()
        if manifest is None or manifest.inputs_sha256 != inputs:
            return None
        documents = store.open().documents(EVERYTHING)
    except IndexDamagedError:
        return None
    return BuildReport(
        index_id=manifest.index_id,
        changed=False,
        documents=manifest.documents,
        passages=manifest.passages,
        encoded=0,
        read=tuple(sorted(document.path for document in documents)),
        left_out=manifest.left_out,
        copies=_ids(manifest.copies),
        closed=dict(sorted(Counter(one.visibility for one in documents if one.visibility).items())),
        **{name: tuple(Unread(**file) for file in files) for name, files in manifest.report.items()},  # type: ignore[arg-type]
    )


def _ids(groups: Sequence[CopyGroup]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(document_id for document_id, _ in group) for group in groups)


def _index_id(content_hash: str, model_id: str, config: IndexConfig) -> str:
    text = json.dumps([content_hash, model_id, SCHEMA, config.values()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def report_values(report: BuildReport) -> dict[str, Any]:
    """Return a report as plain values, for JSON."""
    return dataclasses.asdict(report)
