"""How long building and searching take, as ratios to the encoder's own time in the same run."""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from pes_search.index.build import build_index
from pes_search.index.config import IndexConfig
from pes_search.index.encoders.base import EncoderConfig
from pes_search.index.encoders.sentence_transformer import SentenceTransformerEncoder
from pes_search.index.filters import EVERYTHING
from pes_search.index.stores.files import FileStore
from pes_search.index.text.passage_text import full_text

REPEATS = 60  # queries that are timed
REQUEST_TIMEOUT_SECONDS = 60
START_TRIES, START_PAUSE_SECONDS = 240, 0.5  # how long a service may take to be ready
QUERIES = (
    "reaching women after career breaks",
    "Wie erreicht man Frauen nach der Familienpause?",
    "wage subsidy for hiring long-term unemployed people over 50",
    "formation aux compétences numériques pour demandeurs d'emploi",
)


def build_ratio(sources: list[str], encoder: SentenceTransformerEncoder, config: EncoderConfig, model: str) -> dict[str, float]:
    """Time a whole build with an empty cache, a second one, and a bare encoding of the same passages.

    `model` is the encoder's fingerprint, from `config`.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = FileStore(Path(folder) / "index")

        def build() -> object:
            return build_index(
                sources,
                store,
                lambda: encoder,
                model=model,
                cache_dir=Path(folder),
                config=IndexConfig(),
            )

        whole = _seconds(build)
        index = store.open()
        ids = [document.id for document in index.documents(EVERYTHING)]
        texts = [full_text(text.document, passage) for text in index.texts(ids) for passage in text.passages]
        prompt = encoder.passage_prompt
        bare = _seconds(
            lambda: encoder.model.encode(
                texts, prompt=prompt, batch_size=config.batch_size, normalize_embeddings=True, show_progress_bar=False
            )
        )
        again = _seconds(build)
    return {"passages": len(texts), "build_s": whole, "bare_encode_s": bare, "ratio": whole / bare, "second_build_s": again}


def http_ratio(index_dir: Path, encoder: SentenceTransformerEncoder) -> dict[str, float]:
    """Time encoding some queries, then whole HTTP searches for the same ones by a service of its own.

    Not in turn: the threads of a process that has just encoded spin for a while and would slow the other one down.
    """
    queries = [f"{QUERIES[i % len(QUERIES)]} {i}" for i in range(REPEATS)]
    encoder.encode_queries(queries[:5])
    encodings = [_seconds(partial(encoder.encode_queries, [query])) for query in queries]
    port = _free_port()
    command = [sys.executable, "-m", "pes_search.service.cli.commands", "serve", "--index", str(index_dir), "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as service:  # noqa: S603
        try:
            base = f"http://127.0.0.1:{port}"
            _wait(f"{base}/readyz")
            addresses = [f"{base}/api/v1/search?" + urllib.parse.urlencode({"q": query, "k": 10}) for query in queries]
            searches = [_seconds(partial(_get, address)) for address in addresses]
            passages = json.loads(_get(f"{base}/api/v1/search?q=x&group=passage&k=1"))["total"]
        finally:
            service.terminate()
    return {
        "passages": passages,
        "search_ms": 1000 * statistics.median(searches),
        "encode_ms": 1000 * statistics.median(encodings),
        "ratio": statistics.median(searches) / statistics.median(encodings),
    }


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _get(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=REQUEST_TIMEOUT_SECONDS) as response:  # noqa: S310
        content: bytes = response.read()
        return content


def _wait(address: str) -> None:
    for _ in range(START_TRIES):
        try:
            _get(address)
        except OSError:
            time.sleep(START_PAUSE_SECONDS)
        else:
            return
    raise TimeoutError(f"{address} does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_lines_as_files(lines: Iterable[str], folder: Path, count: int) -> None:
    """Write each of the first `count` lines into a file of its own: a collection of that many passages."""
    for number, line in zip(range(count), lines, strict=False):
        (folder / f"{number:06}.txt").write_text(line, encoding="utf-8")
