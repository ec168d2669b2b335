"""The models: their arithmetic, and that the packaged ones fit the packaged encoder."""

import math
from pathlib import Path

import numpy as np
import pytest

from pes_search.index.encoders.base import Encoder
from pes_search.index.open_index import OpenIndex, open_index
from pes_search.index.stores.files import FileStore
from pes_search.service.answers.confidence import Network, check_models, is_in_field, load_models, sigmoid
from pes_search.service.answers.fitting import FIELD_FEATURES
from pes_search.service.answers.kinds import KINDS
from pes_search.service.answers.sentences import FEATURES
from pes_search.service.answers.signals import SIGNALS
from tests.conftest import Build


def test_one_layer_is_a_logistic_regression() -> None:
    network = Network(np.array([1.0, 0.0]), np.array([2.0, 1.0]), ((np.array([[3.0], [4.0]]), np.array([5.0])),))
    assert network.logit([3.0, 2.0]) == (3 - 1) / 2 * 3 + 2 * 4 + 5
    assert network.probability([3.0, 2.0]) == pytest.approx(1 / (1 + math.exp(-16)))


def test_between_layers_what_is_negative_is_zero() -> None:
    hidden = (np.array([[1.0, -1.0]]), np.array([0.0, 0.0]))
    network = Network(np.zeros(1), np.ones(1), (hidden, (np.array([[2.0], [3.0]]), np.array([1.0]))))
    assert network.logit([4.0]) == 2 * 4 + 3 * 0 + 1
    assert network.logit([-4.0]) == 2 * 0 + 3 * 4 + 1


def test_the_largest_odds_do_not_overflow() -> None:
    assert sigmoid(1e9) == pytest.approx(1)
    assert sigmoid(-1e9) == pytest.approx(0)


def test_the_packaged_models_are_of_the_packaged_encoder(encoder: Encoder) -> None:
    models = load_models()
    assert models.model_id == encoder.model_id
    assert len(models.sentence_scorer.weights) == len(FEATURES)
    assert len(models.field_scorer.vector_weights) == len(models.own_matter.mean) == encoder.dimensions
    assert len(models.field_scorer.weights) == len(FIELD_FEATURES)
    assert len(models.field_scorer.hidden_weights) == len(FIELD_FEATURES) + len(KINDS)
    assert {len(network.mean) for network in (*models.confidence, models.related)} == {len(SIGNALS)}


def test_the_vector_of_another_encoder_tells_nothing() -> None:
    kind = load_models().kind(np.ones(768), in_field=True)
    assert (kind.own_matter, kind.subject, kind.answerable, kind.several) == (0.0, 0.0, 0.0, False)


def test_models_of_another_encoder_are_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    check_models(load_models(), "other-123")
    assert "make train-answers" in caplog.text


def test_a_default_installation_starts_without_a_warning(encoder: Encoder, caplog: pytest.LogCaptureFixture) -> None:
    check_models(load_models(), encoder.model_id)
    assert caplog.text == ""


def test_the_corpus_is_of_the_field_and_recipes_are_not(
    corpus_index: OpenIndex, encoder: Encoder, build: Build, tmp_path: Path
) -> None:
    assert is_in_field(corpus_index, encoder, load_models())
    folder = tmp_path / "recipes"
    folder.mkdir()
    for name in ("Rye bread", "Onion soup", "Apple cake"):
        (folder / f"{name}.md").write_text(f"# {name}\n\nMix, wait, and bake it for an hour.\n", encoding="utf-8")
    build([folder], tmp_path / "index")
    assert not is_in_field(open_index(FileStore(tmp_path / "index")), encoder, load_models())


@pytest.mark.parametrize(
    ("question", "several"),
    [
        ("Which countries have job centres on wheels?", True),
        ("Welche Länder fördern Gutscheine für Weiterbildung?", True),
        ("Who pays for power_m?", False),
        ("Wann begann INTESPO?", False),
    ],
)
def test_whether_several_are_asked_for(encoder: Encoder, question: str, several: bool) -> None:
    kind = load_models().kind(encoder.encode_queries([question])[0], in_field=True)
    assert kind.several is several
