"""The export operations."""

from uuid import UUID

from fastapi import APIRouter

from foveal.api.deps import PartsDep, ReadDep
from foveal.api.links import Links, LinksDep
from foveal.api.training import schemas
from foveal.db import tables
from foveal.services import exports, iterations, projects

router = APIRouter(prefix="/projects/{project_id}/iterations/{iteration_id}/export", tags=["Exports"])


@router.get("", operation_id="GetExports")
def every(project_id: UUID, iteration_id: UUID, session: ReadDep, links: LinksDep) -> list[schemas.Export]:
    """Poll it until `status` is `Done`; `downloadUri` needs no key."""
    iteration = iterations.get(session, projects.get(session, project_id), iteration_id)
    return [_shape(export, links) for export in exports.every(session, iteration)]


@router.post("", operation_id="ExportIteration")
def start(  # Azure's parameters
    project_id: UUID, iteration_id: UUID, platform: str, parts: PartsDep, links: LinksDep, flavor: str | None = None
) -> schemas.Export:
    """This version offers ONNX, for every classification domain."""
    with parts.sessions.write.begin() as session:
        iteration = iterations.completed(session, projects.get(session, project_id), iteration_id)
        export = exports.start(session, iteration, platform=platform, flavor=flavor or None, now=parts.clock())
        shape = _shape(export, links)
    parts.wake_worker()
    return shape


def _shape(export: tables.Export, links: Links) -> schemas.Export:
    return schemas.Export(
        platform=export.platform,
        status=export.status,
        download_uri=links.export(export) if export.status == exports.DONE else None,
        flavor=export.flavor or None,
    )
