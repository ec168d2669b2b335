"""How sure it is that the collection answers a question, and why it is refused where it is not.

Small networks, fitted by `pes_search.eval.training.train_answers`, which writes `answer_models.json`. Some read the encoder's
vector of the question, so that one set of examples serves every language; the one for confidence reads the signals
(`signals`). They are calibrated for one encoder; with another one the log says so once.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pes_search.index.encoders.base import Encoder
from pes_search.index.filters import EVERYTHING
from pes_search.index.open_index import OpenIndex
from pes_search.service.answers.sentence_scorers import FieldScorer, SentenceScorer
from pes_search.service.answers.types import Reason

if TYPE_CHECKING:
    import numpy.typing as npt

    Values = npt.NDArray[np.float64]

PACKAGED_MODELS = Path(__file__).parent / "answer_models.json"
SAMPLED_TITLES = 50  # of a collection that are looked at to tell its field
IN_FIELD_TITLE_SHARE = 0.8  # share of them that must be of the field that the models know
LARGEST_LOG_ODDS = 50.0  # beyond it exp is 0 or 1 anyway
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Network:
    """A standardised input, layers of weights with max(0, x) between them, and log-odds as output."""

    mean: Values
    scale: Values
    layers: tuple[tuple[Values, Values], ...]  # weights (inputs, outputs) and biases; one layer is a logistic regression

    def logit(self, values: npt.ArrayLike) -> float:
        """Return the log-odds for one input; 0 for the vector of an encoder of other dimensions, which tells nothing."""
        if np.shape(values) != self.mean.shape:
            return 0.0
        activations = (np.asarray(values, np.float64) - self.mean) / self.scale
        *hidden, (weights, biases) = self.layers
        for layer_weights, layer_biases in hidden:
            activations = np.maximum(0.0, activations @ layer_weights + layer_biases)
        return float((activations @ weights + biases)[0])

    def probability(self, values: npt.ArrayLike) -> float:
        """Return the probability for one input."""
        return sigmoid(self.logit(values))


@dataclass(frozen=True, slots=True)
class Kind:
    """What a question's vector tells of it, as log-odds."""

    own_matter: float  # a person's own case, or an order to the system
    subject: float  # it is about what practices of employment services are about; 0 for a collection of another field
    answerable: float  # it is of the kind that write-ups of such practices answer; 0 for a collection of another field
    several: bool  # it asks for several documents


@dataclass(frozen=True, slots=True)
class QuestionModels:
    """What tells from a question's vector what it asks."""

    kinds: Mapping[str, Network]  # of questions, by name; the highest log-odds are those of the question's kind
    names_practice: Network  # the question says of which practice or topic it asks

    def kind(self, vector: npt.ArrayLike) -> str:
        """Return the name of a question's kind."""
        return max(self.kinds, key=lambda name: (self.kinds[name].logit(vector), name))


@dataclass(frozen=True, slots=True)
class AnswerModels:
    """What answering has learnt."""

    model_id: str  # of the encoder that they were fitted to
    own_matter: Network
    subject: Network
    answerable: Network
    several: Network
    number: Network  # the question asks for a number
    fact: Network  # the question asks for a single fact
    questions: QuestionModels
    related: Network  # from the signals: what was found is of the question's subject, whether or not it answers
    confidence: tuple[Network, ...]  # from the signals; the mean of their log-odds
    sentence_scorer: SentenceScorer
    field_scorer: FieldScorer  # of sentences in a collection of the field

    def kind(self, vector: npt.ArrayLike, *, in_field: bool) -> Kind:
        """Return what a question's vector tells; `in_field` as `is_in_field` says of the collection."""
        return Kind(
            own_matter=self.own_matter.logit(vector),
            subject=self.subject.logit(vector) if in_field else 0.0,
            answerable=self.answerable.logit(vector) if in_field else 0.0,
            several=self.several.logit(vector) > 0,
        )

    def probability(self, signals: Sequence[float]) -> float:
        """Return the confidence that a question with these signals is answered."""
        logit = sum(network.logit(signals) for network in self.confidence) / len(self.confidence)
        return sigmoid(logit)

    def reason(self, signals: Sequence[float], kind: Kind, *, is_named: bool = False) -> Reason:
        """Return why a question with these signals is refused, if it is; `is_named`: it names a practice that was found."""
        if is_named:
            return "not_stated"
        if kind.own_matter > 0:
            return "personal_or_instruction"
        return "not_answered" if self.related.logit(signals) > 0 else "nothing_relevant"


def sigmoid(logit: float) -> float:
    """Return the probability of log-odds."""
    return 1 / (1 + math.exp(-max(-LARGEST_LOG_ODDS, min(LARGEST_LOG_ODDS, logit))))


def is_in_field(index: OpenIndex, encoder: Encoder, models: AnswerModels) -> bool:
    """Tell whether a collection is about practices of employment services, by its titles.

    The models of `subject` and `answerable` know that field; of a collection of another one they would refuse everything.
    """
    documents = index.stored.documents(EVERYTHING)
    step = max(1, len(documents) // SAMPLED_TITLES)
    titles = [document.title for document in documents[::step][:SAMPLED_TITLES] if document.title.strip()]
    if not titles:
        return False
    return (
        float(np.mean([models.subject.logit(vector) > 0 for vector in encoder.encode_queries(titles)])) >= IN_FIELD_TITLE_SHARE
    )


@cache
def load_models(path: Path = PACKAGED_MODELS) -> AnswerModels:
    """Read the models."""
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    named = {
        name: network_of(values[name])
        for name in ("own_matter", "subject", "answerable", "several", "number", "fact", "related")
    }
    return AnswerModels(
        model_id=values["model_id"],
        confidence=tuple(network_of(network) for network in values["confidence"]),
        questions=question_models(values),
        sentence_scorer=SentenceScorer(**_arrays(values["sentence_scorer"])),
        field_scorer=FieldScorer(**_arrays(values["field_scorer"])),
        **named,
    )


def question_models(values: Mapping[str, Any]) -> QuestionModels:
    """Return the models of `kinds` and `names_practice` from JSON values."""
    kinds = {name: network_of(network) for name, network in values["kinds"].items()}
    return QuestionModels(kinds, network_of(values["names_practice"]))


def _arrays(values: Mapping[str, Any]) -> dict[str, npt.NDArray[np.float32]]:
    return {name: np.array(numbers, np.float32) for name, numbers in values.items()}


def check_models(models: AnswerModels, model_id: str) -> None:
    """Say so in the log where the models were fitted to another encoder."""
    if models.model_id != model_id:
        logger.warning(
            "refusal is calibrated for the encoder %s, not %s; fit it anew with `make train-answers`", models.model_id, model_id
        )


def network_of(values: Mapping[str, Any]) -> Network:
    """Return a network from JSON values."""
    layers = tuple((np.array(weights), np.array(biases)) for weights, biases in values["layers"])
    return Network(np.array(values["mean"]), np.array(values["scale"]), layers)
