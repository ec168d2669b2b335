"""A source on the web becomes files of a folder: new, changed and removed pages, each asked for as seldom as can be."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from filelock import FileLock, Timeout

from pes_search.ingest.disk import writing
from pes_search.ingest.errors import BusyHostError, FetchError
from pes_search.ingest.readers import READERS, SIGNATURES, format_of
from pes_search.ingest.readers.html import with_encoding
from pes_search.ingest.sources.fetched import FETCH_AGAIN, Entry, FetchedFolder, KnownPage
from pes_search.ingest.types import Unread
from pes_search.ingest.web.addresses import canonical, file_name, host_of, path_of, site_of
from pes_search.ingest.web.client import GONE, NOT_MODIFIED, Client, Response
from pes_search.ingest.web.config import WebSource
from pes_search.ingest.web.lists import OAI_IDENTIFIER, Listed, links_of_text, read_list
from pes_search.ingest.web.pages import PageSigns, page_signs

LOCK = ".fetching.lock"
COUNT_EVERY = 50  # addresses, after which it is looked how many are known by now
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
    unfinished: list[str] = field(default_factory=list)  # why not all was asked for; the next run asks for it
    seconds: float = 0.0

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing could be fetched at all."""
        return bool(self.failed) and not (self.new or self.changed or self.unchanged)


def fetch(source: WebSource, folder: Path, client: Client, on_progress: Progress | None = None) -> FetchReport:
    """Fetch a source into a folder of its own.

    Raises:
        FetchError: one of its addresses is none, or another run is fetching into the folder.
        NotWrittenError: there is no room; what was fetched before is kept, and the next run goes on from there.
    """
    if not source.urls:
        raise FetchError(f"source {source.name!r} has no urls; give it some")
    run = _Run(source, FetchedFolder(folder), client)
    lock = FileLock(folder / LOCK)
    with writing("what is fetched", folder, FETCH_AGAIN):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise FetchError(f"another run is fetching into {folder}; wait for it") from error
    try:
        return run.run(on_progress or _silent)
    finally:
        lock.release()


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
        hosts = [*(host_of(entry.address) for entry in self._starts), *(host.lower() for host in source.hosts)]
        self._hosts = {site_of(host) for host in hosts}
        self._report = FetchReport(source.name, str(record.folder))
        self._outside: set[str] = set()
        self._busy: dict[str, str] = {}  # hosts that are left alone for the rest of the run, with the reason
        self._may_ask_for_changes = False  # only: what is kept was chosen as it would be now
        self._harvested: dict[str, str] = {}  # OAI-PMH interfaces, with the time of their answer

    def run(self, on_progress: Progress) -> FetchReport:
        began = datetime.now(UTC)
        requests, received = self._client.requests, self._client.bytes
        source, report, record = self._source, self._report, self._record
        definition = repr((source.depth, source.only, source.skip, source.lists, sorted(self._hosts)))
        self._may_ask_for_changes = record.prepare(source.fields(), dataclasses.asdict(source.layout), definition)
        report.went_on = record.begin(self._starts)
        done, known = record.count()
        while (entry := record.next()) is not None:
            if done >= source.most_pages:
                report.unfinished.append(f"{source.most_pages:,} addresses are asked for; raise most_pages to have more")
                break
            if done % COUNT_EVERY == 0:
                done, known = record.count()
            on_progress(done, max(known, done + 1))
            self._visit(entry)
            done += 1
        # What was named and not asked for is to be named again; what failed is known.
        record.end({} if report.unfinished else self._harvested)
        report.unfinished += dict.fromkeys(self._busy.values())
        report.outside = len(self._outside)
        report.requests, report.bytes = self._client.requests - requests, self._client.bytes - received
        report.seconds = round((datetime.now(UTC) - began).total_seconds(), 1)
        return report

    # ── An address ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _visit(self, entry: Entry) -> None:
        known = self._record.page(entry.address)
        if reason := self._reason_outside(entry):
            self._outside.add(entry.address)
            if known is not None:
                self._remove(known, reason)
            self._record.finish([entry.address])
            return
        try:
            if host_of(entry.address) in self._busy:
                raise BusyHostError(self._busy[host_of(entry.address)])
            self._take(entry, self._client.get(entry.address, self._check, self._conditions))
        except FetchError as error:
            if isinstance(error, BusyHostError):
                self._busy.setdefault(host_of(entry.address), str(error))
            else:
                self._report.failed.append(Unread(entry.address, str(error)))
            # Known from now on, so that the next run asks again even where no list names it; a list's part is named again.
            page = known or (None if entry.is_list else KnownPage(entry.address, entry.depth, fields=entry.fields))
            self._record.finish([entry.address], page=page)

    def _conditions(self, address: str) -> Mapping[str, str]:
        """Return the headers that say what is kept of an address; none where all of it is needed."""
        page = self._record.page(address) if self._may_ask_for_changes else None
        if page is None or (page.file and not (self._record.folder / page.file).is_file()):
            return {}
        conditions = {"if-none-match": page.etag, "if-modified-since": page.modified}
        return {name: value for name, value in conditions.items() if value}

    def _take(self, entry: Entry, response: Response) -> None:
        done = dict.fromkeys([entry.address, response.address])
        known = self._record.page(response.address)
        if response.address != entry.address and not self._takes_redirect(entry, response):
            return
        if response.status == NOT_MODIFIED and known is not None:
            self._report.unchanged += bool(known.file) and not self._record.is_done(response.address)
            told = dataclasses.replace(known, fields={**known.fields, **entry.fields})
            self._record.finish(done, self._inside(known.links, entry.depth), told)
        elif response.status in GONE:
            if entry.address in self._start_addresses or entry.is_list:
                answer = f"the server answered {response.status}: there is no such page"
                self._report.failed.append(Unread(entry.address, answer))
            if known is not None:
                self._remove(known, "")
            self._record.finish(done)
        elif not response.body:
            raise FetchError("the server sent nothing")
        elif response.address == entry.address or not self._record.is_done(response.address):
            media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            interface = response.address.partition("?")[0]
            listed = read_list(response.body, media_type, response.address, self._record.harvested(interface))
            if listed is not None:
                self._take_list(entry, response, listed)
            else:
                self._take_page(entry, response, media_type)
        else:
            self._record.finish(done)  # another way to what this run has already

    def _takes_redirect(self, entry: Entry, response: Response) -> bool:
        """Tell whether what a redirect leads to is taken; the page that was kept under the old address goes if it has moved."""
        old = self._record.page(entry.address)
        if old is not None and old.file and not response.is_moved:
            raise FetchError(f"leads to {response.address} for now; what was kept of it stays")
        if old is not None:
            self._remove(old, f"moved to {response.address}")
        target = Entry(response.address, entry.depth, entry.is_list)
        if reason := "" if entry.address in self._start_addresses else self._reason_outside(target):
            self._report.skipped.append(Unread(entry.address, f"leads to {response.address}: {reason}"))
            self._record.finish([entry.address])
            return False
        return True

    def _take_list(self, entry: Entry, response: Response, listed: Listed) -> None:
        """Queue what a list names: those addresses count as the source's own."""
        links = [
            *(Entry(address, is_list=True) for address in listed.more),
            *(Entry(address, fields=fields) for address, fields in listed.pages),
        ]
        for identifier in listed.removed:
            address = self._record.address_with(OAI_IDENTIFIER, identifier)
            if address is not None and (gone := self._record.page(address)):
                self._remove(gone, "")
                self._record.finish([address])
        if listed.is_harvest:  # each is another question the next time
            page = None
            if listed.harvested:
                self._harvested[response.address.partition("?")[0]] = listed.harvested
        else:
            page = dataclasses.replace(_described(entry, response, links), is_list=True)
        self._record.finish([entry.address, response.address], self._inside(links, entry.depth), page)

    def _take_page(self, entry: Entry, response: Response, media_type: str) -> None:
        """Keep a page or file, and queue what it leads to."""
        suffix = _suffix(response, media_type)
        is_page = suffix == ".html"
        signs = page_signs(response.body, response.address, response.headers) if is_page else PageSigns()
        # What only lists other pages is none itself, so what it leads to is no link further away.
        is_list = _fits(response.address, self._source.lists)
        links = [Entry(link, 0 if is_list else 1) for link in signs.links if signs.may_be_followed]
        if signs.address and signs.address != response.address:
            links.append(Entry(signs.address))  # its own address is as near as it
        page = dataclasses.replace(_described(entry, response, links), calls_itself=signs.address)
        reason = "" if is_list else _reason_not_kept(suffix, media_type, signs)
        if not is_list and not reason:
            page = self._kept(page, _as_utf8(response) if is_page else response.body, suffix)
        else:
            if reason:
                self._report.skipped.append(Unread(response.address, reason))
            if (before := self._record.page(response.address)) is not None:
                self._remove(before, reason)
        self._record.finish([entry.address, response.address], self._inside(links, entry.depth), page)

    def _kept(self, page: KnownPage, body: bytes, suffix: str) -> KnownPage:
        """Write a file, unless it is there already."""
        digest = hashlib.sha256(body).hexdigest()
        before = self._record.page(page.address)
        if not page.fields and before is not None:
            page = dataclasses.replace(page, fields=before.fields)
        name = file_name(page.address, suffix)
        path = self._record.folder / name
        if before is not None and before.sha256 == digest and before.file == name and path.is_file():
            self._report.unchanged += 1
        else:
            part = path.with_name(f".{path.name}{PART}")
            with writing("what is fetched", self._record.folder, FETCH_AGAIN):
                try:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    part.write_bytes(body)
                    part.replace(path)
                except OSError:
                    part.unlink(missing_ok=True)
                    raise
            (self._report.changed if before is not None and before.file else self._report.new).append(page.address)
        if before is not None and before.file not in ("", name):  # it has become a file of another kind
            (self._record.folder / before.file).unlink(missing_ok=True)
        return dataclasses.replace(page, file=name, sha256=digest)

    def _remove(self, page: KnownPage, reason: str) -> None:
        self._record.forget(page)
        if page.file:
            self._report.removed.append(page.address + (f" ({reason})" if reason else ""))

    # ── What belongs to the source ──────────────────────────────────────────────────────────────────────────────────

    def _inside(self, links: Iterable[Entry], depth: int) -> list[Entry]:
        """Return the entries of what something at a depth leads to, as far as they are of the source."""
        entries = [dataclasses.replace(link, depth=depth + link.depth) for link in links]
        near = [entry for entry in entries if entry.depth <= (self._source.depth or 0)]
        inside = [entry for entry in near if not self._reason_outside(entry)]
        self._outside |= {entry.address for entry in near} - {entry.address for entry in inside}
        return inside

    def _reason_outside(self, entry: Entry) -> str:
        """Return why an address is not of the source; nothing where it is."""
        source, address = self._source, entry.address
        if site_of(host_of(address)) not in self._hosts:
            return f"on another host: {host_of(address)}"
        if address in self._start_addresses or entry.is_list:
            return ""
        if _fits(address, source.skip):
            return "left out by `skip`"
        if source.only and not _fits(address, (*source.only, *source.lists)):
            return "not among `only`"
        return "" if entry.depth <= (source.depth or 0) else "further away than `depth`"

    def _check(self, address: str) -> None:
        if site_of(host_of(address)) not in self._hosts:
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


def _fits(address: str, patterns: Sequence[str]) -> bool:
    path = path_of(address)
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _described(entry: Entry, response: Response, links: Iterable[Entry]) -> KnownPage:
    """Return what is known of a page that has just come, without its file."""
    return KnownPage(
        address=response.address,
        depth=entry.depth,
        etag=response.headers.get("etag", ""),
        modified=response.headers.get("last-modified", ""),
        fields=entry.fields,
        links=tuple(links),
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
