"""A source on the web becomes files of a folder: new, changed and removed pages, each asked for as seldom as can be."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from filelock import FileLock, Timeout

from pes_search.ingest.errors import BusyHostError, FetchError
from pes_search.ingest.readers import READERS, SIGNATURES, format_of
from pes_search.ingest.readers.html import with_encoding
from pes_search.ingest.sources.fetched import Entry, FetchedFolder, KnownPage
from pes_search.ingest.types import Unread
from pes_search.ingest.web.addresses import canonical, file_name, host_of, path_of
from pes_search.ingest.web.client import GONE, NOT_MODIFIED, Client, Response
from pes_search.ingest.web.config import WebSource
from pes_search.ingest.web.lists import OAI_IDENTIFIER, Listed, links_of_text, read_list
from pes_search.ingest.web.pages import PageSigns, page_signs

LOCK = ".fetching.lock"
PART = ".part"  # of a file that is being written
PAGE_TYPES = ("text/html", "application/xhtml+xml")
UNKNOWN_TYPES = ("", "application/octet-stream", "binary/octet-stream", "application/x-download", "application/force-download")

Progress = Callable[[int, int], object]
"""Gets how many addresses are done, and how many are known by now."""


@dataclass(slots=True)
class FetchReport:
    """What a run found at a source."""

    source: str
    folder: str
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: int = 0
    removed: list[str] = field(default_factory=list)
    skipped: list[Unread] = field(default_factory=list)  # not kept, with the reason
    failed: list[Unread] = field(default_factory=list)  # could not be fetched; what was kept of them before is still there
    outside: int = 0  # addresses that were named and are not of the source
    requests: int = 0
    bytes: int = 0
    went_on: bool = False  # from where an earlier run was stopped
    unfinished: str = ""  # why the run is not at its end; the next one goes on
    seconds: float = 0.0

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing could be fetched at all."""
        return bool(self.failed) and not (self.new or self.changed or self.unchanged)


def fetch(source: WebSource, folder: Path, client: Client, on_progress: Progress | None = None) -> FetchReport:
    """Fetch a source into a folder.

    Raises:
        FetchError: one of its addresses is none, or another run is fetching into the folder.
    """
    if not source.urls:
        raise FetchError(f"source {source.name!r} has no urls; give it some")
    record = FetchedFolder(folder)
    record.prepare()
    lock = FileLock(folder / LOCK)
    try:
        with lock.acquire(timeout=0):
            return _Run(source, record, client).run(on_progress or _silent)
    except Timeout as error:
        raise FetchError(f"another run is fetching into {folder}; wait for it") from error


def _silent(done: int, known: int) -> None:
    """Show nothing."""


class _Run:
    """One run over a source."""

    def __init__(self, source: WebSource, record: FetchedFolder, client: Client) -> None:
        self._source = source
        self._record = record
        self._client = client
        self._starts = [Entry(address) for url in source.urls for address in _start(url)]
        self._start_addresses = {entry.address for entry in self._starts}
        self._hosts = {host_of(entry.address) for entry in self._starts} | {host.lower() for host in source.hosts}
        self._report = FetchReport(source.name, str(record.folder))
        self._outside: set[str] = set()

    def run(self, on_progress: Progress) -> FetchReport:
        began = datetime.now(UTC)
        requests, received = self._client.requests, self._client.bytes
        source, report = self._source, self._report
        layout = dataclasses.asdict(source.layout)
        report.went_on = self._record.begin(source.name, source.fields(), layout, self._starts)
        try:
            while (entry := self._record.next(source.name)) is not None:
                done, known = self._record.count(source.name)
                on_progress(done, known)
                if done >= source.most_pages:
                    report.unfinished = f"{source.most_pages:,} addresses are fetched; raise most_pages to have more"
                    break
                self._visit(entry)
            self._record.end(source.name)
        except BusyHostError as error:
            report.unfinished = str(error)
        report.outside = len(self._outside)
        report.requests, report.bytes = self._client.requests - requests, self._client.bytes - received
        report.seconds = round((datetime.now(UTC) - began).total_seconds(), 1)
        return report

    # ── An address ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _visit(self, entry: Entry) -> None:
        known = self._record.page(entry.address)
        if known is not None and known.file and not (self._record.folder / known.file).is_file():
            known = dataclasses.replace(known, etag="", modified="", sha256="")  # the file was taken away: ask for all of it
        if known is not None and (reason := self._reason_outside(entry.address)):
            self._remove(known, reason)
            return
        try:
            response = self._client.get(
                entry.address, self._check, known.etag if known else "", known.modified if known else ""
            )
            self._take(entry, known, response)
        except BusyHostError:
            raise
        except FetchError as error:
            self._report.failed.append(Unread(entry.address, str(error)))
            self._record.finish(self._source.name, [entry.address])

    def _take(self, entry: Entry, known: KnownPage | None, response: Response) -> None:
        if response.status == NOT_MODIFIED and known is not None:
            self._report.unchanged += bool(known.file)
            self._record.finish(self._source.name, [entry.address], _entries(known))
            return
        if response.status in GONE:
            if known is not None:
                self._remove(known, "")
            elif entry.address in self._start_addresses:
                self._report.failed.append(
                    Unread(entry.address, f"the server answered {response.status}: there is no such page")
                )
            self._record.finish(self._source.name, [entry.address])
            return
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        harvested = self._record.harvested(self._source.name, entry.address.partition("?")[0])
        listed = read_list(response.body, media_type, response.address, harvested)
        if listed is not None:
            self._take_list(entry, response, listed)
        else:
            self._take_page(entry, response, media_type)

    def _take_list(self, entry: Entry, response: Response, listed: Listed) -> None:
        """Queue what a list names: those addresses count as the source's own."""
        source = self._source.name
        more = [Entry(address, entry.depth) for address in listed.more if host_of(address) in self._hosts]
        pages = [Entry(address, entry.depth, fields) for address, fields in listed.pages if self._is_inside(address)]
        for identifier in listed.removed:
            address = self._record.address_with(source, OAI_IDENTIFIER, identifier)
            if address is not None and (page := self._record.page(address)):
                self._remove(page, "")
        is_oai = bool(listed.harvested or listed.removed) or any("verb=" in address for address in listed.more)
        page = _described(entry, response, entries=[*more, *pages])
        # The parts of an OAI-PMH answer are another question each time.
        self._record.finish(source, [entry.address, response.address], [*more, *pages], [] if is_oai else [page])
        if listed.harvested:
            self._record.set_harvested(source, entry.address.partition("?")[0], listed.harvested)

    def _take_page(self, entry: Entry, response: Response, media_type: str) -> None:
        """Keep a page or file, and queue what it leads to."""
        source = self._source
        suffix = _suffix(response, media_type)
        is_page = suffix == ".html"
        signs = page_signs(response.body, response.address, response.headers) if is_page else PageSigns()
        address = signs.address if signs.address and self._is_inside(signs.address) else response.address
        is_list = _fits(address, source.lists)
        depth = entry.depth + (0 if is_list else 1)
        links = signs.links if signs.may_be_followed and depth <= source.depth else ()
        found = [Entry(link, depth) for link in links if self._is_inside(link)]
        done = dict.fromkeys([entry.address, response.address, address])
        # Another address of a page that this run has already.
        is_known = address != entry.address and self._record.is_done(source.name, address)
        reason = "" if is_list else _reason_not_kept(suffix, media_type, signs)
        page = _described(dataclasses.replace(entry, address=address), response, entries=found)
        if not (is_known or is_list or reason):
            page = self._kept(page, _as_utf8(response) if is_page else response.body, suffix)
        elif reason and not is_known:
            self._report.skipped.append(Unread(address, reason))
        pages = [] if is_known else [page]
        if address != entry.address:  # so that this one need not be sent again
            if (old := self._record.page(entry.address)) and old.file:
                self._remove(old, f"moved to {address}")
            pages.append(_described(entry, response, entries=found))
        self._record.finish(source.name, done, found, pages)

    def _kept(self, page: KnownPage, body: bytes, suffix: str) -> KnownPage:
        """Write a file, unless it is there already."""
        digest = hashlib.sha256(body).hexdigest()
        before = self._record.page(page.address)
        if not page.fields and before is not None:
            page = dataclasses.replace(page, fields=before.fields)
        name = file_name(page.address, suffix)
        path = self._record.folder / name
        if before is not None and before.sha256 == digest and path.is_file():
            self._report.unchanged += 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}{PART}")
            part.write_bytes(body)
            part.replace(path)
            (self._report.changed if before is not None and before.file else self._report.new).append(page.address)
        if before is not None and before.file not in ("", name):  # it has become a file of another kind
            (self._record.folder / before.file).unlink(missing_ok=True)
        return dataclasses.replace(page, file=name, sha256=digest)

    def _remove(self, page: KnownPage, reason: str) -> None:
        self._record.forget(page.address)
        self._record.finish(self._source.name, [page.address])
        if page.file:
            self._report.removed.append(page.address + (f" ({reason})" if reason else ""))

    # ── What belongs to the source ──────────────────────────────────────────────────────────────────────────────────

    def _is_inside(self, address: str) -> bool:
        is_inside = address in self._start_addresses or not self._reason_outside(address)
        if not is_inside:
            self._outside.add(address)
        return is_inside

    def _reason_outside(self, address: str) -> str:
        """Return why an address is not of the source; nothing where it is."""
        source = self._source
        if address in self._start_addresses or _is_oai(address):
            return "" if host_of(address) in self._hosts else "on another host"
        if host_of(address) not in self._hosts:
            return f"on another host: {host_of(address)}"
        if _fits(address, source.skip):
            return "left out by `skip`"
        if source.only and not _fits(address, (*source.only, *source.lists)):
            return "not among `only`"
        return ""

    def _check(self, address: str) -> None:
        if host_of(address) not in self._hosts:
            raise FetchError(f"leads to another host, {host_of(address)}; name it in `hosts` if it belongs to the source")


def _start(url: str) -> Sequence[str]:
    """Return the addresses of what people give: an address, or a file of this machine with one a line.

    Raises:
        FetchError: it is neither.
    """
    path = Path(url)
    if "://" not in url and path.is_file():
        with suppress(UnicodeDecodeError):
            if links := links_of_text(path.read_text(encoding="utf-8-sig")):
                return [canonical(link) for link in links]
        raise FetchError(f"{url} is no list of links: it needs one address a line, and comments after #")
    return [canonical(url)]


def _is_oai(address: str) -> bool:
    return "verb=ListRecords" in urlsplit(address).query


def _fits(address: str, patterns: Sequence[str]) -> bool:
    path = path_of(address)
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _entries(page: KnownPage) -> list[Entry]:
    return [Entry(address, depth, fields) for address, depth, fields in page.links]


def _described(entry: Entry, response: Response, entries: Sequence[Entry]) -> KnownPage:
    """Return what is known of a page that has just come, without its file."""
    return KnownPage(
        address=entry.address,
        depth=entry.depth,
        etag=response.headers.get("etag", ""),
        modified=response.headers.get("last-modified", ""),
        fields=entry.fields,
        links=tuple((one.address, one.depth, one.fields) for one in entries),
        fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _reason_not_kept(suffix: str, media_type: str, signs: PageSigns) -> str:
    if not suffix:
        return f"no reader for {media_type or 'a file of no stated kind'}"
    return "" if signs.may_be_kept else "the page asks not to be kept (noindex)"


def _suffix(response: Response, media_type: str) -> str:
    """Return the suffix of the reader for what came: by its first bytes, what the server says, and its name; else none."""
    head = response.body[:1024].lstrip()
    begins_as = next((signature for signature in SIGNATURES if head.startswith(signature)), None)
    by_name = _name_suffix(response)
    if begins_as is not None:
        fitting = [row.suffixes for row in READERS.rows.values() if row.signature == begins_as]
        if by_name in {suffix for suffixes in fitting for suffix in suffixes}:
            return by_name
        if by_type := next(
            (row.suffixes[0] for row in READERS.rows.values() if row.media_type == media_type and row.suffixes in fitting), ""
        ):
            return by_type
        return fitting[0][0] if len(fitting) == 1 else ""
    if media_type in PAGE_TYPES or re.match(rb"(?i)<!doctype html|<html", head):
        return ".html"
    stated = [row for row in READERS.rows.values() if row.media_type == media_type]
    if by_name and (media_type in (*UNKNOWN_TYPES, "text/plain") or any(by_name in row.suffixes for row in stated)):
        return by_name
    return stated[0].suffixes[0] if stated else ""


def _name_suffix(response: Response) -> str:
    """Return the suffix of the file's name where there is a reader for it."""
    disposition = re.search(
        r"filename\*?=(?:UTF-8'')?\"?([^\";]+)", response.headers.get("content-disposition", ""), re.IGNORECASE
    )
    name = unquote(disposition[1]) if disposition else unquote(urlsplit(response.address).path)
    suffix = PurePosixPath(name).suffix.lower()
    return suffix if format_of(f"x{suffix}") else ""


def _as_utf8(response: Response) -> bytes:
    """Return a page's bytes; one whose encoding only the server tells becomes UTF-8, so that it can be read without it."""
    charset = re.search(r"charset=\"?([\w.:-]+)", response.headers.get("content-type", ""), re.IGNORECASE)
    return with_encoding(response.body, charset[1]) if charset else response.body
