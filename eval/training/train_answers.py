"""`make train-answers`: fit what answering has to learn, and write `service/answers/answer_models.json`.

    python -m pes_search.eval.training.train_answers [--data ../shared/data] [--out FILE]

What is learnt from (never a test question):

- the development questions, and questions written for training by kind (`eval/questions/training_*.jsonl`), of this collection
- SQuAD 2, articles with even numbers: its questions of its own paragraphs, some of our questions of its paragraphs, and some of
  its questions of our collection, which has no answer to them
- XQuAD, articles with even numbers: questions in four languages of the English paragraphs, so that a collection in another
  language than the question is known as well

The sentence scorer ranks the sentences that were found in the other collections: the gold ones above the others of their
question; the field scorer those of ours, where it knows how sentences fit the kind of the question. Networks that
read the question's vector (own_matter, subject, answerable) feed the one for confidence. For its training each question
gets their log-odds from networks that were fitted without it, else it would learn to trust them too far.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pes_search.eval.answers import auroc, holds, words
from pes_search.eval.collections.beir import read_beir, read_queries
from pes_search.eval.collections.files import read_records
from pes_search.eval.collections.gold_answers import PROJECT_ANSWERS, read_answers, with_gold
from pes_search.eval.collections.questions import PROJECT_QUESTIONS, Question, read_questions
from pes_search.eval.collections.xquad import is_training_article
from pes_search.eval.retrieval import indexed
from pes_search.index.encoders import load_encoder
from pes_search.index.encoders.base import Encoder
from pes_search.index.open_index import OpenIndex, open_index
from pes_search.index.search import search
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.taxonomy import read_taxonomy
from pes_search.service.answers.answer import READ_PASSAGES, SEARCHED_DOCUMENTS
from pes_search.service.answers.confidence import (
    PACKAGED_MODELS,
    Kind,
    Network,
    QuestionModels,
    network_of,
    question_models,
)
from pes_search.service.answers.fitting import FIELD_FEATURES, bound, field_features, kind_row
from pes_search.service.answers.practice_names import practice_names
from pes_search.service.answers.questions import Understood, understood
from pes_search.service.answers.sentences import FEATURES, NUMBER, ScoredSentence, sentence_features
from pes_search.service.answers.signals import SIGNALS, signals
from pes_search.service.settings import Settings, read_settings

if TYPE_CHECKING:
    import numpy.typing as npt

    Values = npt.NDArray[np.float64]

SEED = 20_231_127
FOLDS = 5
VECTOR_C = 0.003  # inverse strength of the penalty for networks that read vectors: .001 to .03 are alike (cross-validated)
SEVERAL_C = 0.01
RELATED_C = 0.3
HIDDEN, PENALTY, NETWORKS = 16, 1.0, 5  # of the confidence: (8, 3), (16, 10) and (32, 3) were worse by .004 to .02 AUROC
# Of both scorers. A linear prior over the sentence's vector gained .08 on development questions that it had not seen, nothing
# on other collections; a product of the vectors of question and sentence (rank 8 to 32) gained nothing more and lost .05 and
# more across languages.
EPOCHS, BATCH, RATE, PRIOR_DECAY, FEATURE_DECAY, VECTOR_SCALE = 4, 16, 2e-3, 0.03, 1e-4, 8.0
# Of the field scorer, documents apart: first sentence .48 -> .60, three .74 -> .82 on questions by kind (weights set by hand ->
# fitted); 16 hidden values do as well as 32 or 64; the mean of three is steadier by .01 to .03 in the first sentence.
FIELD_EPOCHS, FIELD_HIDDEN, FIELD_MEMBERS, HIDDEN_DECAY = 8, 16, 3, 0.05
CONSTANT_SPREAD = 1e-3  # standard deviation below which a feature says nothing
LANGUAGES = ("de", "es", "ro", "el")  # of XQuAD's questions
IMPOSSIBLE_SHARE = 0.2  # of SQuAD's questions without an answer: they were written to deceive, and seldom can be told
EVERY_PROJECT_QUESTION, EVERY_SQUAD_QUESTION = 4, 10  # of the questions that are asked of the other's collection
KIND_C = 0.003  # .001 to .01 are alike (cross-validated: .81 of the questions by kind, .74 of those of factsheets)
OTHER_NAMES = {"keyword": "keywords", "yes_no": "other"}  # of kinds, in the questions of factsheets
NO_KINDS = {"missing", "two_part"}  # of the questions about practices: what they ask may be anything
PERSONAL = {"personal", "injection"}
OUTSIDE = {"near_topic", "off_topic", "gibberish"}
# The share of answerable development questions that may be refused; with it the threshold is placed at one half.
REFUSED_SHARE = 0.025


@dataclass(frozen=True, slots=True)
class TrainingQuestion:
    """A question with what is known of it."""

    group: str  # questions of a group are never on both sides of a fold
    kind: str  # `answerable`, or why not
    text: str
    gold: tuple[tuple[str, str], ...] = ()  # texts that answer it, each with its document where that is known
    wants: str = ""  # fact, topic or list; empty where nobody said
    gold_parts: tuple[tuple[tuple[str, str], ...], ...] = ()  # of a question that asks two things, what answers each


@dataclass(frozen=True, slots=True)
class Example:
    """A question as the models see it."""

    group: str  # examples of a group are never on both sides of a fold
    kind: str  # `answerable`, or why not
    vector: npt.NDArray[np.float32]
    signals: tuple[float, ...]  # those that depend on networks are 0
    in_field: bool
    wants: str
    wants_number: bool | None  # None where no gold tells
    features: npt.NDArray[np.float32]  # of the sentences that were found, (sentences, FEATURES)
    vectors: npt.NDArray[np.float16]  # of the same
    is_gold: npt.NDArray[np.bool_]
    in_parts: tuple[PartExample, ...] = ()  # what the field scorer sees, for each part of the question


@dataclass(frozen=True, slots=True)
class PartExample:
    """A part of a question as the field scorer sees it."""

    vector: npt.NDArray[np.float32]  # of the part
    kind: npt.NDArray[np.float32]  # 1 for its kind, 0 for the others
    features: npt.NDArray[np.float32]  # (sentences, FIELD_FEATURES); `fact_wanted` is filled in by `_field_scorer`
    vectors: npt.NDArray[np.float16]
    is_gold: npt.NDArray[np.bool_]


def main(arguments: Sequence[str] | None = None) -> int:
    """Collect the examples, fit, write; return the exit status."""
    parser = argparse.ArgumentParser(prog="train-answers", description="Fit the models of answering.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the training data")
    parser.add_argument("--out", type=Path, default=PACKAGED_MODELS, help="file to write")
    parsed = parser.parse_args(arguments)
    if not (parsed.data / "bench").is_dir():
        print(f"train-answers: no training data in {parsed.data}; name its folder with --data", file=sys.stderr)
        return 1
    try:
        settings = read_settings()
        encoder = load_encoder(settings.encoder, settings.cache_dir)
        of_questions, several = fit_kinds(*kind_examples(encoder)), several_examples(encoder)
        reader = _Reading(settings, encoder, question_models(of_questions), network_of(_logistic(*several, SEVERAL_C)))
        models = fit(list(read_examples(parsed.data / "bench", reader)), several)
        values = {"model_id": encoder.model_id, **models, **of_questions}
        parsed.out.write_text(json.dumps(values) + "\n", encoding="utf-8")
    except PesSearchError as error:
        print(f"train-answers: {error}", file=sys.stderr)
        return 1
    print(f"written: {parsed.out}")
    return 0


# ── Examples ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Reading:
    """What questions are read with."""

    settings: Settings
    encoder: Encoder
    questions: QuestionModels
    several: Network


def read_examples(bench: Path, reading: _Reading) -> Iterator[Example]:
    """Yield the examples of all sources."""
    settings, encoder = reading.settings, reading.encoder
    project_index = open_index(settings.index_store())
    ours = list(project_questions())
    squad = _with_answers(bench / "squad2-even", bench / "squad2-even", "squad")
    rng = np.random.default_rng(SEED)
    yield from _examples(ours, project_index, reading, in_field=True)
    others = [replace(question, kind="off_topic", gold=()) for question in squad[::EVERY_SQUAD_QUESTION]]
    yield from _examples(others, project_index, reading, in_field=True)
    with _collection(bench / "squad2-even", settings, encoder) as index:
        kept = [question for question in squad if question.kind == "answerable" or rng.random() < IMPOSSIBLE_SHARE]
        yield from _examples(kept, index, reading, in_field=False)
        strangers = [replace(question, kind="off_topic", gold=()) for question in ours if question.kind not in PERSONAL]
        yield from _examples(strangers[::EVERY_PROJECT_QUESTION], index, reading, in_field=False)
    with _collection(bench / "xquad-en", settings, encoder) as index:
        for language in LANGUAGES:
            questions = _with_answers(bench / "xquad-en", bench / f"xquad-{language}", "xquad")
            questions = [question for question in questions if is_training_article(question.group.removeprefix("xquad "))]
            yield from _examples(questions, index, reading, in_field=False)


def project_questions() -> Iterator[TrainingQuestion]:
    """Yield the development and training questions of this project's collection."""
    path = PROJECT_QUESTIONS / "questions.jsonl"
    kinds = {record["_id"]: record.get("kind", "") for _, record in read_records(path, [], ids=("id",))}
    answers = read_answers(PROJECT_ANSWERS)
    for question, gold in with_gold(read_questions(path, "dev"), answers, PROJECT_ANSWERS):
        # Training questions are about the same documents, so the document is the group.
        group = gold.texts[0][1] if gold.texts else question.need
        yield TrainingQuestion(group, kinds[question.id] or "answerable", question.text, gold.texts, gold.wants)
    for _, record in read_records(PROJECT_QUESTIONS / "training_refusal.jsonl", [], ids=("id",)):
        yield TrainingQuestion(record["_id"], record["kind"], record["text"])
    for _, record in read_records(PROJECT_QUESTIONS / "training_answerable.jsonl", [], ids=("id",)):
        texts = tuple((text, record["document"]) for text in record["answers"])
        yield TrainingQuestion(record["document"], "answerable", record["text"], texts, record["wants"])
    for _, record in read_records(PROJECT_QUESTIONS / "training_practices.jsonl", [], ids=("id",)):
        document = record["document"]
        texts, *parts = (tuple((text, document) for text in pieces) for pieces in (record["answers"], *record.get("parts", ())))
        kind = "answerable" if texts else "missing_detail"
        yield TrainingQuestion(document, kind, record["text"], texts, record["wants"], tuple(parts))


def several_examples(encoder: Encoder) -> tuple[Values, npt.NDArray[np.bool_]]:
    """Return the vectors of questions, and whether each asks for several."""
    records = [record for _, record in read_records(PROJECT_QUESTIONS / "training_several.jsonl", [], ids=("id",))]
    vectors = encoder.encode_queries([record["text"] for record in records]).astype(np.float64)
    return vectors, np.array([bool(record["several"]) for record in records])


def kind_examples(encoder: Encoder) -> tuple[Values, list[str], list[bool | None]]:
    """Return the vectors of questions, the kind of each, and whether it names its practice or topic (None: nobody said)."""
    records = [record for _, record in read_records(PROJECT_QUESTIONS / "training_kinds.jsonl", [], ids=("id",))]
    records = [record for record in records if "previous" not in record]  # what goes on from another asks nothing by itself
    others = [
        record
        for file in ("training_factsheets.jsonl", "training_practices.jsonl")
        for _, record in read_records(PROJECT_QUESTIONS / file, [], ids=("id",))
        if record["kind"] not in NO_KINDS
    ]
    texts = [record["text"] for record in [*records, *others]]
    vectors = encoder.encode_queries(texts).astype(np.float64)
    kinds = [OTHER_NAMES.get(record["kind"], record["kind"]) for record in [*records, *others]]
    return vectors, kinds, [*(bool(record["names_practice"]) for record in records), *[None] * len(others)]


def _with_answers(documents: Path, questions: Path, name: str) -> list[TrainingQuestion]:
    """Return the questions of a folder with the answers in another; a group is an article."""
    texts = read_queries(questions / "queries.jsonl", [])
    answers = documents / "answers.jsonl"
    pairs = with_gold([Question(query_id, text) for query_id, text in texts.items()], read_answers(answers), answers)
    return [
        TrainingQuestion(
            f"{name} {gold.document.partition('-')[0]}",
            "not_answered" if gold.is_impossible else "answerable",
            question.text,
            tuple((text, "") for text, _ in gold.texts),
        )
        for question, gold in pairs
    ]


def _collection(folder: Path, settings: Settings, encoder: Encoder) -> Any:
    taxonomy = read_taxonomy(settings.taxonomy)
    return indexed(read_beir(folder), encoder, settings.cache_dir, settings.index_config(), taxonomy)


def _examples(
    questions: Sequence[TrainingQuestion], index: OpenIndex, reading: _Reading, *, in_field: bool
) -> Iterator[Example]:
    nothing = Kind(0.0, 0.0, 0.0, several=False)
    config = replace(reading.settings.search, passages_per_document=READ_PASSAGES)
    names = practice_names(index)
    for question in questions:
        asked = understood(question.text, None, names, reading.questions, reading.encoder.encode_queries)
        result = search(asked.searched, index, reading.encoder, config, k=SEARCHED_DOCUMENTS, is_question=True)
        query = result.parsed_query
        # What a question wants is not known yet; the features that depend on it are filled in by the scorers' fitting.
        sentences, features, vectors = sentence_features(query, result.hits, index, 0.0)
        values = signals(query, result.hits, sentences, asked, index, nothing, in_field=in_field)
        digits = [bool(NUMBER.search(text)) for text, document in question.gold if not document]
        yield Example(
            group=question.group,
            kind=question.kind,
            vector=query.vector,
            signals=tuple(values),
            in_field=in_field,
            wants=question.wants,
            wants_number=sum(digits) > len(digits) / 2 if digits else None,
            features=features,
            vectors=vectors.astype(np.float16),
            is_gold=_gold(sentences, question.gold),
            in_parts=tuple(_part_examples(question, asked, sentences, reading)) if in_field and question.gold else (),
        )
    print(f"{len(questions)} questions of {index.manifest.documents} documents", flush=True)


def _gold(sentences: Sequence[ScoredSentence], gold: Sequence[tuple[str, str]]) -> npt.NDArray[np.bool_]:
    """Tell which sentences hold one of the texts that answer."""
    wanted = [(words(text), document) for text, document in gold if words(text)]
    return np.array(
        [
            any(holds(words(sentence.text), text) and document in {"", sentence.hit.document.id} for text, document in wanted)
            for sentence in sentences
        ],
        bool,
    )


def _part_examples(
    question: TrainingQuestion, asked: Understood, sentences: Sequence[ScoredSentence], reading: _Reading
) -> Iterator[PartExample]:
    """Yield each part of a question whose answers are known by part, else the whole question as its first part."""
    of_parts = question.gold_parts if len(question.gold_parts) == len(asked.parts) else (question.gold,)
    for part, gold in zip(asked.parts, of_parts, strict=False):
        shown = bound(sentences, asked, part.kind)
        is_gold = _gold(shown, gold)
        if is_gold.any() and not part.kind.by_nearest:
            several = reading.several.logit(part.vector) > 0
            yield PartExample(
                vector=part.vector,
                kind=kind_row(part.kind),
                features=field_features(shown, asked, part, fact_wanted=0.0, several_wanted=several),
                vectors=np.stack([sentence.vector for sentence in shown]).astype(np.float16),
                is_gold=is_gold,
            )


# ── Fitting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def fit(examples: Sequence[Example], several: tuple[Values, npt.NDArray[np.bool_]]) -> dict[str, Any]:
    """Return the fitted networks as JSON values."""
    from sklearn.model_selection import GroupKFold

    vectors = np.array([example.vector for example in examples], np.float64)
    kinds = np.array([example.kind for example in examples])
    in_field = np.array([example.in_field for example in examples])
    groups = np.array([example.group for example in examples])
    truth = kinds == "answerable"
    personal, outside = np.isin(kinds, list(PERSONAL)), np.isin(kinds, list(OUTSIDE))
    heads = {
        "own_matter": (np.ones(len(examples), bool), personal),
        "subject": (in_field & ~personal, ~outside),
        "answerable": (in_field, truth),
    }
    rows = np.array([example.signals for example in examples], np.float64)
    folds = list(GroupKFold(FOLDS, shuffle=True, random_state=0).split(vectors, groups=groups))
    for name, (used, labels) in heads.items():
        held_out = np.zeros(len(examples))
        for train, test in folds:
            train = train[used[train]]
            held_out[test] = _logits(_logistic(vectors[train], labels[train], VECTOR_C), vectors[test])
        column = SIGNALS.index(name)
        rows[:, column] = held_out if name == "own_matter" else np.where(in_field, held_out, 0.0)
        print(f"{name}: AUROC {auroc(labels[used], held_out[used]):.3f} (cross-validated)")

    confidence = np.zeros(len(examples))
    for train, test in folds:
        confidence[test] = np.mean([_logits(network, rows[test]) for network in _networks(rows[train], truth[train])], axis=0)
    offset = _report(confidence, examples, truth)
    networks = [_shifted(network, -offset) for network in _networks(rows, truth)]
    near = ~outside & ~personal
    numeric = np.array([example.wants_number is not None for example in examples])
    wants = np.array([bool(example.wants_number) for example in examples])
    number = _logistic(vectors[numeric], wants[numeric], VECTOR_C, balanced=False)
    wanted = np.array([example.wants for example in examples])
    fact = _logistic(vectors[wanted != ""], wanted[wanted != ""] == "fact", VECTOR_C)
    return {
        **{name: _logistic(vectors[used], labels[used], VECTOR_C) for name, (used, labels) in heads.items()},
        "several": _logistic(*several, SEVERAL_C),
        "related": _logistic(rows[~personal], near[~personal], RELATED_C),
        "number": number,
        "fact": fact,
        "confidence": networks,
        "sentence_scorer": _sentence_scorer(examples, _probabilities(_logits(number, vectors))),
        "field_scorer": _field_scorer([part for example in examples for part in example.in_parts], fact),
    }


def fit_kinds(vectors: Values, kinds: Sequence[str], names_practice: Sequence[bool | None]) -> dict[str, Any]:
    """Return a network for each kind of question, and that for whether a question says of which practice it asks."""
    truth = np.array(kinds)
    known = np.array([value is not None for value in names_practice])
    named = np.array([bool(value) for value in names_practice])
    return {
        "kinds": {kind: _logistic(vectors, truth == kind, KIND_C) for kind in sorted(set(kinds))},
        "names_practice": _logistic(vectors[known], named[known], VECTOR_C),
    }


def _sentence_scorer(examples: Sequence[Example], number_wanted: Values) -> dict[str, Any]:
    """Fit the sentence scorer: the gold sentences of a question above its others (softmax over them), by torch.

    On other collections only: one scorer for theirs and ours was worse for both (docs/answers.md).
    """
    import torch

    number, column = FEATURES.index("number"), FEATURES.index("number_wanted")
    shown = []
    for example, probability in zip(examples, number_wanted.tolist(), strict=True):
        if example.is_gold.any() and not example.in_field:
            features = example.features.copy()
            features[:, column] = probability * features[:, number]
            features[:, column + 1] = (1 - probability) * features[:, number]
            shown.append((features, example.is_gold))
    every = np.concatenate([features for features, _ in shown])
    mean, spread = every.mean(axis=0), every.std(axis=0)
    scale = np.where(spread > CONSTANT_SPREAD, spread, 1.0).astype(np.float32)
    data = [(torch.tensor((features - mean) / scale), torch.tensor(gold)) for features, gold in shown]
    weights = torch.zeros(len(FEATURES), requires_grad=True)

    def loss_of(row: int) -> Any:
        features, gold = data[row]
        return _loss(features @ weights, gold)

    _descend([{"params": [weights], "weight_decay": FEATURE_DECAY}], [5 * RATE], EPOCHS, len(data), loss_of)
    return {"mean": _short(mean), "scale": _short(scale), "weights": _short(weights.detach().numpy())}


def _loss(scores: Any, gold: Any) -> Any:
    import torch

    return torch.logsumexp(scores, 0) - torch.logsumexp(scores[gold], 0)


def _descend(
    groups: Any, rates: Sequence[float], epochs: int, rows: int, loss_of: Callable[[int], Any], seed: int = SEED
) -> None:
    """Fit by AdamW, a batch of examples a step, in an order that the seed gives."""
    import torch

    optimiser = torch.optim.AdamW(groups, lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, list(rates), total_steps=epochs * (rows // BATCH))
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(rows)
        for first in range(0, rows - BATCH + 1, BATCH):
            loss = torch.stack([loss_of(row) for row in order[first : first + BATCH].tolist()]).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()


def _field_scorer(parts: Sequence[PartExample], fact: Mapping[str, Any]) -> dict[str, Any]:
    """Fit the field scorer as the sentence scorer is fitted, with a hidden layer over the features and the kind."""
    import torch

    column = FIELD_FEATURES.index("fact_wanted")
    facts = _probabilities(_logits(fact, np.array([part.vector for part in parts], np.float64))).tolist()
    shown = [part.features.copy() for part in parts]
    for features, probability in zip(shown, facts, strict=True):
        features[:, column] = probability
    every = np.concatenate(shown)
    mean, spread = every.mean(axis=0), every.std(axis=0)
    scale = np.where(spread > CONSTANT_SPREAD, spread, 1.0).astype(np.float32)
    vector_mean = np.mean([part.vectors.astype(np.float32).mean(axis=0) for part in parts], axis=0)
    data = [
        (
            torch.tensor((features - mean) / scale),
            torch.tensor(part.kind).repeat(len(features), 1),
            torch.tensor((part.vectors.astype(np.float32) - vector_mean) * VECTOR_SCALE),
            torch.tensor(part.is_gold),
            torch.tensor([1.0, probability]),
        )
        for part, features, probability in zip(parts, shown, facts, strict=True)
    ]
    members = [_field_member(data, SEED + number) for number in range(FIELD_MEMBERS)]
    # The mean of several is one of more hidden values: what is linear is averaged, what is hidden stands side by side.
    weights, prior, hidden, biases, output = (np.stack(part) for part in zip(*members, strict=True))
    return {
        "mean": _short(mean),
        "scale": _short(scale),
        "weights": _short(weights.mean(axis=0)),
        "hidden_weights": _short(np.concatenate(list(hidden), axis=1)),
        "hidden_biases": _short(biases.ravel()),
        "output_weights": _short(output.ravel() / FIELD_MEMBERS),
        "vector_mean": _short(vector_mean),
        "vector_weights": _short(prior.mean(axis=0) * VECTOR_SCALE),
    }


def _field_member(data: Sequence[tuple[Any, ...]], seed: int) -> tuple[Values, ...]:
    """Fit one network; return its linear weights, those of the vector, the hidden layer's, its biases, and the output's."""
    import torch

    torch.manual_seed(seed)
    standard, kind, vectors, *_ = data[0]
    weights, prior = (torch.zeros(*size, requires_grad=True) for size in ((standard.shape[1],), (vectors.shape[1], 2)))
    hidden = torch.nn.Linear(standard.shape[1] + kind.shape[1], FIELD_HIDDEN)
    output = torch.zeros(FIELD_HIDDEN, requires_grad=True)
    groups = [
        {"params": [weights], "weight_decay": FEATURE_DECAY},
        {"params": [prior], "weight_decay": PRIOR_DECAY},
        {"params": [*hidden.parameters(), output], "weight_decay": HIDDEN_DECAY},
    ]

    def loss_of(row: int) -> Any:
        standard, kind, vectors, gold, both = data[row]
        of_hidden = torch.relu(hidden(torch.cat([standard, kind], 1))) @ output
        return _loss(standard @ weights + of_hidden + vectors @ (prior @ both), gold)

    _descend(groups, [5 * RATE, RATE, RATE], FIELD_EPOCHS, len(data), loss_of, seed)
    fitted = (weights, prior, hidden.weight.T, hidden.bias, output)
    return tuple(value.detach().numpy().astype(np.float64) for value in fitted)


def _report(confidence: Values, examples: Sequence[Example], truth: npt.NDArray[np.bool_]) -> float:
    """Print the cross-validated figures by source and kind; return the log-odds that becomes the threshold."""
    in_field = np.array([example.in_field for example in examples])
    kinds = np.array([example.kind for example in examples])
    offset = float(np.quantile(confidence[in_field & truth], REFUSED_SHARE))
    refused = confidence < offset
    for name, part in (("our collection", in_field), ("other collections", ~in_field)):
        print(f"{name}: AUROC {auroc(~truth[part], -confidence[part]):.3f}; refused by kind (cross-validated):")
        for kind in sorted(set(kinds[part])):
            of_kind = part & (kinds == kind)
            print(f"  {kind:<15} {refused[of_kind].mean():.3f} of {of_kind.sum()}")
    return offset


def _logistic(values: Values, labels: npt.NDArray[np.bool_], c: float, *, balanced: bool = True) -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(values)
    weights = "balanced" if balanced else None
    model = LogisticRegression(C=c, max_iter=5_000, class_weight=weights).fit(scaler.transform(values), labels)
    return _network(scaler, [(model.coef_.T, model.intercept_)])


def _networks(values: Values, labels: npt.NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Return networks that differ in their first weights only; their mean is steadier than one."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(values)
    scaled = scaler.transform(values)
    models = [
        MLPClassifier((HIDDEN,), alpha=PENALTY, max_iter=1_000, random_state=seed).fit(scaled, labels)
        for seed in range(NETWORKS)
    ]
    return [_network(scaler, list(zip(model.coefs_, model.intercepts_, strict=True))) for model in models]


def _network(scaler: Any, layers: Sequence[tuple[Values, Values]]) -> dict[str, Any]:
    return {
        "mean": _short(scaler.mean_),
        "scale": _short(scaler.scale_),
        "layers": [[_short(weights), _short(biases)] for weights, biases in layers],
    }


def _logits(network: Mapping[str, Any], values: Values) -> Values:
    activations = (values - np.array(network["mean"])) / np.array(network["scale"])
    *hidden, (weights, biases) = network["layers"]
    for layer_weights, bias in hidden:
        activations = np.maximum(0.0, activations @ np.array(layer_weights) + np.array(bias))
    result: Values = (activations @ np.array(weights) + np.array(biases))[:, 0]
    return result


def _probabilities(logits: Values) -> Values:
    result: Values = 1 / (1 + np.exp(-logits))
    return result


def _shifted(network: dict[str, Any], by: float) -> dict[str, Any]:
    *hidden, (weights, biases) = network["layers"]
    return {**network, "layers": [*hidden, [weights, [round(biases[0] + by, 5)]]]}


def _short(values: Any) -> Any:
    """Return values as lists, rounded: five digits move no decision and keep the file small."""
    return np.round(np.asarray(values, np.float64), 5).tolist()


if __name__ == "__main__":
    sys.exit(main())
