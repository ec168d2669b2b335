"""`make train-encoder`: train the adapter that is merged into the packaged encoder, and write a report.

python -m pes_search.eval.training.train_encoder [--data ../shared/data] [--out var/encoder] [--set NAME=VALUE …]

The student is the packaged encoder with a low-rank adapter, the teacher an English model of four times its size. In each
batch the student's cosines of every query with every passage, whatever their languages, are to be distributed as the
teacher's are for the English texts, and the student's vectors are to stay near those that it gave before:

    loss = KL(softmax(teacher / T_t) ‖ softmax(student / T_s)) + anchor · mean squared distance to the original vectors

Batches depend on the seed and the step alone, and a checkpoint holds the rest: a run that is stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pes_search.eval.experiments.encoder_report import parts, report
from pes_search.eval.training.run import CHECKPOINT_STEPS, configured, load_checkpoint, rate, save_checkpoint
from pes_search.eval.training.teacher import SHA256 as TEACHER_SHA256
from pes_search.eval.training.teacher import load_teacher
from pes_search.eval.training.training_texts import Batch, Item, read_training_texts
from pes_search.index.encoders.adapter import CONFIG_FILE, WEIGHTS_FILE, adapter_hash
from pes_search.index.encoders.base import NO_ADAPTER
from pes_search.index.encoders.cache import VectorCache, cache_name, encode_cached
from pes_search.index.encoders.packaged import PACKED_SHA256
from pes_search.index.encoders.sentence_transformer import load_sentence_transformer
from pes_search.ingest.errors import PesSearchError
from pes_search.service.settings import read_settings

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch

    from pes_search.index.arrays import Vectors


PLACES = {
    "qv+ffn": r".*\.(query|value|intermediate\.dense|layer\.\d+\.output\.dense)",
    "qkvo": r".*\.(query|key|value|attention\.output\.dense)",
    "ffn": r".*\.(intermediate\.dense|layer\.\d+\.output\.dense)",
    "all": r".*encoder.*\.(query|key|value|dense)",
}
CHUNK_TEXTS = 12  # that the student reads at once
HARD_PASSAGES = 8  # nearest to a passage, of which those that stand beside it in a batch are drawn
MASKED_LOGIT = -1e4  # of a pair that does not count: after softmax nothing is left of it


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How the adapter is trained; every field can be set with --set."""

    seed: int = 5
    steps: int = 200
    batch: int = 32  # queries; about as many passages
    rank: int = 8
    places: str = "qv+ffn"
    learning_rate: float = 5e-4
    teacher_temperature: float = 0.05
    student_temperature: float = 0.02
    anchor: float = 3.0
    strength: float = 0.8  # of the shipped adapter; below 1 it lies between the original weights and the trained ones
    teacher_share: float = 1.0  # of the targets; the rest is the original encoder's own similarities
    positives: float = 0.8  # of a target, evenly among the passages that answer the query, where there are any
    mask_same: bool = True  # a text is not held against itself
    neighbours: int = 7  # of each drawn sentence that come into its batch
    max_tokens: int = 96
    sentences: float = 0.35  # shares of the batches, by kind
    practices: float = 0.1
    labels: float = 0.2
    parallel: float = 0.35
    everyday: float = 0.0  # the trial with .3 is in docs/encoder.md; the shipped adapter has none


def main(arguments: list[str] | None = None) -> int:
    """Train; return the exit status."""
    parser = argparse.ArgumentParser(prog="train-encoder", description="Train the encoder's adapter.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the test data")
    parser.add_argument("--corpus", type=Path, default=Path("corpus"), help="folder of the write-ups")
    parser.add_argument("--out", type=Path, default=Path("var/encoder"), help="folder for checkpoints, adapter and report")
    parser.add_argument("--set", dest="values", nargs="*", default=[], metavar="NAME=VALUE", help="see TrainingConfig")
    parsed = parser.parse_args(arguments)
    try:
        config = configured(TrainingConfig, parsed.values)
        Training(config, parsed.data, parsed.corpus, parsed.out).run()
    except (PesSearchError, ValueError) as error:
        print(f"train-encoder: {error}", file=sys.stderr)
        return 1
    return 0


class Training:
    """One run: what it reads, the model that it changes, and where it writes."""

    def __init__(self, config: TrainingConfig, data: Path, corpus: Path, out: Path) -> None:
        self.settings = settings = read_settings()
        self.config = config
        self.data, self.out = data, out
        out.mkdir(parents=True, exist_ok=True)
        base = dataclasses.replace(settings.encoder, adapter=NO_ADAPTER)
        self.original = load_sentence_transformer(base, settings.cache_dir)
        self.student = load_sentence_transformer(base, settings.cache_dir)
        self.texts = read_training_texts(data, corpus, self.original, settings.passages)
        teacher = load_teacher(settings.cache_dir, settings.encoder.threads)
        vectors = settings.cache_dir / "vectors"
        self.teacher = _Cached(
            teacher.encode_passages, teacher.dimensions, VectorCache(vectors, cache_name(teacher, "passages"))
        )
        before = self.original
        self.before = {
            "query": _Cached(before.encode_queries, before.dimensions, VectorCache(vectors, cache_name(before, "queries"))),
            "passage": _Cached(before.encode_passages, before.dimensions, VectorCache(vectors, cache_name(before, "passages"))),
        }

    def run(self) -> None:
        """Train from the last checkpoint on; write the adapter and the report."""
        import torch
        from peft import LoraConfig

        config = self.config
        torch.manual_seed(config.seed)
        model = self.student.model
        model.add_adapter(
            LoraConfig(r=config.rank, lora_alpha=2 * config.rank, target_modules=PLACES[config.places], lora_dropout=0.0)
        )
        weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(weights, lr=config.learning_rate, weight_decay=0.0)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, config.steps))
        start, history = load_checkpoint(self.out, config, weights, optimizer, schedule)
        neighbours = _Neighbours(self)
        kinds = ("sentences", "practices", "labels", "parallel", "everyday")
        shares = np.array([getattr(config, kind) for kind in kinds])
        model.eval()  # without dropout: the targets are soft, and a sixth of the time goes into random numbers
        began = time.monotonic()
        for step in range(start, config.steps):
            rng = np.random.default_rng((config.seed, step))
            kind = str(rng.choice(kinds, p=shares / shares.sum()))
            batch = self.texts.batch(kind, config.batch, rng, neighbours)
            divergence, distance = self._losses(batch)
            optimizer.zero_grad()
            (divergence + config.anchor * distance).backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            schedule.step()
            history.append((step, kind, round(divergence.item(), 4), round(distance.item(), 5)))
            if (step + 1) % CHECKPOINT_STEPS == 0 or step + 1 == config.steps:
                save_checkpoint(self.out, config, step + 1, weights, optimizer, schedule, history)
                _print_progress(step + 1, config.steps, history, (time.monotonic() - began) / (step + 1 - start))
        self._write_adapter(model)
        self._write_report(history)

    def _losses(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the divergence from the teacher's similarities and the distance to the original vectors."""
        import torch

        config = self.config
        sides = {"query": batch.queries, "passage": batch.passages}
        before = {side: self.before[side]([item.text for item in items]) for side, items in sides.items()}
        now = {side: self._encoded(items, side) for side, items in sides.items()}
        meanings = [self.teacher([item.meaning for item in items]) for items in sides.values()]
        similar = meanings[0] @ meanings[1].T, before["query"] @ before["passage"].T
        target = torch.from_numpy(targets(batch, *similar, config))
        logits = now["query"] @ now["passage"].T / config.student_temperature
        if config.mask_same:
            logits = logits.masked_fill(torch.from_numpy(_same(batch)), MASKED_LOGIT)
        divergence = torch.nn.functional.kl_div(logits.log_softmax(1), target, reduction="batchmean")
        distance = torch.stack([(now[s] - torch.from_numpy(before[s])).square().sum(1).mean() for s in sides]).mean()
        return divergence, distance

    def _encoded(self, items: Sequence[Item], side: str) -> torch.Tensor:
        """Return the student's vectors with their gradients, in the items' order; texts of like length share the padding."""
        import torch

        prompt = self.student.query_prompt if side == "query" else self.student.passage_prompt
        order = sorted(range(len(items)), key=lambda row: len(items[row].text))
        parts = []
        for first in range(0, len(order), CHUNK_TEXTS):
            texts = [prompt + items[row].text for row in order[first : first + CHUNK_TEXTS]]
            tokenizer, most = self.student.model.tokenizer, self.config.max_tokens
            features = tokenizer(texts, padding=True, truncation=True, max_length=most, return_tensors="pt")
            parts.append(self.student.model(dict(features))["sentence_embedding"])
        return torch.cat(parts)[torch.from_numpy(np.argsort(order))]

    # ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _write_adapter(self, model: Any) -> None:
        from peft import get_peft_model_state_dict
        from safetensors.torch import save_file

        config = self.config
        folder = self.out / "adapter"
        folder.mkdir(exist_ok=True)
        state = get_peft_model_state_dict(model[0].model)
        # Half precision: the merged weights differ by less than the 4-bit file's own rounding.
        tensors = {name: tensor.half().contiguous() for name, tensor in state.items()}
        save_file(tensors, folder / WEIGHTS_FILE, metadata={"format": "pt"})
        values = {
            "peft_type": "LORA",
            "base_model_name_or_path": "intfloat/multilingual-e5-small",
            "r": config.rank,
            "lora_alpha": 2 * config.rank * config.strength,
            "target_modules": PLACES[config.places],
        }
        (folder / CONFIG_FILE).write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")

    def _write_report(self, history: Sequence[Any]) -> None:
        """Measure the adapter against no adapter, and write that with losses, counts and hashes to `report.json`."""
        adapter = self.out / "adapter"
        figures = report([NO_ADAPTER, str(adapter)], self.settings, parts(self.data, "dev"))
        losses = [
            {"steps": f"{first}-{first + len(rows)}", "divergence": _mean(rows, 2), "distance": _mean(rows, 3)}
            for first in range(0, len(history), CHECKPOINT_STEPS)
            if (rows := history[first : first + CHECKPOINT_STEPS])
        ]
        sentences = "\n".join(self.texts.sentences).encode()
        values = {
            "config": asdict(self.config),
            "texts": self.texts.counts(),
            "sha256": {
                "adapter": adapter_hash(adapter),
                "packed model": PACKED_SHA256,
                "teacher": TEACHER_SHA256,
                "sentences": hashlib.sha256(sentences).hexdigest(),
            },
            "losses": losses,
            "dev": figures,
        }
        path = self.out / "report.json"
        path.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        print(f"adapter: {adapter}\nreport: {path}", flush=True)


def targets(batch: Batch, teacher: Vectors, original: Vectors, config: TrainingConfig) -> Vectors:
    """Return how probable each passage is to be for each query, shape (queries, passages).

    `teacher` and `original` are the cosines of that shape: the teacher's, and those of the encoder without an adapter.
    """
    similar = teacher
    if config.teacher_share < 1:
        rescaled = (original - original.mean()) / original.std() * teacher.std() + teacher.mean()
        similar = config.teacher_share * teacher + (1 - config.teacher_share) * rescaled
    scaled = similar / config.teacher_temperature
    if config.mask_same:
        scaled = np.where(_same(batch), MASKED_LOGIT, scaled)
    shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    answers = np.array([[bool(q.group) and q.group == p.group for p in batch.passages] for q in batch.queries], np.float32)
    if config.mask_same:
        answers *= ~_same(batch)
    counts = answers.sum(axis=1, keepdims=True)
    part = config.positives * (counts > 0)
    mixed: Vectors = ((1 - part) * shares + part * answers / np.maximum(counts, 1)).astype(np.float32)
    return mixed


class _Neighbours:
    """The sentences that the teacher finds nearest to a sentence, and the passages that the untrained encoder does."""

    def __init__(self, training: Training) -> None:
        config, texts = training.config, training.texts
        self._count = config.neighbours
        self._sentences = training.teacher(texts.sentences) if config.neighbours and config.sentences else None
        self._digests = list(texts.reports)
        self._rows = {digest: row for row, digest in enumerate(self._digests)}
        self._files = np.array([item.group for item in texts.reports.values()])
        self._passages = training.before["passage"]([item.text for item in texts.reports.values()])

    def sentences(self, row: int) -> Sequence[int]:
        """Return the rows of the sentences nearest to a sentence."""
        if self._sentences is None:
            return ()
        similarities = self._sentences @ self._sentences[row]
        similarities[row] = -1
        nearest = np.argpartition(-similarities, self._count)[: self._count]
        return [int(other) for other in nearest]

    def reports(self, digest: str, count: int, rng: np.random.Generator) -> Sequence[str]:
        """Return some of the passages nearest to a passage of a report, other documents' only."""
        row = self._rows[digest]
        similarities = np.where(self._files == self._files[row], -1, self._passages @ self._passages[row])
        nearest = np.argpartition(-similarities, HARD_PASSAGES)[:HARD_PASSAGES]
        return [self._digests[int(other)] for other in rng.choice(nearest, count, replace=False)]


class _Cached:
    """An encoder whose vectors are looked up where they are known, in memory first."""

    def __init__(self, encode: Callable[[Sequence[str]], Vectors], dimensions: int, cache: VectorCache) -> None:
        self._encode, self._dimensions, self._cache = encode, dimensions, cache
        self._known: dict[str, Vectors] = {}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        if missing := [text for text in dict.fromkeys(texts) if text not in self._known]:
            vectors, _ = encode_cached(missing, self._encode, self._dimensions, self._cache)
            self._known.update(zip(missing, vectors, strict=True))
        return np.stack([self._known[text] for text in texts])


def _mean(rows: Sequence[Any], column: int) -> float:
    return round(float(np.mean([row[column] for row in rows])), 5)


def _same(batch: Batch) -> npt.NDArray[np.bool_]:
    return np.array([[query.text == passage.text for passage in batch.passages] for query in batch.queries])


def _print_progress(step: int, steps: int, history: Sequence[Any], seconds: float) -> None:
    recent = history[-CHECKPOINT_STEPS:]
    parts = []
    for kind in sorted({row[1] for row in recent}):
        rows = [row for row in recent if row[1] == kind]
        parts.append(f"{kind} {np.mean([row[2] for row in rows]):.3f}/{np.mean([row[3] for row in rows]):.4f}")
    print(f"step {step}/{steps}, {seconds:.1f} s each; divergence/distance: {', '.join(parts)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
