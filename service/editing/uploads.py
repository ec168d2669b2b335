"""A file that somebody hands in: seen as the build will read it before it is kept in a folder of sources.

FOLDER/.pending/<token>/<name>     previewed, not kept; hidden folders are not indexed
FOLDER/<name>                      kept
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.encoders.base import Encoder
from pes_search.index.evidence.fusion import rounded
from pes_search.index.filters import EVERYTHING
from pes_search.index.open_index import OpenIndex
from pes_search.index.search import hits_of
from pes_search.index.text.passage_text import full_text
from pes_search.index.types import Candidate, Hit, Scores
from pes_search.ingest.config import PassageConfig
from pes_search.ingest.documents import read_documents
from pes_search.ingest.errors import PesSearchError, UnreadableFileError, VisitorError
from pes_search.ingest.passages import build_pages, build_passages
from pes_search.ingest.readers import SUFFIXES, format_of
from pes_search.ingest.sources.base import SourceFile
from pes_search.ingest.stated_terms import StatedTerms
from pes_search.ingest.taxonomy import FIELDS
from pes_search.ingest.types import Document, Passage, document_of

if TYPE_CHECKING:
    pass


LARGEST_UPLOAD_BYTES = 50_000_000
PENDING_FOLDER = ".pending"
TOKEN_DIGITS = 32
TOKEN = re.compile(rf"[0-9a-f]{{{TOKEN_DIGITS}}}")
LONGEST_NAME_CHARACTERS = 120
LONGEST_NAME_BYTES = 240  # file systems take 255; the rest is for a number
NAME_OF_UNNAMED = "document"
NEAREST_DOCUMENTS = 5
NEAR_PASSAGES = 100  # whose documents are compared
# Passages of the upload that are encoded, evenly taken: a book of hundreds would keep its editor waiting for minutes.
ENCODED_PASSAGES = 64
# On the corpus's 109 practices, of the concepts with such a share of title and first passage 21 % of 118 target groups, 33 %
# of 167 measure types and 9 of 13 channels are tags of the practice; from .12 on 35 % of 40, 57 % of 63 and 4 of 4. So they
# are something to look at, and nothing to take over unseen.
LEAST_CONCEPT_SHARE = 0.08
MOST_SUGGESTED_TERMS = 3  # of a field


class UploadError(VisitorError):
    """A file cannot be taken up, or a token names none."""


class UploadFolderError(PesSearchError):
    """The folder of uploads cannot be written."""

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


def preview(name: str, data: bytes, folder: Path, index: OpenIndex, encoder: Encoder, passage_config: PassageConfig) -> Preview:
    """Read a file as the build would with `folder` among its sources, and keep it aside until `keep` or `discard`.

    Raises:
        UploadError: the file is empty, too large, of an unknown format or cannot be read; nothing is kept aside then.
        UploadFolderError: the folder cannot be written.
    """
    safe = safe_name(name)
    _check(safe, data)
    token = hashlib.sha256(data).hexdigest()[:TOKEN_DIGITS]
    with _writing(folder):
        (folder / PENDING_FOLDER).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder / PENDING_FOLDER) as aside:
            path = Path(aside) / safe
            path.write_bytes(data)
            # The id is made from the name, which is that of the file when it is kept.
            kept_name = _free_name(folder, safe, data)
            try:
                upload, *others = read_documents(SourceFile(path, f"{folder.absolute().name}/{kept_name}"))
            except UnreadableFileError as error:
                raise UploadError(f"{safe} cannot be read: {error}; mend the file and hand it in again") from error
            target = folder / PENDING_FOLDER / token
            target.mkdir(exist_ok=True)
            path.replace(target / safe)
        for other in target.iterdir():
            if other.name != safe:  # the same file under an earlier name
                other.unlink(missing_ok=True)
    document = StatedTerms(index.taxonomy).added_to(upload.document, upload.terms)
    passages = build_passages(document, build_pages(document, upload.blocks), encoder.token_starts, passage_config)
    return Preview(
        name=kept_name,
        token=token,
        document=document,
        passages=tuple(passages),
        warnings=(*upload.warnings, *([f"it holds {len(others) + 1} documents; the first is shown"] if others else [])),
        near=_near(document, passages, index, encoder),
        taken_id=document.id in index.concepts.rows,
        same_content=next((other.id for other in index.stored.documents(EVERYTHING) if other.sha256 == document.sha256), None),
        terms=_terms(document, passages, index, encoder),
    )


def keep(token: str, folder: Path) -> Path:
    """Move a previewed file into the folder and return its path; one of the same name and other content gets a number.

    Raises:
        UploadError: the token names no file that waits.
    """
    pending = _pending(token, folder)
    with _writing(folder):
        data = pending.read_bytes()
        while True:
            target = folder / _free_name(folder, pending.name, data)
            try:
                target.open("xb").close()  # another upload cannot take the name now
            except FileExistsError:
                if not _is_same(target, data):
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
    """Remove the files that have waited so long, and return how many."""
    waiting = folder / PENDING_FOLDER
    latest = time.time() - older_than_seconds
    old = [path for path in (waiting.iterdir() if waiting.is_dir() else ()) if path.stat().st_mtime <= latest]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return len(old)


def safe_name(name: str) -> str:
    """Return a name under which a file can be kept in one folder: no path, not hidden, not too long, its suffix kept."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    # Control characters, those that turn the direction of writing, and halves of characters.
    printable = "".join(character for character in last if not unicodedata.category(character).startswith("C"))
    stem, dot, suffix = printable.rpartition(".")
    if not dot:
        stem, suffix = suffix, ""
    suffix = suffix.strip()[: LONGEST_NAME_CHARACTERS // 4]
    ending = f".{suffix}" if suffix else ""
    # Unicode's lines and spaces of other widths would look alike in a list.
    stem = " ".join(stem.split()).strip(". ")[: LONGEST_NAME_CHARACTERS - len(ending)]
    while len(f"{stem}{ending}".encode()) > LONGEST_NAME_BYTES:
        stem = stem[:-1]
    return f"{stem.rstrip('. ') or NAME_OF_UNNAMED}{ending}"


def _check(name: str, data: bytes) -> None:
    path = Path(name)
    if format_of(name) is None:
        raise UploadError(
            f"{name} has no format that can be read ({path.suffix or 'no suffix'}); hand in one of {', '.join(SUFFIXES)}"
        )
    if path.stem.upper() == "README":
        raise UploadError(f"{name} would not be indexed: a README describes its folder; give it another name")
    if not data:
        raise UploadError(f"{name} is empty; hand in a file with text")
    if len(data) > LARGEST_UPLOAD_BYTES:
        raise UploadError(
            f"{name} has {len(data):,} bytes, {LARGEST_UPLOAD_BYTES:,} at most; hand in a smaller file, such as a PDF "
            "without its pictures"
        )


def _pending(token: str, folder: Path) -> Path:
    """Return the file that waits under a token."""
    if TOKEN.fullmatch(token):
        with contextlib.suppress(FileNotFoundError, StopIteration):
            return next((folder / PENDING_FOLDER / token).iterdir())
    raise UploadError("no file waits under this token (kept, discarded or too old); hand it in again")


def _free_name(folder: Path, name: str, data: bytes) -> str:
    """Return the name, with a number where the folder has other content under it."""
    path = Path(name)
    number = 1
    while os.path.lexists(target := folder / name) and not _is_same(target, data):
        number += 1
        name = f"{path.stem}-{number}{path.suffix}"
    return name


def _is_same(path: Path, data: bytes) -> bool:
    return path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UploadFolderError(
            f"cannot write in {folder}: {os.strerror(error.errno or 0)}; make room or mend its rights"
        ) from error


def _near(document: Document, passages: Sequence[Passage], index: OpenIndex, encoder: Encoder) -> tuple[Hit, ...]:
    """Return the documents of the index nearest in meaning, each with its passage that is closest."""
    if not passages:
        return ()
    chosen = np.unique(np.linspace(0, len(passages) - 1, min(len(passages), ENCODED_PASSAGES)).round().astype(int))
    mean = encoder.encode_passages([full_text(document, passages[place]) for place in chosen]).mean(axis=0)
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
