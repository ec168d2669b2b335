"""A web site on this machine that behaves as sites do, well and badly."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Handler = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Page:
    """What the site has at an address. With a `handler` that writes the answer itself."""

    body: str | bytes = b""
    media_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    handler: Handler | None = None
    has_etag: bool = True

    @property
    def content(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else self.body


class Site:
    """Serves `pages` by path and query, and remembers what it was asked."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[str] = []  # paths, in their order
        self.sent: list[str] = []  # paths whose content was sent
        self.agents: set[str] = set()
        site = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked.append(self.path)
                site.agents.add(self.headers["user-agent"])
                page = site.pages.get(self.path, Page("no such page", status=404))
                if page.handler is not None:
                    with contextlib.suppress(OSError):
                        page.handler(self)
                    return
                etag = f'"{hash(page.content):x}"'
                if page.status == 200 and page.has_etag and self.headers["if-none-match"] == etag:
                    self.send_response(304)
                    self.end_headers()
                    return
                if page.status == 200:
                    site.sent.append(self.path)
                self.send_response(page.status)
                self.send_header("content-type", page.media_type)
                self.send_header("content-length", str(len(page.content)))
                if page.has_etag:
                    self.send_header("etag", etag)
                for name, value in page.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(page.content)

            def log_message(self, *arguments: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hangs up is expected."""

        self._server = Server(("127.0.0.1", 0), Answer)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def redirect(self, path: str, to: str, status: int = 302) -> None:
        self.pages[path] = Page(status=status, headers={"location": to})

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def a_site() -> Iterator[Site]:
    site = Site()
    try:
        yield site
    finally:
        site.close()


def a_page(title: str, text: str = "", head: str = "", links: tuple[str, ...] = ()) -> Page:
    """Return a page with a menu, a title, a text long enough to be read, and links."""
    text = text or f"The office tells about {title}. People who look for work meet advisers there, and more of them find a job."
    listed = "".join(f'<li><a href="{link}">more</a></li>' for link in links)
    return Page(
        f"<html><head><title>{title}</title>{head}</head><body><nav><a href='/'>Home</a></nav><main><h1>{title}</h1>"
        f"<p>{text}</p><ul>{listed}</ul></main></body></html>"
    )
