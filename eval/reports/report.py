"""The report on an index: what the judged questions say of it, as Markdown and HTML from the same values."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pes_search.eval.collections.questions import read_judgments, read_questions
from pes_search.eval.measures import answerable, measure
from pes_search.eval.provenance import provenance
from pes_search.eval.reports.sections import (
    Measured,
    Section,
    Table,
    group_section,
    latency_section,
    measures_section,
    unknown_section,
    worst_section,
)
from pes_search.eval.retrieval import runs
from pes_search.index.filters import EVERYTHING
from pes_search.ingest.errors import PesSearchError
from pes_search.service.settings import Settings

TITLE = "Retrieval report"


def write_report(settings: Settings, questions_file: Path, qrels_file: Path, split: str | None, folder: Path) -> list[Path]:
    """Measure the index that the settings name; return the files: Markdown, HTML and the Markdown's plots.

    Raises:
        PesSearchError: the index, the questions or their judgments cannot be used.
        OSError: the folder cannot be written.
    """
    from pes_search.service.engine import open_engine

    load = f"{os.getloadavg()[0]:.1f} of {os.cpu_count()} processors" if hasattr(os, "getloadavg") else "unknown"
    questions = read_questions(questions_file, split)
    qrels = read_judgments(qrels_file, questions)
    queries = answerable(qrels)
    if not queries:
        raise PesSearchError(f"{qrels_file}: no question of {questions_file} has a relevant document; nothing can be measured")
    folder.mkdir(parents=True, exist_ok=True)  # before the measuring, which takes minutes
    engine = open_engine(settings)
    index = engine.index()
    judged = [question for question in questions if question.id in set(queries)]
    rankings = runs(judged, index, engine.encoder, settings.search)
    values = {retriever: measure(run, qrels, queries) for retriever, run in rankings.items()}
    titles = {document.id: document.title for document in index.stored.documents(EVERYTHING)}
    measured = Measured(questions, judged, qrels, rankings, values, titles)

    known = provenance(settings, index.manifest)
    date = datetime.now(UTC).isoformat(timespec="seconds")
    rows = [
        ("command", known["command"]),
        ("commit", known["commit"]),
        ("version", known["version"]),
        ("index", f"{known['index_id']}: {index.manifest.documents} documents, {index.manifest.passages} passages"),
        ("model", known["model_id"]),
        ("machine", known["machine"]),
        ("load before", load),  # on a busy machine the latencies are those of the others
        ("date", date),
        ("questions", f"{len(judged)} of {questions_file.name}, split {split or 'all'}; sha256 {_sha256(questions_file)}"),
        ("judgments", f"{qrels_file.name}; sha256 {_sha256(qrels_file)}"),
    ]
    facts = Table("Measured with", ("what", "which"), rows)
    names = {"command": "command", "commit": "commit", "index_id": "index", "model_id": "model", "machine": "machine"}
    line = "; ".join([*(f"{name}: {known[key]}" for key, name in names.items()), f"date: {date}"])
    sections = [
        measures_section(measured),
        group_section(measured, "slice"),
        group_section(measured, "language"),
        unknown_section(measured),
        worst_section(measured),
        latency_section(measured, engine),
    ]

    plots = {folder / section.plot.file: section.plot.light for section in sections if section.plot}
    for path, image in plots.items():
        path.write_bytes(image)
    markdown, html = folder / "report.md", folder / "report.html"
    markdown.write_text("\n".join(_markdown(facts, line, sections)) + "\n", encoding="utf-8")
    html.write_text(_html(facts, line, sections), encoding="utf-8")
    return [markdown, html, *plots]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# ── Markdown and HTML ───────────────────────────────────────────────────────────────────────────────────────────────


def _markdown(facts: Table, line: str, sections: Sequence[Section]) -> Iterator[str]:
    yield f"# {TITLE}"
    yield from _markdown_table(facts)
    for section in sections:
        yield f"\n## {section.title}\n\n{_escaped(line)}"
        for note in section.notes:
            yield f"\n{_escaped(note)}"
        if section.plot:
            yield f"\n![{_escaped(section.plot.alt)}]({section.plot.file})"
        for table in section.tables:
            yield from _markdown_table(table)


def _markdown_table(table: Table) -> Iterator[str]:
    yield f"\n**{_escaped(table.caption)}**\n"
    yield f"| {' | '.join(map(_escaped, table.head))} |\n|{'---|' * len(table.head)}"
    for row in table.rows:
        yield f"| {' | '.join(map(_escaped, row))} |"
    if table.note:
        yield f"\n{_escaped(table.note)}"


def _escaped(text: str) -> str:
    """Return the text on one line, with a backslash before what Markdown would take for a column, a tag, stress or a link."""
    return re.sub(r"[\\|<*`]|(?<=\])\(", r"\\\g<0>", " ".join(text.split()))


def _html(facts: Table, line: str, sections: Sequence[Section]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["png"] = lambda image: f"data:image/png;base64,{base64.b64encode(image).decode()}"
    template = environment.get_template("report.html")
    return template.render(title=TITLE, facts=facts, provenance=line, sections=sections)
