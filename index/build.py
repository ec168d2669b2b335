"""Files become an index: read, cleaned, split, encoded, and switched to at once."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import importlib.metadata
import json
import pickle
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

import pes_search.index
import pes_search.ingest
from pes_search.index.encoders.cache import VectorCache, encode_cached
from pes_search.index.encoders.sentence_transformer import Encoder
from pes_search.index.errors import IndexDamagedError, NothingReadError
from pes_search.index.evidence.concepts import ConceptSpace, labels_of
from pes_search.index.stores.base import GenerationWriter, IndexStore
from pes_search.index.stores.files import SCHEMA
from pes_search.index.text.passage_text import full_text
from pes_search.index.types import EncodedDocument, Filters, Manifest
from pes_search.ingest.cleaning.text import edge_texts, shared_edges, without_shared_edges
from pes_search.ingest.documents import LARGEST_FILE_BYTES, ReadDocument, read_document
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.passages import PassageConfig, build_pages, build_passages, passage_sentences, window_spans
from pes_search.ingest.readers import format_of
from pes_search.ingest.sources.files import SourceFile, find_files
from pes_search.ingest.taxonomy import NO_TAXONOMY, Taxonomy, list_files, read_taxonomy
from pes_search.ingest.types import Block, Document, Page, Passage, Unread

if TYPE_CHECKING:
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

# Passages that wait to be encoded together: enough for batches of like length, few enough to fit in memory whatever the
# collection's size.
BATCH_PASSAGES = 2_048
# Another release of these may read or split the same files differently.
READING_LIBRARIES = ("bm25s", "markdown-it-py", "pypdf", "pystemmer", "python-docx", "sentencex", "trafilatura")

Progress = Callable[[str, int, int], object]
"""Gets the stage ("reading", "labels" or "encoding"), how much is done, and the whole (0 where it is not known yet)."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did with every file that it was given."""

    index_id: str
    changed: bool  # False: the sources are those of the index in use, which stays
    documents: int
    passages: int
    encoded: int  # texts (passages, and windows of them) whose vector was not known yet
    read: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()  # could not be read
    skipped: tuple[Unread, ...] = ()  # of a format that has no reader
    duplicates: tuple[Unread, ...] = ()  # same content as another file, or an id that is taken
    warnings: tuple[Unread, ...] = ()  # read, but not all of it
    taxonomy: str | None = None  # the folder of the controlled lists
    seconds: float = field(default=0.0, compare=False)


def build_index(
    sources: Sequence[str],
    store: IndexStore,
    load_encoder: Callable[[], Encoder],
    *,
    model: str,
    cache_dir: Path,
    passage_config: PassageConfig,
    configs: Sequence[Any],
    default_lists: Path | None = None,
    on_progress: Progress | None = None,
) -> BuildReport:
    """Build an index of the sources and make it the current one; nothing changes if it fails or the sources have not changed.

    `load_encoder` is called only if there is something to do; `model` is what tells its model from others without loading it
    (`encoder.model_fingerprint`). `configs` are the configurations that the result depends on. `default_lists` is the folder
    of the controlled lists for sources that bring none.

    Raises:
        SourceNotFoundError: a source names no file.
        TaxonomyError: a source's folder `taxonomy` cannot be used.
        NothingReadError: no file could be read.
        BuildRunningError: another process is building this index.
    """
    started = datetime.datetime.now(datetime.UTC)
    progress = on_progress or _silent
    files = find_files(sources)
    readable = [file for file in files if _reason_to_skip(file) is None]
    taxonomy_folder = _taxonomy_folder(sources, default_lists)
    lists = list_files(Path(taxonomy_folder)) if taxonomy_folder else []
    skipped = tuple(Unread(file.name, reason) for file in files if (reason := _reason_to_skip(file)) and file.path not in lists)
    inputs = _inputs_hash(readable, lists, model, [passage_config, *configs])
    if (unchanged := _unchanged(store, inputs)) is not None:
        return dataclasses.replace(unchanged, skipped=skipped, taxonomy=taxonomy_folder)

    taxonomy = read_taxonomy(Path(taxonomy_folder)) if taxonomy_folder else NO_TAXONOMY
    writer = store.begin()
    try:
        encoder = load_encoder()
        with tempfile.TemporaryFile() as spool:
            reading = _read_all(readable, spool, progress)
            if not reading.documents:
                raise NothingReadError(_nothing_read(reading, skipped))
            not_read = {
                "unread": reading.unread,
                "skipped": skipped,
                "duplicates": reading.duplicates,
                "warnings": reading.warnings,
            }
            manifest, encoded = write_documents(
                _spooled(spool, reading.shared),
                writer,
                encoder,
                cache_dir=cache_dir,
                passage_config=passage_config,
                configs=configs,
                taxonomy=taxonomy,
                inputs_sha256=inputs,
                report={name: [dataclasses.asdict(row) for row in rows] for name, rows in not_read.items()},
                on_progress=progress,
            )
    finally:
        writer.discard()
    return BuildReport(
        index_id=manifest.index_id,
        changed=True,
        documents=manifest.documents,
        passages=manifest.passages,
        encoded=encoded,
        read=tuple(sorted(reading.read)),
        **{name: tuple(rows) for name, rows in not_read.items()},
        taxonomy=taxonomy_folder,
        seconds=round((datetime.datetime.now(datetime.UTC) - started).total_seconds(), 1),
    )


def _silent(stage: str, done: int, total: int) -> None:
    """Show nothing."""


def _taxonomy_folder(sources: Sequence[str], default: Path | None) -> str | None:
    """Return the folder of the controlled lists: that of the first source which has one in it or beside it, or the default."""
    folders = [folder / "taxonomy" for source in sources for folder in (Path(source), Path(source).parent)]
    return next((str(folder) for folder in [*folders, *([default] if default else [])] if list_files(folder)), None)


# ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Reading:
    """What came of the files, and for each folder the texts that its files share at their edges."""

    documents: int = 0
    read: list[str] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    duplicates: list[Unread] = field(default_factory=list)
    warnings: list[Unread] = field(default_factory=list)
    shared: dict[str, set[bytes]] = field(default_factory=dict)


def _read_all(files: Sequence[SourceFile], spool: IO[bytes], progress: Progress) -> _Reading:
    """Read every file and put the documents into the spool: what a site repeats is known only after the last one."""
    reading = _Reading()
    edges: dict[str, Counter[bytes]] = {}
    ids: dict[str, str] = {}
    contents: dict[str, str] = {}
    for done, file in enumerate(files, start=1):
        try:
            found = read_document(file)
        except UnreadableFileError as error:
            reading.unread.append(Unread(file.name, str(error)))
        else:
            document = found.document
            if document.sha256 in contents:
                reading.duplicates.append(Unread(file.name, f"same content as {contents[document.sha256]}"))
            elif document.id in ids:
                reason = f"its id {document.id!r} is that of {ids[document.id]}; give it another"
                reading.duplicates.append(Unread(file.name, reason))
            else:
                contents[document.sha256] = ids[document.id] = file.name
                pickle.dump(found, spool)
                edges.setdefault(_folder(document), Counter()).update(edge_texts(found.blocks))
                reading.documents += 1
                reading.read.append(file.name)
                reading.warnings.extend(Unread(file.name, warning) for warning in found.warnings)
        progress("reading", done, len(files))
    files_in = Counter(name.rpartition("/")[0] for name in reading.read)
    reading.shared = {folder: shared_edges(counts, files_in[folder]) for folder, counts in edges.items()}
    return reading


def _spooled(spool: IO[bytes], shared: dict[str, set[bytes]]) -> Iterator[tuple[Document, Sequence[Block]]]:
    """Yield the documents of the spool without what their folders' files share."""
    spool.seek(0)
    while True:
        try:
            found: ReadDocument = pickle.load(spool)  # noqa: S301 – written by this process, into a file without a name
        except EOFError:
            return
        yield found.document, without_shared_edges(found.blocks, shared[_folder(found.document)]) or found.blocks


# ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

Split = tuple[Document, list[Page], list[Passage]]


def write_documents(
    documents: Iterable[tuple[Document, Sequence[Block]]],
    writer: GenerationWriter,
    encoder: Encoder,
    *,
    cache_dir: Path,
    passage_config: PassageConfig,
    configs: Sequence[Any],
    taxonomy: Taxonomy = NO_TAXONOMY,
    inputs_sha256: str = "",
    report: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
    on_progress: Progress | None = None,
) -> tuple[Manifest, int]:
    """Split, encode and write the documents, and make them the current generation.

    Returns its manifest, and how many texts had to be encoded.
    """
    progress = on_progress or _silent
    started = datetime.datetime.now(datetime.UTC)
    languages: Counter[str] = Counter()
    corpus = hashlib.sha256(json.dumps(taxonomy.values()).encode())
    written = passages = encoded = before = done = 0

    def count(finished: int, texts: int) -> None:
        nonlocal done
        done += finished
        progress("encoding", done, before + texts)

    labels = labels_of(taxonomy)
    of_labels = _label_vectors([label.text for label in labels], encoder, cache_dir, progress)
    space = ConceptSpace(labels, of_labels)
    cache = VectorCache(cache_dir / "vectors", encoder.model_id)
    try:
        for batch in _batches(_split(documents, encoder, passage_config)):
            texts, new = _write_batch(batch, writer, encoder, cache, passage_config, taxonomy, space, count)
            before, encoded = before + texts, encoded + new
            for document, pages, document_passages in batch:
                parts = [(page.number, page.text) for page in pages], [passage.id for passage in document_passages]
                corpus.update(repr((document, parts)).encode("utf-8", "replace"))
                languages.update(passage.language or "" for passage in document_passages)
                passages += len(document_passages)
            written += len(batch)
    finally:
        cache.close()
    everything = [passage_config, *configs]
    manifest = Manifest(
        schema=SCHEMA,
        index_id=_index_id(corpus.hexdigest(), encoder.model_id, everything),
        built_at=started.isoformat(timespec="seconds"),
        version=importlib.metadata.version("pes-search"),
        model_id=encoder.model_id,
        adapter=encoder.adapter,
        dimensions=encoder.dimensions,
        inputs_sha256=inputs_sha256,
        corpus_sha256=corpus.hexdigest(),
        config=_config_values(everything),
        documents=written,
        passages=passages,
        languages=dict(sorted(languages.items(), key=lambda item: (-item[1], item[0]))),
        report=report or {},
        files={},
    )
    return writer.commit(manifest, taxonomy, of_labels), encoded


def _label_vectors(labels: Sequence[str], encoder: Encoder, cache_dir: Path, progress: Progress) -> Vectors:
    """Return the labels' vectors, read as queries, in their order."""
    done = 0

    def count(finished: int) -> None:
        nonlocal done
        done += finished
        progress("labels", done, len(labels))

    cache = VectorCache(cache_dir / "vectors", f"{encoder.model_id}-queries")
    try:
        return encode_cached(labels, encoder.encode_queries, encoder.dimensions, cache, count)[0]
    finally:
        cache.close()


def _split(documents: Iterable[tuple[Document, Sequence[Block]]], encoder: Encoder, config: PassageConfig) -> Iterator[Split]:
    for document, blocks in documents:
        pages = build_pages(document, blocks)
        yield document, [page for page, _ in pages], build_passages(document, pages, encoder.token_starts, config)


def _batches(split: Iterator[Split]) -> Iterator[list[Split]]:
    batch: list[Split] = []
    waiting = 0
    for item in split:
        batch.append(item)
        waiting += len(item[2])
        if waiting >= BATCH_PASSAGES:
            yield batch
            batch, waiting = [], 0
    if batch:
        yield batch


def _write_batch(
    batch: Sequence[Split],
    writer: GenerationWriter,
    encoder: Encoder,
    cache: VectorCache,
    config: PassageConfig,
    taxonomy: Taxonomy,
    space: ConceptSpace,
    progress: Callable[[int, int], object],
) -> tuple[int, int]:
    """Encode a batch's passages, their windows and sentences, and hand its documents to the store.

    Returns how many texts it has, and how many of them had to be encoded.
    """
    passages = [(document, passage) for document, _, own in batch for passage in own]
    windows = [
        [
            dataclasses.replace(passage, text=passage.text[start:end])
            for start, end in window_spans(passage.text, passage.language, encoder.token_starts, config)
        ]
        for _, passage in passages
    ]
    page_of = {(page.document_id, page.number): page for _, pages, _ in batch for page in pages}
    spans = [passage_sentences(passage, page_of[passage.document_id, passage.page]) for _, passage in passages]
    sentences = [
        [dataclasses.replace(passage, text=passage.text[start:end]) for start, end in own]
        for (_, passage), own in zip(passages, spans, strict=True)
    ]
    texts = [full_text(document, passage) for document, passage in passages]
    for parts in (windows, sentences):
        texts += [full_text(document, part) for (document, _), own in zip(passages, parts, strict=True) for part in own]
    vectors, encoded = encode_cached(
        texts, encoder.encode_passages, encoder.dimensions, cache, lambda finished: progress(finished, len(texts))
    )
    at, window_at = 0, len(passages)
    sentence_at = window_at + sum(map(len, windows))
    for document, pages, own in batch:
        counts = [len(windows[row]) for row in range(at, at + len(own))]
        of_windows = vectors[window_at : window_at + sum(counts)]
        of_passages = vectors[at : at + len(own)]
        own_spans = spans[at : at + len(own)]
        of_sentences = vectors[sentence_at : sentence_at + sum(map(len, own_spans))]
        sentence_at += len(of_sentences)
        writer.add(
            EncodedDocument(
                document,
                pages,
                own,
                of_passages,
                np.split(of_windows, np.cumsum(counts)[:-1]) if counts else [],
                own_spans,
                of_sentences,
                space.held(document, of_passages, taxonomy),
            )
        )
        at, window_at = at + len(own), window_at + sum(counts)
    return len(texts), encoded


def _folder(document: Document) -> str:
    return document.path.rpartition("/")[0]


# ── Identity ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _inputs_hash(files: Sequence[SourceFile], lists: Sequence[Path], model: str, configs: Sequence[Any]) -> str:
    """Hash all that the index depends on, so that an unchanged one is recognised without reading a document."""
    versions = [(name, importlib.metadata.version(name)) for name in READING_LIBRARIES]
    digest = hashlib.sha256(repr((model, SCHEMA, _config_values(configs), versions)).encode())
    for folder in (*pes_search.ingest.__path__, *pes_search.index.__path__):
        for code in sorted(Path(folder).rglob("*.py")):
            digest.update(code.read_bytes())
    for path in lists:
        digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    for file in files:
        digest.update(f"\0{file.name}\0".encode("utf-8", "replace"))
        try:
            if file.path.is_file() and file.path.stat().st_size <= LARGEST_FILE_BYTES:  # others are not read either
                with file.path.open("rb") as content:
                    digest.update(hashlib.file_digest(content, "sha256").digest())
        except OSError as error:
            digest.update(repr(error.errno).encode())
    return digest.hexdigest()


def _unchanged(store: IndexStore, inputs: str) -> BuildReport | None:
    """Return the report of the index in use if it was made of the same inputs and is whole."""
    try:
        manifest = store.current()
        if manifest is None or manifest.inputs_sha256 != inputs:
            return None
        documents = store.open().documents(Filters())
    except IndexDamagedError:
        return None
    return BuildReport(
        index_id=manifest.index_id,
        changed=False,
        documents=manifest.documents,
        passages=manifest.passages,
        encoded=0,
        read=tuple(sorted(document.path for document in documents)),
        **{name: tuple(Unread(**row) for row in rows) for name, rows in manifest.report.items()},  # type: ignore[arg-type]
    )


def _index_id(corpus_hash: str, model_id: str, configs: Sequence[Any]) -> str:
    text = json.dumps([corpus_hash, model_id, SCHEMA, _config_values(configs)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _reason_to_skip(file: SourceFile) -> str | None:
    name = Path(file.name)
    if format_of(name) is None:
        return f"no reader for {name.suffix or 'a file without suffix'}"
    if name.stem.upper() == "README":
        return "a README describes its folder; give it another name to have it indexed"
    return None


def _nothing_read(reading: _Reading, skipped: Sequence[Unread]) -> str:
    first = [f"{unread.path}: {unread.reason}" for unread in (*reading.unread, *skipped)][:3]
    detail = "; ".join(first) or "the sources hold no file"
    return f"no file could be read ({detail}); give files or folders with .html, .pdf, .docx, .md or .txt"


def report_values(report: BuildReport) -> dict[str, Any]:
    """Return a report as plain values, for JSON."""
    return dataclasses.asdict(report)


def _config_values(configs: Iterable[Any]) -> dict[str, object]:
    """Return the stages' configurations as plain values for the manifest, by class name."""
    return {type(config).__name__: dataclasses.asdict(config) for config in configs}
