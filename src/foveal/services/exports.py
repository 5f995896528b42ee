"""Exports: model files in the formats of other platforms."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from foveal.db.tables import Export, Iteration
from foveal.errors import Invalid, NotFound
from foveal.exporters import catalog
from foveal.services import jobs

EXPORTING = "Exporting"
DONE = "Done"
FAILED = "Failed"


def start(session: Session, iteration: Iteration, *, platform: str, flavor: str | None, now: datetime) -> Export:
    """Begin an export; one that failed may be begun again."""
    format = catalog.find(platform, flavor)
    existing = session.scalar(
        select(Export).where(
            Export.iteration_id == iteration.id,
            Export.platform == format.platform,
            Export.flavor == (format.flavor or ""),
        )
    )
    if existing is not None and existing.status != FAILED:
        raise Invalid(
            f"The export of {iteration.name} to {format.label} is already {existing.status.lower()}: "
            "read it from the list of exports.",
            "BadRequestExportAlreadyInProgress",
        )
    export = existing or Export(iteration_id=iteration.id, platform=format.platform, flavor=format.flavor or "")
    export.status, export.error_details, export.created_at = EXPORTING, None, now
    session.add(export)
    session.flush()
    jobs.enqueue(session, jobs.EXPORT, project_id=iteration.project_id, subject_id=export.id, now=now)
    return export


def every(session: Session, iteration: Iteration) -> list[Export]:
    """Return the exports of the iteration, oldest first."""
    statement = select(Export).where(Export.iteration_id == iteration.id).order_by(Export.created_at, Export.id)
    return list(session.scalars(statement))


def get(session: Session, export_id: UUID) -> Export:
    export = session.get(Export, export_id)
    if export is None:
        raise NotFound(f"Export {export_id} does not exist.")
    return export
