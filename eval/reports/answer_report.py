"""Measure the answers of an index or of a folder of paragraphs, and print what came out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pes_search.eval.answers import Figures, Outcome, Refusal, figures, given_paragraph, outcomes, refusal, risk_coverage
from pes_search.eval.collections.beir import read_beir, read_queries
from pes_search.eval.collections.files import raise_faults
from pes_search.eval.collections.gold_answers import PROJECT_ANSWERS, Gold, read_answers, with_gold
from pes_search.eval.collections.questions import PROJECT_QUESTIONS, Question, read_questions
from pes_search.eval.provenance import provenance
from pes_search.eval.retrieval import indexed
from pes_search.index.encoders import load_encoder
from pes_search.index.open_index import OpenIndex
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.faults import Fault
from pes_search.ingest.taxonomy import read_taxonomy
from pes_search.service.answers.answer import Answerer
from pes_search.service.answers.confidence import load_models
from pes_search.service.answers.writer_name import WriterName
from pes_search.service.engine import Engine
from pes_search.service.settings import Settings

PRINTED_COVERAGES = (0.25, 0.5, 0.75, 0.9, 1.0)  # at which the risk is printed


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured."""

    name: str
    documents: int
    writer: str
    threshold: float
    outcomes: Sequence[Outcome]
    given: Refusal | None  # every question asked of its own paragraph alone; None where each has an answer there
    provenance: Mapping[str, Any]

    @property
    def all(self) -> Figures:
        """Return the figures of all questions."""
        return figures(self.outcomes)

    def groups(self, name: Callable[[Question], str]) -> dict[str, Figures]:
        """Return the figures of the questions of each group that has a name."""
        names = sorted({name(outcome.question) for outcome in self.outcomes} - {""})
        outcomes_of = {group: [outcome for outcome in self.outcomes if name(outcome.question) == group] for group in names}
        return {group: figures(of_group) for group, of_group in outcomes_of.items()}

    def values(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        return {
            "set": self.name,
            "documents": self.documents,
            "writer": self.writer,
            "threshold": self.threshold,
            **asdict(self.all),
            "given_paragraph": asdict(self.given) if self.given else None,
            "languages": {name: asdict(group) for name, group in self.groups(lambda question: question.language).items()},
            "slices": {name: asdict(group) for name, group in self.groups(lambda question: question.slice).items()},
            "risk_coverage": risk_coverage(self.outcomes),
            "per_question": {
                outcome.question.id: {
                    "impossible": outcome.is_impossible,
                    "refused": outcome.refused,
                    "confidence": outcome.confidence,
                    "gold_first": outcome.gold_first,
                    "gold_all": outcome.gold_all,
                    "retrieved": outcome.retrieved,
                    "words": outcome.words,
                }
                for outcome in self.outcomes
            },
            **self.provenance,
        }


def load_answerer(settings: Settings) -> Answerer:
    """Return what answers questions by the settings.

    Raises:
        PesSearchError: the encoder cannot be loaded.
    """
    return Answerer(load_encoder(settings.encoder, settings.cache_dir), settings.search, settings.answer, load_models())


def measure_index(
    settings: Settings,
    load_engine: Callable[[], Engine],
    *,
    questions: Path,
    answers: Path | None,
    split: str | None,
    writer: WriterName | None,
) -> Report:
    """Measure an index by questions about it; the engine is loaded once they are known to fit.

    Raises:
        InputError: the questions or their answers do not fit.
        PesSearchError: the index cannot be used.
    """
    if answers is None:
        answers = PROJECT_ANSWERS if questions.parent == PROJECT_QUESTIONS else questions.with_name("answers.jsonl")
    pairs = with_gold(read_questions(questions, split), read_answers(answers), answers)
    check_writer(writer, settings)
    engine = load_engine()
    index = engine.index()
    results = list(outcomes(pairs, index, engine.answerer, writer=writer))
    name = f"{questions.parent.name}{f' ({split})' if split else ''}"
    facts = provenance(settings, index.manifest)
    config = settings.answer
    return Report(name, index.manifest.documents, writer or config.writer, config.threshold, results, None, facts)


def measure_folder(
    folder: Path,
    settings: Settings,
    load: Callable[[], Answerer],
    *,
    queries: Path | None,
    answers: Path | None,
    writer: WriterName | None,
) -> Report:
    """Measure answers from a folder's paragraphs, which are indexed for it; the answerer is loaded once they are known to fit.

    Raises:
        InputError: a file of the folder does not fit.
    """
    check_writer(writer, settings)
    faults: list[Fault] = []
    texts = read_queries(queries or folder / "queries.jsonl", faults)
    raise_faults(faults)
    path = answers or folder / "answers.jsonl"
    pairs = with_gold([Question(query_id, text) for query_id, text in texts.items()], read_answers(path), path)
    collection = read_beir(folder, queries=queries, qrels=None)
    answerer = load()
    taxonomy = read_taxonomy(settings.taxonomy)
    with indexed(collection, answerer.encoder, settings.cache_dir, settings.index_config(), taxonomy) as index:
        results = list(outcomes(pairs, index, answerer, writer=writer, ids=collection.original_ids))
        given = _given(pairs, index, answerer, collection.original_ids)
        facts = provenance(settings, index.manifest)
    name = collection.name + (f" ← {queries.resolve().parent.name}/{queries.name}" if queries else "")
    config = settings.answer
    return Report(name, len(collection.documents), writer or config.writer, config.threshold, results, given, facts)


def _given(
    pairs: Sequence[tuple[Question, Gold]], index: OpenIndex, answerer: Answerer, ids: Mapping[str, str]
) -> Refusal | None:
    if not any(gold.is_impossible and gold.document for _, gold in pairs):
        return None
    judged = list(given_paragraph(pairs, index, answerer, ids))
    threshold = answerer.config.threshold
    impossible, confidences = [is_impossible for is_impossible, _ in judged], [confidence for _, confidence in judged]
    return refusal(impossible, [confidence < threshold for confidence in confidences], confidences)


# ── Printing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def print_report(report: Report) -> None:
    """Print the figures as Markdown."""
    total = report.all
    print(f"{report.name}: {report.documents} documents, {total.questions} questions, {total.with_gold} with a gold answer")
    print(f"writer {report.writer}, threshold {report.threshold}; mean [95 % interval]\n")
    print("| measure | value |\n|---|---|")
    for label, value in (
        ("answerable questions that are answered", total.answered),
        ("gold in the first three quoted sentences", total.gold_first),
        ("the same, from the gold's own document", total.gold_own_document),
        ("gold in any quoted sentence", total.gold_all),
        ("words quoted per answer", total.words),
        ("sentences per answer", total.sentences),
        ("citations: weighted precision", total.citation_precision),
        ("citations: weighted recall", total.citation_recall),
        ("sentences rejected", total.rejected),
        ("answers of which the other writer had to write", total.fallen_back),
        ("time for the answer by that for its search (median)", total.answer_by_search),
    ):
        print(f"| {label} | {value} |")
    faults = ", ".join(f"{name} {count}" for name, count in total.faults.items())
    print(f"\ngold not quoted, by whose fault: {faults}")
    _print_refusal("whole collection", total.refusal)
    _print_refusal("given its paragraph alone", report.given)
    curve = risk_coverage(report.outcomes)
    points = [min(curve, key=lambda point, share=share: abs(point[0] - share)) for share in PRINTED_COVERAGES]  # type: ignore[misc]
    print("\n| share of the questions answered | share of these answers that is wrong | confidence from |\n|---|---|---|")
    for coverage, risk, confidence in points:
        print(f"| {coverage:.2f} | {risk:.3f} | {confidence:.3f} |")
    for label, groups in (
        ("slice", report.groups(lambda question: question.slice)),
        ("language", report.groups(lambda question: question.language)),
    ):
        if len(groups) > 1:
            print(f"\n| {label} | questions | answered | gold in three | gold | refusal F1 |\n|---|---|---|---|---|---|")
            for name, group in groups.items():
                f1 = group.refusal.f1 if group.refusal else ""
                gold = (group.gold_first, group.gold_all) if group.with_gold else ("", "")
                answered = group.answered if not group.refusal or group.refusal.impossible < group.questions else ""
                print(f"| {name} | {group.questions} | {answered} | {gold[0]} | {gold[1]} | {f1} |")


def _print_refusal(name: str, refused: Refusal | None) -> None:
    if refused is not None:
        print(
            f"\nrefusal, {name}: {refused.impossible} without an answer; precision {refused.precision}, "
            f"recall {refused.recall}, F1 {refused.f1}" + (f", AUROC {refused.auroc}" if refused.auroc else "")
        )


def check_writer(writer: str | None, settings: Settings) -> None:
    """Refuse to measure a language model that is not set.

    Raises:
        PesSearchError: there is none.
    """
    if (writer or settings.answer.writer) == "llm" and not (settings.answer.base_url and settings.answer.model):
        raise PesSearchError("no language model is set; give [answer] base_url and model in pes.toml")
