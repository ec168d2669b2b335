"""What a build adds to documents: the strength of the evidence where nothing states it."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from pes_search.index.derived import inferred_evidence
from pes_search.ingest.documents import read_document
from pes_search.ingest.passages import is_imagined, sentence_spans
from pes_search.ingest.sources import find_files
from pes_search.ingest.taxonomy import read_taxonomy
from pes_search.ingest.types import Document

LISTS = read_taxonomy(Path("corpus/taxonomy"))


def document(language: str = "en", kind: str = "practice") -> Document:
    return Document("a", "A", kind, language, "0", "a.md")


@pytest.mark.parametrize(
    ("sentence", "language", "strength"),
    [
        ("Participants were compared with a control group.", "en", "control-group"),
        ("Eine Kontrollgruppe gab es auch.", "de", "control-group"),
        ("Les bénéficiaires ont été tirés au sort.", "fr", "randomised-trial"),
        ("In total 4,000 jobseekers took part.", "en", "monitoring-figures"),
        ("There was no control group.", "en", None),
        ("The model is a random forest.", "en", None),
        ("It began in 2009.", "en", None),
    ],
)
def test_evidence_is_inferred_from_what_sentences_say(sentence: str, language: str, strength: str | None) -> None:
    found = inferred_evidence(document(language), [sentence], LISTS)
    assert found.evidence == strength
    assert found.evidence_sentence == (sentence if strength else None)


def test_the_strongest_counts_and_has_the_higher_confidence() -> None:
    named = inferred_evidence(document(), ["4,000 jobseekers took part.", "A control group was drawn."], LISTS)
    counted = inferred_evidence(document(), ["4,000 jobseekers took part."], LISTS)
    assert named.evidence == "control-group"
    assert (named.evidence_confidence or 0) > (counted.evidence_confidence or 0) > 0


def test_nothing_is_inferred_for_news() -> None:
    assert inferred_evidence(document(kind="news"), ["A control group was drawn."], LISTS).evidence is None


def test_the_confidence_is_how_often_the_rule_is_right_on_our_own_practices() -> None:
    right: Counter[float] = Counter()
    every: Counter[float] = Counter()
    for file in find_files(["corpus/practices"]):
        read = read_document(file)
        sentences = []
        heading = ""
        for block in read.blocks:
            heading = block.text if block.kind == "heading" else heading
            if block.kind != "heading" and not is_imagined(heading):
                sentences += [block.text[start:end] for start, end in sentence_spans(block.text, 0, len(block.text), "en")]
        hidden = replace(read.document, evidence=None, evidence_sentence=None)
        inferred = inferred_evidence(hidden, sentences, LISTS)
        if inferred.evidence_confidence:
            every[inferred.evidence_confidence] += 1
            right[inferred.evidence_confidence] += inferred.evidence == read.document.evidence
    assert len(every) == 2
    for confidence, count in every.items():
        assert confidence <= right[confidence] / count <= confidence + 0.15
