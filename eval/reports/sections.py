"""The parts of the report: figures of the judged questions as notes, tables and plots."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pes_search.eval.collections.files import Qrels, Run
from pes_search.eval.collections.questions import Question
from pes_search.eval.measures import LEVEL, MAIN, Values, by_group, estimate, estimates
from pes_search.eval.reports.plots import Group, Plot, plot_groups
from pes_search.eval.retrieval import KEPT_DOCUMENTS, RETRIEVERS, Retriever
from pes_search.index.filters import Filters
from pes_search.index.search import FIRST_DEPTH, QUERY_CHARACTERS, ranked, read_query, search
from pes_search.ingest.languages.identify import detect_language

if TYPE_CHECKING:
    from pes_search.service.engine import Engine

WORST_QUESTIONS, TOP_DOCUMENTS = 15, 5  # shown with their rankings; of each ranking
TIMED_QUESTIONS = 200
FEW_TIMED_QUESTIONS = 100  # of fewer the highest percentiles say little
PERCENTILES = (50, 90, 95, 99)
JUDGED = "judged@10"


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first cell of a row names the row."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    language: str = ""  # of the caption where that is a question, ISO 639-1


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report with a heading."""

    id: str
    title: str
    notes: Sequence[str]
    tables: Sequence[Table] = ()
    plot: Plot | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What the sections tell of."""

    questions: Sequence[Question]  # of the split
    judged: Sequence[Question]  # those of them that have a relevant document
    qrels: Qrels
    runs: Mapping[Retriever, Run]
    values: Mapping[Retriever, Values]
    titles: Mapping[str, str]  # of all documents, by id

    def top(self, retriever: Retriever, question: str) -> list[str]:
        """Return a ranking's documents, best first."""
        scores = self.runs[retriever][question]
        return sorted(scores, key=lambda document: (-scores[document], document))


def measures_section(measured: Measured) -> Section:
    """Return every measure of every retriever."""
    rows = [(retriever, *map(str, estimates(values).values())) for retriever, values in measured.values.items()]
    table = Table(f"{len(measured.judged)} questions", ("retriever", *measured.values[RETRIEVERS[0]]), rows)
    note = f"Means over the questions with their {LEVEL:.0%} intervals (percentile bootstrap over the questions)."
    return Section("measures", "All retrievers and measures", [note, "An unjudged document counts as not relevant."], [table])


def group_section(measured: Measured, field: str) -> Section:
    """Return the main measure by slice or language; questions that name none are counted in a note."""
    names = {question.id: str(getattr(question, field)) for question in measured.judged if getattr(question, field)}
    by_retriever = {retriever: by_group(values[MAIN], names) for retriever, values in measured.values.items()}
    groups = [
        Group(name, len(values), {retriever: estimate(by_retriever[retriever][name]) for retriever in RETRIEVERS})
        for name, values in by_retriever["hybrid"].items()
    ]
    notes = []
    if unnamed := len(measured.judged) - len(names):
        notes.append(f"Questions that name no {field} and are left out here: {unnamed}.")
    if not groups:
        return Section(field, f"By {field}", notes)
    if field == "language":
        worst = min(groups, key=lambda group: (group.estimates["hybrid"].value, group.name))
        notes.append(f"Worst language of the hybrid: {worst.name} {worst.estimates['hybrid']} (n = {worst.questions}).")
    notes.append(f"{MAIN}, mean and {LEVEL:.0%} interval; one without width says that the questions all score the same.")
    rows = [
        (group.name, str(group.questions), *(str(group.estimates[retriever]) for retriever in RETRIEVERS)) for group in groups
    ]
    table = Table(f"{MAIN} by {field}", (field, "n", *RETRIEVERS), rows)
    return Section(field, f"By {field}", notes, [table], plot_groups(groups, MAIN, field, f"by-{field}.png"))


def unknown_section(measured: Measured) -> Section:
    """Return what the figures do not cover."""
    judged_ids = {question.id for question in measured.judged}
    left_out = [question for question in measured.questions if question.id not in judged_ids]
    unjudged = sum(not measured.qrels[question.id] for question in left_out)
    judged = {document for grades in measured.qrels.values() for document in grades}
    notes = [
        f"{len(left_out)} of {len(measured.questions)} questions have no relevant document and are left out of all measures; "
        f"{unjudged} of them have no judgment at all.",
        f"{len(judged - set(measured.titles))} of {len(judged)} judged documents are not in this index.",
    ]
    rows = []
    for retriever in RETRIEVERS:
        shares = [1 - value for query, value in measured.values[retriever][JUDGED].items() if measured.runs[retriever][query]]
        rows.append((retriever, str(len(shares)), str(estimate(shares)) if shares else "–"))
    head = ("retriever", "questions it found anything for", f"unjudged share (1 − {JUDGED})")
    return Section("unknown", "What is not known", notes, [Table("Unjudged documents among the first ten", head, rows)])


def worst_section(measured: Measured) -> Section:
    """Return the questions that the hybrid answers worst, with its ranking and that of a single retriever."""
    values = {retriever: by_measure[MAIN] for retriever, by_measure in measured.values.items()}
    worst = sorted(measured.judged, key=lambda question: (values["hybrid"][question.id], question.id))[:WORST_QUESTIONS]
    notes = [
        f"The questions with the lowest {MAIN} of the hybrid, each with the first {TOP_DOCUMENTS} documents of the hybrid and "
        "of the single retriever that is better for it (for all questions, where they tie). A grade of 0 is not relevant, "
        "? is unjudged."
    ]
    return Section("worst", f"Worst {len(worst)} questions", notes, [_rankings(question, measured) for question in worst])


def _rankings(question: Question, measured: Measured) -> Table:
    values = {retriever: by_measure[MAIN] for retriever, by_measure in measured.values.items()}
    better = max(RETRIEVERS[:-1], key=lambda retriever: (values[retriever][question.id], sum(values[retriever].values())))
    grades = measured.qrels[question.id]
    both = [measured.top(retriever, question.id) for retriever in ("hybrid", better)]
    rows = []
    for rank in range(1, 1 + min(TOP_DOCUMENTS, max(map(len, both)))):
        shown = [documents[rank - 1] if rank <= len(documents) else "" for documents in both]
        cells = [(_named(document, measured), str(grades.get(document, "?"))) if document else ("–", "") for document in shown]
        rows.append((str(rank), *cells[0], *cells[1]))
    places = {document: rank for rank, document in enumerate(both[0], start=1)}
    relevant = [
        f"{_named(document, measured)} (grade {grade}, "
        + (f"rank {places[document]})" if document in places else f"not among the hybrid's first {KEPT_DOCUMENTS})")
        for document, grade in sorted(grades.items(), key=lambda item: (-item[1], item[0]))
        if grade > 0
    ]
    facts = [f"{MAIN}: {', '.join(f'{retriever} {values[retriever][question.id]:.3f}' for retriever in RETRIEVERS)}"]
    facts += [f"{name}: {value}" for name, value in (("slice", question.slice), ("language", question.language)) if value]
    title = question.text or f"related to {_named(question.document, measured)}"
    return Table(
        f"{question.id}: {title}",
        ("rank", "hybrid", "grade of hybrid's", better, f"grade of {better}'s"),
        rows,
        f"{'; '.join(facts)}. Relevant: {'; '.join(relevant)}.",
        question.language if question.text else "",
    )


def _named(document: str, measured: Measured) -> str:
    title = measured.titles.get(document, "not in this index")
    return f"{title} [{document}]" if title else document


def latency_section(measured: Measured, engine: Engine) -> Section:
    """Time the stages, one question after the other; the engine has searched before."""
    index, encoder, config = engine.index(), engine.encoder, engine.settings.search
    texts = [question.text for question in measured.questions if 0 < len(question.text) <= QUERY_CHARACTERS]
    texts = texts[:: math.ceil(len(texts) / TIMED_QUESTIONS) or 1]  # evenly from the file, which may be in order of slices
    encoding, ranking, whole = [], [], []
    for text in texts:
        expanded = index.expander.wording(text).written_out
        vector = encoder.encode_queries([expanded])[0]  # maybe remembered; a passage never is
        started = time.perf_counter()
        encoder.encode_passages([expanded])
        encoded = time.perf_counter()
        ranked(read_query(expanded, detect_language(text), vector, index, config), index, config, Filters(), FIRST_DEPTH)
        encoding.append(encoded - started)
        ranking.append(time.perf_counter() - encoded)
    for text in texts:  # on its own, so that its ranking does not follow one of the same text
        started = time.perf_counter()
        search(text, index, encoder, config)
        whole.append(time.perf_counter() - started)
    title = "Latency"
    if not texts:
        return Section("latency", title, ["No question has a text; nothing was timed."])
    rows = [
        (f"encoding the query ({encoder.dimensions} dimensions)", *_percentiles(encoding)),
        (f"ranking ({FIRST_DEPTH} candidates a retriever)", *_percentiles(ranking)),
        ("whole search (10 documents)", *_percentiles(whole)),
    ]
    notes = [
        f"{len(texts)} questions, one after the other, in this process, everything loaded, without HTTP. What else "
        "the machine did is in these times; the head of the report has its load before."
    ]
    if len(texts) < FEW_TIMED_QUESTIONS:
        notes.append("Of so few questions the highest percentiles are little more than the slowest.")
    table = Table("Milliseconds by stage", ("stage", *(f"p{percentile}" for percentile in PERCENTILES)), rows)
    return Section("latency", title, notes, [table])


def _percentiles(seconds: Sequence[float]) -> list[str]:
    import numpy as np

    return [f"{1000 * value:.1f}" for value in np.percentile(seconds, PERCENTILES)]
