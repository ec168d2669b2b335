"""A file that somebody hands in: seen as the build will read it before it is kept in a folder of sources.

FOLDER/.pending/.reading-…/        being read
FOLDER/.pending/<token>/<name>     previewed, not kept; hidden folders are not indexed
FOLDER/<name>                      kept

A file is read by a process of its own, within limits. Whatever it is, what comes back is short, and only so much is encoded.
"""

from __future__ import annotations

import contextlib
import filecmp
import hashlib
import os
import queue
import re
import shutil
import tempfile
import threading
import time
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pes_search.index.encoders.base import Encoder
from pes_search.index.evidence.fusion import rounded
from pes_search.index.filters import EVERYTHING
from pes_search.index.open_index import OpenIndex
from pes_search.index.search import hits_of
from pes_search.index.stages import check_deadline, current_watch, stage
from pes_search.index.text.passage_text import full_text
from pes_search.index.types import Candidate, Hit, Scores
from pes_search.ingest.config import PassageConfig, ReadingConfig
from pes_search.ingest.documents import ReadDocument
from pes_search.ingest.errors import (
    PesSearchError,
    ReadingStoppedError,
    TakesTooMuchError,
    UnreadableFileError,
    VisitorError,
)
from pes_search.ingest.passages import build_pages, build_passages
from pes_search.ingest.readers import SUFFIXES, format_of
from pes_search.ingest.reading import ReadingProcess
from pes_search.ingest.sources.base import SourceFile
from pes_search.ingest.stated_terms import StatedTerms
from pes_search.ingest.taxonomy import FIELDS
from pes_search.ingest.types import Document, Passage, document_of

LARGEST_UPLOAD_BYTES = 50_000_000
PENDING_FOLDER = ".pending"
READING_PREFIX = ".reading-"
READING_SECONDS = 3_600  # after which a file that is still being read has been left by a service that was killed
# What waits to be decided on. Where there is no more room, what has waited longest gives way, but nobody's of just now.
MOST_PENDING, MOST_PENDING_BYTES = 100, 1_000_000_000
LEAST_PENDING_SECONDS = 600  # that somebody has to look at a preview
AT_ONCE = 2  # uploads that are read and encoded
# Of a file's text that is shown and compared: some 200 pages. Passages of it take 1 to 2 s (on two cores), whatever it is.
SHOWN_CHARACTERS = 500_000
ENCODED_AT_ONCE = 8  # passages; in between it is looked at whether there is time, and whether anybody still waits
TOKEN_DIGITS = 32
TOKEN = re.compile(rf"[0-9a-f]{{{TOKEN_DIGITS}}}")
LONGEST_NAME_CHARACTERS = 120
READ_NAME_CHARACTERS = 1_000  # the end of a name: composing a letter of very many marks takes the square of their number
LONGEST_NAME_BYTES = 240  # file systems take 255; the rest is for a number
NAME_OF_UNNAMED = "document"
NEAREST_DOCUMENTS = 5
NEAR_PASSAGES = 100  # whose documents are compared
# Passages of the upload that are encoded, evenly taken, for at most so long: a book of hundreds would keep its editor waiting
# for minutes. 64 take 3 s on two free cores, and 60 s on two that seven others use.
ENCODED_PASSAGES, ENCODING_SECONDS = 64, 5.0
# On the corpus's 109 practices, of the concepts with such a share of title and first passage 21 % of 118 target groups, 33 %
# of 167 measure types and 9 of 13 channels are tags of the practice; from .12 on 35 % of 40, 57 % of 63 and 4 of 4. So they
# are something to look at, and nothing to take over unseen.
LEAST_CONCEPT_SHARE = 0.08
MOST_SUGGESTED_TERMS = 3  # of a field


# What Windows opens as a device, and what it does not allow in a name: the folder may be one that Windows machines see too.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|(?:com|lpt)[0-9¹²³]|conin\$|conout\$)(?:\.|\Z)", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"|?*]')


class UploadError(VisitorError):
    """A file cannot be taken up, or a token names none."""


class UploadFolderError(PesSearchError):
    """The disk does not take a file up; another time it may."""

    public_text = "files cannot be kept just now"


@dataclass(frozen=True, slots=True)
class SuggestedTerm:
    """A concept of the controlled lists that the file may be about."""

    field: str  # of Document: target_groups, measure_types or channels
    id: str
    label: str  # in the file's language where there is one
    confidence: float  # the concept's share of all that the text's beginning is about, from 0 to 1


@dataclass(frozen=True, slots=True)
class Preview:
    """A file as the build would read it, and what the index has that is like it."""

    name: str  # under which it would be kept
    token: str  # for `keep` and `discard`
    document: Document
    passages: tuple[Passage, ...]
    warnings: tuple[str, ...]  # parts that could not be read
    near: tuple[Hit, ...]  # the nearest documents by the cosine of the mean vectors, which is their score
    taken_id: bool  # the index has a document of this id
    same_content: str | None  # id of the document of the index that is the same file
    terms: tuple[SuggestedTerm, ...]  # for the fields that the file leaves empty, field by field, the likeliest first


class UploadReaders:
    """Processes that read uploads, each started when it is needed, and ended with the service however that ends."""

    def __init__(self, config: ReadingConfig, at_once: int = AT_ONCE) -> None:
        self.config = config
        # The threads in which uploads are previewed. They stay, as a process ends with the thread that started it.
        self.threads = ThreadPoolExecutor(at_once, thread_name_prefix="upload")
        self._processes = [ReadingProcess(config) for _ in range(at_once)]
        self._free: queue.SimpleQueue[ReadingProcess] = queue.SimpleQueue()
        for process in self._processes:
            self._free.put(process)

    def read(self, path: Path, name: str, left: threading.Event) -> ReadDocument:
        """Return the beginning of a file's first document.

        Raises:
            UnreadableFileError: there is none, or it takes too much.
            ReadingStoppedError: `left` was set.
        """
        watch = current_watch()
        process = self._free.get()
        try:
            read = process.read(
                SourceFile(path, name),
                is_wanted=lambda: not left.is_set(),
                seconds=watch.left() if watch else None,
                most_characters=SHOWN_CHARACTERS,
                temporary=path.absolute().parent,
            )
        finally:
            self._free.put(process)
        if isinstance(read, UnreadableFileError):
            raise read
        return read[0]

    def close(self) -> None:
        """End the processes; what is being read is not read to its end."""
        for process in self._processes:
            process.close()
        self.threads.shutdown(wait=False, cancel_futures=True)


def preview(
    name: str,
    content: BinaryIO,
    folder: Path,
    index: OpenIndex,
    encoder: Encoder,
    passage_config: PassageConfig,
    readers: UploadReaders,
    left: threading.Event | None = None,
) -> Preview:
    """Read a file as the build would with `folder` among its sources, and keep it aside until `keep` or `discard`.

    `left` is set by who does not wait any more.

    Raises:
        UploadError: the file is empty, too large, of an unknown format or cannot be read, or too many files wait.
        UploadFolderError: it cannot be put into the folder.
        ReadingStoppedError: `left` was set.
        TooLateError: it took too long.
        Nothing is kept aside then.
    """
    left = left or threading.Event()
    safe = safe_name(name)
    _check(safe, content)
    with _writing(folder):
        waiting = folder / PENDING_FOLDER
        waiting.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=READING_PREFIX, dir=waiting, ignore_cleanup_errors=True) as aside:
            path = Path(aside) / safe
            with path.open("xb") as file:
                shutil.copyfileobj(content, file)
            with path.open("rb") as file:
                token = hashlib.file_digest(file, "sha256").hexdigest()[:TOKEN_DIGITS]
            _make_room(waiting, token, path.stat().st_size)
            # The id is made from the name, which is that of the file when it is kept.
            kept_name = _free_name(folder, path)
            try:
                with stage("reading"):
                    upload = readers.read(path, f"{folder.absolute().name}/{kept_name}", left)
            except TakesTooMuchError as error:
                limits = f"{readers.config.seconds:g} s or {readers.config.megabytes:,} MB of memory"
                raise UploadError(
                    f"{safe} cannot be read: it takes more than an upload may ({limits}); hand in a smaller or simpler file"
                ) from error
            except UnreadableFileError as error:
                raise UploadError(f"{safe} cannot be read: {error}; mend the file and hand it in again") from error
            seen = _seen(kept_name, token, upload, index, encoder, passage_config, left)
            _check_wanted(left)
            _put_aside(path, waiting / token)
    return seen


def keep(token: str, folder: Path) -> Path:
    """Move a previewed file into the folder and return its path; one of the same name and other content gets a number.

    Raises:
        UploadError: the token names no file that waits.
        UploadFolderError: it cannot be put into the folder.
    """
    pending = _pending(token, folder)
    with _writing(folder):
        while True:
            target = folder / _free_name(folder, pending)
            try:
                target.open("xb").close()  # another upload cannot take the name now
            except FileExistsError:
                if not _is_same(target, pending):
                    continue
            pending.replace(target)
            shutil.rmtree(pending.parent, ignore_errors=True)
            return target


def discard(token: str, folder: Path) -> None:
    """Remove a previewed file.

    Raises:
        UploadError: the token names no file that waits.
    """
    shutil.rmtree(_pending(token, folder).parent, ignore_errors=True)


def kept(folder: Path) -> list[Path]:
    """Return the files of the folder by name, without those that wait."""
    files = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in files if path.is_file() and not path.name.startswith("."))


def clear_pending(folder: Path, older_than_seconds: float) -> int:
    """Remove the files that have waited so long, and those whose reading has ended long ago, and return how many."""
    now = time.time()
    old = [
        path
        for path, changed in _waiting(folder / PENDING_FOLDER, with_read=True)
        if changed <= now - (min(READING_SECONDS, older_than_seconds) if _is_read(path) else older_than_seconds)
    ]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return len(old)


def safe_name(name: str) -> str:
    """Return a name under which a file can be kept in one folder on any system: no path, not hidden, not too long, no device.

    Its suffix is kept.
    """
    last = re.split(r"[/\\]", name[-READ_NAME_CHARACTERS:])[-1]
    last = unicodedata.normalize("NFC", last)
    # Control characters, those that turn the direction of writing, and halves of characters.
    printable = "".join(character for character in last if not unicodedata.category(character).startswith("C"))
    stem, dot, suffix = _FORBIDDEN.sub(" ", printable).rpartition(".")
    if not dot:
        stem, suffix = suffix, ""
    suffix = suffix.strip()[: LONGEST_NAME_CHARACTERS // 4]
    ending = f".{suffix}" if suffix else ""
    # Unicode's lines and spaces of other widths would look alike in a list.
    stem = " ".join(stem.split()).strip(". ")
    if _DEVICE.match(f"{stem}{ending}"):
        stem = f"{NAME_OF_UNNAMED} {stem}"
    stem = stem[: LONGEST_NAME_CHARACTERS - len(ending)]
    while len(f"{stem}{ending}".encode()) > LONGEST_NAME_BYTES:
        stem = stem[:-1]
    return f"{stem.rstrip('. ') or NAME_OF_UNNAMED}{ending}"


def _check(name: str, content: BinaryIO) -> None:
    path = Path(name)
    if format_of(name) is None:
        raise UploadError(
            f"{name} has no format that can be read ({path.suffix or 'no suffix'}); hand in one of {', '.join(SUFFIXES)}"
        )
    if path.stem.upper() == "README":
        raise UploadError(f"{name} would not be indexed: a README describes its folder; give it another name")
    length = content.seek(0, os.SEEK_END)
    content.seek(0)
    if not length:
        raise UploadError(f"{name} is empty; hand in a file with text")
    if length > LARGEST_UPLOAD_BYTES:
        raise UploadError(
            f"{name} has {length:,} bytes, {LARGEST_UPLOAD_BYTES:,} at most; hand in a smaller file, such as a PDF "
            "without its pictures"
        )


def _seen(
    name: str,
    token: str,
    upload: ReadDocument,
    index: OpenIndex,
    encoder: Encoder,
    passage_config: PassageConfig,
    left: threading.Event,
) -> Preview:
    """Return a file that was read as its preview, with what the index has that is like it."""
    document = StatedTerms(index.taxonomy).added_to(upload.document, upload.terms)
    passages = build_passages(document, build_pages(document, upload.blocks), encoder.token_starts, passage_config)
    return Preview(
        name=name,
        token=token,
        document=document,
        passages=tuple(passages),
        warnings=upload.warnings,
        near=_near(document, passages, index, encoder, left),
        taken_id=document.id in index.concepts.rows,
        same_content=next((other.id for other in index.stored.documents(EVERYTHING) if other.sha256 == document.sha256), None),
        terms=_terms(document, passages, index, encoder),
    )


def _put_aside(path: Path, target: Path) -> None:
    """Move a file into the folder of its token; somebody else may decide on the same content meanwhile."""
    while True:
        target.mkdir(exist_ok=True)
        try:
            path.replace(target / path.name)
            break
        except FileNotFoundError:
            if not path.exists():
                raise
    with contextlib.suppress(FileNotFoundError):
        for other in target.iterdir():
            if other.name != path.name:  # the same file under an earlier name
                other.unlink(missing_ok=True)
        os.utime(target)


def _check_wanted(left: threading.Event) -> None:
    if left.is_set():
        raise ReadingStoppedError("nobody waits for the preview")


def _waiting(waiting: Path, *, with_read: bool = False) -> list[tuple[Path, float]]:
    """Return the folders of the files that wait, the oldest first, with when they were last changed."""
    found = []
    for path in waiting.iterdir() if waiting.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):  # decided on meanwhile
            if with_read or not _is_read(path):
                found.append((path, path.stat().st_mtime))
    return sorted(found, key=lambda one: one[1])


def _is_read(path: Path) -> bool:
    return path.name.startswith(READING_PREFIX)


def _make_room(waiting: Path, token: str, size: int) -> None:
    """Let what has waited longest give way until one more file may wait.

    Raises:
        UploadError: all that waits has come just now.
    """
    others = [(path, changed, _bytes_in(path)) for path, changed in _waiting(waiting) if path.name != token]
    count, total = len(others) + 1, sum(one[2] for one in others) + size
    for path, changed, its_size in others:
        if count <= MOST_PENDING and total <= MOST_PENDING_BYTES:
            return
        if changed > time.time() - LEAST_PENDING_SECONDS:
            break
        shutil.rmtree(path, ignore_errors=True)
        count, total = count - 1, total - its_size
    if count > MOST_PENDING or total > MOST_PENDING_BYTES:
        limits = f"{MOST_PENDING} files or {MOST_PENDING_BYTES // 1_000_000:,} MB"
        raise UploadError(
            f"{count - 1} files wait to be kept or discarded already ({limits} may); decide on some of them, or try again in "
            f"{LEAST_PENDING_SECONDS // 60} minutes"
        )


def _bytes_in(folder: Path) -> int:
    total = 0
    with contextlib.suppress(FileNotFoundError):
        total = sum(path.stat().st_size for path in folder.iterdir())
    return total


def _pending(token: str, folder: Path) -> Path:
    """Return the file that waits under a token."""
    if TOKEN.fullmatch(token):
        with contextlib.suppress(FileNotFoundError, StopIteration):
            return next((folder / PENDING_FOLDER / token).iterdir())
    raise UploadError("no file waits under this token (kept, discarded or too old); hand it in again")


def _free_name(folder: Path, path: Path) -> str:
    """Return a file's name, with a number where the folder has other content under it; names that differ in case are one."""
    there = {_folded(other.name): other for other in folder.iterdir()}
    name = path.name
    number = 1
    while other := there.get(_folded(name)):
        if _is_same(other, path):
            return other.name
        number += 1
        name = f"{path.stem}-{number}{path.suffix}"
    return name


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _is_same(path: Path, other: Path) -> bool:
    return path.is_file() and filecmp.cmp(path, other, shallow=False)


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UploadFolderError(
            f"cannot write in {folder}: {os.strerror(error.errno or 0)}; make room or mend its rights"
        ) from error


def _near(
    document: Document, passages: Sequence[Passage], index: OpenIndex, encoder: Encoder, left: threading.Event
) -> tuple[Hit, ...]:
    """Return the documents of the index nearest in meaning, each with its passage that is closest."""
    if not passages:
        return ()
    chosen = np.unique(np.linspace(0, len(passages) - 1, min(len(passages), ENCODED_PASSAGES)).round().astype(int))
    vectors = []
    with stage("encoding"):
        stop_at = time.monotonic() + ENCODING_SECONDS
        batches = -(-len(chosen) // ENCODED_AT_ONCE)
        for batch in range(batches):
            if batch and time.monotonic() >= stop_at:
                break
            check_deadline()
            _check_wanted(left)
            places = chosen[batch::batches]  # each batch goes over all of the text
            vectors.append(encoder.encode_passages([full_text(document, passages[place]) for place in places]))
    mean = np.concatenate(vectors).mean(axis=0)
    mean = (mean / np.linalg.norm(mean)).astype(np.float32)
    stored = index.stored
    passage_ids = stored.nearest(mean[None, :], EVERYTHING, NEAR_PASSAGES)
    rows = stored.rows(passage_ids, {})
    cosines, topics = rows.vectors @ mean, rows.means @ mean
    closest: dict[str, int] = {}  # by document the row of its nearest passage
    for row in np.argsort(-cosines, kind="stable").tolist():
        closest.setdefault(document_of(passage_ids[row]), row)
    best = sorted(closest.items(), key=lambda item: (-float(topics[item[1]]), item[0]))[:NEAREST_DOCUMENTS]
    scores = [rounded(Scores(dense=float(cosines[row]), topic=float(topics[row]))) for _, row in best]
    found = [Candidate(passage_ids[row], of_row, of_row.topic) for (_, row), of_row in zip(best, scores, strict=True)]
    return hits_of([(candidate.score, [candidate]) for candidate in found], index)


def _terms(document: Document, passages: Sequence[Passage], index: OpenIndex, encoder: Encoder) -> tuple[SuggestedTerm, ...]:
    """Return what the title and the first passage are about, for the fields that the document leaves empty."""
    text = "\n".join([document.title, *(passage.text for passage in passages[:1])])
    concepts = index.concepts.of_query(text, document.language, encoder.encode_queries([text])[0])
    return tuple(
        SuggestedTerm(field, concept_id, index.taxonomy.label(name, concept_id, document.language or "en"), round(share, 3))
        for field, name in FIELDS.items()
        if not getattr(document, field)
        for _, concept_id, share in [
            concept for concept in concepts if concept[0] == name and concept[2] >= LEAST_CONCEPT_SHARE
        ][:MOST_SUGGESTED_TERMS]
    )
