"""The report says what the measures say, tells of what, and is a page that everybody can read."""

import hashlib
import html
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pes_search.eval.collections.questions import read_judgments, read_questions
from pes_search.eval.measures import MAIN, answerable, by_group, estimate, estimates, measure
from pes_search.eval.provenance import provenance
from pes_search.eval.reports.plots import Group, plot_groups
from pes_search.eval.reports.report import write_report
from pes_search.eval.retrieval import RETRIEVERS, runs
from pes_search.index.encoders.base import Encoder
from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex, open_index
from pes_search.index.stores.files import FileStore
from pes_search.ingest.errors import PesSearchError
from pes_search.service.settings import Settings

Build = Callable[[Sequence[str | Path], Path], Any]

TEXTS = {
    "Bakery": "The bakery trains young people as bakers and pays them from the first day.",
    "Library": "The library lends books to jobseekers and helps them to write applications.",
    "Garden": "In the garden project older workers grow vegetables for the neighbourhood.",
}
NASTY = 'bakers | <script>alert("x")</script> & $x^2$'
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Reported:
    """A report and what it was made of."""

    settings: Settings
    index: OpenIndex
    ids: dict[str, str]  # of the documents, by title
    folder: Path
    questions: Path
    qrels: Path
    files: list[Path]

    @property
    def markdown(self) -> str:
        return (self.folder / "report.md").read_text(encoding="utf-8")

    @property
    def page(self) -> str:
        return (self.folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def settings(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("report")
    (folder / "files").mkdir()
    for title, text in TEXTS.items():
        (folder / "files" / f"{title.lower()}.md").write_text(f"# {title}\n\n{text}\n", encoding="utf-8")
    build([folder / "files"], folder / "index")
    return Settings(index_dir=folder / "index")


def reported(settings: Settings, folder: Path, questions: list[dict[str, str]], qrels: list[tuple[str, str, int]]) -> Reported:
    """Write the questions, judgments that name documents by title, and the report."""
    index = open_index(FileStore(settings.index_dir))
    ids = {document.title: document.id for document in index.stored.documents(Filters())}
    folder.mkdir(exist_ok=True)
    questions_file, qrels_file = folder / "questions.jsonl", folder / "qrels.tsv"
    lines = [
        {**question, "document": ids[question["document"]]} if "document" in question else question for question in questions
    ]
    questions_file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    qrels_file.write_text("".join(f"{q}\t{ids.get(d, d)}\t{grade}\n" for q, d, grade in qrels), encoding="utf-8")
    files = write_report(settings, questions_file, qrels_file, None, folder / "a" / "b")
    return Reported(settings, index, ids, folder / "a" / "b", questions_file, qrels_file, files)


@pytest.fixture(scope="module")
def report(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Reported:
    return reported(
        settings,
        tmp_path_factory.mktemp("questions"),
        [
            {"id": "q1", "text": NASTY, "language": "en", "slice": "lexical"},
            {"id": "q2", "text": "Gemüse anbauen", "language": "de", "slice": "paraphrase"},
            {"id": "q3", "text": "fishing quotas", "language": "en", "slice": "unanswerable"},
        ],
        # The garden is what q2 means; judged is the library, so that q2 is the worst.
        [("q1", "Bakery", 2), ("q1", "Library", 0), ("q2", "Library", 1), ("q2", "gone", 0)],
    )


def values_of(report: Reported, encoder: Encoder) -> dict[str, dict[str, dict[str, float]]]:
    questions = read_questions(report.questions)
    qrels = read_judgments(report.qrels, questions)
    query_ids = answerable(qrels)
    judged = [question for question in questions if question.id in query_ids]
    rankings = runs(judged, report.index, encoder, report.settings.search)
    return {retriever: measure(run, qrels, query_ids) for retriever, run in rankings.items()}


def test_all_files_are_written(report: Reported) -> None:
    assert [path.name for path in report.files] == ["report.md", "report.html", "by-slice.png", "by-language.png"]
    assert all(path.parent == report.folder and path.stat().st_size for path in report.files)
    for path in report.files[2:]:
        assert path.read_bytes().startswith(PNG)
        assert f"]({path.name})" in report.markdown


def test_the_figures_are_those_of_the_measures(report: Reported, encoder: Encoder) -> None:
    values = values_of(report, encoder)
    for retriever in RETRIEVERS:
        row = [retriever, *map(str, estimates(values[retriever]).values())]
        assert f"| {' | '.join(row)} |" in report.markdown
        assert "".join(f"<td>{cell}</td>" for cell in row[1:]) in report.page
    for names in ({"q1": "lexical", "q2": "paraphrase"}, {"q1": "en", "q2": "de"}):
        groups = {retriever: by_group(values[retriever][MAIN], names) for retriever in RETRIEVERS}
        for group in names.values():
            row = [group, "1", *(str(estimate(groups[retriever][group])) for retriever in RETRIEVERS)]
            assert f"| {' | '.join(row)} |" in report.markdown
            assert f'<th scope="row">{group}</th>' + "".join(f"<td>{cell}</td>" for cell in row[1:]) in report.page
    assert f"Worst language of the hybrid: de {estimate([values['hybrid'][MAIN]['q2']])} (n = 1)." in report.markdown


def test_what_is_not_known_is_counted(report: Reported, encoder: Encoder) -> None:
    assert "1 of 3 questions have no relevant document" in report.markdown
    assert "1 of them have no judgment at all" in report.markdown
    assert "1 of 3 judged documents are not in this index" in report.markdown  # "gone"
    # BM25 finds nothing for q2, which shares no word with any document, and so shows nothing unjudged.
    shares = [1 - share for share in values_of(report, encoder)["bm25"]["judged@10"].values()]
    assert f"| bm25 | 1 | {estimate(shares[:1])} |" in report.markdown
    # Of three documents q1 has judgments for two, q2 for one.
    assert f"| hybrid | 2 | {estimate([1 / 3, 2 / 3])} |" in report.markdown


def test_the_worst_questions_come_with_both_rankings(report: Reported) -> None:
    worst = report.markdown.split("## Worst 2 questions")[1].split("\n## ")[0]
    assert worst.index("**q2: ") < worst.index("**q1: ")
    q2, q1 = worst.split("**q2: ")[1].split("**q1: ")
    ids = report.ids
    assert f"| 1 | Garden [{ids['Garden']}] | ? | Garden [{ids['Garden']}] | ? |" in q2
    assert "| rank | hybrid | grade of hybrid's | dense | grade of dense's |" in q2  # BM25 finds nothing
    assert "; slice: paraphrase; language: de. " in q2
    assert re.search(rf"Relevant: Library \[{ids['Library']}\] \(grade 1, rank [23]\)", q2)
    assert f"| 1 | Bakery [{ids['Bakery']}] | 2 |" in q1
    assert f"Library [{ids['Library']}] | 0 |" in q1


def test_every_section_says_what_it_was_measured_with(report: Reported) -> None:
    known = provenance(report.settings, report.index.manifest)
    for text in (report.markdown, html.unescape(report.page)):
        sections = re.split(r"\n## |<section ", text)
        assert len(sections) == 7
        for section in sections:
            for name in ("commit", "index_id", "model_id", "machine"):
                assert str(known[name]) in section
            assert known["command"].replace("*", r"\*") in section or known["command"] in section
        for path in (report.questions, report.qrels):
            assert hashlib.sha256(path.read_bytes()).hexdigest() in sections[0]


def test_every_stage_has_its_percentiles(report: Reported) -> None:
    latency = report.markdown.split("## Latency")[1]
    assert "| stage | p50 | p90 | p95 | p99 |" in latency
    rows = re.findall(r"\| (encoding|ranking|whole)[^|]* \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|", latency)
    assert [row[0] for row in rows] == ["encoding", "ranking", "whole"]
    for _, *cells in rows:
        assert sorted(map(float, cells)) == [float(cell) for cell in cells]
        assert float(cells[0]) > 0


def test_a_questions_text_is_text(report: Reported) -> None:
    assert "<script" not in report.page
    assert f"q1: {html.escape(NASTY).replace('&quot;', '&#34;')}</caption>" in report.page
    assert r'**q1: bakers \| \<script>alert("x")\</script> & $x^2$**' in report.markdown


def test_the_page_is_accessible_and_stands_alone(report: Reported) -> None:
    page = report.page
    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert "<title>Retrieval report</title>" in page
    assert '<meta name="viewport"' in page
    assert "prefers-color-scheme: dark" in page
    assert (
        page.count("<table>") == page.count("<caption ") == 8
    )  # header, retrievers, slices, languages, unknown, 2 worst, latency
    assert not re.search(r"<th(?! scope=)[ >]", page)
    images = re.findall(r"<img [^>]*>", page)
    assert len(images) == 2
    assert all(re.search(r'alt="Plot of nDCG@10 by \w+ for bm25, dense, hybrid', image) for image in images)
    assert set(re.findall(r'(?:src|srcset)="([^",]*),', page)) == {"data:image/png;base64"}
    assert "http:" not in page
    assert "https:" not in page
    assert '<caption id="worst-1-caption" lang="de">' in page
    ids = re.findall(r' id="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]*)"|labelledby="([^"]*)"', page)) <= {(part_id, "") for part_id in ids} | {
        ("", part_id) for part_id in ids
    }


def test_a_document_is_a_question_and_without_slices_there_is_no_plot(settings: Settings, tmp_path: Path) -> None:
    report = reported(settings, tmp_path, [{"id": "e1", "document": "Bakery"}], [("e1", "Garden", 1)])
    assert [path.name for path in report.files] == ["report.md", "report.html"]
    assert f"**e1: related to Bakery [{report.ids['Bakery']}]**" in report.markdown
    assert "Questions that name no slice and are left out here: 1." in report.markdown
    assert "No question has a text; nothing was timed." in report.markdown
    assert "<img" not in report.page


def test_without_a_relevant_document_there_is_no_report(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(PesSearchError, match="nothing can be measured"):
        reported(settings, tmp_path, [{"id": "q1", "text": "bakers"}], [("q1", "Bakery", 0)])
    assert not (tmp_path / "a").exists()


def test_a_plot_takes_any_name_and_is_the_same_each_time() -> None:
    groups = [
        Group("$\\frac{1}$", 2, {retriever: estimate([0.0, 1.0]) for retriever in RETRIEVERS}),
        Group("en", 1, {retriever: estimate([0.1 + 0.2]) for retriever in RETRIEVERS}),
    ]
    first, second = (plot_groups(groups, MAIN, "slice", "by-slice.png") for _ in range(2))
    assert first == second
    assert first.light != first.dark
    assert first.light.startswith(PNG)
