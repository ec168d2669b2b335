"""When the first result is on screen, and what pages weigh: the real service in a real browser (`make bench-web`).

Asks the development questions that are texts, each in a new window with an empty cache, one after the other.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import numpy as np
import uvicorn

from pes_search.eval.collections.questions import PROJECT_QUESTIONS, read_questions
from pes_search.eval.provenance import provenance
from pes_search.service.api.app import create_app
from pes_search.service.engine import open_engine
from pes_search.service.records.config import DatabaseConfig
from pes_search.service.settings import read_settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SEED = 1  # of the draw: the same questions in every run
WINDOW = {"width": 1280, "height": 900}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
# The paint that follows the moment when the first hit stands in the page, in milliseconds since the navigation began.
FIRST_RESULT = """
new PerformanceObserver(() => {}).observe({type: "layout-shift", buffered: true});
addEventListener("DOMContentLoaded", () => requestAnimationFrame(() => requestAnimationFrame(() => {
  if (document.querySelector(".hit")) window.firstResult = performance.now();
})));
window.shift = 0;
new PerformanceObserver(list => { for (const entry of list.getEntries()) window.shift += entry.value; })
  .observe({type: "layout-shift", buffered: true});
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, as JSON too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=200, help="how many, by a fixed draw (default: 200)")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parsed = parser.parse_args(arguments)
    from playwright.sync_api import sync_playwright

    questions = [question.text for question in read_questions(PROJECT_QUESTIONS / "questions.jsonl", "dev") if question.text]
    drawn = random.Random(SEED).sample(questions, min(parsed.questions, len(questions)))  # noqa: S311
    settings = read_settings().model_copy(update={"database": DatabaseConfig(path=Path("var/page_speed.sqlite3"))})
    app = create_app(open_engine(settings))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    manifest = app.state.engine.index().manifest
    site = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        figures = measured(browser, site, drawn)
        browser.close()
    server.should_exit = True
    thread.join()
    for name, value in figures.items():
        print(f"{name:<28} {value}")
    if parsed.json:
        parsed.json.write_text(json.dumps({**provenance(settings, manifest), **figures}, indent=1), encoding="utf-8")


def measured(browser: Browser, site: str, questions: Sequence[str]) -> dict[str, float]:
    """Return milliseconds to the first result, bytes over the wire, and the largest layout shift."""
    seen = [_visit(browser, site + "/?" + urlencode({"q": question})) for question in questions]
    shown = [milliseconds for milliseconds, _, _ in seen if milliseconds is not None]
    start = _visit(browser, site + "/")
    return {
        "questions": len(questions),
        "with a first result": len(shown),
        "first result p50, ms": round(float(np.percentile(shown, 50)), 1),
        "first result p95, ms": round(float(np.percentile(shown, 95)), 1),
        "start page, bytes": start[1],
        "results page p50, bytes": float(np.percentile([size for _, size, _ in seen], 50)),
        "largest layout shift": max(shift for _, _, shift in seen),
    }


def _visit(browser: Browser, address: str) -> tuple[float | None, int, float]:
    context = browser.new_context(viewport=WINDOW)
    page = context.new_page()
    page.add_init_script(FIRST_RESULT)
    page.goto(address, wait_until="networkidle")
    first, shift, size = page.evaluate(
        """[window.firstResult ?? null, window.shift, [...performance.getEntriesByType("navigation"),
            ...performance.getEntriesByType("resource")].reduce((sum, entry) => sum + entry.transferSize, 0)]"""
    )
    context.close()
    return first, size, shift


if __name__ == "__main__":
    main()
