"""One file that holds many: a plain tar, which anybody can open, with a manifest of names, sizes and hashes at its end.

Tar, since every system has a program for it and what is in it can be looked at without this one. It is not compressed: vectors
shrink by little, what is not compressed cannot swell when it is read, and who wants it smaller can compress the whole file.
The hashes tell what was damaged. They are no signature: who can write the file can write them too.

    pes-backup/<part>/<path>      the files
    pes-backup/manifest.json      last: it is written when all else has been, so an archive without it is not whole
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO

from pes_search.ingest.errors import PesSearchError

ROOT = "pes-backup"
MANIFEST = f"{ROOT}/manifest.json"
FORMAT = 1  # raise it when a change makes archives unreadable for this
CHUNK_BYTES = 1 << 20
LARGEST_MANIFEST_BYTES = 200_000_000  # a million files take less
LONGEST_NAME_BYTES = 4_096  # of a member, where tar needs a header of its own for it
BLOCK = tarfile.BLOCKSIZE


class ArchiveError(PesSearchError):
    """An archive cannot be written, or is not one that this program wrote, or not as it was written."""

    public_text = "the backup cannot be used"


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive."""

    part: str  # state, index, uploads …
    path: str  # in the part, with `/`
    size: int
    sha256: str


class ArchiveWriter:
    """Writes an archive into a file that is open; `finish` makes it whole."""

    def __init__(self, file: IO[bytes]) -> None:
        # GNU's format holds long names and sizes in headers that can be checked one by one.
        self._tar = tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT, encoding="utf-8")  # noqa: SIM115
        self.members: list[Member] = []

    def add(self, part: str, path: str, content: IO[bytes], size: int) -> Member:
        """Add a file and return it with its hash.

        Raises:
            ArchiveError: its content is shorter than was said.
        """
        reader = _Hashing(content)
        info = tarfile.TarInfo(f"{ROOT}/{part}/{path}")
        info.size, info.mode = size, 0o600
        try:
            self._tar.addfile(info, reader)
        except OSError as error:
            if error.errno is None:  # tarfile's own: the file ended early
                raise ArchiveError(f"{path} changed while it was copied; back up again") from error
            raise
        member = Member(part, path, size, reader.sha256.hexdigest())
        self.members.append(member)
        return member

    def finish(self, values: dict[str, Any]) -> None:
        """Add the manifest, with these values and the files, and end the archive."""
        files = [[member.part, member.path, member.size, member.sha256] for member in self.members]
        content = json.dumps({"format": FORMAT, **values, "files": files}, ensure_ascii=True).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(content), 0o600
        self._tar.addfile(info, io.BytesIO(content))
        self._tar.close()


class Archive:
    """An archive to read. All of it was checked against its manifest when this was made."""

    def __init__(self, path: Path) -> None:
        """Check all of an archive; nothing of it is written anywhere.

        Raises:
            ArchiveError: it cannot be read, is no backup, or is not as it was written.
        """
        self.path = path
        try:
            with path.open("rb") as file:
                members, self.values = self._checked(file)
        except OSError as error:
            raise ArchiveError(f"cannot read {path}: {error.strerror or error}") from error
        except (tarfile.TarError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._faulty(f"it is damaged ({error})") from error
        self.members = members

    def of_part(self, part: str) -> list[Member]:
        """Return the files of a part."""
        return [member for member in self.members if member.part == part]

    def write(self, part: str, folder: Path) -> None:
        """Write the files of a part into an empty folder, and check each again.

        Raises:
            ArchiveError: the archive was changed since it was checked.
            OSError: there is no room.
        """
        wanted = {f"{ROOT}/{member.part}/{member.path}": member for member in self.of_part(part)}
        with self.path.open("rb") as file:
            for name, size, offset in _entries(file, self._faulty):
                if name not in wanted:
                    continue
                member = wanted.pop(name)
                target = folder.joinpath(*PurePosixPath(member.path).parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as out:
                    digest = _copied(file, offset, size, out)
                    out.flush()
                if (size, digest) != (member.size, member.sha256):
                    raise self._faulty(f"{member.path} was changed since it was checked")
        if wanted:
            raise self._faulty("files are missing since it was checked")

    def _checked(self, file: BinaryIO) -> tuple[list[Member], dict[str, Any]]:
        """Return the files and what else the manifest says, all checked."""
        found: dict[str, tuple[int, str]] = {}
        manifest = b""
        for name, size, offset in _entries(file, self._faulty):
            if name in found or manifest:
                raise self._faulty(f"{name!r} is in it twice, or after its end")
            if name == MANIFEST:
                if size > LARGEST_MANIFEST_BYTES:
                    raise self._faulty("its manifest is too large")
                file.seek(offset)
                manifest = file.read(size)
            else:
                found[name] = size, _copied(file, offset, size)
        if not manifest:
            raise self._faulty("it has no manifest: it is no backup of this program, or breaks off")
        values = json.loads(manifest)
        if values["format"] != FORMAT:
            raise self._faulty(f"it is of format {values['format']!r}, this version reads {FORMAT}; use the one that wrote it")
        members = [Member(str(part), str(path), int(size), str(sha256)) for part, path, size, sha256 in values.pop("files")]
        stated = {f"{ROOT}/{member.part}/{member.path}": (member.size, member.sha256) for member in members}
        for member in members:
            if not _is_plain(member.part) or "/" in member.part or not _is_plain(member.path):
                raise self._faulty(f"it names a place outside of where it belongs: {member.part!r}, {member.path!r}")
        if len(stated) != len(members):
            raise self._faulty("its manifest names a file twice")
        if wrong := sorted(name for name in stated.keys() | found.keys() if stated.get(name) != found.get(name)):
            raise self._faulty(f"{wrong[0]!r} is missing, altered or not in its manifest ({len(wrong)} in all)")
        return members, values

    def _faulty(self, what: str) -> ArchiveError:
        return ArchiveError(f"{self.path} cannot be restored: {what}; nothing was changed. Take another backup")


def is_archive(path: Path) -> bool:
    """Tell whether a file begins as an archive of this program does."""
    try:
        with path.open("rb") as file:
            return tarfile.TarInfo.frombuf(file.read(BLOCK), "utf-8", "surrogateescape").name.startswith(f"{ROOT}/")
    except (OSError, tarfile.HeaderError, UnicodeError):
        return False


def _entries(file: BinaryIO, faulty: Callable[[str], ArchiveError]) -> Iterator[tuple[str, int, int]]:
    """Yield name, size and place of each file; anything else that a tar may hold is refused.

    The headers are read one by one, as nothing but plain files and long names was written: so no link, device, sparse file or
    header that fills the memory is ever made anything of.
    """
    end = file.seek(0, io.SEEK_END)
    at, long_name = 0, ""
    while True:
        file.seek(at)
        block = file.read(BLOCK)
        if len(block) < BLOCK:
            raise faulty("it breaks off")
        if not any(block):
            return
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        begin, at = at + BLOCK, at + BLOCK + -(-info.size // BLOCK) * BLOCK
        if info.size < 0 or at > end:
            raise faulty("it breaks off")
        if info.type == tarfile.GNUTYPE_LONGNAME and info.size <= LONGEST_NAME_BYTES and not long_name:
            file.seek(begin)
            long_name = file.read(info.size).rstrip(b"\0").decode("utf-8", "surrogateescape")
            continue
        if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise faulty(f"{long_name or info.name!r} is no plain file")
        name, long_name = long_name or info.name, ""
        if not _is_plain(name) or not name.startswith(f"{ROOT}/"):
            raise faulty(f"it names a place outside of where it belongs: {name!r}")
        yield name, info.size, begin


def _is_plain(path: str) -> bool:
    """Tell whether a path leads downwards only, and is written in the one way that there is."""
    parts = path.split("/")
    return bool(path) and all(part not in {"", ".", ".."} and "\0" not in part for part in parts)


def _copied(file: BinaryIO, offset: int, size: int, out: BinaryIO | None = None) -> str:
    """Read a file of an archive, write it where it is wanted, and return its hash."""
    digest = hashlib.sha256()
    file.seek(offset)
    while size > 0:
        piece = file.read(min(size, CHUNK_BYTES))
        if not piece:
            raise ValueError("it ends early")
        digest.update(piece)
        if out is not None:
            out.write(piece)
        size -= len(piece)
    return digest.hexdigest()


class _Hashing(io.RawIOBase):
    """A file whose hash is known once it has been read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self.sha256.update(piece)
        return piece
