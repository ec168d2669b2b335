"""`make train-reader`: train the reader of answering, and write its adapter and head to `var/reader/reader`.

    python -m pes_search.eval.training.train_reader [--data ../shared/data] [--out var/reader] [--set NAME=VALUE …]

A question and the sentences that were found for it go through the packaged model in one sequence. The matrices of its upper
layers are trained, and what they change by is written as a low-rank adapter (the largest singular values). A head scores the
mean of each sentence's tokens, and the first token for "not here":

    score(sentence) = w · mean(tokens) + b + c · cosine(question, sentence)        score(not here) = v · first + d
    loss = - log softmax(scores)[sentences that answer, or not here]

The cosine of the encoder's vectors stays in the sum: across languages it knows what the reader has seen too little of.
Batches depend on the seed and the step alone, and a checkpoint holds the rest: a run that is stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pes_search.eval.answers import auroc
from pes_search.eval.training.reader_examples import ReaderExample, read_examples, write_examples
from pes_search.eval.training.run import CHECKPOINT_STEPS, configured, load_checkpoint, rate, save_checkpoint
from pes_search.index.encoders import load_encoder
from pes_search.index.encoders.adapter import CONFIG_FILE, WEIGHTS_FILE
from pes_search.index.encoders.onnx import packaged_tokenizer
from pes_search.index.encoders.transformer_folder import default_model_folder
from pes_search.ingest.errors import PesSearchError
from pes_search.service.answers.confidence import load_models
from pes_search.service.answers.reader import Asked, Sequenced, asked, sequenced
from pes_search.service.settings import read_settings

if TYPE_CHECKING:
    import torch

PLACES = r"encoder\.layer\.({layers})\..*(query|key|value|dense)\.weight"
PROGRESS_STEPS = 25
HELD_OUT_MEASURED = 400  # examples of a source, at most


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How the reader is trained; every field can be set with --set."""

    seed: int = 7
    passes: float = 1.2  # over the examples
    batch: int = 16
    chunk: int = 4  # examples that go through the model at once
    rank: int = 32  # of the adapter that the changes are written as
    first_layer: int = 4  # those below stay as they are
    learning_rate: float = 6e-5
    head_rate: float = 4e-3
    cosine_weight: float = 30.0  # to start from
    choice_cosine: float = 70.0  # the cosine's weight where the reader is used: 60 to 80 chose best of 30 to 120 (held out)
    without_title: float = 0.2  # share of the examples that are read without titles
    fewer: float = 0.5  # share of which only some of the sentences are shown


def main(arguments: list[str] | None = None) -> int:
    """Train; return the exit status."""
    parser = argparse.ArgumentParser(prog="train-reader", description="Train the reader of answering.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the training data")
    parser.add_argument(
        "--out", type=Path, default=Path("var/reader"), help="folder for examples, checkpoints, adapter and report"
    )
    parser.add_argument("--set", dest="values", nargs="*", default=[], metavar="NAME=VALUE", help="see TrainingConfig")
    parsed = parser.parse_args(arguments)
    if not (parsed.data / "bench").is_dir():
        print(f"train-reader: no training data in {parsed.data}; name its folder with --data", file=sys.stderr)
        return 1
    try:
        Training(configured(TrainingConfig, parsed.values), parsed.data, parsed.out).run()
    except (PesSearchError, ValueError) as error:
        print(f"train-reader: {error}", file=sys.stderr)
        return 1
    return 0


@dataclass(frozen=True, slots=True)
class _Shown:
    """An example as the model sees it."""

    example: ReaderExample
    sequence: Sequenced
    cosines: list[float]  # of the sentences in the sequence, in its order
    answers: list[bool]


class Training:
    """One run: its examples, the model that it changes, and where it writes."""

    def __init__(self, config: TrainingConfig, data: Path, out: Path) -> None:
        self.config, self.out = config, out
        settings = read_settings()
        out.mkdir(parents=True, exist_ok=True)
        path = out / "examples.jsonl"
        if not path.is_file():
            aside = out / "examples.new"
            write_examples(aside, data, settings, load_encoder(settings.encoder, settings.cache_dir), load_models())
            os.replace(aside, path)
        self.tokens = packaged_tokenizer(settings.cache_dir).ids
        every = [(example, self._asked(example)) for example in read_examples(path)]
        self.examples = [pair for pair in every if not pair[0].held_out and pair[0].candidates]
        self.held_out = [pair for pair in every if pair[0].held_out and pair[0].candidates]
        self.folder = default_model_folder(settings.cache_dir, None)

    def _asked(self, example: ReaderExample) -> Asked:
        found = example.candidates
        places = [(candidate.document, *candidate.place) for candidate in found]
        return asked(
            example.question,
            [candidate.title for candidate in found],
            [candidate.text for candidate in found],
            places,
            self.tokens,
        )

    def run(self) -> None:
        """Train from the last checkpoint on; write the adapter, the head and the report."""
        import torch
        from transformers import AutoModel

        config = self.config
        torch.manual_seed(config.seed)
        self.model = AutoModel.from_pretrained(self.folder)
        layers = "|".join(map(str, range(config.first_layer, self.model.config.num_hidden_layers)))
        trained = re.compile(PLACES.format(layers=layers))
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(trained.fullmatch(name) is not None)
        self.original = {name: value.detach().clone() for name, value in self.model.named_parameters() if value.requires_grad}
        self.model.eval()  # without dropout, which costs a sixth of the time
        self.head = torch.nn.ParameterDict(
            {
                "sentence": torch.zeros(self.model.config.hidden_size),
                "sentence_bias": torch.zeros(()),
                "not_here": torch.zeros(self.model.config.hidden_size),
                "not_here_bias": torch.tensor(config.cosine_weight * 0.85),
                "cosine": torch.tensor(config.cosine_weight),
            }
        )
        weights = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        groups = [
            {"params": weights, "lr": config.learning_rate},
            {"params": list(self.head.parameters()), "lr": config.head_rate},
        ]
        optimizer = torch.optim.AdamW(groups, weight_decay=0.0)
        steps = int(config.passes * len(self.examples)) // config.batch
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, steps))
        every = [*weights, *self.head.parameters()]
        start, history = load_checkpoint(self.out, config, every, optimizer, schedule)
        print(f"{len(self.examples)} examples, {len(self.held_out)} held out; {steps} steps", flush=True)
        began = time.monotonic()
        for step in range(start, steps):
            loss = self._step(step)
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            history.append(round(loss, 4))
            if (step + 1) % PROGRESS_STEPS == 0:
                seconds = (time.monotonic() - began) / (step + 1 - start)
                print(
                    f"step {step + 1}/{steps}, {seconds:.2f} s each; loss {np.mean(history[-PROGRESS_STEPS:]):.3f}", flush=True
                )
            if (step + 1) % CHECKPOINT_STEPS == 0 or step + 1 == steps:
                save_checkpoint(self.out, config, step + 1, every, optimizer, schedule, history)
        self._write(history)

    def _step(self, step: int) -> float:
        """Add up the gradients of a batch; return its loss."""
        import torch

        config = self.config
        rng = np.random.default_rng((config.seed, step))
        per_pass = len(self.examples) // config.batch
        order = np.random.default_rng((config.seed, step // per_pass)).permutation(len(self.examples))
        rows = order[step % per_pass * config.batch :][: config.batch]
        shown = sorted(
            (self._shown(example, question, rng) for example, question in map(self.examples.__getitem__, rows)),
            key=lambda one: len(one.sequence.ids),
        )
        total = 0.0
        for first in range(0, len(shown), config.chunk):
            chunk = shown[first : first + config.chunk]
            losses = [_loss(scores, one.answers) for scores, one in zip(self._scores(chunk), chunk, strict=True)]
            loss = torch.stack(losses).sum() / len(shown)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        return total

    def _shown(self, example: ReaderExample, question: Asked, rng: np.random.Generator | None = None) -> _Shown:
        """Return an example as it is read; with a generator some things vary from pass to pass."""
        found = example.candidates
        gold = next((number for number, candidate in enumerate(found) if candidate.answers), None)
        numbers = list(range(len(found)))
        titles = question.titles
        if rng is not None and rng.random() < self.config.without_title:
            titles = [[] for _ in titles]
        if rng is not None and rng.random() < self.config.fewer and len(numbers) > 2:
            numbers = sorted(rng.choice(len(numbers), int(rng.integers(2, len(numbers))), replace=False).tolist())
        if gold is not None:  # where there is an answer it is shown
            numbers = [gold, *(number for number in numbers if number != gold)]
        part = Asked(
            question.question,
            [titles[number] for number in numbers],
            [question.sentences[number] for number in numbers],
            [question.places[number] for number in numbers],
        )
        sequence = sequenced(part)
        chosen = [numbers[place] for place in sequence.spans]
        return _Shown(
            example, sequence, [found[number].cosine for number in chosen], [found[number].answers for number in chosen]
        )

    def _scores(self, chunk: Sequence[_Shown]) -> list[torch.Tensor]:
        """Return for each example the scores of its sentences, and last that of "not here"."""
        import torch

        longest = max(len(one.sequence.ids) for one in chunk)
        ids = torch.zeros(len(chunk), longest, dtype=torch.long)
        mask = torch.zeros(len(chunk), longest, dtype=torch.long)
        for row, one in enumerate(chunk):
            ids[row, : len(one.sequence.ids)] = torch.tensor(one.sequence.ids)
            mask[row, : len(one.sequence.ids)] = 1
        states = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        scores = []
        for state, one in zip(states, chunk, strict=True):
            means = torch.stack([state[first:end].mean(0) for first, end in one.sequence.spans.values()])
            sentences = (
                means @ self.head["sentence"] + self.head["sentence_bias"] + self.head["cosine"] * torch.tensor(one.cosines)
            )
            not_here = state[0] @ self.head["not_here"] + self.head["not_here_bias"]
            scores.append(torch.cat([sentences, not_here[None]]))
        return scores

    # ── What comes of it ────────────────────────────────────────────────────────────────────────────────────────────

    def _write(self, history: Sequence[float]) -> None:
        from safetensors.torch import save_file

        folder = self.out / "reader"
        folder.mkdir(exist_ok=True)
        tensors: dict[str, torch.Tensor] = {}
        for name, value in self.model.named_parameters():
            if name in self.original:
                first, second = _low_rank(value.detach() - self.original[name], self.config.rank)
                value.data.copy_(self.original[name] + second @ first)  # what is measured is what is written
                place = f"base_model.model.{name.removesuffix('.weight')}"
                tensors |= {f"{place}.lora_A.weight": first, f"{place}.lora_B.weight": second}
        save_file({name: tensor.half().contiguous() for name, tensor in tensors.items()}, folder / WEIGHTS_FILE)
        config = {"peft_type": "LORA", "r": self.config.rank, "lora_alpha": self.config.rank}
        (folder / CONFIG_FILE).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
        head = {name: np.round(value.detach().numpy(), 5).tolist() for name, value in self.head.items()}
        head["choice_cosine"] = self.config.choice_cosine
        (folder / "head.json").write_text(json.dumps(head) + "\n", encoding="utf-8")
        report = {"config": asdict(self.config), "losses": history[::PROGRESS_STEPS], "held_out": self.measured()}
        (self.out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        print(json.dumps(report["held_out"], indent=1))

    def measured(self) -> dict[str, dict[str, float]]:
        """Return for each held-out source and language: how often the best sentence answers, by reader and by cosine alone."""
        import torch

        of_source: dict[str, list[tuple[ReaderExample, Asked]]] = defaultdict(list)
        for example, question in self.held_out:
            of_source[f"{example.source} {example.language}" if example.source == "xquad" else example.source].append(
                (example, question)
            )
        figures = {}
        for source, pairs in sorted(of_source.items()):
            right, by_cosine, here, truth = [], [], [], []
            for example, question in pairs[:HELD_OUT_MEASURED]:
                shown = self._shown(example, question)
                with torch.no_grad():
                    (scores,) = self._scores([shown])
                truth.append(not any(shown.answers))
                here.append(float(scores[-1] - torch.logsumexp(scores[:-1], 0)))
                if any(shown.answers):
                    right.append(shown.answers[int(scores[:-1].argmax())])
                    by_cosine.append(shown.answers[int(np.argmax(shown.cosines))])
            figures[source] = {
                "questions": len(truth),
                "best sentence": round(float(np.mean(right)), 4) if right else 0.0,
                "best by cosine": round(float(np.mean(by_cosine)), 4) if right else 0.0,
                "not here, AUROC": round(auroc(np.array(truth), np.array(here)), 4),
            }
        return figures


def _low_rank(change: torch.Tensor, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return two matrices of a rank whose product, second times first, comes nearest to a change (Eckart and Young 1936)."""
    import torch

    left, values, right = torch.linalg.svd(change, full_matrices=False)
    root = values[:rank].sqrt()
    return root[:, None] * right[:rank], left[:, :rank] * root


def _loss(scores: torch.Tensor, answers: Sequence[bool]) -> torch.Tensor:
    import torch

    right = torch.tensor([*answers, not any(answers)])
    return torch.logsumexp(scores, 0) - torch.logsumexp(scores[right], 0)


if __name__ == "__main__":
    sys.exit(main())
