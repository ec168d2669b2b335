"""The store of files: a folder of generations, written aside and switched in one step.

    INDEX/CURRENT                      the name of the generation in use, and the hash of its manifest
    INDEX/generations/<name>/          manifest.json; documents, pages and passages (see `text_files`); vectors.f16,
                                       sentences.f16, means.npy; where there are many vectors, vectors.sq8; bm25/, words.json;
                                       filters.npz, holdings.npz, questions.npz, taxonomy.json, labels.npy;
                                       and, once all have been checked against their hashes, checked.json
    INDEX/.lock                        held while a build writes

A generation is complete before its name goes into CURRENT, which is replaced in one step, so a reader sees the old index
or the new one, whatever happens to the build. CURRENT vouches for the manifest, and the manifest for every other file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.arrays import EightBitVectors, mean_vectors
from pes_search.index.config import Bm25Config
from pes_search.index.errors import BuildRunningError, IndexDamagedError, IndexNotFoundError
from pes_search.index.evidence.bm25 import Bm25Builder
from pes_search.index.evidence.question_words import StoredWords
from pes_search.index.stores.file_index import HOLDINGS_FILE, QUESTIONS_FILE, FileIndex, mapped_vectors
from pes_search.index.stores.metadata import Metadata
from pes_search.index.stores.nearest import write_quantised
from pes_search.index.stores.text_files import Texts, TextWriter
from pes_search.index.types import EncodedDocument, Manifest
from pes_search.ingest.lasting_ids import EarlierDocument
from pes_search.ingest.taxonomy import Taxonomy

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from filelock import FileLock

    from pes_search.index.arrays import Vectors
    from pes_search.ingest.types import Question

SCHEMA = 17  # raise it when a change of the files makes older indexes unreadable
CHECKED_FILE = "checked.json"  # in a generation: the files whose hashes have been checked, by size and time
KEPT_GENERATIONS = 2  # the one in use, and the one that a running service may still be opening


class FileStore:
    """An index folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = str(folder)

    def current(self) -> Manifest | None:
        """Return the manifest of the generation in use, or None where there is none.

        Raises:
            IndexDamagedError: it is altered or of another version.
        """
        pointer = self._pointer()
        return _read_manifest(*pointer, self.folder) if pointer else None

    def current_name(self) -> str | None:
        """Return the name of the generation in use; a change of it means that a build has finished."""
        pointer = self._pointer()
        return pointer[0].name if pointer else None

    def in_use(self) -> tuple[Path, Manifest] | None:
        """Return the folder of the generation in use and its manifest, for whoever copies its files; None where there is none.

        Raises:
            IndexDamagedError: its manifest is altered or of another version.
        """
        pointer = self._pointer()
        return (pointer[0], _read_manifest(*pointer, self.folder)) if pointer else None

    def open(self) -> FileIndex:
        """Open the generation in use.

        Every file is checked against its hash once; after that by its size and the time of its last change. `verify` checks
        the hashes again.

        Raises:
            IndexNotFoundError: no index has been built here.
            IndexDamagedError: files are missing, altered, or of another version.
        """
        generation, manifest = self._checked(again=False)
        try:
            return FileIndex(generation, manifest)
        except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
            raise _damaged(self.folder, f"{type(error).__name__}: {error}") from error

    def earlier(self) -> list[EarlierDocument]:
        """Return which files the documents of the generation in use were, whatever version wrote it; none if it cannot tell."""
        try:
            pointer = self._pointer()
            lines = (pointer[0] / "documents.jsonl").read_bytes().splitlines() if pointer else []
            rows = [json.loads(line) for line in lines]
            return [EarlierDocument(str(row["id"]), str(row["path"]), str(row["sha256"])) for row in rows]
        except (IndexDamagedError, OSError, ValueError, KeyError, TypeError):
            return []

    def verify(self) -> Manifest:
        """Check every file of the generation in use against its hash, and return its manifest.

        Raises:
            IndexNotFoundError: no index has been built here.
            IndexDamagedError: files are missing, altered, or of another version.
        """
        return self._checked(again=True)[1]

    def is_building(self) -> bool:
        """Tell whether a process is writing a new generation."""
        if not (self.folder / ".lock").is_file():
            return False
        from filelock import FileLock, Timeout

        try:
            with FileLock(self.folder / ".lock", timeout=0):
                return False
        except (Timeout, OSError):
            return True

    def writer(self) -> FileWriter:
        """Start a new generation.

        Raises:
            BuildRunningError: another process is writing one.
        """
        from filelock import FileLock, Timeout  # for building only

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
        return FileWriter(self, lock)

    def _checked(self, *, again: bool) -> tuple[Path, Manifest]:
        """Return the folder and manifest of the generation in use, its files checked; with `again` as if for the first time."""
        pointer = self._pointer()
        if pointer is None:
            raise IndexNotFoundError(f"no index in {self.folder}; build one with `pes build --index {self.folder}`")
        generation, _ = pointer
        manifest = _read_manifest(*pointer, self.folder)
        known = {} if again else _read_checked(generation)
        states = {}
        for file, stated in manifest.files.items():
            path = generation / file
            states[file] = [path.stat().st_size, path.stat().st_mtime_ns] if path.is_file() else []
            if not states[file] or states[file][0] != stated["bytes"]:
                raise _damaged(self.folder, f"{file} is missing or altered")
            if known.get(file) != states[file] and _sha256(path) != stated["sha256"]:
                raise _damaged(self.folder, f"{file} is missing or altered")
        if known != states:
            with contextlib.suppress(OSError):  # where the folder cannot be written, the hashes are checked every time
                _write_text(generation / CHECKED_FILE, json.dumps(states))
        return generation, manifest

    def _pointer(self) -> tuple[Path, str] | None:
        """Return the folder of the generation in use and the hash of its manifest, as CURRENT has them."""
        try:
            parts = (self.folder / "CURRENT").read_text(encoding="ascii").split()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise _damaged(self.folder, f"CURRENT cannot be read: {error}") from error
        if len(parts) == 1:
            self._generation(parts[0])
            raise _damaged(self.folder, "it was built by an older version")
        if len(parts) != 2:
            raise _damaged(self.folder, "CURRENT names no generation")
        name, digest = parts
        return self._generation(name), digest

    def _generation(self, name: str) -> Path:
        if not name.replace("-", "").isalnum():
            raise _damaged(self.folder, "CURRENT names no generation")
        return self.folder / "generations" / name

    def publish(self, aside: Path, index_id: str) -> None:
        """Give a finished generation a name that none had before, and make it the current one."""
        name, digest = f"{index_id}-{time.time_ns():x}", _sha256(aside / "manifest.json")
        target = self._generation(name)
        os.rename(aside, target)
        _sync(target.parent)
        _write_text(self.folder / "CURRENT", f"{name} {digest}\n")
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


class FileWriter:
    """Writes one generation aside."""

    def __init__(self, store: FileStore, lock: FileLock) -> None:
        self._store = store
        self._lock = lock
        generations = store.folder / "generations"
        generations.mkdir(exist_ok=True)
        self._aside = Path(tempfile.mkdtemp(prefix=".new-", dir=generations))
        self._texts = TextWriter(self._aside)
        self._vectors = (self._aside / "vectors.f16").open("wb")
        self._sentences = (self._aside / "sentences.f16").open("wb")
        self._means: list[Vectors] = []
        self._terms = Bm25Builder()
        self._words: dict[str, Counter[str]] = {}  # the number of passages that have each, by language
        self._concepts: dict[str, int] = {}
        self._held: list[tuple[int, int, float]] = []  # document, concept, and how far it is held
        self._questions: list[npt.NDArray[np.int8]] = []  # vectors, document by document
        self._questions_of: list[tuple[int, str]] = []  # document and language of each
        self._asked: list[Sequence[Question]] = []  # of each document, with their texts

    def add(self, encoded: EncodedDocument) -> None:
        """Add a document with its passages."""
        for terms in encoded.terms:
            self._terms.add(terms)
        for language, words in encoded.words.items():
            self._words.setdefault(language, Counter()).update(words)
        for concept, value in encoded.concepts.items():
            self._held.append((len(self._means), self._concepts.setdefault(concept, len(self._concepts)), value))
        if encoded.questions is not None:
            self._questions.append(EightBitVectors.of(encoded.questions.astype(np.float32)).numbers)
            self._questions_of += [(len(self._means), language) for language in encoded.question_languages]
        self._asked.append(encoded.document.questions)
        self._means.append(mean_vectors(encoded.vectors, np.zeros(len(encoded.vectors), np.int64), 1)[0])
        self._vectors.write(encoded.vectors.tobytes())
        self._sentences.write(encoded.sentences.tobytes())
        self._texts.add(encoded)

    def commit(self, manifest: Manifest, taxonomy: Taxonomy, labels: EightBitVectors) -> Manifest:
        """Make this generation the current one, at once, and return its manifest with the files' hashes."""
        self._texts.save()
        self._vectors.close()
        self._sentences.close()
        self._save_columns(taxonomy)
        np.save(self._aside / "labels.npy", labels.numbers)
        (self._aside / "taxonomy.json").write_text(json.dumps(taxonomy.values(), ensure_ascii=False), encoding="utf-8")
        words = json.dumps(self._words, ensure_ascii=False, sort_keys=True)
        (self._aside / "words.json").write_text(words, encoding="utf-8")
        write_quantised(mapped_vectors(self._aside / "vectors.f16", manifest.dimensions), self._aside)
        self._terms.save(self._aside / "bm25", Bm25Config(**manifest.config["bm25"]))
        for path in (*self._aside.rglob("*"), self._aside):
            _sync(path)
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
        self._texts.close()
        self._vectors.close()
        self._sentences.close()
        shutil.rmtree(self._aside, ignore_errors=True)
        self._lock.release()

    def _save_columns(self, taxonomy: Taxonomy) -> None:
        """Write what there is of each document: its mean vector, its metadata, and the concepts that it holds."""
        dimensions = len(self._means[0]) if self._means else 0
        np.save(self._aside / "means.npy", np.array(self._means, np.float32).reshape(-1, dimensions))
        texts = Texts(self._aside)
        documents = (texts.document(row) for row in range(len(texts.document_ids)))
        Metadata.of_documents(documents, np.diff(texts.first_passages), taxonomy).save(self._aside)
        words = StoredWords.of(self._asked)
        np.savez(
            self._aside / QUESTIONS_FILE,
            terms=words.terms,
            holders=words.documents,
            counts=words.counts,
            term_languages=words.languages,
            codes=np.array(words.codes, np.str_),
            documents=np.array([document for document, _ in self._questions_of], np.int64),
            languages=np.array([language for _, language in self._questions_of], np.str_),
            vectors=np.concatenate([np.empty((0, dimensions), np.int8), *self._questions]),
        )
        rows, columns, values = zip(*self._held, strict=True) if self._held else ((), (), ())
        np.savez(
            self._aside / HOLDINGS_FILE,
            concepts=np.array(list(self._concepts), np.str_),
            rows=np.array(rows, np.int64),
            columns=np.array(columns, np.int64),
            values=np.array(values, np.float32),
        )


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_manifest(generation: Path, digest: str, folder: Path) -> Manifest:
    """Read a manifest whose hash is known: what it says is then what was written."""
    try:
        content = (generation / "manifest.json").read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise _damaged(folder, "manifest.json is altered")
        values = json.loads(content)
        if values["schema"] != SCHEMA:
            raise _damaged(folder, f"it has schema {values['schema']}, this version reads {SCHEMA}")
        if not isinstance(values["files"], dict):
            raise TypeError("files are not listed")
        return Manifest(**values)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _damaged(folder, f"manifest.json cannot be read: {error}") from error


def _read_checked(generation: Path) -> dict[str, list[int]]:
    """Return size and time of last change of the files whose hashes have been checked."""
    try:
        values = json.loads((generation / CHECKED_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _damaged(folder: Path, what: str) -> IndexDamagedError:
    return IndexDamagedError(f"the index in {folder} cannot be used: {what}; build it anew with `pes build --index {folder}`")


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
