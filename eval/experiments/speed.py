"""`pes-eval speed`: how long encoding, building, searching and starting take, and how they grow with the collection.

What two things cost is told as a ratio of times from one run, taken in turn: these figures travel from machine to machine, and
milliseconds do not. The reference is the same model in plain sentence-transformers, float32, with as many threads.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import count, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pes_search.eval.experiments.sized_index import lines_of, sized_index
from pes_search.eval.experiments.speed_systems import SYSTEMS
from pes_search.eval.experiments.timed_service import running_service
from pes_search.index.build import build_index
from pes_search.index.encoders import load_encoder
from pes_search.index.encoders.base import Encoder
from pes_search.index.encoders.identity import model_fingerprint
from pes_search.index.evidence.fusion import scores_of
from pes_search.index.filters import EVERYTHING
from pes_search.index.open_index import OpenIndex
from pes_search.index.search import FIRST_DEPTH, candidates, read_query, search, terms_by_language
from pes_search.index.stores.file_index import mapped_vectors
from pes_search.index.stores.files import FileStore
from pes_search.index.stores.nearest import CHUNK, open_vectors
from pes_search.index.text.passage_text import full_text
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.languages.identify import detect_language
from pes_search.ingest.types import document_of
from pes_search.service.answers.answer import Answerer, answer
from pes_search.service.answers.confidence import load_models
from pes_search.service.settings import Settings

if TYPE_CHECKING:
    from pes_search.index.encoders.sentence_transformer import SentenceTransformerEncoder

ROUNDS = 5  # of what is timed in turn
ENCODED_PASSAGES, LINES_A_PASSAGE = 64, 8
QUERIES = (
    "reaching women after career breaks",
    "Wie erreicht man Frauen nach der Familienpause?",
    "wage subsidy for hiring long-term unemployed people over 50",
    "formation aux compétences numériques pour demandeurs d'emploi",
)
REPEATS = 60  # queries that are timed; each is another one, so that none is remembered
RECALLED_QUERIES, NEAREST = 40, 10
SERVED_PASSAGES, SERVED_SEARCHES = 10_000, 2_000
REBUILT_DOCUMENTS = 3_000
DEFAULT_SIZES = (1_000, 10_000)
PEER_PASSAGES, PEER_QUERIES, PEER_ROUNDS = 300, 40, 3
PEERS_PYTHON = Path("var/peers/bin/python")  # that `make bench-peers` installs other systems for
INSTALLED_HERE = ("pes-search", "sentence-transformers + FAISS + bm25s")


@dataclass(frozen=True)
class Speed:
    """What every part measures with."""

    settings: Settings
    data: Path  # folder of the test data
    sizes: Sequence[int]
    peers: Path = PEERS_PYTHON  # the interpreter that has other systems

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder of the settings."""
        return load_encoder(self.settings.encoder, self.settings.cache_dir)

    @cached_property
    def reference(self) -> SentenceTransformerEncoder:
        """The same model in plain sentence-transformers."""
        from pes_search.index.encoders.sentence_transformer import load_sentence_transformer

        return load_sentence_transformer(
            replace(self.settings.encoder, runtime="sentence-transformers"), self.settings.cache_dir
        )

    @cached_property
    def lines(self) -> list[str]:
        """Real sentences.

        Raises:
            PesSearchError: the test data is not there.
        """
        path = self.data / "sentences" / "labour-en.txt"
        if not path.is_file():
            raise PesSearchError(f"no test data in {self.data} ({path} is missing); name its folder with --data")
        return lines_of(path)


def measure_speed(speed: Speed, parts: Sequence[str], on_part: Callable[[str, Mapping[str, Any]], object]) -> None:
    """Measure the parts in their order; `on_part` gets each with its figures as soon as they are there.

    Raises:
        PesSearchError: the test data or the model cannot be used.
    """
    for part in parts:
        on_part(part, PARTS[part](speed))


# ── Parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _encode(speed: Speed) -> dict[str, Any]:
    """Encode some passages and one query, by both in turn."""
    texts = _passages(speed, ENCODED_PASSAGES)
    ours, theirs = speed.encoder, speed.reference
    passages = _in_turn({"ours": partial(ours.encode_passages, texts), "reference": partial(theirs.encode_passages, texts)})
    number = count()
    queries = _in_turn(
        {
            "ours": lambda: ours.encode_queries([f"{QUERIES[1]} {next(number)}"]),
            "reference": lambda: theirs.encode_queries([f"{QUERIES[1]} {next(number)}"]),
        },
        REPEATS,
    )
    return {
        "passages": len(texts),
        "passages_a_second": len(texts) / passages["ours"],
        "reference_passages_a_second": len(texts) / passages["reference"],
        "passages_ratio": passages["reference"] / passages["ours"],
        "query_ms": 1000 * queries["ours"],
        "reference_query_ms": 1000 * queries["reference"],
        "query_ratio": queries["ours"] / queries["reference"],
    }


def _build(speed: Speed) -> dict[str, Any]:
    """Build an index of real web pages and PDFs with an empty cache, then encode its passages by the reference, once each."""
    sources = [str(speed.data / "eurofound" / "factsheets"), str(speed.data / "eurofound" / "case-studies-pdf")]
    with tempfile.TemporaryDirectory() as folder:
        store = FileStore(Path(folder) / "index")
        build = _builder(speed, sources, store, Path(folder))
        cpu = time.process_time()
        whole = _seconds(build)
        cpu = time.process_time() - cpu
        index = store.open()
        documents = [document.id for document in index.documents(EVERYTHING)]
        texts = [full_text(text.document, passage) for text in index.texts(documents) for passage in text.passages]
        bare = _seconds(lambda: speed.reference.encode_passages(texts))
        again = _seconds(build)
    return {
        "passages": len(texts),
        "build_s": whole,
        "build_cpu_s": cpu,
        "reference_encoding_s": bare,
        "build_ratio": whole / bare,
        "unchanged_s": again,
    }


def _rebuild(speed: Speed) -> dict[str, Any]:
    """Build an index of many small files twice; the second time nothing has changed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "files").mkdir()
        write_lines_as_files(speed.lines, folder / "files", REBUILT_DOCUMENTS)
        build = _builder(speed, [str(folder / "files")], FileStore(folder / "index"), speed.settings.cache_dir)
        first, again = _seconds(build), _seconds(build)
    return {"documents": REBUILT_DOCUMENTS, "build_s": first, "unchanged_s": again}


def _start(speed: Speed) -> dict[str, Any]:
    """Start a process that searches, and one that imports what any search by vectors has to, in turn."""
    index = speed.settings.index_dir
    if FileStore(index).current_name() is None:
        raise PesSearchError(f"no index in {index}; build one with `pes build --index {index}`")
    commands = {
        "search": [sys.executable, "-m", "pes_search.service.cli.commands", "search", QUERIES[0], "--index", str(index)],
        "info": [sys.executable, "-m", "pes_search.service.cli.commands", "info", "--index", str(index)],
        "imports": [sys.executable, "-c", "import numpy, faiss"],
    }
    taken = _in_turn({name: partial(_run, command) for name, command in commands.items()})
    return {
        "search_s": taken["search"],
        "info_s": taken["info"],
        "imports_s": taken["imports"],
        "search_ratio": taken["search"] / taken["imports"],
    }


def _served(speed: Speed) -> dict[str, Any]:
    """Search a service over HTTP, and look at its memory before and after many searches."""
    with tempfile.TemporaryDirectory() as name:
        index = sized_index(Path(name), SERVED_PASSAGES, speed.lines, speed.encoder, speed.settings)
        passages = index.manifest.passages
        encodings = [_seconds(partial(speed.reference.encode_queries, [query])) for query in _queries(REPEATS)]
        with running_service(Path(name)) as service:
            searches = [_seconds(partial(service.search, query)) for query in _queries(REPEATS)]
            before = service.resident_mb()
            for query in _queries(SERVED_SEARCHES, first=REPEATS):
                service.search(query)
            after = service.resident_mb()
    return {
        "passages": passages,
        "search_ms": 1000 * statistics.median(searches),
        "reference_query_ms": 1000 * statistics.median(encodings),
        "search_ratio": statistics.median(searches) / statistics.median(encodings),
        "resident_mb": before,
        "searches": SERVED_SEARCHES,
        "resident_after_mb": after,
    }


def _peers(speed: Speed) -> list[dict[str, Any]]:
    """Build, start and search this project and other systems, each in processes of its own, in turn."""
    from pes_search.index.encoders.identity import configured_adapter
    from pes_search.index.encoders.packaged import PROMPTS
    from pes_search.index.encoders.transformer_folder import default_model_folder

    encoder = speed.settings.encoder
    task = {
        "model": str(default_model_folder(speed.settings.cache_dir, configured_adapter(encoder))),
        "query_prompt": PROMPTS["query"],
        "passage_prompt": PROMPTS["passage"],
        "threads": encoder.threads,
        "texts": _passages(speed, PEER_PASSAGES),
    }
    installed = [name for name in SYSTEMS if name in INSTALLED_HERE or speed.peers.is_file()]
    with tempfile.TemporaryDirectory() as name:
        folders = {system: Path(name) / str(number) for number, system in enumerate(installed)}
        rows: dict[str, dict[str, list[float]]] = {system: {} for system in installed}
        queries = {"start": _queries(1), "search": _queries(PEER_QUERIES)}
        for number in range(PEER_ROUNDS):
            for system in installed:
                folder = folders[system] / str(number)
                folder.mkdir(parents=True)
                python = sys.executable if system in INSTALLED_HERE else str(speed.peers)
                measured = _system_run(python, system, "build", task, folder)
                for run, texts in queries.items():
                    started = time.perf_counter()
                    found = _system_run(python, system, "search", task | {"queries": texts}, folder)
                    measured |= {"start_s": time.perf_counter() - started} if run == "start" else found
                for figure, value in measured.items():
                    rows[system].setdefault(figure, []).append(value)
    return [
        {"system": system, **{figure: statistics.median(values) for figure, values in rows[system].items()}}
        if system in installed
        else {"system": system, "missing": f"no {speed.peers}; `make bench-peers` makes it"}
        for system in SYSTEMS
    ]


def _system_run(python: str, system: str, mode: str, task: Mapping[str, Any], folder: Path) -> dict[str, float]:
    """Build or search a system in a process of its own; return what that measured.

    Raises:
        PesSearchError: the system fails.
    """
    script, task_file = Path(__file__).with_name("speed_systems.py"), folder / "task.json"
    task_file.write_text(json.dumps(task), encoding="utf-8")
    done = subprocess.run(  # noqa: S603
        [python, str(script), system, mode, str(task_file), str(folder)],
        env={**os.environ, "HF_HUB_OFFLINE": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise PesSearchError(f"{system} failed: {last}; `make bench-peers` installs the systems")
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _sizes(speed: Speed) -> list[dict[str, Any]]:
    """Search collections of several sizes, by stage, and tell how the times grow."""
    rows: list[dict[str, Any]] = []
    for size in speed.sizes:
        with tempfile.TemporaryDirectory() as name:
            started = time.perf_counter()
            index = sized_index(Path(name), size, speed.lines, speed.encoder, speed.settings)
            built = time.perf_counter() - started
            recall = _recall(FileStore(Path(name)), speed)
            rows.append(
                {"passages": index.manifest.passages, "write_s": built, **_stages(index, speed), "recall_at_10": recall}
            )
    for before, row in pairwise(rows):
        growth = math.log(row["passages"] / before["passages"])
        row["growth_exponent"] = math.log(row["search_ms"] / before["search_ms"]) / growth
    return rows


def _recall(store: FileStore, speed: Speed) -> float:
    """Return how many of the ten nearest passages the index finds, of those that comparing with every one finds."""
    dimensions = store.open().manifest.dimensions
    generation = store.folder / "generations" / (store.current_name() or "")
    vectors = mapped_vectors(generation / "vectors.f16", dimensions)
    nearest = open_vectors(vectors, generation)
    queries = speed.encoder.encode_queries(_queries(RECALLED_QUERIES))
    parts = [slice(start, start + CHUNK) for start in range(0, len(vectors), CHUNK)]
    cosines = np.concatenate([queries @ vectors[part].astype(np.float32).T for part in parts], axis=1)
    found = [
        len(set(np.argsort(-of_query)[:NEAREST].tolist()).intersection(nearest.top(query, None, NEAREST).tolist()))
        for query, of_query in zip(queries, cosines, strict=True)
    ]
    return statistics.mean(found) / min(NEAREST, len(vectors))


def _stages(index: OpenIndex, speed: Speed) -> dict[str, Any]:
    """Time the stages of a search one by one, whole searches, and answers."""
    encoder, config, stored = speed.encoder, speed.settings.search, index.stored
    answerer = Answerer(encoder, config, speed.settings.answer, load_models())
    taken: dict[str, list[float]] = {}

    def timed(stage: str, call: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = call()
        taken.setdefault(stage, []).append(1000 * (time.perf_counter() - started))
        return result

    search("warm up", index, encoder, config)
    answer("Who warms up?", index, answerer)
    first = index.manifest.passages  # other queries at each size
    for text in _queries(REPEATS, first):
        timed("search", partial(search, text, index, encoder, config))
    for text in _queries(REPEATS, first + REPEATS):
        timed("answer", partial(answer, text, index, answerer))
    for text in _queries(REPEATS, first + 2 * REPEATS):
        vector = timed("encode", partial(encoder.encode_queries, [text]))[0]
        language = timed("language", partial(detect_language, text))
        timed("tokens", partial(terms_by_language, text, index))
        query = timed("read", partial(read_query, text, language, vector, index, config))
        vectors = vector.reshape(1, -1)
        nearest = timed("dense", partial(stored.nearest, vectors, EVERYTHING, FIRST_DEPTH))
        lexical = timed("lexical", partial(stored.lexical, query.terms, EVERYTHING, FIRST_DEPTH))
        of_documents = {
            "agreement": timed("concepts", partial(index.concepts.agreement, query)),
            "labels": timed("labels", partial(index.concepts.labels, query)),
            "questions": timed("questions", partial(index.questions.scores, query.text, language, query.vector)),
        }
        ids = list(dict.fromkeys([*nearest, *lexical]))
        rows = timed("rows", partial(stored.rows, ids, query.terms))
        of_rows = [index.concepts.rows[document_of(passage_id)] for passage_id in ids]
        of_passages = {kind: values[of_rows] for kind, values in of_documents.items()}
        timed("fuse", partial(scores_of, query, rows, config.fusion, of_passages))
        timed("counts", partial(stored.counts, EVERYTHING))
        timed("candidates", partial(candidates, query, index, config.fusion, EVERYTHING, FIRST_DEPTH))
    medians = {f"{stage}_ms": statistics.median(times) for stage, times in taken.items()}
    return medians | {"search_slowest_ms": max(taken["search"])}


PARTS: Mapping[str, Callable[[Speed], Any]] = {
    "encode": _encode,
    "build": _build,
    "rebuild": _rebuild,
    "start": _start,
    "served": _served,
    "sizes": _sizes,
    "peers": _peers,
}


# ── Tools ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _builder(speed: Speed, sources: list[str], store: FileStore, cache_dir: Path) -> Callable[[], object]:
    return lambda: build_index(
        sources,
        store,
        lambda: speed.encoder,
        model=model_fingerprint(speed.settings.encoder),
        cache_dir=cache_dir,
        config=speed.settings.index_config(),
        default_lists=speed.settings.taxonomy,
    )


def _passages(speed: Speed, number: int) -> list[str]:
    """Return texts as long as passages are: eight real sentences each."""
    firsts = range(0, number * LINES_A_PASSAGE, LINES_A_PASSAGE)
    return [" ".join(speed.lines[first : first + LINES_A_PASSAGE]) for first in firsts]


def _queries(number: int, first: int = 0) -> list[str]:
    """Return queries of which none is like another."""
    return [f"{QUERIES[each % len(QUERIES)]} {each}" for each in range(first, first + number)]


def _in_turn(calls: Mapping[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """Return the median of the seconds that each call took, one after the other, round by round; the first is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            seconds = _seconds(call)
            if number:
                taken[name].append(seconds)
    return {name: statistics.median(times) for name, times in taken.items()}


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=os.environ)  # noqa: S603


def write_lines_as_files(lines: Iterable[str], folder: Path, most: int) -> None:
    """Write each of the first `most` lines into a file of its own: a collection of that many passages."""
    for number, line in zip(range(most), lines, strict=False):
        (folder / f"{number:06}.txt").write_text(line, encoding="utf-8")
