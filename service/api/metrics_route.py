"""The metrics for a monitoring system, at /metrics. They wait for no worker, so they are told whatever the service is doing."""

from __future__ import annotations

import hmac

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from pes_search.service.access.visitor import visitor_of
from pes_search.service.operation.metrics import CONTENT_TYPE, Metrics
from pes_search.service.settings import MetricsConfig

router = APIRouter(include_in_schema=False)


def metrics_of(request: Request) -> Metrics:
    """Return the app's metrics."""
    metrics: Metrics = request.app.state.metrics
    return metrics


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Return the metrics to who brings their key, to admins, or to everybody where the settings say so."""
    config: MetricsConfig = request.app.state.engine.settings.metrics
    if not (config.open or _has_key(request, config) or visitor_of(request).role == "admin"):
        raise HTTPException(
            401,
            "give the key of [metrics] key, or an admin's: Authorization: Bearer KEY",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return Response(metrics_of(request).text(), media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})


def _has_key(request: Request, config: MetricsConfig) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if config.key is None or scheme.casefold() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), config.key.get_secret_value().encode())
