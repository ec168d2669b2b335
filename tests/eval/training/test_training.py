"""What the adapter is trained on and towards; the training itself is `make train-encoder`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from folders import CORPUS

from pes_search.eval.collections.everyday import is_held_out, read_everyday, read_report_passages
from pes_search.eval.collections.files import InputError
from pes_search.eval.collections.xquad import PARALLEL_LANGUAGES, is_training_article
from pes_search.eval.training.run import configured
from pes_search.eval.training.train_encoder import TrainingConfig, targets
from pes_search.eval.training.training_texts import (
    Batch,
    Item,
    TrainingTexts,
    read_training_texts,
)
from pes_search.index.encoders.base import Encoder
from pes_search.ingest.config import PassageConfig
from pes_search.ingest.languages import EU_LANGUAGES


@pytest.fixture(scope="module")
def texts(shared_data: Path, encoder: Encoder) -> TrainingTexts:
    return read_training_texts(shared_data, CORPUS, encoder, PassageConfig())


class NextOnes:
    """The next texts are the hard ones."""

    def __init__(self, texts: TrainingTexts) -> None:
        self._digests = list(texts.reports)

    def sentences(self, row: int) -> Sequence[int]:
        return row + 1, row + 2

    def reports(self, digest: str, count: int, _: np.random.Generator) -> Sequence[str]:
        row = self._digests.index(digest) + 1
        return self._digests[row : row + count]


def batch(texts: TrainingTexts, kind: str, step: int = 1) -> Batch:
    return texts.batch(kind, 16, np.random.default_rng((5, step)), NextOnes(texts))


@pytest.mark.parametrize("kind", ["sentences", "practices", "labels", "parallel"])
def test_a_batch_depends_on_the_seed_and_the_step(texts: TrainingTexts, kind: str) -> None:
    assert batch(texts, kind) == batch(texts, kind)
    assert batch(texts, kind) != batch(texts, kind, step=2)
    assert len(batch(texts, kind).queries) == 16


def test_an_everyday_question_stands_beside_its_passage_and_others_like_it(texts: TrainingTexts) -> None:
    drawn = batch(texts, "everyday")
    passages = {item.group for item in drawn.passages}
    assert {texts.reports[query.group].text for query in drawn.queries} <= {item.text for item in drawn.passages}
    assert len(drawn.passages) > len({query.group for query in drawn.queries})
    assert not any(map(is_held_out, passages))


def test_everyday_questions_are_in_all_languages_and_a_fifth_of_the_reports_is_held_out(
    texts: TrainingTexts, shared_data: Path, encoder: Encoder
) -> None:
    every = read_everyday(read_report_passages(shared_data, encoder, PassageConfig()))
    assert len(every) > 3000
    assert {question.language for question in every} == set(EU_LANGUAGES) - {"en"}
    assert 0.1 < 1 - len(texts.everyday) / len(every) < 0.3


def test_held_out_articles_are_not_trained_on(texts: TrainingTexts) -> None:
    assert 0 < len(texts.paragraphs) < 240
    assert all(is_training_article(name) for name in texts.paragraphs)
    assert all(is_training_article(item.group) for question in texts.questions for item in question.values())
    assert all(set(question) == set(PARALLEL_LANGUAGES) for question in texts.questions)


def test_a_situation_is_in_no_passage(texts: TrainingTexts) -> None:
    everything = "\n".join(item.text for item in texts.passages)
    assert len(texts.situations) > 300
    assert not [item.text for item in texts.situations if item.text in everything]


def test_a_label_means_what_its_concept_is_called_in_english(texts: TrainingTexts) -> None:
    label = next(item for item in texts.labels["de"] if item.text == "Arbeitsuchende")
    assert "jobseekers" in label.meaning
    assert label.group == "target-groups/jobseekers"
    assert len(texts.labels) == 24


def test_missing_data_is_named(tmp_path: Path, encoder: Encoder) -> None:
    with pytest.raises(InputError, match=r"labour-en.txt.*is missing; name the data's folder with --data"):
        read_training_texts(tmp_path, CORPUS, encoder, PassageConfig())


def pair() -> Batch:
    """Two queries; the first text is a passage too, the second passage answers the second query."""
    return Batch("labels", [Item("a", "a"), Item("b", "b", "g")], [Item("a", "a"), Item("c", "c", "g"), Item("d", "d")])


SIMILAR = np.array([[1, 0.2, 0.1], [0.1, 0.2, 0.3]], np.float32)


def test_targets_follow_the_teacher_and_the_answers() -> None:
    shares = targets(pair(), SIMILAR, SIMILAR, TrainingConfig(teacher_temperature=0.1, positives=0.5))
    assert shares.sum(axis=1) == pytest.approx([1, 1])
    assert shares[0, 0] == 0  # a text is not its own neighbour
    assert shares[0, 1] / shares[0, 2] == pytest.approx(np.exp(1), rel=1e-4)
    soft = np.exp(np.array([1, 2, 3])) / np.exp(np.array([1, 2, 3])).sum()
    assert shares[1] == pytest.approx(soft / 2 + np.array([0, 0.5, 0]), rel=1e-4)


def test_the_original_encoder_can_share_in_the_targets() -> None:
    reversed_order = -SIMILAR
    shares = targets(pair(), SIMILAR, reversed_order, TrainingConfig(teacher_share=0, positives=0))
    assert shares[1].argmax() == 0
    assert targets(pair(), SIMILAR, reversed_order, TrainingConfig(positives=0))[1].argmax() == 2


def test_settings_are_read_by_their_type() -> None:
    assert configured(TrainingConfig, ["steps=3", "anchor=.5", "mask_same=false", "places=qkvo"]) == TrainingConfig(
        steps=3, anchor=0.5, mask_same=False, places="qkvo"
    )
    with pytest.raises(ValueError, match="no setting 'stepz'; choose of"):
        configured(TrainingConfig, ["stepz=3"])
