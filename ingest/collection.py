"""A collection is read: every file of the sources becomes a document, or is named with the reason why it did not."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from pes_search.ingest.cleaning.edges import edge_texts, shared_edges, without_shared_edges
from pes_search.ingest.config import IN_THIS_PROCESS, ReadingConfig
from pes_search.ingest.disk import Spool
from pes_search.ingest.documents import LARGEST_FILE_BYTES, ReadDocument, is_within
from pes_search.ingest.errors import NothingReadError, UnreadableFileError
from pes_search.ingest.lasting_ids import EarlierDocument, LastingIds
from pes_search.ingest.question_files import QuestionReader, is_question_file
from pes_search.ingest.questions import BESIDE, QUESTION_VECTORS
from pes_search.ingest.readers import SUFFIXES, format_of
from pes_search.ingest.reading import Read, read_files
from pes_search.ingest.sources import find_files
from pes_search.ingest.sources.base import SourceFile
from pes_search.ingest.stated_terms import StatedTerms
from pes_search.ingest.taxonomy import LABEL_VECTORS, NO_TAXONOMY, Taxonomy, list_files, read_taxonomy
from pes_search.ingest.types import Block, Document, Unread
from pes_search.ingest.visibility import NO_PLACES, PlaceLabels, combined

SHARED_EDGES = "what files of a folder share at their ends"
SHOWN_REASONS = 3  # where nothing could be read

Progress = Callable[[int, int], object]
"""Gets how many files are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a collection, found but not read yet."""

    files: tuple[SourceFile, ...]  # that have a reader
    skipped: tuple[Unread, ...]  # that have none, or are no documents
    taxonomy_folder: str | None  # of the controlled lists
    lists: tuple[Path, ...]  # the files in it
    questions: tuple[SourceFile, ...] = ()  # files with questions that documents answer

    def taxonomy(self) -> Taxonomy:
        """Read the controlled lists.

        Raises:
            TaxonomyError: they cannot be used as they are.
        """
        return read_taxonomy(Path(self.taxonomy_folder)) if self.taxonomy_folder else NO_TAXONOMY

    def known_vectors(self) -> list[Path]:
        """Return the files beside the lists and the questions that may hold their vectors."""
        lists = [Path(self.taxonomy_folder) / LABEL_VECTORS] if self.taxonomy_folder else []
        return [*lists, *dict.fromkeys(file.path.parent / QUESTION_VECTORS for file in self.questions)]

    def content_hash(self) -> str:
        """Return a hash of all names and contents, so that an unchanged collection is recognised without reading a document."""
        digest = hashlib.sha256()
        for path in (*self.lists, *(file.path for file in self.questions)):
            digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
        for file in self.files:
            digest.update(f"\0{file.name}\0{file.origin!r}\0{file.visibility}\0".encode("utf-8", "replace"))
            try:
                if file.path.is_file() and file.path.stat().st_size <= LARGEST_FILE_BYTES:  # others are not read either
                    with file.path.open("rb") as content:
                        digest.update(hashlib.file_digest(content, "sha256").digest())
            except OSError as error:
                digest.update(repr(error.errno).encode())
        return digest.hexdigest()


def find_sources(sources: Sequence[str], default_lists: Path | None = None, labels: PlaceLabels = NO_PLACES) -> Sources:
    """Find the files of files, folders and globs, and the controlled lists; `labels` closes what lies in some places.

    The lists are those of the first source that has a folder `taxonomy` in it or beside it, else `default_lists`.

    Raises:
        SourceNotFoundError: a source names no file.
    """
    files = [replace(file, visibility=combined(file.visibility, labels.label(file.path))) for file in find_files(sources)]
    folders = [folder / "taxonomy" for source in sources for folder in (Path(source), Path(source).parent)]
    taxonomy_folder = next((folder for folder in [*folders, default_lists] if folder and list_files(folder)), None)
    lists = list_files(taxonomy_folder) if taxonomy_folder else []
    questions = {file.path: file for file in files if is_question_file(file.path)}
    files = [file for file in files if file.path not in questions and file.path.name != QUESTION_VECTORS]
    for file in files:
        path = file.path.with_name(file.path.name + BESIDE)
        if path.is_file():
            questions.setdefault(path, SourceFile(path, file.name + BESIDE))
    reasons = {file: _reason_to_skip(file) for file in files}
    return Sources(
        files=tuple(file for file, reason in reasons.items() if reason is None),
        skipped=tuple(
            Unread(file.name, reason) for file, reason in reasons.items() if reason and not _is_of_lists(file.path, lists)
        ),
        taxonomy_folder=str(taxonomy_folder) if taxonomy_folder else None,
        lists=tuple(lists),
        questions=tuple(questions[path] for path in sorted(questions)),
    )


def _is_of_lists(path: Path, lists: Sequence[Path]) -> bool:
    return path in lists or (path.name == LABEL_VECTORS and any(path.parent == other.parent for other in lists))


def _reason_to_skip(file: SourceFile) -> str | None:
    name = Path(file.name)
    if format_of(name) is None:
        return f"no reader for {name.suffix or 'a file without suffix'}"
    if name.stem.upper() == "README":
        return "a README describes its folder; give it another name to have it indexed"
    return None


@dataclass(slots=True)
class ReadReport:
    """What became of each file."""

    read: list[str] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    duplicates: list[Unread] = field(default_factory=list)
    warnings: list[Unread] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)  # what is no content, by kind, with its characters
    closed: Counter[str] = field(default_factory=Counter)  # documents that are not for everybody, by their visibility


class Collection:
    """The documents of a collection. They wait on disk, so memory does not grow with their number.

    Used as a context: the documents are gone when it ends.
    """

    def __init__(
        self,
        sources: Sources,
        on_progress: Progress,
        reading: ReadingConfig = IN_THIS_PROCESS,
        kept: Path | None = None,
        earlier: Iterable[EarlierDocument] = (),
    ) -> None:
        """Read every file; `kept` is the folder of what was read before, `earlier` the documents of the build before this one.

        Raises:
            NothingReadError: no file could be read; the message has the first reasons.
        """
        self.report = ReadReport()
        self._spool = Spool("what was read of the sources")
        self._edges: dict[str, Counter[bytes]] = {}  # by folder: what its files have at their ends
        self._taken_ids: dict[str, str] = {}  # and by which file
        self._contents: dict[str, str] = {}
        self._visibilities: dict[str, str] = {}  # by content: a file that lies open too is closed by its closed copy
        self._questions = QuestionReader(sources.questions)
        self._ids = LastingIds(earlier, sources.files)
        read = read_files(sources.files, reading, kept)
        for done, (file, content) in enumerate(zip(sources.files, read, strict=True), start=1):
            self._take(file, content)
            on_progress(done, len(sources.files))
        self.report.unread += [*self._questions.faults, *self._questions.unused()]
        if not self.report.read:
            self.close()
            raise NothingReadError(_nothing_read([*self.report.unread, *sources.skipped]))

    def _take(self, file: SourceFile, content: Read) -> None:
        report = self.report
        if isinstance(content, UnreadableFileError):
            report.unread.append(Unread(file.name, str(content)))
            return
        for read in content:
            one = replace(read, document=self._ids.of(read.document)).closed(file.visibility)
            document = one.document
            self._close(document)
            if original := self._ids.original_of(document):
                report.duplicates.append(Unread(document.path, f"same content as {original}"))
            elif document.sha256 in self._contents:
                report.duplicates.append(Unread(document.path, f"same content as {self._contents[document.sha256]}"))
            elif document.id in self._taken_ids:
                reason = f"its id {document.id!r} is that of {self._taken_ids[document.id]}; give it another"
                report.duplicates.append(Unread(document.path, reason))
            else:
                self._contents[document.sha256] = self._taken_ids[document.id] = document.path
                self._keep(one, file)

    def _close(self, document: Document) -> None:
        """Note who may read a content: of files that are the same, each of which may be kept, the closed one counts."""
        known = self._visibilities.get(document.sha256, document.visibility)
        both = self._visibilities[document.sha256] = combined(known, document.visibility)
        if both != known or both != document.visibility:
            reason = f"only for readers of {both}, as is another file of the same content"
            self.report.warnings.append(Unread(document.path, reason))

    def _keep(self, content: ReadDocument, file: SourceFile) -> None:
        document = content.document
        questions = dict.fromkeys([*document.questions, *self._questions.of(document.id, file.path)])
        self._spool.put(replace(content, document=replace(document, questions=tuple(questions))))
        self._edges.setdefault(_folder(document.path), Counter()).update(edge_texts(content.blocks))
        self.report.read.append(document.path)
        self.report.warnings.extend(Unread(document.path, warning) for warning in content.warnings)
        self.report.left_out.update(content.left_out)

    def documents(self, taxonomy: Taxonomy = NO_TAXONOMY) -> Iterator[tuple[Document, Sequence[Block]]]:
        """Yield the documents with their blocks, without what the files of a folder share at their ends.

        What their labelled fields state becomes terms of the controlled lists.

        What is shared is known only after the last one was read.
        """
        files_in = Counter(map(_folder, self.report.read))
        shared = {folder: shared_edges(counts, files_in[folder]) for folder, counts in self._edges.items()}
        stated = StatedTerms(taxonomy)
        for kept in self._spool.values():
            content: ReadDocument = kept.closed(self._visibilities[kept.document.sha256])
            document = content.document
            if document.visibility:
                self.report.closed[document.visibility] += 1
            own = without_shared_edges(content.blocks, shared[_folder(document.path)]) or content.blocks
            self.report.left_out[SHARED_EDGES] += sum(len(block.text) for block in content.blocks) - sum(
                len(block.text) for block in own
            )
            yield stated.added_to(document, content.terms), own

    def close(self) -> None:
        """Forget the documents."""
        self._spool.close()

    def __enter__(self) -> Collection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _folder(name: str) -> str:
    """Return where the files are that a document may share its ends with; one within a file shares them with none."""
    return name if is_within(name) else name.rpartition("/")[0]


def _nothing_read(unread: Sequence[Unread]) -> str:
    first = [f"{file.path}: {file.reason}" for file in unread][:SHOWN_REASONS]
    detail = "; ".join(first) or "the sources hold no file"
    return f"no file could be read ({detail}); give files or folders with {', '.join(SUFFIXES)}"
