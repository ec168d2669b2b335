"""A site of 2,000 pages on this machine is fetched, built, changed, fetched and built again: what each step costs.

    python -m pes_search.eval.experiments.fetching

The pages are made of the sentences of `corpus/practices`; a sitemap names them, and they link to each other.
"""

from __future__ import annotations

import hashlib
import random
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pes_search.ingest.documents import read_document
from pes_search.ingest.sources import find_files
from pes_search.ingest.web.client import Client
from pes_search.ingest.web.config import FetchConfig, WebSource
from pes_search.ingest.web.fetch import fetch
from pes_search.service.cli.frame import print_table
from pes_search.service.engine import build
from pes_search.service.settings import read_settings

PAGES, CHANGED, REMOVED, ADDED = 2_000, 40, 20, 10
SENTENCES = 6  # of a page


def main() -> int:
    """Print what each step costs; return the exit status."""
    chance = random.Random(1)  # noqa: S311 – no secret
    settings = read_settings()
    head = ("step", "requests", "new", "changed", "unchanged", "removed", "MB received", "seconds", "texts encoded")
    rows: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory() as name, _serving() as (pages, address):
        folder = Path(name)
        pages.update(_pages(chance))
        own = settings.model_copy(update={"index_dir": folder / "index"})

        def step(label: str) -> None:
            source = WebSource(name="site", urls=(f"{address}/sitemap.xml",), kind="news")
            with Client(FetchConfig(seconds_between=0.0, private_hosts=("127.0.0.1",))) as client:
                got = fetch(source, folder / "web", client)
            counts = len(got.new), len(got.changed), got.unchanged, len(got.removed), round(got.bytes / 1e6, 1)
            rows.append((f"fetch, {label}", got.requests, *counts, got.seconds, ""))
            built = build(own, [str(folder / "web")])
            rows.append((f"build, {label}", *[""] * 6, built.seconds, built.encoded))

        step("first")
        step("nothing changed")
        names = chance.sample(sorted(pages), CHANGED + REMOVED)
        for page in names[:CHANGED]:
            added = f"<p>This part was written anew, at {time.time_ns()}.</p></main>"
            pages[page] = pages[page].replace(b"</main>", added.encode())
        for page in names[CHANGED:]:
            del pages[page]
        pages.update(_pages(chance, range(PAGES, PAGES + ADDED)))
        step(f"{CHANGED} changed, {REMOVED} removed, {ADDED} new")
    print_table(head, rows)
    return 0


def _pages(chance: random.Random, numbers: range = range(PAGES)) -> dict[str, bytes]:
    """Return pages by their paths."""
    texts = [read_document(file) for file in find_files(["corpus/practices"]) if file.path.suffix == ".md"]
    sentences = [
        sentence
        for one in texts
        for block in one.blocks
        if block.kind == "paragraph"
        for sentence in re.split(r"(?<=[.!?]) ", block.text)
    ]
    pages: dict[str, bytes] = {}
    for number in numbers:
        chosen = chance.sample(sentences, SENTENCES)
        links = "".join(f'<a href="/news/{(number + away) % PAGES}">next</a> ' for away in (1, 2, 3))
        pages[f"/news/{number}"] = (
            f"<html lang='en'><head><title>News {number}</title></head><body><nav>{links}</nav><main><h1>News {number}: "
            f"{chosen[0][:60]}</h1><p>{' '.join(chosen[:3])}</p><p>{' '.join(chosen[3:])}</p></main></body></html>"
        ).encode()
    return pages


@contextmanager
def _serving() -> Iterator[tuple[dict[str, bytes], str]]:
    """Serve pages on this machine, with their sitemap, and answer 304 to who has them; yield the pages and the address."""
    pages: dict[str, bytes] = {}

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer

        def do_GET(self) -> None:
            content = pages.get(self.path)
            if self.path == "/sitemap.xml":
                host = self.headers["host"]
                places = "".join(f"<url><loc>http://{host}{path}</loc></url>" for path in pages)
                content = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{places}</urlset>'.encode()
            etag = f'"{hashlib.sha256(content or b"").hexdigest()[:16]}"'
            is_known = content is not None and self.headers["if-none-match"] == etag
            self.send_response(404 if content is None else 304 if is_known else 200)
            self.send_header("content-type", "application/xml" if self.path.endswith(".xml") else "text/html; charset=utf-8")
            self.send_header("etag", etag)
            body = b"" if content is None or is_known else content
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield pages, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    raise SystemExit(main())
