"""The metrics for a monitoring system, at /metrics; `guard` knows who may read them.

They wait for no worker, so they are told whatever the service is doing.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pes_search.service.operation.metrics import CONTENT_TYPE, Metrics

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Return the metrics."""
    found: Metrics = request.app.state.metrics
    return Response(found.text(), media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})
