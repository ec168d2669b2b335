"""Queries and documents are mapped to the controlled lists; nothing is claimed without evidence."""

import numpy as np
import pytest

from pes_search.index.arrays import EightBitVectors
from pes_search.index.config import SearchConfig
from pes_search.index.encoders.base import Encoder
from pes_search.index.evidence.concepts import BROADER_CONFIDENCE, ConceptSpace, Label, activations, labels_of
from pes_search.index.open_index import OpenIndex
from pes_search.index.search import search
from pes_search.ingest.taxonomy import NO_TAXONOMY, Concept, Taxonomy
from pes_search.ingest.types import Document

ROWS = np.eye(4, dtype=np.float32)
BY_CONCEPT = [
    Label(("target-groups", "youth"), "en", "a"),
    Label(("target-groups", "youth"), "de", "c"),
    Label(("target-groups", "women"), "en", "b"),
]
TAXONOMY = Taxonomy(
    {
        "target-groups": {
            "youth": Concept(id="youth", terms={"en": ["young people"]}),
            "neets": Concept(id="neets", broader=["youth"], terms={"en": ["NEETs"]}, plain={"en": ["doing nothing"]}),
        }
    }
)


def document(**fields: object) -> Document:
    return Document(id="d", title="", kind="", language="en", sha256="", path="", **fields)  # type: ignore[arg-type]


def test_labels_come_with_their_concept_and_language() -> None:
    assert [(label.key, label.language, label.text) for label in labels_of(TAXONOMY)] == [
        (("target-groups", "youth"), "en", "young people"),
        (("target-groups", "neets"), "en", "NEETs"),
        (("target-groups", "neets"), "en", "doing nothing"),
    ]
    assert labels_of(NO_TAXONOMY) == []


def test_a_concept_is_as_near_as_its_nearest_label() -> None:
    space = ConceptSpace(BY_CONCEPT, EightBitVectors.of(ROWS[[0, 2, 1]]))
    assert space.keys == [("target-groups", "youth"), ("target-groups", "women")]
    (nearest,) = space.similarities(np.array([[0.1, 0.2, 0.9, 0.0]], np.float32))
    assert nearest.tolist() == pytest.approx([0.9, 0.2], abs=1e-6)


def test_without_lists_there_are_no_concepts() -> None:
    space = ConceptSpace([], EightBitVectors.of(np.empty((0, 4), np.float32)))
    assert space.similarities(ROWS).shape == (4, 0)
    assert space.concepts_of(document(), space.similarities(ROWS), NO_TAXONOMY) == {}
    assert activations(*[np.empty(0, np.float32)] * 3).tolist() == []


def test_shares_add_up_to_one_or_nothing_stands_out() -> None:
    similarities = np.array([0.9, 0.8, 0.8, 0.8, 0.8, 0.8], np.float32)
    nothing = np.zeros(6, np.float32)
    shares = activations(similarities, nothing, np.ones(6, np.float32))
    assert shares.tolist() == pytest.approx([1, 0, 0, 0, 0, 0])
    assert activations(np.full(6, 0.8, np.float32), nothing, np.ones(6, np.float32)).sum() == 0


def test_a_concept_that_is_called_by_name_stands_out() -> None:
    named = np.array([0, 1, 0, 0, 0, 0], np.float32)
    shares = activations(np.full(6, 0.8, np.float32), named, np.ones(6, np.float32))
    assert shares.tolist() == pytest.approx([0, 1, 0, 0, 0, 0])


def test_a_tag_is_held_fully_and_what_includes_it_by_half() -> None:
    labels = labels_of(TAXONOMY)
    space = ConceptSpace(labels, EightBitVectors.of(ROWS[: len(labels)]))
    confidences = space.concepts_of(document(target_groups=("neets", "unknown")), space.similarities(ROWS), TAXONOMY)
    assert confidences == {"target-groups/neets": 1.0, "target-groups/youth": BROADER_CONFIDENCE}


def test_from_a_list_without_tags_a_document_holds_what_its_passages_come_close_to() -> None:
    labels = [Label(("target-groups", f"c{i}"), "en", str(i)) for i in range(6)]
    lists = {"target-groups": {f"c{i}": Concept(id=f"c{i}", terms={"en": [str(i)]}) for i in range(6)}}
    space = ConceptSpace(labels, EightBitVectors.of(np.eye(6, dtype=np.float32)))
    near = np.array([[0.95, 0.1, 0.1, 0.1, 0.1, 0.1]], np.float32)
    assert space.concepts_of(document(), near, Taxonomy(lists)) == {"target-groups/c0": 1.0}
    assert space.concepts_of(document(), near * np.float32(0.5), Taxonomy(lists)) == {}  # stands out, but is not close
    assert space.concepts_of(document(target_groups=("c1",)), near, Taxonomy(lists)) == {"target-groups/c1": 1.0}


@pytest.mark.parametrize(
    ("query", "concept"),
    [
        ("people just out of prison", "ex-offenders"),
        ("Leute, die gerade aus dem Gefängnis entlassen wurden", "ex-offenders"),
        ("wózek inwalidzki i praca", "people-with-disabilities"),
    ],
)
def test_everyday_words_name_a_concept(corpus_index: OpenIndex, encoder: Encoder, query: str, concept: str) -> None:
    result = search(query, corpus_index, encoder, SearchConfig(), k=3)
    assert concept in [shown.id for shown in result.concepts]
    assert sum(shown.share for shown in result.concepts) <= 1.001
    (shown,) = [shown for shown in result.concepts if shown.id == concept]
    assert shown.filter == "target_group"
    assert shown.documents > 0
