"""What a route may ask for."""

import json
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar, cast
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from foveal.access import Keys
from foveal.api import errors
from foveal.api.rates import Rates
from foveal.blobs import Blobs
from foveal.db.engine import Sessions
from foveal.engine.proposals import Proposer
from foveal.errors import Invalid, TooLarge
from foveal.exporters import catalog
from foveal.security import FetchPolicy, UrlSigner
from foveal.services.limits import Limits
from foveal.services.models import Models


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the app is made of; one instance lives in `app.state.parts`."""

    sessions: Sessions
    blobs: Blobs
    models: Models
    keys: Keys
    signer: UrlSigner
    fetch_policy: FetchPolicy
    pool: Executor
    """Threads that decode and render pictures: as many as there are cores to use."""
    fetchers: Executor
    """Threads that wait for other servers: many."""
    clock: Callable[[], datetime]
    public_url: str
    link_lifetime: timedelta
    max_body_bytes: int
    wake_worker: Callable[[], None]
    proposer: Callable[[], Proposer]
    """Gives the finder of region proposals, loaded at the first call."""
    limits: Limits
    rates: Rates
    region: str
    """Where the server's own keys make projects and publish."""
    trains_advanced: bool
    """Whether torch is installed here, which Advanced training and detectors need."""


def parts(request: Request) -> Parts:
    return cast("Parts", request.app.state.parts)


PartsDep = Annotated[Parts, Depends(parts)]


def now(parts: PartsDep) -> datetime:
    return parts.clock()


NowDep = Annotated[datetime, Depends(now)]


def read_session(parts: PartsDep) -> Iterator[Session]:
    """Give a transaction for reading; it begins with the first query."""
    with parts.sessions.read.begin() as session:
        yield session


def write_session(parts: PartsDep) -> Iterator[Session]:
    """Give one transaction per request: committed when the route returns, rolled back when it raises."""
    with parts.sessions.write.begin() as session:
        yield session


# Function scope: the commit happens before the answer is sent, so a failing commit is an error, not a 200.
ReadDep = Annotated[Session, Depends(read_session, scope="function")]
WriteDep = Annotated[Session, Depends(write_session, scope="function")]


def platforms(request: Request) -> list[str]:
    """Azure's names of the export platforms that the client's version of the training API knows."""
    return catalog.platforms(request.scope.get("foveal.version", catalog.NEWEST))


PlatformsDep = Annotated[list[str], Depends(platforms)]


def listed(parameter: str, *, format: str | None = None) -> Callable[..., list[str]]:
    """Return a dependency that reads a comma-joined or repeated query parameter, whatever its case."""
    items = {"type": "string"} if format is None else {"type": "string", "format": format}
    declared = Query(alias=parameter, json_schema_extra={"items": items})

    def read(request: Request, values: Annotated[list[str] | None, declared] = None) -> list[str]:
        del values  # declared for /openapi.json; what it leaves out is the parameter in another case
        texts = [value for key, value in request.query_params.multi_items() if key.lower() == parameter.lower()]
        return [part.strip() for text in texts for part in text.split(",") if part.strip()]

    return read


def uuids(parameter: str) -> Callable[..., list[UUID]]:
    """Return a dependency that reads ids from a comma-joined or repeated query parameter, whatever its case."""

    def read(parts: Annotated[list[str], Depends(listed(parameter, format="uuid"))]) -> list[UUID]:
        try:
            return [UUID(part) for part in parts]
        except ValueError as error:
            raise Invalid(
                f"{parameter}: expected ids (UUIDs) joined by commas, got {','.join(parts)!r:.200}.",
                "BadRequestInvalidIds",
            ) from error

    return read


TagIdsDep = Annotated[list[UUID], Depends(uuids("tagIds"))]
ImageIdsDep = Annotated[list[UUID], Depends(uuids("imageIds"))]
Flag = Annotated[bool, Query()]
Fraction = Annotated[float, Query(ge=0, le=1)]


async def body(request: Request, parts: PartsDep) -> bytes:
    """Read the whole body, up to the limit of the server."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > parts.max_body_bytes:
        raise _too_large(parts.max_body_bytes)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > parts.max_body_bytes:
            raise _too_large(parts.max_body_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


BodyDep = Annotated[bytes, Depends(body)]


Shape = TypeVar("Shape", bound=BaseModel)


BODY_SHAPES: dict[Callable[..., Any], type[BaseModel]] = {}
"""What the dependencies that `json_body` made read; /openapi.json tells it."""


def json_body(shape: type[Shape]) -> Callable[[bytes], Coroutine[Any, Any, Shape]]:
    """Return a dependency that reads a JSON body; an empty one counts as `{}`, since clients send those."""

    async def read(body: BodyDep) -> Shape:
        return await run_in_threadpool(_parsed, shape, body)

    BODY_SHAPES[read] = shape
    return read


def refuse_nul(request: Request) -> None:
    """Refuse a request whose path or query holds the character NUL: databases keep no text with it."""
    if (
        "\0" in request.scope["path"]
        or b"%00" in request.scope["query_string"]
        or b"\0" in request.scope["query_string"]
    ):
        raise Invalid(f"{request.method} {request.url.path!r}: the character NUL is in the path or the query.")


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(part) for pair in cast("dict[str, Any]", value).items() for part in pair)
    return isinstance(value, list) and any(_holds_nul(part) for part in cast("list[Any]", value))


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The request body may have at most {limit} bytes.")


def _parsed(shape: type[Shape], body: bytes) -> Shape:
    try:
        if b"\\u0000" in body and _holds_nul(json.loads(body)):
            raise Invalid("The body holds the character NUL, which no text here may have.")
        return shape.model_validate_json(body.strip() or b"{}")
    except ValidationError as error:
        missing = all(problem["type"] == "missing" for problem in error.errors())
        code = "BadRequestRequiredParamIsNull" if missing else "BadRequest"
        raise Invalid(f"The body is not as expected: {errors.describe(error.errors())}.", code) from error
