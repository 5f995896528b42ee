"""Exports: model files in the formats of other platforms, each with the proof that it answers like the service."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from foveal.db.tables import Export, Iteration
from foveal.errors import Invalid, NotFound
from foveal.exporters import catalog
from foveal.exporters.catalog import Format
from foveal.services import jobs, training_sets
from foveal.services.training_sets import TrainingImage

EXPORTING = "Exporting"
DONE = "Done"
FAILED = "Failed"


def start(session: Session, iteration: Iteration, format: Format, *, now: datetime) -> Export:
    """Begin an export; one that failed, or that an older version wrote, may be begun again."""
    existing = _of_format(session, iteration, format)
    if existing is not None and existing.status != FAILED and not newer_available(existing):
        raise Invalid(
            f"The export of {iteration.name} to {format.label} is already {existing.status.lower()}: "
            "read it from the list of exports.",
            "BadRequestExportAlreadyInProgress",
        )
    export = existing or Export(iteration_id=iteration.id, platform=format.platform, flavor=format.flavor or "")
    export.status, export.error_details, export.created_at = EXPORTING, None, now
    export.certificate, export.size_bytes, export.exporter_version = None, None, catalog.VERSION
    session.add(export)
    session.flush()
    jobs.enqueue(session, jobs.EXPORT, project_id=iteration.project_id, subject_id=export.id, now=now)
    return export


def finish(session: Session, export_id: UUID, *, certificate: Mapping[str, Any], size_bytes: int) -> None:
    """Record that the zip of an export is there."""
    export = get(session, export_id)
    export.status, export.certificate, export.size_bytes = DONE, dict(certificate), size_bytes


def newer_available(export: Export) -> bool:
    """Tell whether an export would be written otherwise today."""
    return export.status == DONE and export.exporter_version < catalog.VERSION


def every(session: Session, iteration: Iteration, *, own: bool = False) -> list[Export]:
    """Return the exports of the iteration, oldest first; those in formats of our own only when asked."""
    statement = select(Export).where(Export.iteration_id == iteration.id).order_by(Export.created_at, Export.id)
    ours = {(each.platform, each.flavor or "") for each in catalog.FORMATS if each.own}
    hidden = set[tuple[str, str]]() if own else ours
    return [each for each in session.scalars(statement) if (each.platform, each.flavor) not in hidden]


def get(session: Session, export_id: UUID) -> Export:
    export = session.get(Export, export_id)
    if export is None:
        raise NotFound(f"Export {export_id} does not exist.")
    return export


def iteration_of(session: Session, export: Export) -> Iteration:
    return session.get_one(Iteration, export.iteration_id)


def delete(session: Session, iteration: Iteration, format: Format) -> None:
    """Delete an export, so that it can be begun anew; its zip goes with the next sweep."""
    existing = _of_format(session, iteration, format)
    if existing is None:
        raise NotFound(f"{iteration.name} has no export to {format.label}.")
    if existing.status == EXPORTING:
        raise Invalid(
            f"The export of {iteration.name} to {format.label} is still running: delete it when it has ended.",
            "BadRequestExportAlreadyInProgress",
        )
    session.delete(existing)


def photos(session: Session, iteration: Iteration, *, most: int) -> list[TrainingImage]:
    """Choose photos to compare an export on: the test set first, then as many of each tag as of every other."""
    known = training_sets.of_iteration(session, iteration).images
    tests = [image for image in known if image.test]
    return [*tests, *_by_turns([image for image in known if not image.test])][:most]


def _by_turns(images: Sequence[TrainingImage]) -> list[TrainingImage]:
    """The first of each set of tags, then the second of each, and so on."""
    groups = defaultdict[tuple[int, ...], list[TrainingImage]](list)
    for image in images:
        groups[image.positions].append(image)
    placed = [(place, group, image) for group, own in enumerate(groups.values()) for place, image in enumerate(own)]
    return [image for _, _, image in sorted(placed, key=lambda each: each[:2])]


def _of_format(session: Session, iteration: Iteration, format: Format) -> Export | None:
    return session.scalar(
        select(Export).where(
            Export.iteration_id == iteration.id,
            Export.platform == format.platform,
            Export.flavor == (format.flavor or ""),
        )
    )
