"""What the encoder's adapter learns from: batches of texts, each with the English text that says what it means.

Five kinds of batches, drawn at random by a seed:

    sentences   English sentences on labour-market measures (© Eurofound), each with some of its neighbours
    practices   our own write-ups: situations ("When to think of it") as queries, passages of other sections
    labels      taxonomy labels in 24 languages as queries, labels of the same concepts and passages of write-ups
    everyday    questions in everyday words, in English and in 23 other languages, on passages of factsheets and reports
                (© Eurofound), each with the passages that are most like its own; one document in five is held out
    parallel    XQuAD's questions and paragraphs, each in one of five languages (CC BY-SA 4.0), `TRAINING_ARTICLES` only
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from pes_search.eval.collections.everyday import is_held_out, read_everyday, read_report_passages
from pes_search.eval.collections.files import InputError, read_qrels
from pes_search.eval.collections.xquad import PARALLEL_LANGUAGES, is_training_article
from pes_search.index.encoders.base import Encoder
from pes_search.index.evidence.concepts import labels_of
from pes_search.index.text.passage_text import full_text
from pes_search.ingest.config import PassageConfig
from pes_search.ingest.documents import read_document
from pes_search.ingest.faults import Fault
from pes_search.ingest.passages import build_pages, build_passages, sentence_spans
from pes_search.ingest.sources import find_files
from pes_search.ingest.taxonomy import Taxonomy, read_taxonomy

T = TypeVar("T")

SITUATIONS = "When to think of it"
SHORTEST_SENTENCE_CHARACTERS = 25  # what is shorter is a heading or a remnant of a table


@dataclass(frozen=True, slots=True)
class Item:
    """A text that the encoder reads."""

    text: str
    meaning: str  # the same in English, which the teacher reads
    group: str = ""  # a passage answers the queries of its group


@dataclass(frozen=True, slots=True)
class Batch:
    """Queries and passages; each query is held against each passage."""

    kind: str
    queries: Sequence[Item]
    passages: Sequence[Item]


class Neighbours(Protocol):
    """Gives what is hard to tell from a text."""

    def sentences(self, row: int) -> Sequence[int]:
        """Return the rows of the sentences nearest to a sentence."""

    def reports(self, digest: str, count: int, rng: np.random.Generator) -> Sequence[str]:
        """Return some of the passages nearest to a passage of a report, other documents' only."""


@dataclass(frozen=True, slots=True)
class TrainingTexts:
    """All that batches are drawn from."""

    sentences: Sequence[str]
    situations: Sequence[Item]
    passages: Sequence[Item]
    labels: Mapping[str, Sequence[Item]]  # by language
    questions: Sequence[Mapping[str, Item]]  # by language
    paragraphs: Mapping[str, Mapping[str, Item]]  # by id, then language
    everyday: Sequence[Mapping[str, Item]]  # by language; the group is the passage's digest
    reports: Mapping[str, Item]  # the passages that they are on and others of the same documents, by digest

    def counts(self) -> dict[str, int]:
        """Return how many texts of each sort there are."""
        return {
            "sentences": len(self.sentences),
            "situations": len(self.situations),
            "passages of write-ups": len(self.passages),
            "labels": sum(map(len, self.labels.values())),
            "parallel questions": len(self.questions),
            "parallel paragraphs": len(self.paragraphs),
            "everyday questions": len(self.everyday),
            "passages of reports": len(self.reports),
        }

    def batch(self, kind: str, size: int, rng: np.random.Generator, neighbours: Neighbours) -> Batch:
        """Draw a batch of about `size` queries and as many passages, some of them hard to tell apart."""
        if kind == "sentences":
            chosen: dict[int, None] = {}
            while len(chosen) < size:
                chosen |= dict.fromkeys([seed := int(rng.integers(len(self.sentences))), *neighbours.sentences(seed)])
            items = [Item(self.sentences[row], self.sentences[row]) for row in list(chosen)[:size]]
            return Batch(kind, items, items)
        if kind == "practices":
            queries = _drawn(self.situations, size, rng)
            documents = dict.fromkeys(query.group for query in queries)
            answers = [item for item in self.passages if item.group in documents]
            return Batch(kind, queries, _drawn(answers, size, rng))
        if kind == "labels":
            languages = rng.choice(list(self.labels), size)
            queries = [_drawn_item(self.labels[language], rng) for language in languages]
            groups = {query.group for query in queries}
            of_concepts = [item for labels in self.labels.values() for item in labels if item.group in groups]
            return Batch(kind, queries, [*_drawn(of_concepts, size // 2, rng), *_drawn(self.passages, size // 2, rng)])
        if kind == "everyday":
            queries = [_drawn_item(list(question.values()), rng) for question in _drawn(self.everyday, size * 2 // 3, rng)]
            own = list(dict.fromkeys(query.group for query in queries))
            hard = [digest for group in own for digest in neighbours.reports(group, 1, rng)]
            return Batch(kind, queries, [self.reports[digest] for digest in dict.fromkeys([*own, *hard])])
        questions = _drawn(self.questions, size, rng)
        queries = [_drawn_item(list(question.values()), rng) for question in questions]
        answers = [_drawn_item(list(self.paragraphs[name].values()), rng) for name in dict.fromkeys(q.group for q in queries)]
        return Batch("parallel", queries, answers)


def read_training_texts(data: Path, corpus: Path, encoder: Encoder, passages: PassageConfig) -> TrainingTexts:
    """Read the texts: `data` is the folder of the test data, `corpus` that of the write-ups.

    Raises:
        InputError: a file is missing.
        TaxonomyError: the controlled lists of the corpus cannot be used.
    """
    needed = [data / "sentences" / "labour-en.txt"]
    needed += [data / "bench" / f"xquad-{language}" / "corpus.jsonl" for language in PARALLEL_LANGUAGES]
    if missing := [path for path in needed if not path.is_file()]:
        raise InputError([Fault(str(path), 1, "is missing; name the data's folder with --data") for path in missing])
    lines = (line.strip() for line in needed[0].read_text(encoding="utf-8").splitlines())
    sentences = list(dict.fromkeys(line for line in lines if len(line) >= SHORTEST_SENTENCE_CHARACTERS))
    situations, answers = _write_ups(corpus, encoder, passages)
    questions, paragraphs = _parallel(data / "bench")
    labels = _labels(read_taxonomy(corpus / "taxonomy"))
    reports, everyday = _everyday(data, encoder, passages)
    return TrainingTexts(sentences, situations, answers, labels, questions, paragraphs, everyday, reports)


def _write_ups(corpus: Path, encoder: Encoder, config: PassageConfig) -> tuple[list[Item], list[Item]]:
    """Return the sentences of the section on situations, and the passages of the other sections."""
    situations, answers = [], []
    for file in find_files([str(corpus / "practices")]):
        write_up = read_document(file)
        heading = ""
        sections = []
        for block in write_up.blocks:
            heading = block.text if block.kind == "heading" else heading
            sections.append(heading)
        situation_blocks = [
            block.text for block, section in zip(write_up.blocks, sections, strict=True) if section == SITUATIONS
        ]
        for text in situation_blocks[1:]:
            spans = sentence_spans(text, 0, len(text), "en")
            situations += [Item(part, part, write_up.document.id) for start, end in spans if (part := text[start:end].strip())]
        rest = [block for block, section in zip(write_up.blocks, sections, strict=True) if section != SITUATIONS]
        pages = build_pages(write_up.document, rest)
        for passage in build_passages(write_up.document, pages, encoder.token_starts, config):
            text = full_text(write_up.document, passage)
            answers.append(Item(text, text, write_up.document.id))
    return situations, answers


def _labels(taxonomy: Taxonomy) -> dict[str, list[Item]]:
    """Return the labels by language; what one means is said by all English labels of its concept."""
    labels = labels_of(taxonomy)
    english: dict[tuple[str, str], list[str]] = {}
    for label in labels:
        if label.language == "en":
            english.setdefault(label.key, []).append(label.text)
    items: dict[str, list[Item]] = {}
    for label in labels:
        meaning = "; ".join(english[label.key])
        items.setdefault(label.language, []).append(Item(label.text, meaning, "/".join(label.key)))
    return items


def _parallel(bench: Path) -> tuple[list[dict[str, Item]], dict[str, dict[str, Item]]]:
    """Return XQuAD's questions and paragraphs of the training articles."""

    def texts(language: str, file: str) -> dict[str, str]:
        with (bench / f"xquad-{language}" / file).open(encoding="utf-8") as lines:
            return {row["_id"]: row["text"] for row in map(json.loads, lines)}

    paragraphs = {language: texts(language, "corpus.jsonl") for language in PARALLEL_LANGUAGES}
    questions = {language: texts(language, "queries.jsonl") for language in PARALLEL_LANGUAGES}
    qrels = read_qrels(bench / "xquad-en" / "qrels.tsv")

    def items(texts_by_language: Mapping[str, Mapping[str, str]], name: str, group: str) -> dict[str, Item]:
        english = texts_by_language["en"][name]
        return {language: Item(by_name[name], english, group) for language, by_name in texts_by_language.items()}

    answer = {question: next(iter(qrels[question])) for question in questions["en"] if qrels.get(question)}
    return (
        [items(questions, question, paragraph) for question, paragraph in answer.items() if is_training_article(paragraph)],
        {name: items(paragraphs, name, name) for name in paragraphs["en"] if is_training_article(name)},
    )


def _everyday(data: Path, encoder: Encoder, config: PassageConfig) -> tuple[dict[str, Item], list[dict[str, Item]]]:
    """Return the passages of reports by digest, and the questions on them by language, without the held-out documents."""
    passages = read_report_passages(data, encoder, config)
    reports = {
        digest: Item(passage.text, passage.text, passage.document)
        for digest, passage in passages.items()
        if not is_held_out(passage.document)
    }
    everyday = [
        {
            "en": Item(question.english, question.english, question.passage),
            question.language: Item(question.text, question.english, question.passage),
        }
        for question in read_everyday(passages)
        if question.passage in reports
    ]
    return reports, everyday


def _drawn(values: Sequence[T], size: int, rng: np.random.Generator) -> list[T]:
    return [values[row] for row in rng.choice(len(values), min(size, len(values)), replace=False)]


def _drawn_item(values: Sequence[Item], rng: np.random.Generator) -> Item:
    return values[int(rng.integers(len(values)))]
