"""The store of files: a folder of generations, written aside and switched in one step.

    INDEX/CURRENT                      the name of the generation in use, and the hash of its manifest
    INDEX/HISTORY                      the same of all that are kept, each after the one that was in use before it
    INDEX/last_build.json              what became of the last build
    INDEX/generations/<name>/          manifest.json; documents, pages and passages (see `text_files`); vectors.f16,
                                       sentences.f16, means.npy; where there are many vectors, vectors.sq8; bm25/, words.json;
                                       filters.npz, holdings.npz, questions.npz, taxonomy.json, labels.npy;
                                       and, once all have been checked against their hashes, checked.json
    INDEX/.lock                        held while a build writes

A generation is complete before its name goes into CURRENT, which is replaced in one step, so a reader sees the old index
or the new one, whatever happens to the build. CURRENT vouches for the manifest, and the manifest for every other file;
HISTORY vouches for the manifests of the older generations.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import hashlib
import importlib.metadata
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pes_search.index.arrays import EightBitVectors, mean_vectors
from pes_search.index.config import Bm25Config
from pes_search.index.errors import BuildRunningError, IndexDamagedError, IndexNotFoundError
from pes_search.index.evidence.bm25 import Bm25Builder
from pes_search.index.evidence.question_words import StoredWords
from pes_search.index.stores.base import KEPT_GENERATIONS, finished_build
from pes_search.index.stores.file_index import HOLDINGS_FILE, QUESTIONS_FILE, FileIndex, mapped_vectors
from pes_search.index.stores.metadata import Metadata
from pes_search.index.stores.nearest import write_quantised
from pes_search.index.stores.text_files import Texts, TextWriter
from pes_search.index.types import EncodedDocument, Generation, LastBuild, Manifest
from pes_search.ingest.disk import sync, writing
from pes_search.ingest.lasting_ids import EarlierDocument
from pes_search.ingest.taxonomy import Taxonomy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    import numpy.typing as npt
    from filelock import FileLock

    from pes_search.index.arrays import Vectors
    from pes_search.ingest.types import Question

SCHEMA = 18  # raise it when a change of the files makes older indexes unreadable
CHECKED_FILE = "checked.json"  # in a generation: the files whose hashes have been checked, by size and time
HISTORY_FILE = "HISTORY"
LAST_BUILD_FILE = "last_build.json"
NO_FILES_OF_IT = {"manifest.json", CHECKED_FILE, f".{CHECKED_FILE}.new"}  # of a generation, that its manifest does not list
LOCK_WAIT_SECONDS = 0.5  # who only looks whether a build is running holds the lock for a moment
DIED = "it ended without a word: it was killed, ran out of memory, or the machine was switched off"


class FileStore:
    """An index folder."""

    def __init__(self, folder: Path, keep: int = KEPT_GENERATIONS) -> None:
        """`keep` is how many generations are kept, the one in use among them."""
        self.folder = folder
        self.place = str(folder)
        self._keep = keep

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
        while True:
            name = self.current_name()
            try:
                return self._opened(*self._checked(self._in_use(), again=False))
            except IndexDamagedError:
                if self.current_name() == name:  # else builds have replaced and removed it meanwhile
                    raise

    def _opened(self, generation: Path, manifest: Manifest) -> FileIndex:
        try:
            return FileIndex(generation, manifest)
        except OSError as error:
            raise _damaged(self.folder, f"a file cannot be read: {error.strerror or error}") from error
        except (KeyError, TypeError, ValueError, OverflowError) as error:
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

    def verify(self, name: str | None = None) -> Manifest:
        """Check every file of a generation against its hash, and that there are no others; return its manifest.

        Without a name it is the generation in use.

        Raises:
            IndexNotFoundError: no index has been built here, or no generation of this name is kept.
            IndexDamagedError: files are missing, altered, of another version, or not of the index.
        """
        generation, manifest = self._checked(self._kept(name), again=True)
        files = (path.relative_to(generation).as_posix() for path in generation.rglob("*") if not path.is_dir())
        if strays := sorted(file for file in files if file not in {*manifest.files, *NO_FILES_OF_IT}):
            raise _damaged(self.folder, f"{strays[0]} in generation {generation.name} is no file of it; look what put it there")
        return manifest

    def generations(self) -> list[Generation]:
        """Return the generations that are kept; after each the one that was in use before it.

        Last are those that HISTORY does not name, so that nothing vouches for them; the next build removes them.
        """
        current, history = self._named_by_current(), self._history()
        known = [self._described(name, digest, in_use=name == current) for name, digest in reversed(history.items())]
        others = [name for name in self._complete() if name not in history]
        return [*known, *(self._described(name, "", in_use=False) for name in others)]

    def switch_to(self, name: str) -> Manifest:
        """Make a kept generation the one in use, at once; what `open` checks is checked first.

        Raises:
            IndexNotFoundError: no generation of this name is kept.
            IndexDamagedError: its files are missing, altered, or of another version.
            BuildRunningError: a build is running.
        """
        with self._alone(), self._writing():
            digest = self._kept(name)[1]
            generation, manifest = self._checked((self._generation(name), digest), again=False)
            self._opened(generation, manifest)
            history = self._history()  # the one in use too, if nothing else names it
            _write_text(self.folder / "CURRENT", f"{name} {digest}\n")
            self._write_history(history)
        return manifest

    def last_build(self) -> LastBuild | None:
        """Return what became of the last build, or None where nothing tells."""
        for _ in range(2):  # one that has ended meanwhile has noted so
            try:
                build = LastBuild(**json.loads((self.folder / LAST_BUILD_FILE).read_bytes()))
            except (OSError, ValueError, TypeError):
                return None
            if build.state != "running" or self.is_building():
                return build
        return dataclasses.replace(build, state="died", message=DIED)

    def note_build(self, build: LastBuild) -> None:
        """Remember what became of a build; where it cannot be written it is not."""
        path, text = self.folder / LAST_BUILD_FILE, json.dumps(dataclasses.asdict(build), indent=1)
        with contextlib.suppress(OSError):
            try:
                _write_text(path, text)
            except OSError:  # a full disk has no room for another file, and the block that this one has is enough
                with path.open("r+", encoding="utf-8") as file:
                    file.write(text)
                    file.truncate()

    def is_building(self) -> bool:
        """Tell whether a process is writing a new generation. Nobody waits for anything, also where the folder is read-only."""
        try:
            import fcntl

            with (self.folder / ".lock").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # closing gives it back
        except BlockingIOError:
            return True
        except (ImportError, OSError):
            return False
        return False

    def tidy(self) -> None:
        """Remove what dead builds left behind, unless one is running."""
        with contextlib.suppress(BuildRunningError, OSError), self._alone():
            self._remove_unused()
            if history := self._history():  # a build may have died before it wrote it
                self._write_history(history)
            for file in ("CURRENT", HISTORY_FILE):
                _aside(self.folder / file).unlink(missing_ok=True)

    def writer(self) -> FileWriter:
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
        with self._writing():
            lock = self._locked()
            try:
                self._remove_unused()
                now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
                self.note_build(LastBuild("running", now, "", importlib.metadata.version("pes-search")))
                return FileWriter(self, lock)
            except BaseException:
                lock.release()
                raise

    def _locked(self) -> FileLock:
        """Return the lock, held.

        Raises:
            BuildRunningError: another process holds it.
        """
        from filelock import FileLock, Timeout  # for building only

        lock = FileLock(self.folder / ".lock")
        try:
            lock.acquire(timeout=LOCK_WAIT_SECONDS)
        except Timeout as error:
            raise BuildRunningError(
                f"another build of {self.folder} is running; wait for it, or give --index another folder"
            ) from error
        return lock

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock; raises as `_locked`."""
        lock = self._locked()
        try:
            yield
        finally:
            lock.release()

    def _writing(self) -> AbstractContextManager[None]:
        advice = "the index in use stays as it was; make room there or give --index another folder, then try again"
        return writing("the index", self.folder, advice)

    def _in_use(self) -> tuple[Path, str]:
        """Return folder and hash of the generation in use.

        Raises:
            IndexNotFoundError: there is none.
        """
        pointer = self._pointer()
        if pointer is None:
            raise IndexNotFoundError(f"no index in {self.folder}; build one with `pes build --index {self.folder}`")
        return pointer

    def _kept(self, name: str | None) -> tuple[Path, str]:
        """Return folder and hash of a kept generation, without a name those of the one in use.

        Raises:
            IndexNotFoundError: none has the name.
        """
        if name is None:
            return self._in_use()
        history = self._history()
        if name not in history and name in self._complete():
            raise _damaged(self.folder, f"{HISTORY_FILE} does not vouch for generation {name}")
        if name not in history:
            raise IndexNotFoundError(
                f"no generation {name!r} of the index in {self.folder}; `pes generations --index {self.folder}` lists them"
            )
        return self._generation(name), history[name]

    def _complete(self) -> list[str]:
        """Return the names of the generations that are there, whoever vouches for them."""
        folder = self.folder / "generations"
        return sorted(path.name for path in folder.iterdir() if _is_name(path.name)) if folder.is_dir() else []

    def _described(self, name: str, digest: str, *, in_use: bool) -> Generation:
        generation = self._generation(name)
        values: dict[str, Any] = {}
        fault = ""
        try:
            values = _manifest_values(generation, digest, self.folder)
            self._states(generation, _manifest_of(values, self.folder))
        except IndexDamagedError as error:
            fault = error.what if digest else f"{HISTORY_FILE} does not vouch for it"
        size = sum(path.stat().st_size for path in generation.rglob("*") if path.is_file())
        return Generation(
            name=name,
            index_id=str(values.get("index_id", "")),
            built_at=str(values.get("built_at", "")),
            version=str(values.get("version", "")),
            model_id=str(values.get("model_id", "")),
            documents=int(values.get("documents", 0)),
            passages=int(values.get("passages", 0)),
            bytes=size,
            in_use=in_use,
            fault=fault,
        )

    def _states(self, generation: Path, manifest: Manifest) -> dict[str, list[int]]:
        """Return size and time of last change of every file of a generation.

        Raises:
            IndexDamagedError: one is missing, or has another size than it had.
        """
        states = {}
        for file, stated in manifest.files.items():
            try:
                state = (generation / file).stat()
            except OSError:
                state = None
            if state is None or state.st_size != stated["bytes"]:
                raise _damaged(self.folder, f"{file} is missing or altered")
            states[file] = [state.st_size, state.st_mtime_ns]
        return states

    def _checked(self, pointer: tuple[Path, str], *, again: bool) -> tuple[Path, Manifest]:
        """Return the folder and manifest of a generation, its files checked; with `again` as if for the first time."""
        generation, digest = pointer
        manifest = _read_manifest(generation, digest, self.folder)
        known = {} if again else _read_checked(generation)
        states = self._states(generation, manifest)
        for file, stated in manifest.files.items():
            if known.get(file) != states[file] and _sha256_or_none(generation / file) != stated["sha256"]:
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
            what = error.strerror if isinstance(error, OSError) else "it is no text"
            raise _damaged(self.folder, f"CURRENT cannot be read: {what}") from error
        if len(parts) == 1:
            self._generation(parts[0])
            raise _damaged(self.folder, "it was built by an older version")
        if len(parts) != 2:
            raise _damaged(self.folder, "CURRENT names no generation")
        name, digest = parts
        return self._generation(name), digest

    def _generation(self, name: str) -> Path:
        if not _is_name(name):
            raise _damaged(self.folder, "CURRENT names no generation")
        return self.folder / "generations" / name

    def publish(self, aside: Path, index_id: str) -> None:
        """Give a finished generation a name that none had before, and make it the current one."""
        name, digest = f"{index_id}-{time.time_ns():x}", _sha256(aside / "manifest.json")
        target = self._generation(name)
        history = self._history()
        if (before := self._named_by_current()) in history:
            history[before] = history.pop(before)  # whatever was gone back from comes before it
        os.rename(aside, target)
        try:
            sync(target.parent)
            _write_text(self.folder / "CURRENT", f"{name} {digest}\n")
        except OSError:
            if self._named_by_current() != name:
                shutil.rmtree(target, ignore_errors=True)
            raise
        self._write_history({**history, name: digest})
        self._remove_unused()

    def _named_by_current(self) -> str:
        """Return the name of the generation in use; empty where CURRENT tells none."""
        try:
            return self.current_name() or ""
        except IndexDamagedError:
            return ""

    def _history(self) -> dict[str, str]:
        """Return the generations that are kept and the hashes of their manifests; after each the one that came into use next.

        What CURRENT says stands above what HISTORY says.
        """
        try:
            lines = (self.folder / HISTORY_FILE).read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            lines = []
        pairs = [(name, digest) for name, _, digest in (line.partition(" ") for line in lines) if _is_name(name) and digest]
        history = {name: digest for name, digest in pairs if self._generation(name).is_dir()}
        with contextlib.suppress(IndexDamagedError):
            if (pointer := self._pointer()) and pointer[0].is_dir():
                history[pointer[0].name] = pointer[1]
        return history

    def _write_history(self, history: Mapping[str, str]) -> None:
        with contextlib.suppress(OSError):  # CURRENT stands; the next build or `switch_to` writes it again
            _write_text(self.folder / HISTORY_FILE, "".join(f"{name} {digest}\n" for name, digest in history.items()))

    def _remove_unused(self) -> None:
        """Remove older generations and what dead builds left behind. Called with the lock held."""
        folder = self.folder / "generations"
        if not folder.is_dir():
            return
        kept: set[str] | None = None
        if current := self._named_by_current():  # else a build is what mends it, and nothing tells what is of use
            others = [name for name in reversed(self._history()) if name != current]
            kept = {current, *others[: self._keep - 1]}
        for path in list(folder.iterdir()):
            if path.name.startswith(".") or (kept is not None and path.name not in kept):
                shutil.rmtree(path, ignore_errors=True)


class FileWriter:
    """Writes one generation aside."""

    def __init__(self, store: FileStore, lock: FileLock) -> None:
        self._store = store
        self._lock = lock
        generations = store.folder / "generations"
        generations.mkdir(exist_ok=True)
        self._aside = Path(tempfile.mkdtemp(prefix=".new-", dir=generations))
        try:
            self._texts = TextWriter(self._aside)
            self._vectors = (self._aside / "vectors.f16").open("wb")
            self._sentences = (self._aside / "sentences.f16").open("wb")
        except OSError:
            shutil.rmtree(self._aside, ignore_errors=True)
            raise
        self._means: list[Vectors] = []
        self._terms = Bm25Builder()
        # The number of passages that have each, by language, and all that by who may read them.
        self._words: dict[str, dict[str, Counter[str]]] = {}
        self._concepts: dict[str, int] = {}
        self._held: list[tuple[int, int, float]] = []  # document, concept, and how far it is held
        self._questions: list[npt.NDArray[np.int8]] = []  # vectors, document by document
        self._questions_of: list[tuple[int, str]] = []  # document and language of each
        self._asked: list[Sequence[Question]] = []  # of each document, with their texts

    def add(self, encoded: EncodedDocument) -> None:
        """Add a document with its passages.

        Raises:
            NotWrittenError: there is no room for it.
        """
        for terms in encoded.terms:
            self._terms.add(terms)
        for language, words in encoded.words.items():
            by_language = self._words.setdefault(encoded.document.visibility, {})
            by_language.setdefault(language, Counter()).update(words)
        for concept, value in encoded.concepts.items():
            self._held.append((len(self._means), self._concepts.setdefault(concept, len(self._concepts)), value))
        if encoded.questions is not None:
            self._questions.append(EightBitVectors.of(encoded.questions.astype(np.float32)).numbers)
            self._questions_of += [(len(self._means), language) for language in encoded.question_languages]
        self._asked.append(encoded.document.questions)
        self._means.append(mean_vectors(encoded.vectors, np.zeros(len(encoded.vectors), np.int64), 1)[0])
        with self._store._writing():
            self._vectors.write(encoded.vectors.tobytes())
            self._sentences.write(encoded.sentences.tobytes())
            self._texts.add(encoded)

    def commit(self, manifest: Manifest, taxonomy: Taxonomy, labels: EightBitVectors) -> Manifest:
        """Make this generation the current one, at once, and return its manifest with the files' hashes.

        Raises:
            NotWrittenError: there is no room for it.
        """
        with self._store._writing():
            complete = self._written(manifest, taxonomy, labels)
            self._store.publish(self._aside, complete.index_id)
        self._store.note_build(finished_build(complete))
        self._lock.release()
        return complete

    def _written(self, manifest: Manifest, taxonomy: Taxonomy, labels: EightBitVectors) -> Manifest:
        """Write what is left to write, and return the manifest with the files' hashes."""
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
            sync(path)
        files = {
            path.relative_to(self._aside).as_posix(): {"bytes": path.stat().st_size, "sha256": _sha256(path)}
            for path in sorted(self._aside.rglob("*"))
            if path.is_file()
        }
        complete = dataclasses.replace(manifest, files=files)
        _write_text(self._aside / "manifest.json", json.dumps(dataclasses.asdict(complete), indent=1, sort_keys=True))
        self._aside.chmod(0o755)
        return complete

    def discard(self) -> None:
        """Remove what was written; does nothing after `commit`."""
        for file in (self._texts, self._vectors, self._sentences):
            with contextlib.suppress(OSError):  # of what is to be removed, the last bytes need not be written
                file.close()
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


def _manifest_values(generation: Path, digest: str, folder: Path) -> dict[str, Any]:
    """Read a manifest whose hash is known: what it says is then what was written, by whatever version."""
    try:
        content = (generation / "manifest.json").read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise _damaged(folder, "manifest.json is altered, or its hash in CURRENT or HISTORY")
        values = json.loads(content)
        return values if isinstance(values, dict) else {}
    except FileNotFoundError as error:
        raise _damaged(folder, f"generation {generation.name}, as CURRENT or HISTORY names it, has no manifest.json") from error
    except OSError as error:
        raise _damaged(folder, f"manifest.json cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise _damaged(folder, f"manifest.json cannot be read: {error}") from error


def _read_manifest(generation: Path, digest: str, folder: Path) -> Manifest:
    """Read a manifest of this version."""
    return _manifest_of(_manifest_values(generation, digest, folder), folder)


def _manifest_of(values: dict[str, Any], folder: Path) -> Manifest:
    try:
        if values["schema"] != SCHEMA:
            raise _damaged(folder, f"it has schema {values['schema']}, this version reads {SCHEMA}")
        if not isinstance(values["files"], dict):
            raise TypeError("files are not listed")
        return Manifest(**values)
    except (TypeError, KeyError) as error:
        raise _damaged(folder, f"manifest.json cannot be read: {error}") from error


def _read_checked(generation: Path) -> dict[str, list[int]]:
    """Return size and time of last change of the files whose hashes have been checked."""
    try:
        values = json.loads((generation / CHECKED_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _damaged(folder: Path, what: str) -> IndexDamagedError:
    message = f"the index in {folder} cannot be used: {what}; build it anew with `pes build --index {folder}`"
    return IndexDamagedError(message, what)


def _is_name(name: str) -> bool:
    return name.replace("-", "").isalnum()


def _write_text(path: Path, text: str) -> None:
    """Replace a file in one step; a reader sees the old text or the new."""
    aside = _aside(path)
    try:
        with aside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    sync(path.parent)


def _aside(path: Path) -> Path:
    """Return where a file is written before it replaces what is there."""
    return path.with_name(f".{path.name}.new")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256_or_none(path: Path) -> str | None:
    """Return a file's hash; None where it cannot be read, which a failing disk does not always let."""
    try:
        return _sha256(path)
    except OSError:
        return None
