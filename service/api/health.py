"""Whether the process lives, and whether it can serve. Both answer at once, whatever else is going on."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from pes_search.service.access.visitor import visitor_of
from pes_search.service.api.problems import MEDIA_TYPE, problem_values
from pes_search.service.api.requests import engine_of
from pes_search.service.api.schemas import ProblemOut
from pes_search.service.operation.checks import Check, CheckStatus
from pes_search.service.operation.readiness import Readiness, checks, serves

router = APIRouter(tags=["health"])


class LivesOut(BaseModel):
    """That the process lives."""

    status: Literal["ok"] = "ok"


class CheckOut(BaseModel):
    """What was looked at. What is wrong and what to do is told to administrators only, since it may name paths."""

    name: str
    status: CheckStatus
    detail: str | None = None
    remedy: str | None = None


class ReadyOut(BaseModel):
    """That searches are answered, and what somebody should look at."""

    status: Literal["ready"] = "ready"
    index_id: str
    warnings: list[str] = Field(description="names of the checks that somebody should look at")
    checks: list[CheckOut]


class NotReadyOut(ProblemOut):
    """Why searches cannot be answered."""

    checks: list[CheckOut]


@router.get("/healthz")
async def healthz() -> LivesOut:
    """Tell that the process lives, and nothing else."""
    return LivesOut()


@router.get("/readyz", response_model=ReadyOut, responses={503: {"model": NotReadyOut, "description": "it cannot serve"}})
async def readyz(request: Request) -> Response:
    """Tell whether searches are answered, and what needs a person; in detail to administrators."""
    found = await _readiness(request).now()
    rows = [_check_out(check, in_full=_is_admin(request)) for check in found]
    if not serves(found):
        failing = ", ".join(check.name for check in found if check.status == "failing")
        values = problem_values(request, 503, f"not ready: {failing}")
        problem = NotReadyOut(**values, checks=rows).model_dump(exclude_none=True)
        return JSONResponse(problem, status_code=503, media_type=MEDIA_TYPE)
    warnings = [check.name for check in found if check.status == "warning"]
    index_id = engine_of(request).served.manifest.index_id
    return JSONResponse(ReadyOut(index_id=index_id, warnings=warnings, checks=rows).model_dump(exclude_none=True))


def _readiness(request: Request) -> Readiness:
    """Return the app's checks, which are made with the first request: what they find is kept between requests."""
    state = request.app.state
    if not hasattr(state, "readiness"):
        engine = engine_of(request)
        state.readiness = Readiness(lambda: checks(engine.settings, engine))
    readiness: Readiness = state.readiness
    return readiness


def _is_admin(request: Request) -> bool:
    return request.state.visitor is not None and visitor_of(request).role == "admin"


def _check_out(check: Check, *, in_full: bool) -> CheckOut:
    if not in_full:
        return CheckOut(name=check.name, status=check.status)
    return CheckOut(name=check.name, status=check.status, detail=check.detail or None, remedy=check.remedy or None)
