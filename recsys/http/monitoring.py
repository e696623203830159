"""Monitoring: whether a worker lives and may be asked, and numbers for Prometheus; never about a person."""

import os
from datetime import UTC, datetime
from time import perf_counter
from traceback import extract_tb
from typing import Final

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recsys.errors import BusyError, explained, imported
from recsys.http.access import OpenService
from recsys.http.failures import broken
from recsys.http.graceful_stop import is_stopping, last_of_connection

imported("prometheus_client", extra="serve")
from prometheus_client import (  # noqa: E402 - after the check that names the extra
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)

MULTIPLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where the workers of one machine put their numbers together."""
_LINES: Final = 12
_BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0)
_REQUESTS: Final = Counter(
    "recsys_http_requests", "Requests by route and status", ["method", "route", "status"]
)
_SECONDS: Final = Histogram(
    "recsys_http_seconds", "Seconds until an answer", ["method", "route"], buckets=_BUCKETS
)
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_log = structlog.get_logger(__name__)


class CountRequests:
    """Counts and times every request by its route as it is written, never by its path, which names people.

    A defect is answered and logged here by its kind and its lines of code: the message of an error that
    nobody expected may hold what a member wrote, and a server would log it whole.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status, begun = perf_counter(), 500, False

        async def sent(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                # who may be shown changes from one call to the next
                MutableHeaders(scope=message).setdefault("cache-control", "no-store")
                if is_stopping(scope["app"]):
                    message = last_of_connection(message)
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception as error:
            lines = [f"{one.name}:{one.lineno}" for one in extract_tb(error.__traceback__)]
            _log.error("a request broke", kind=type(error).__name__, lines=lines[-_LINES:])
            if begun:  # the answer cannot be taken back: end the connection, without the message
                raise ConnectionAbortedError from None
            await broken()(scope, receive, sent)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            method = scope["method"] if scope["method"] in _METHODS else "other"  # any word may be sent
            _REQUESTS.labels(method, route, str(status)).inc()
            _SECONDS.labels(method, route).observe(perf_counter() - start)


class Readiness(BaseModel):
    """Whether this worker may be asked for pages.

    run_id: the publication it serves; age_hours: how old its data are; degraded: a newer one could not be
    loaded.
    """

    run_id: str
    age_hours: float
    degraded: bool
    safety_store: str = "answers"


routes = APIRouter(tags=["monitoring"])


@routes.get("/live")
async def live() -> dict[str, bool]:
    """Say that the worker runs."""
    return {"live": True}


@routes.get("/ready", responses={503: {"description": "Nothing may be shown now: try again."}})
async def ready(request: Request, service: OpenService) -> Readiness:
    """Say whether pages can be served: a publication that is fresh enough and a store that answers.

    A worker that was told to stop is not ready, and answers for two seconds more.
    """
    if is_stopping(request.app):
        raise BusyError(explained("this worker stops", remedy="ask another"))
    use = await service.ask(service.ranker.check)
    age = datetime.now(UTC) - use.snapshot.data_as_of
    return Readiness(
        run_id=use.snapshot.run_id, age_hours=round(age.total_seconds() / 3600, 2), degraded=use.degraded
    )


@routes.get("/metrics", include_in_schema=False)
async def metrics() -> Response:
    """Return the numbers of all workers of this machine, for Prometheus."""
    registry = REGISTRY
    if os.environ.get(MULTIPLE):
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
