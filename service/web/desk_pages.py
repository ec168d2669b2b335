"""The editor's desk: what the collection repeats and lacks, what visitors asked and said, judging, and uploads."""

from __future__ import annotations

import os
import tempfile
import threading
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Form, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect

from pes_search.index.open_index import OpenIndex
from pes_search.index.search import QUERY_CHARACTERS
from pes_search.index.stages import count
from pes_search.ingest.readers import SUFFIXES
from pes_search.ingest.types import Document
from pes_search.ingest.visibility import combined
from pes_search.service.api.leaving import ClientLeftError, unless_left
from pes_search.service.api.requests import EngineOf, IndexOf, RecordsOf
from pes_search.service.editing.copy_decisions import Verdict, decide, of_seen
from pes_search.service.editing.duplicates import Group, Pair, copy_groups, near_duplicates, unsettled
from pes_search.service.editing.gaps import Gap, incomplete, unlinked
from pes_search.service.editing.judging import pool, qrels, queries
from pes_search.service.editing.uploads import (
    LARGEST_UPLOAD_BYTES,
    UploadError,
    UploadFolderError,
    UploadReaders,
    clear_pending,
    discard,
    keep,
    kept,
    preview,
)
from pes_search.service.engine import Engine, copy_decisions
from pes_search.service.records.judgments import GRADES
from pes_search.service.web.hits import also_label, facts, place_label
from pes_search.service.web.languages import Interface, _, interface_of
from pes_search.service.web.links import search_url
from pes_search.service.web.text import excerpt, places_of
from pes_search.service.web.view import render

PENDING_SECONDS = 24 * 3600  # a preview that nobody decided on
UPLOAD_FIELDS = 10  # of the form, beside the file: ours has none
CLIENT_LEFT = 499  # as servers log it; nobody gets to see it
WEAK_ANSWER_CONFIDENCE = 0.65  # confidence of an answer: not much above where questions are refused, so worth an editor's look
KEPT_FINDINGS = 3  # of several indexes: that of this build, and as it is seen
SHOWN_PAIRS, KEPT_PAIRS = 50, 1_000  # that are alike: the next ones come up when those before are decided
desk = router = APIRouter(prefix="/desk", include_in_schema=False)  # the guard lets editors in only

MISSING = {
    "results": _("no results stated"),
    "source": _("no source"),
    "country": _("no country"),
    "year": _("no year"),
    "target_group": _("no target group"),
    "measure_type": _("no measure"),
    "organisation": _("no organisation"),
}


@dataclass(frozen=True, slots=True)
class Findings:
    """What an index was found to repeat and to lack; looked at once, as it takes a second or more."""

    index_id: str
    pairs: list[Pair]
    unlinked: list[Document]
    gaps: list[Gap]


@desk.get("")
def overview(request: Request, engine: EngineOf, index: IndexOf, records: RecordsOf) -> HTMLResponse:
    """Say what waits to be done."""
    findings = _findings(request, engine, index)
    context = {
        "pairs": len(unsettled(findings.pairs, index)),
        "unlinked": len(findings.unlinked),
        "gaps": len(findings.gaps),
        "questions": len(records.questions.find(below=WEAK_ANSWER_CONFIDENCE)),
        "feedback": len(records.feedback.find(handled=False)),
        "judgments": len(records.judgments.find()),
        "uploads": len(kept(engine.settings.desk.uploads)),
        "manifest": index.manifest,
    }
    return _page(request, "desk/overview.html", context)


@desk.get("/duplicates")
def duplicates(request: Request, engine: EngineOf, index: IndexOf) -> HTMLResponse:
    """List documents that say the same, perhaps in two languages, and what was decided of them."""
    interface = interface_of(request)
    pairs = unsettled(_findings(request, engine, index).pairs, index)[:SHOWN_PAIRS]
    decisions = of_seen(copy_decisions(engine.settings), index)
    ids = {one for decision in decisions for one in (decision.first, decision.second)}
    titles = {text.document.id: text.document.title for text in index.stored.texts(sorted(ids))}
    context = {
        "pairs": [(pair, facts(pair.first, interface), facts(pair.second, interface)) for pair in pairs],
        "groups": [(group, _members(group, interface)) for group in copy_groups(index)],
        "decisions": decisions,
        "titles": titles,
    }
    return _page(request, "desk/duplicates.html", context)


def _members(group: Group, interface: Interface) -> list[tuple[Document, str, list[str]]]:
    """Return each document of a group with what it is beside the first, and the ids of all others."""
    first = group.documents[0]
    ids = [document.id for document in group.documents]
    return [
        (
            document,
            "" if document is first else also_label(document, first, interface),
            [one for one in ids if one != document.id],
        )
        for document in group.documents
    ]


@desk.post("/duplicates")
def decide_duplicates(
    index: IndexOf,
    records: RecordsOf,
    verdict: Annotated[Verdict, Form()],
    document_id: Annotated[str, Form()],
    other_ids: Annotated[list[str], Form()],
) -> Response:
    """Keep that documents are copies, or that they are none, or take it back."""
    decide(verdict, document_id, other_ids, index, records.copies)
    return RedirectResponse("/desk/duplicates", status_code=303)


@desk.get("/gaps")
def gaps(request: Request, engine: EngineOf, index: IndexOf) -> HTMLResponse:
    """List documents that nothing links, and practices that lack something."""
    findings, interface = _findings(request, engine, index), interface_of(request)
    context = {
        "unlinked": [(document, facts(document, interface)) for document in findings.unlinked],
        "gaps": [
            (gap.document, facts(gap.document, interface), [interface.text(MISSING[field]) for field in gap.missing])
            for gap in findings.gaps
        ],
    }
    return _page(request, "desk/gaps.html", context)


@desk.get("/questions")
def questions(
    request: Request, engine: EngineOf, records: RecordsOf, days: Annotated[int, Query(ge=1, le=3_650)] = 28
) -> HTMLResponse:
    """List what the collection could not answer, or hardly."""
    logged = records.questions.find(days=days, below=WEAK_ANSWER_CONFIDENCE)
    context = {
        "days": days,
        "questions": [(question, search_url(question.question)) for question in logged],
        "asked": sum(question.count for question in records.questions.find(days=days, limit=10_000)),
        "is_logged": engine.settings.database.log_questions,
        "retention": engine.settings.database.retention_days,
    }
    return _page(request, "desk/questions.html", context)


# ── Judging ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@desk.get("/judge")
def judge_page(
    request: Request,
    engine: EngineOf,
    index: IndexOf,
    records: RecordsOf,
    q: Annotated[str, Query(max_length=QUERY_CHARACTERS)] = "",
) -> HTMLResponse:
    """Show what several rankings find for a query, to be judged one by one."""
    interface = interface_of(request)
    q = " ".join(q.split())
    judged = records.judgments.find()
    counts: dict[str, int] = {}
    for judgment in judged:
        counts[judgment.query] = counts.get(judgment.query, 0) + 1
    context: dict[str, Any] = {"q": q, "grades": GRADES, "pool": [], "counts": counts, "total": len(judged)}
    if q:
        grades = {judgment.document_id: judgment.grade for judgment in judged if judgment.query == q}
        query, hits = pool(q, index, engine.encoder, engine.settings.search)
        context["pool"] = [
            (hit, facts(hit.document, interface), excerpt(hit, query, place), grades.get(hit.document.id))
            for hit, place in zip(hits, places_of(hits, index), strict=True)
        ]
    return _page(request, "desk/judge.html", context)


@desk.post("/judge")
async def judge(request: Request, engine: EngineOf, records: RecordsOf) -> Response:
    """Keep the grades of a query: of each document one, or none."""
    async with request.form(max_fields=1_000) as form:
        query = " ".join(str(form.get("q", "")).split())[:QUERY_CHARACTERS]
        grades = {name.removeprefix("grade-"): str(value) for name, value in form.items() if name.startswith("grade-")}
    index_id = engine.index().manifest.index_id
    for document_id, grade in grades.items():
        value = int(grade) if grade in {str(allowed_grade) for allowed_grade in GRADES} else None
        await run_in_threadpool(records.judgments.judge, query=query, document_id=document_id, grade=value, index_id=index_id)
    return RedirectResponse(search_url(query, path="/desk/judge"), status_code=303)


@desk.get("/qrels.txt")
def qrels_file(records: RecordsOf) -> Response:
    """Return the judgments as TREC has them."""
    return _download(qrels(records.judgments.find()), "qrels.txt")


@desk.get("/queries.jsonl")
def queries_file(records: RecordsOf) -> Response:
    """Return the queries that the judgments are of."""
    return _download(queries(records.judgments.find()), "queries.jsonl")


# ── Feedback ────────────────────────────────────────────────────────────────────────────────────────────────────────


@desk.get("/feedback")
def feedback(request: Request, records: RecordsOf, show: str = "open") -> HTMLResponse:
    """List what visitors said."""
    handled = {"open": False, "done": True}.get(show)
    rows = [(entry, search_url(entry.question)) for entry in records.feedback.find(handled=handled)]
    return _page(request, "desk/feedback.html", {"rows": rows, "show": show})


@desk.post("/feedback/{feedback_id}")
def decide_feedback(records: RecordsOf, feedback_id: int, action: Annotated[str, Form()]) -> Response:
    """Mark feedback as done or open again, or delete it."""
    if action == "delete":
        records.feedback.delete(feedback_id)
    else:
        records.feedback.set_handled(feedback_id, action == "done")
    return RedirectResponse("/desk/feedback", status_code=303)


# ── Uploads ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@desk.get("/upload")
def upload_page(request: Request, engine: EngineOf) -> HTMLResponse:
    """Ask for a file."""
    folder = engine.settings.desk.uploads
    context = {
        "kept": [path.name for path in kept(folder)],
        "folder": folder,
        "suffixes": list(SUFFIXES),
        "most": LARGEST_UPLOAD_BYTES // 1_000_000,
    }
    return _page(request, "desk/upload.html", context)


@desk.post("/upload")
async def upload(request: Request, engine: EngineOf, index: IndexOf) -> Response:
    """Show what would be indexed of a file; if its sender leaves before that, nothing of it stays.

    The body is read here, not before the route is entered: only an editor's is.
    """
    try:
        form = await _upload_form(request)
    except ClientDisconnect:
        return Response(status_code=CLIENT_LEFT)
    readers = _readers(request, engine)

    def show(left: threading.Event) -> HTMLResponse:
        return _preview_page(request, engine, index, form.get("file"), readers, left)

    try:
        return await unless_left(request, readers.threads, show)
    except ClientLeftError:
        return Response(status_code=CLIENT_LEFT)
    finally:
        await form.close()


async def _upload_form(request: Request) -> FormData:
    """Return the form, whose file waits on disk if it is large.

    Raises:
        UploadFolderError: the disk does not take it.
    """
    try:
        return await request.form(max_files=1, max_fields=UPLOAD_FIELDS)
    except OSError as error:
        raise UploadFolderError(
            f"cannot write in {tempfile.gettempdir()}: {os.strerror(error.errno or 0)}; make room there, or set TMPDIR to "
            "another folder"
        ) from error


def _preview_page(
    request: Request,
    engine: Engine,
    index: OpenIndex,
    file: UploadFile | str | None,
    readers: UploadReaders,
    left: threading.Event,
) -> HTMLResponse:
    if not isinstance(file, UploadFile):
        raise UploadError("no file came with the form; choose one and send it again")
    folder = engine.settings.desk.uploads
    count("uploads", "sent")
    clear_pending(folder, PENDING_SECONDS)
    interface = interface_of(request)
    upload_preview = preview(
        file.filename or "", file.file, folder, index, engine.encoder, engine.settings.passages, readers, left
    )
    count("uploads", "read")
    of_folder = engine.settings.place_labels().label(folder / upload_preview.name)
    document = upload_preview.document
    shown = replace(document, visibility=combined(document.visibility, of_folder))
    context = {
        "preview": upload_preview,
        "place_of": lambda page: place_label(upload_preview.document, page, interface),
        "facts": facts(shown, interface),
        "near": [(hit, facts(hit.document, interface)) for hit in upload_preview.near],
    }
    return _page(request, "desk/preview.html", context)


def close_uploads(app: FastAPI) -> None:
    """End what reads uploads, if any was read: for a service that stops."""
    readers: UploadReaders | None = getattr(app.state, "upload_readers", None)
    if readers is not None:
        readers.close()


def _readers(request: Request, engine: Engine) -> UploadReaders:
    """Return what reads uploads, of which the service has one."""
    readers: UploadReaders | None = getattr(request.app.state, "upload_readers", None)
    if readers is None:
        desk_config = engine.settings.desk
        limits = replace(engine.settings.reading, seconds=desk_config.upload_seconds, megabytes=desk_config.upload_megabytes)
        readers = request.app.state.upload_readers = UploadReaders(limits)
    return readers


@desk.post("/upload/{token}")
def decide_upload(engine: EngineOf, token: str, action: Annotated[str, Form()]) -> Response:
    """Keep a file that was looked at, or throw it away."""
    folder = engine.settings.desk.uploads
    if action == "keep":
        keep(token, folder)
        count("uploads", "kept")
    else:
        discard(token, folder)
        count("uploads", "discarded")
    return RedirectResponse("/desk/upload", status_code=303)


# ── Parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _page(request: Request, template: str, context: dict[str, Any]) -> HTMLResponse:
    return render(request, template, context)


def _findings(request: Request, engine: Engine, index: OpenIndex) -> Findings:
    """Return what an index was found to repeat and to lack; who sees less of it has findings of their own."""
    known: dict[str, Findings] = getattr(request.app.state, "findings", {})
    findings = known.get(index.manifest.index_id)
    if findings is None:
        findings = Findings(
            index.manifest.index_id,
            near_duplicates(index, most=KEPT_PAIRS),
            unlinked(index),
            incomplete(index, engine.encoder, engine.answerer.models.field_scorer),
        )
        newest = list(known.values())[-KEPT_FINDINGS + 1 :]
        request.app.state.findings = {one.index_id: one for one in (*newest, findings)}
    return findings


def _download(text: str, name: str) -> Response:
    return PlainTextResponse(text, headers={"Content-Disposition": f'attachment; filename="{name}"'})
