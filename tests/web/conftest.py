"""A real browser on the real service: Debian's Chromium, driven by Playwright, on the corpus with the real model."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="needs Playwright: `make test-web` installs it")

import uvicorn
from kept import kept_in
from playwright.sync_api import Browser, Page, sync_playwright

from pes_search.index.encoders.base import Encoder
from pes_search.service.api.app import create_app
from pes_search.service.engine import Engine
from pes_search.service.settings import Settings

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 812}
# Without a sandbox as root, and without a word to anybody but the service.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip
WAIT_SECONDS = 20

Open = Callable[..., Page]
Serve = Callable[..., str]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("needs Chromium: `make test-web` installs it where it may, else `apt-get install chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def serve(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Serve an index folder over HTTP; return the address."""
    servers: list[tuple[uvicorn.Server, threading.Thread]] = []

    def run(index: Path, **settings: Any) -> str:
        folder = tmp_path_factory.mktemp("service")
        own = Settings(index_dir=index, **{**kept_in(folder), **settings})
        app = create_app(Engine(own, own.index_store(), encoder))
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        for _ in range(WAIT_SECONDS * 20):
            if server.started:
                break
            time.sleep(0.05)
        assert server.started
        servers.append((server, thread))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield run
    for server, thread in servers:
        server.should_exit = True
        thread.join(WAIT_SECONDS)


@pytest.fixture(scope="session")
def corpus_site(serve: Serve, corpus_folder: Path) -> str:
    return serve(corpus_folder)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open an address in a new window; whatever a page complains about fails the test."""
    contexts, faults = [], []

    def run(address: str, *, size: dict[str, int] = WIDE, language: str = "en-GB", **options: Any) -> Page:
        context = browser.new_context(viewport=size, locale=language, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("console", lambda message: faults.append(message.text) if message.type in {"error", "warning"} else None)
        page.on("dialog", lambda dialog: faults.append(f"a dialog: {dialog.message}"))
        page.goto(address)
        return page

    yield run
    for context in contexts:
        context.close()
    assert faults == []
