"""The export operations."""

from uuid import UUID

from fastapi import APIRouter

from foveal.api.deps import PartsDep, ReadDep
from foveal.api.links import Links, LinksDep
from foveal.api.training import schemas
from foveal.db import tables
from foveal.errors import Invalid
from foveal.exporters import catalog
from foveal.exporters.catalog import Format
from foveal.services import exports, iterations, projects

router = APIRouter(prefix="/projects/{project_id}/iterations/{iteration_id}/export", tags=["Exports"])


@router.get("", operation_id="GetExports")
def every(project_id: UUID, iteration_id: UUID, session: ReadDep, links: LinksDep) -> list[schemas.Export]:
    """Poll it until `status` is `Done`; `downloadUri` needs no key, and expires."""
    iteration = iterations.get(session, projects.get(session, project_id), iteration_id)
    return [_shape(export, links) for export in exports.every(session, iteration)]


@router.post("", operation_id="ExportIteration")
def start(  # Azure's parameters
    project_id: UUID, iteration_id: UUID, platform: str, parts: PartsDep, links: LinksDep, flavor: str | None = None
) -> schemas.Export:
    """Every domain exports to every platform but VAIDK. An export that is there is not written again.

    Unless its `newerVersionAvailable` is true: `BadRequestExportAlreadyInProgress`. See docs/reference/exports.md.
    """
    format = _known(catalog.find(platform, flavor))
    with parts.sessions.write.begin() as session:
        iteration = iterations.completed(session, projects.get(session, project_id), iteration_id)
        export = exports.start(session, iteration, format, now=parts.clock())
        shape = _shape(export, links)
    parts.wake_worker()
    return shape


def _known(format: Format) -> Format:
    """Refuse what Azure's clients would not find in the list afterwards."""
    if format.own:
        raise Invalid(
            f"{format.label} is a format of Foveal's own: POST /api/v1/projects/.../iterations/.../exports offers it.",
            "BadRequestExportValidationFailed",
        )
    return format


def _shape(export: tables.Export, links: Links) -> schemas.Export:
    return schemas.Export(
        platform=export.platform,
        status=export.status,
        download_uri=links.export(export) if export.status == exports.DONE else None,
        flavor=export.flavor or None,
        newer_version_available=exports.newer_available(export),
    )
