"""The strength of the evidence of each practice of the corpus, and the sentence that states it."""

import dataclasses

from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex
from pes_search.service.editing.stated import evidence_quotation, stated_term


def test_each_sentence_is_quoted_from_the_text_of_its_practice(corpus_index: OpenIndex) -> None:
    practices = corpus_index.stored.documents(Filters(kind=["practice"]))
    assert len(practices) > 100
    for text in corpus_index.stored.texts([practice.id for practice in practices]):
        sentences = [" ".join(citation.quote.split()) for citation in evidence_quotation(text)]
        assert sentences == [text.document.evidence_sentence] * (text.document.evidence != "none-stated"), text.document.id


def test_a_sentence_that_the_text_lacks_is_not_quoted(corpus_index: OpenIndex) -> None:
    text = corpus_index.text("mt-intercept")
    for sentence in (None, " ", "A study with a control group found nothing."):
        changed = dataclasses.replace(text.document, evidence_sentence=sentence)
        assert evidence_quotation(dataclasses.replace(text, document=changed)) == ()


def test_documents_that_nobody_has_judged_have_no_strength(corpus_index: OpenIndex) -> None:
    news = corpus_index.stored.documents(Filters(kind=["news"]))
    assert [stated_term("evidence", document) for document in news] == [None] * len(news)
    assert stated_term("evidence", corpus_index.document("mt-intercept")) == "control-group"
    assert stated_term("country", corpus_index.document("mt-intercept")) is None
