"""The operations that carry a project to another server, and the route that this server sends it by."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from foveal.api.callers import CallerDep
from foveal.api.deps import NowDep, Parts, PartsDep, ReadDep
from foveal.api.links import LinksDep
from foveal.api.training import schemas
from foveal.api.training.projects import project_shapes
from foveal.errors import Forbidden
from foveal.services import imports, jobs, projects, transfers

router = APIRouter(prefix="/projects", tags=["Transfers"])
sending = APIRouter(prefix=transfers.PREFIX, tags=["Files"])


@router.get("/{project_id}/export", operation_id="ExportProject")
def export(project_id: UUID, session: ReadDep, links: LinksDep) -> schemas.ProjectExport:
    """Counts and a token for `ImportProject`, valid for 24 hours. Refused while the project trains."""
    project = projects.get(session, project_id)
    transfers.check(session, project)
    counts = transfers.counts(session, project)
    return schemas.ProjectExport(
        iteration_count=counts.iterations,
        image_count=counts.images,
        tag_count=counts.tags,
        region_count=counts.regions,
        estimated_import_time_in_ms=counts.milliseconds,
        token=links.to(transfers.path(project)),
    )


@router.post("/import", operation_id="ImportProject")
def start_import(  # Azure's parameters
    token: Annotated[str, Query(min_length=1)],
    caller: CallerDep,
    parts: PartsDep,
    links: LinksDep,
    name: str | None = None,
) -> schemas.Project:
    """The token may come from this server or another Foveal server.

    `Importing` until a worker has fetched all of it; then `Succeeded`, or `Failed` with nothing half done.
    """
    own = _is_own(token, parts)
    read = imports.here(parts.sessions, parts.blobs) if own else imports.elsewhere(token, parts.fetch_policy)
    piece = imports.head(read, token)
    with parts.sessions.write.begin() as session:
        project = imports.begin(
            session, piece, name=name or None, resource_id=caller.resource_id, limits=parts.limits, now=parts.clock()
        )
        payload = {"token": token, "own": own}
        jobs.enqueue(
            session, jobs.IMPORT, project_id=project.id, subject_id=project.id, now=parts.clock(), payload=payload
        )
        (shape,) = project_shapes(session, links, [project])
    parts.wake_worker()
    return shape


@sending.get("/{path:path}", operation_id="GetTransfer")
def send(path: str, session: ReadDep, parts: PartsDep, now: NowDep, se: str = "", sig: str = "") -> JSONResponse:
    whole = f"{transfers.PREFIX}/{path}"
    parts.signer.verify(whole, expires=se, signature=sig, now=now)
    # The links last as long as the token does.
    sign = partial(parts.signer.sign, expires_at=parts.signer.expiry(se))
    piece: dict[str, Any] = transfers.piece(session, parts.blobs, whole, sign)
    return JSONResponse(piece)


def _is_own(token: str, parts: Parts) -> bool:
    """Tell whether this server gave the token: a copy needs no way over the network then."""
    link = imports.link(token)
    try:
        parts.signer.verified(link, now=parts.clock())
    except Forbidden:
        return False
    return True
