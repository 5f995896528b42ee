"""What an operator sees of each request: an id on every answer, a log line, metrics."""

import time
from typing import Any
from uuid import uuid4

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import text
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foveal.api.deps import PartsDep, ReadDep
from foveal.services import jobs

HEADERS = (b"request-id", b"apim-request-id")
GIVEN_UP = 499
"""What is counted when nobody waits for the answer any more, as by nginx."""

log = structlog.get_logger(__name__)
router = APIRouter(tags=["Operation"])


class Metrics:
    """The counters of one app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("operation", "status")
        self.requests = Counter("foveal_requests", "Requests answered.", labels, registry=self.registry)
        self.seconds = Histogram(
            "foveal_request_seconds", "Seconds from a request to its answer.", ("operation",), registry=self.registry
        )
        self.jobs = Gauge("foveal_jobs_open", "Jobs queued or running.", registry=self.registry)


class Observed:
    """Middleware that gives each request an id, measures it, and logs code that failed."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        id = str(uuid4())
        scope["state"] = {**scope.get("state", {}), "request_id": id}
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=id)
        answer = _Answer(send, id)
        began = time.perf_counter()
        try:
            await self.app(scope, receive, answer)
        except ClientDisconnect:
            answer.status = GIVEN_UP
        except Exception:  # the outermost loop of a request: `errors` has answered it, here it is logged
            log.exception("request failed", path=scope["path"])
        return self._record(scope, answer.status, time.perf_counter() - began)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        operation = getattr(scope.get("route"), "operation_id", None) or "none"
        self.metrics.requests.labels(operation, status).inc()
        self.metrics.seconds.labels(operation).observe(seconds)
        log.info(
            "request", method=scope["method"], path=scope["path"], status=status, milliseconds=round(seconds * 1000, 1)
        )


class _Answer:
    """Passes an answer on, with the request's id among its headers; remembers its status."""

    def __init__(self, send: Send, id: str) -> None:
        self._send = send
        self._headers = [(name, id.encode()) for name in HEADERS] + [(b"x-content-type-options", b"nosniff")]
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", []), *self._headers]}
        await self._send(message)


@router.get("/healthz", operation_id="Health")
def health() -> dict[str, str]:
    """Tell that the process lives."""
    return {"status": "ok"}


@router.get("/readyz", operation_id="Readiness")
def readiness(session: ReadDep, parts: PartsDep) -> JSONResponse:
    """Tell whether requests can be served: the database answers and the blobs can be read."""
    session.execute(text("SELECT 1"))
    parts.blobs.exists("readyz")
    return JSONResponse({"status": "ready"})


@router.get("/metrics", operation_id="Metrics")
def metrics(request: Request, session: ReadDep) -> Response:
    """Give the counters in Prometheus' text format."""
    found: Any = request.app.state.metrics
    found.jobs.set(jobs.waiting(session))
    return PlainTextResponse(generate_latest(found.registry), media_type=CONTENT_TYPE_LATEST)
