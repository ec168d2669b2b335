"""What is measured of how a sentence fits a question, and whose sentences may answer."""

from dataclasses import replace

import numpy as np
import pytest

from pes_search.index.encoders.base import Encoder
from pes_search.index.types import Hit, Scores
from pes_search.ingest.types import Document, Passage
from pes_search.service.answers.confidence import load_models
from pes_search.service.answers.fitting import FIELD_FEATURES, FITTING, bound, field_features, fitted, kind_row
from pes_search.service.answers.kinds import KINDS
from pes_search.service.answers.practice_names import PracticeNames, names_of_documents
from pes_search.service.answers.questions import Understood, understood
from pes_search.service.answers.sentence_scorers import FieldScorer
from pes_search.service.answers.sentences import FEATURES, ScoredSentence

BUS = Document(
    "at-rollo", "Rollo – village bus", "practice", "en", "", "", organisation="Town of Linz", countries=("AT",),
    evidence="control-group", evidence_sentence="A control group fared worse.",
)  # fmt: skip
TRAIN = Document("de-zug", "Zugvogel – job train", "practice", "en", "", "", organisation="Bahn", countries=("DE",))


def sentence(document: Document, text: str, encoder: Encoder, behind: float = 0.0) -> ScoredSentence:
    passage = Passage(f"{document.id}~0-{len(text)}", document.id, None, 0, len(text), (), "en", text)
    hit = Hit(1, 1.0, Scores(), passage, document)
    vector = encoder.encode_queries([text])[0]
    return ScoredSentence(hit, 0, len(text), vector, 0.9, 0.5, behind, 0.0, np.zeros(len(FEATURES), np.float32))


@pytest.fixture(scope="module")
def names() -> PracticeNames:
    return names_of_documents([BUS, TRAIN], {"village": 20, "bus": 20, "job": 20, "train": 20})


def asked(question: str, names: PracticeNames, encoder: Encoder) -> Understood:
    return understood(question, None, names, load_models().questions, encoder.encode_queries)


def measured(question: str, text: str, names: PracticeNames, encoder: Encoder) -> dict[str, float]:
    read = asked(question, names, encoder)
    rows = field_features([sentence(BUS, text, encoder)], read, read.parts[0], fact_wanted=0.25, several_wanted=True)
    assert rows.shape == (1, len(FIELD_FEATURES))
    return dict(zip(FITTING, rows[0, len(FEATURES) :].tolist(), strict=True))


def test_how_a_sentence_fits_is_measured(names: PracticeNames, encoder: Encoder) -> None:
    cost = measured("What does Rollo cost?", "It costs EUR 4 million a year.", names, encoder)
    assert (cost["fits"], cost["fits_for_sure"], cost["misfits"], cost["points"], cost["of_named"]) == (1, 1, 0, 1, 1)
    assert (cost["with_detail"], cost["fact_wanted"], cost["several_wanted"]) == (1, 0.25, 1)
    nothing = measured("What does Rollo cost?", "The bus stops in every village.", names, encoder)
    assert (nothing["fits"], nothing["misfits"], nothing["points"]) == (0, 1, 0)
    silent = measured("What does Rollo cost?", "What Rollo costs is not stated.", names, encoder)
    assert (silent["not_stated_asked"], silent["not_stated_unasked"]) == (1, 0)
    who = measured("Who runs Rollo?", "The Town of Linz runs it.", names, encoder)
    assert (who["names_body"], who["fits"]) == (1, 1)
    of_country = measured("buses in Austria", "A bus.", names, encoder)
    assert (of_country["of_country"], of_country["of_other_country"]) == (1, 0)


def test_a_name_or_a_country_binds(names: PracticeNames, encoder: Encoder) -> None:
    both = [sentence(BUS, "The bus runs.", encoder), sentence(TRAIN, "The train runs.", encoder, 0.01)]
    for question, whose in (
        ("Who runs Zugvogel?", {"de-zug"}),
        ("which bus in Austria?", {"at-rollo"}),
        ("Who?", {"at-rollo", "de-zug"}),
    ):
        read = asked(question, names, encoder)
        assert {one.hit.document.id for one in bound(both, read, read.kind)} == whose


def test_that_another_document_does_not_state_it_does_not_lead(names: PracticeNames, encoder: Encoder) -> None:
    """With a scorer that knows nothing, what is set by hand decides."""
    read = asked("Who pays for the bus?", names, encoder)
    silent = sentence(TRAIN, "Who pays is not stated.", encoder, 0.05)
    paid = sentence(BUS, "The town pays.", encoder)
    size = len(FIELD_FEATURES)
    zeros = np.zeros(size, np.float32)
    nothing = FieldScorer(
        zeros, zeros + 1, zeros, np.zeros((size + len(KINDS), 1)), np.zeros(1), np.zeros(1), np.zeros(384), np.zeros((384, 2))
    )
    first, last = fitted([silent, paid], read, read.parts[0], nothing, fact_wanted=0.0, several_wanted=False)
    assert (first.text, last.score) == ("The town pays.", -4.0)


def test_a_strength_of_evidence_that_is_named_keeps_the_sentences_that_state_it(names: PracticeNames, encoder: Encoder) -> None:
    both = [sentence(BUS, "A control group fared worse.", encoder), sentence(BUS, "The bus runs.", encoder)]
    read = replace(asked("who evaluated it with a control group", names, encoder), strengths=frozenset({"control-group"}))
    assert [one.text for one in bound(both, read, read.kind)] == ["A control group fared worse."]
    assert bound(both[1:], read, read.kind) == both[1:]


def test_a_kind_is_one_of_all() -> None:
    assert kind_row(KINDS["why"]).sum() == 1
    assert kind_row(KINDS["why"])[list(KINDS).index("why")] == 1
