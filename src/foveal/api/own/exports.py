"""Exports with all that is known of them: formats of our own, sizes, certificates, reasons of failures."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from foveal.api.deps import PartsDep, ReadDep, WriteDep
from foveal.api.links import Links, LinksDep
from foveal.api.wire import Moment, Wire
from foveal.db import tables
from foveal.exporters import catalog
from foveal.services import exports, iterations, projects

router = APIRouter(tags=["Foveal"])
PATH = "/projects/{project_id}/iterations/{iteration_id}/exports"


class ExportFormat(Wire):
    """A format that models can be exported to; `name` is the one of the command line."""

    name: str
    platform: str
    flavor: str | None
    precision: str
    """float32, float16 or int8."""
    file: str
    """The model's file in the zip."""
    runtime: str
    """What runs it."""
    extra: str
    """The optional dependencies of Foveal that writing it needs, such as coreml; empty: none."""
    own: bool
    """Whether it is a format of Foveal's own, which Azure's operations do not offer."""


class OwnExport(Wire):
    """An export and what is known of it."""

    platform: str
    flavor: str | None
    status: str
    created: Moment
    download_uri: str | None
    size_bytes: int | None
    newer_version_available: bool
    error_details: str | None
    parity: dict[str, Any] | None
    """The certificate: how the export compared with the service, as `parity.json` in the zip."""


@router.get("/export-formats", operation_id="GetExportFormats")
def formats() -> list[ExportFormat]:
    """All formats, those of Azure's first named as Azure names them."""
    return [
        ExportFormat(
            name=each.name,
            platform=each.platform,
            flavor=each.flavor,
            precision=each.precision,
            file=each.path,
            runtime=each.runtime,
            extra=each.extra,
            own=each.own,
        )
        for each in catalog.FORMATS
    ]


@router.get(PATH, operation_id="GetIterationExports")
def every(project_id: UUID, iteration_id: UUID, session: ReadDep, links: LinksDep) -> list[OwnExport]:
    """The exports of an iteration, oldest first, with sizes, certificates and reasons of failures."""
    iteration = iterations.get(session, projects.get(session, project_id), iteration_id)
    return [_shape(export, links) for export in exports.every(session, iteration, own=True)]


@router.post(PATH, operation_id="StartIterationExport")
def start(  # as Azure's operation has them
    project_id: UUID, iteration_id: UUID, platform: str, parts: PartsDep, links: LinksDep, flavor: str | None = None
) -> OwnExport:
    """Begin an export as `ExportIteration` does; formats of Foveal's own are offered too."""
    format = catalog.find(platform, flavor)
    with parts.sessions.write.begin() as session:
        iteration = iterations.completed(session, projects.get(session, project_id), iteration_id)
        shape = _shape(exports.start(session, iteration, format, now=parts.clock()), links)
    parts.wake_worker()
    return shape


@router.delete(PATH, operation_id="DeleteIterationExport", status_code=204)
def delete(project_id: UUID, iteration_id: UUID, platform: str, session: WriteDep, flavor: str | None = None) -> None:
    """Delete an export that has ended; it can be begun anew."""
    iteration = iterations.get(session, projects.get(session, project_id), iteration_id)
    exports.delete(session, iteration, catalog.find(platform, flavor))


def _shape(export: tables.Export, links: Links) -> OwnExport:
    return OwnExport(
        platform=export.platform,
        flavor=export.flavor or None,
        status=export.status,
        created=export.created_at,
        download_uri=links.export(export) if export.status == exports.DONE else None,
        size_bytes=export.size_bytes,
        newer_version_available=exports.newer_available(export),
        error_details=export.error_details,
        parity=export.certificate,
    )
