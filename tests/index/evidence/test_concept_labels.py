"""Documents are found by the names of their concepts in the query's language, though their texts are in another."""

import numpy as np
import pytest
from rank_bm25 import BM25Plus

from pes_search.index.config import Bm25Config, SearchConfig
from pes_search.index.encoders.base import Encoder
from pes_search.index.evidence.concept_labels import LabelMatcher, LabelTerms
from pes_search.index.evidence.holdings import Holdings
from pes_search.index.open_index import OpenIndex
from pes_search.index.search import search
from pes_search.index.text.tokens import terms
from pes_search.ingest.taxonomy import NO_TAXONOMY, Concept, Taxonomy

TAXONOMY = Taxonomy(
    {
        "target-groups": {
            "women": Concept(id="women", terms={"en": ["women"], "de": ["Frauen"]}, plain={"de": ["Mütter nach der Pause"]}),
            "youth": Concept(id="youth", terms={"en": ["young people"], "de": ["Jugendliche", "junge Menschen"]}),
            "older": Concept(id="older", terms={"en": ["older people"], "de": ["ältere Menschen"]}),
        }
    }
)
KEYS = [("target-groups", concept_id) for concept_id in TAXONOMY.lists["target-groups"]]
CONCEPTS = [f"{name}/{concept_id}" for name, concept_id in KEYS]
HOLDINGS = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 0]], np.float32)


def matcher(holdings: np.ndarray, bm25: Bm25Config) -> LabelMatcher:
    rows, columns = np.nonzero(holdings)
    documents = [f"d{row}" for row in range(len(holdings))]
    held = Holdings(documents, CONCEPTS, rows, columns, holdings[rows, columns])
    return LabelMatcher(LabelTerms(TAXONOMY, KEYS), held, bm25)


def test_the_scores_are_those_of_bm25_over_the_labels_that_documents_hold() -> None:
    texts = [
        ["Frauen", "Mütter nach der Pause"],
        ["Jugendliche", "junge Menschen"],
        ["Jugendliche", "junge Menschen", "ältere Menschen"],
        [],
    ]
    tokens = [[term for label in labels for term in terms(label, "de")] for labels in texts]
    query = "ältere Menschen und junge Mütter"
    reference = BM25Plus(tokens, k1=1.5, b=0.75, delta=1)
    query_terms = terms(query, "de")
    known = [term for term in query_terms if term in reference.idf]
    raw = reference.get_scores(known) - sum(reference.idf[term] for term in known)  # the constant of absent terms
    total = sum(reference.idf.get(term, np.log(5)) for term in query_terms)
    scores = matcher(HOLDINGS, Bm25Config()).scores(query, "de")
    assert scores.tolist() == pytest.approx((raw / (2.5 * total)).tolist(), abs=1e-6)
    assert scores.argmax() == 2


def test_the_configuration_of_bm25_is_that_of_the_index() -> None:
    flat = matcher(HOLDINGS, Bm25Config(k1=0, b=0)).scores("junge Menschen", "de")
    assert flat.tolist() == pytest.approx([0, 1, 1, 0])  # without saturation a term that stands there counts fully


def test_what_is_held_by_half_counts_by_half() -> None:
    half = HOLDINGS.copy()
    half[1] *= 0.5
    whole, less = (matcher(holdings, Bm25Config()).scores("Jugendliche", "de") for holdings in (HOLDINGS, half))
    assert 0 < less[1] < whole[1] <= 1


@pytest.mark.parametrize(("query", "language"), [("Frauen", "fr"), ("unbekannt", "de"), ("", "de"), ("!?", "en")])
def test_without_a_shared_word_the_score_is_0(query: str, language: str) -> None:
    assert matcher(HOLDINGS, Bm25Config()).scores(query, language).tolist() == [0, 0, 0, 0]


def test_without_lists_or_documents_there_is_nothing_to_match() -> None:
    nothing = LabelMatcher(LabelTerms(NO_TAXONOMY, []), Holdings.of_documents(["a", "b"], [{}, {}]), Bm25Config())
    assert nothing.scores("women", "en").tolist() == [0, 0]
    assert matcher(np.zeros((0, 3), np.float32), Bm25Config()).scores("women", "en").tolist() == []


def test_a_country_is_found_by_its_name_in_the_querys_language(corpus_index: OpenIndex, encoder: Encoder) -> None:
    """The encoder alone would put voucher schemes of other countries there."""
    hits = search("Gutscheine für Weiterbildung in Kroatien", corpus_index, encoder, SearchConfig(), k=3).hits
    assert [hit.document.countries for hit in hits[:2]] == [("HR",), ("HR",)]
    assert "hr-vouchers" in [hit.document.id for hit in hits[:2]]
    assert hits[0].scores.labels > 0.1
