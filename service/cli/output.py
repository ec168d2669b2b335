"""What `pes` prints for people: hits, answers, comparisons and reports.

Heavy imports stay inside the functions, as in `commands`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pes_search.index.build import BuildReport
    from pes_search.ingest.preview import Preview
    from pes_search.ingest.web.fetch import FetchReport
    from pes_search.service.api.schemas import (
        AskOut,
        ChoiceOut,
        ComparisonOut,
        DuplicatesOut,
        HitOut,
        NewerOut,
        RelatedOut,
        RelationOut,
        SearchOut,
        TableRowOut,
    )
    from pes_search.service.settings import Settings

INFERRED = " (inferred)"  # behind a value that nothing states
SHOWN_ADDRESSES = 20  # of those that were left out at a source
SHOWN_PATHS = 3  # of the files that were skipped for one reason


def countries(described: HitOut | ChoiceOut | TableRowOut) -> str:
    """Return the codes of a document's countries, with what nothing states marked."""
    is_inferred = any(value.field == "countries" for value in described.inferred)
    return ", ".join(described.countries) + (INFERRED if is_inferred else "")


def print_hit(hit: HitOut) -> None:
    """Print a hit with its metadata, place, text and address."""
    facts = " · ".join(filter(None, [hit.visibility, countries(hit), str(hit.year or ""), hit.kind]))
    print(f"{hit.rank}. {hit.title}  [{facts}]  {hit.score:.3f}")
    print(f"   {hit.passage_id}{place(hit.place, hit.headings, hit.recognition_confidence)}")
    for other in hit.also:
        form = f"in {other.language}" if other.relation == "translation" else "as"
        print(f"   also {form}: {other.document_id}  {other.path}")
    if hit.newer:
        print(f"   a newer version: {hit.newer.title}  {hit.newer.document_id}")
    print("   " + _marked(hit.text, hit.highlights).replace("\n\n", "\n").replace("\n", "\n   "))
    if hit.url:
        print(f"   {hit.url}")
    print()


# What a refusal says to people.
REFUSALS = {
    "nothing_relevant": "The collection has nothing on this.",
    "not_answered": "No document states this; the nearest are below.",
    "before_start": "{practice} began in {year}, after the year that the question asks about.",
    "not_stated": "No document states this of {practice}.",
    "personal_or_instruction": (
        "This asks for something personal or gives an order. This service only quotes documents; ask your employment office."
    ),
}


def print_answer(answer: AskOut) -> None:
    """Print an answer with its sources, or why it is refused and what comes nearest."""
    if answer.notice:
        print(f"note: {answer.notice}", file=sys.stderr)
    if answer.understood_as:
        print(f"understood as: {answer.understood_as}\n")
    if answer.reason:
        about = answer.about
        print(REFUSALS[answer.reason].format(practice=about.title if about else "", year=about.year if about else "") + "\n")
    if answer.suggested:
        print("Answered are:\n" + "\n".join(f"  {question}" for question in answer.suggested) + "\n")
    if answer.choices:
        print("Which practice do you mean?")
        for choice in answer.choices:
            print(f"  {choice.title}  [{countries(choice)}]  {choice.id}")
        return
    for row in answer.table:
        years = f"{row.year or '?'}-{row.end_year or ''}"
        figure = f"{row.figure.value:,.0f} {row.figure.unit}  " if row.figure else ""
        print(f"{figure}{years}  {row.title}  [{countries(row)}]  {row.id}\n    {row.citation.quote}")
    if answer.table:
        return
    if answer.missing:
        print("No document states: " + " ".join(answer.missing) + "\n")
    sources: dict[str, int] = {}  # passages, numbered as they are first cited
    lines: list[str] = []
    for sentence in answer.sentences:
        numbers = [sources.setdefault(citation.passage_id, len(sources) + 1) for citation in sentence.citations]
        lines.append(sentence.text + " " + "".join(f"[{number}]" for number in dict.fromkeys(numbers)))
    if lines:
        print("\n".join(lines) + "\n")
    for sentence in answer.sentences:
        for citation in sentence.citations:
            if number := sources.pop(citation.passage_id, None):
                language = f", in {citation.language}" if citation.language not in {None, answer.language} else ""
                at = place(citation.place, [], citation.recognition_confidence)
                print(f"[{number}] {citation.title}{at}{language}  {citation.passage_id}")
                print(f"    {citation.url}")
    if answer.refused and answer.nearest:
        print("Nearest:")
        for hit in answer.nearest:
            facts = " · ".join(filter(None, [hit.visibility, countries(hit), str(hit.year or ""), hit.kind]))
            print(f"  {hit.title}  [{facts}]  {hit.document_id}")


def print_comparison(comparison: ComparisonOut) -> None:
    """Print the documents' fields, one under the other, each with its quotation or as not stated."""
    for row in comparison.rows:
        print(row.label)
        for document, cell in zip(comparison.documents, row.cells, strict=True):
            term = f" [{cell.term or cell.value}]" if cell.term or cell.value else ""
            note = INFERRED if cell.inferred else ""
            term = f"{term}{note}" if term else ""
            if not cell.citations and cell.value:
                print(f"  {document.id}: {cell.value}{note}")
            elif not cell.citations:
                print(f"  {document.id}{term}: not stated")
            for citation in cell.citations:
                at = place(citation.place, [], citation.recognition_confidence)
                print(f"  {document.id}{term}: {citation.quote}{at}  {citation.passage_id}")
        print()


def _marked(text: str, highlights: Sequence[tuple[int, int]]) -> str:
    """Return the text with the matched words in bold, on a terminal only."""
    if not sys.stdout.isatty():
        return text
    parts, position = [], 0
    for start, end in highlights:
        parts += [text[position:start], "\033[1m", text[start:end], "\033[0m"]
        position = end
    return "".join([*parts, text[position:]])


def place(page: str | None, headings: Sequence[str], recognition: float | None = None) -> str:
    """Return in brackets what a page is called, the lowest heading, and that a picture's text was recognised, or nothing."""
    parts = [
        *([page] if page else []),
        *headings[-1:],
        *([f"recognised by OCR, {recognition:.0%} sure"] if recognition else []),
    ]
    return "  (" + ", ".join(parts) + ")" if parts else ""


def search_notes(result: SearchOut, *, everything: bool, group: str) -> Iterator[str]:
    """Yield what a person should know of a search beside its hits."""
    if result.put_right:
        yield f"shown are results for {result.query!r}, not {result.put_right!r} (--as-typed leaves the spelling alone)"
    if result.did_you_mean:
        yield f"did you mean: {result.did_you_mean}?"
    for phrase in result.absent_phrases:
        yield f'no document has "{phrase}" as written; leave the quotation marks out to search its words'
    if not result.matching + result.further:
        yield "no document passes these filters" if not result.absent_phrases else "nothing is left to show"
    elif result.nothing_relevant:
        yield "nothing matches" + ("" if everything else f"; {result.further} {group}s come nearest: --all lists them")
    elif not result.hits:
        yield f"no hit after the first {result.total}"
    else:
        yield f"{result.matching} match, {result.further} further"


def print_duplicates(result: DuplicatesOut) -> None:
    """Print the groups of documents that say the same, first the one that stands for the others, and what was decided."""
    for group in result.groups:
        print(f"{group.title}  {group.document_id}  {group.path}" + ("  (confirmed)" if group.confirmed else ""))
        for other in group.others:
            language = f", {other.language}" if other.relation == "translation" else ""
            print(f"  {other.relation}{language}: {other.title}  {other.document_id}  {other.path}")
        if group.parted:
            print(f"  parted from it: {', '.join(group.parted)}")
    print(f"groups of documents that say the same: {len(result.groups)}")
    for decision in result.decisions:
        print(
            f"{'copies' if decision.are_copies else 'no copies'}: {decision.first} {decision.second}  (decided {decision.at})"
        )


def print_related(result: RelatedOut) -> None:
    """Print related documents, why they are, and which say the same."""
    for hit in result.hits:
        print_hit(hit)
        reasons = [reason.name + (f" ({', '.join(reason.terms)})" if reason.terms else "") for reason in hit.reasons]
        print(f"    related by {', '.join(reasons)}" + (f"; the same again: {', '.join(hit.same)}" if hit.same else ""))
    if result.same:
        print("the same, as copy or translation: " + ", ".join(hit.document_id for hit in result.same))
    print_relations(result.relations)


# What a document is to another, by kind and direction.
RELATIONS = {
    ("cites", "to"): "cites",
    ("cites", "from"): "is cited by",
    ("updates", "to"): "updates",
    ("updates", "from"): "is updated by",
    ("continues", "to"): "continues",
    ("continues", "from"): "is continued by",
    ("see_also", "to"): "see also",
    ("see_also", "from"): "see also",
}


def print_relations(relations: Sequence[RelationOut], newer: NewerOut | None = None) -> None:
    """Print what a document and others are to each other, with the sentences that say so."""
    if newer:
        print(f"a newer version: {newer.title}  {newer.document_id}")
    for one in relations:
        print(f"{RELATIONS[one.kind, one.direction]}: {one.title}  {one.document_id}")
        if one.sentence:
            print(f"  “{one.sentence}”")


def print_preview(preview: Preview) -> None:
    """Print what would be indexed of a file."""
    from pes_search.ingest.documents import DESCRIBING_FIELDS
    from pes_search.service.links import place_name, recognition_of

    document = preview.document
    if preview.reason or document is None:
        print(f"{preview.file}: would not be indexed: {preview.reason}\n")
        return
    values = preview.values()
    print(f"{preview.file}: read as {preview.reader} in {preview.seconds:.2f} s")
    for name in ("visibility", *DESCRIBING_FIELDS):
        value = values[name]
        shown = ", ".join(value) if isinstance(value, tuple) else value
        if shown:
            print(f"  {name.replace('_', ' ')}: {shown}{INFERRED if name in preview.inferred else ''}")
    for warning in preview.warnings:
        print(f"  in part: {warning}")
    for what, characters in preview.left_out.items():
        print(f"  left out: {what} ({characters} characters)")
    for number, passage in enumerate(preview.passages, start=1):
        at = place(place_name(document, passage.page), passage.headings, recognition_of(document, passage.page))
        print(f"\n  passage {number}{at}")
        print("    " + passage.text.replace("\n\n", "\n").replace("\n", "\n    "))
    print()


def print_fetched(report: FetchReport) -> None:
    """Print the counts of a run on stdout, and each address that was left out with its reason on stderr."""
    for label, rows in (("failed", report.failed), ("left out", report.skipped)):
        for row in rows[:SHOWN_ADDRESSES]:
            print(f"{label}: {row.path}: {row.reason}", file=sys.stderr)
        if len(rows) > SHOWN_ADDRESSES:
            print(f"{label}: {len(rows) - SHOWN_ADDRESSES} more; --json names them all", file=sys.stderr)
    for reason in report.unfinished:
        print(f"not all was asked for: {reason}", file=sys.stderr)
    print(
        f"{report.source}: {len(report.new)} new, {len(report.changed)} changed, {report.unchanged} unchanged, "
        f"{len(report.removed)} removed, {len(report.skipped)} left out, {len(report.failed)} failed; "
        f"{report.outside} addresses elsewhere; {report.requests} requests in {report.seconds} s; in {report.folder}"
    )


def print_report(report: BuildReport, settings: Settings) -> None:
    """Print the count on stdout, and each file that was left out with its reason on stderr."""
    for label, rows in (
        ("not read", report.unread),
        ("left out", report.duplicates),
        ("in part", report.warnings),
    ):
        for row in rows:
            print(f"{label}: {row.path}: {row.reason}", file=sys.stderr)
    # A folder may hold hundreds of files that are no documents: one line a reason; --json names them all.
    skipped: dict[str, list[str]] = {}
    for row in report.skipped:
        skipped.setdefault(row.reason, []).append(row.path)
    for reason, paths in skipped.items():
        more = f" and {len(paths) - SHOWN_PATHS} more" if len(paths) > SHOWN_PATHS else ""
        print(f"skipped: {', '.join(paths[:SHOWN_PATHS])}{more}: {reason}", file=sys.stderr)
    for what, characters in report.left_out.items():
        print(f"left out of the files: {what} ({characters:,} characters)", file=sys.stderr)
    if report.left_gone_back:
        print(
            "the index that was in use had been gone back to (`pes rollback`); this one is of the sources as they are now, and "
            "`pes rollback` goes back again",
            file=sys.stderr,
        )
    for label, count in report.closed.items():
        print(f"only for readers of {label}: {count} documents", file=sys.stderr)
    state = f"built in {report.seconds} s" if report.changed else "unchanged"
    print(
        f"index {report.index_id} in {settings.index_dir} {state}: {report.documents} documents, {report.passages} passages "
        f"({report.encoded} newly encoded); {len(report.unread)} files not read, {len(report.duplicates)} left out, "
        f"{len(report.skipped)} skipped; controlled lists: {report.taxonomy or 'none'}"
    )
