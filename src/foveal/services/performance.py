"""How good an iteration is, told by models that had not seen the image they are judged on."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from foveal.db.tables import Image, Iteration, IterationImage
from foveal.engine import evaluate
from foveal.engine.evaluate import Performance
from foveal.errors import NotFound
from foveal.services import image_tags

DEFAULT_THRESHOLD = 0.5
DEFAULT_OVERLAP = 0.3  # of a detector's box with the true one


def record(session: Session, iteration: Iteration, image_ids: Sequence[UUID], held_out: NDArray[np.float32]) -> None:
    """Keep the held-out probabilities (images, tags) of the iteration's images."""
    rows = [
        {"iteration_id": iteration.id, "image_id": image_id, "held_out": row.astype("<f4").tobytes()}
        for image_id, row in zip(image_ids, held_out, strict=True)
    ]
    session.execute(update(IterationImage), rows)


def of_iteration(session: Session, iteration: Iteration, *, tags: int, threshold: float) -> Performance:
    """Return the scores over all images that have a held-out judgement, precision and recall at the threshold."""
    rows = session.execute(
        select(IterationImage.positions, IterationImage.held_out).where(
            IterationImage.iteration_id == iteration.id, IterationImage.held_out.is_not(None)
        )
    ).all()
    if not rows:
        raise NotFound(f"{iteration.name} has no performance.", "NotFoundIterationPerformance")
    targets = np.zeros((len(rows), tags), dtype=bool)
    for at, (positions, _) in enumerate(rows):
        targets[at, positions] = True
    held_out = np.stack([np.frombuffer(values or b"", dtype="<f4") for _, values in rows])
    return evaluate.performance(targets, held_out, threshold)


def images(
    session: Session, iteration: Iteration, tag_ids: Sequence[UUID], *, oldest_first: bool, take: int, skip: int
) -> list[tuple[Image, bytes]]:
    """Return the judged images with any of the tags (none named: all) and what was said of them, see `held_out`."""
    order = (Image.created_at, Image.id) if oldest_first else (Image.created_at.desc(), Image.id.desc())
    statement = (
        select(Image, IterationImage.held_out)
        .join(IterationImage, IterationImage.image_id == Image.id)
        .where(*_judged(session, iteration, tag_ids))
        .order_by(*order)
    )
    return [(image, held_out or b"") for image, held_out in session.execute(statement.offset(skip).limit(take))]


def count_images(session: Session, iteration: Iteration, tag_ids: Sequence[UUID]) -> int:
    statement = select(func.count()).select_from(IterationImage).where(*_judged(session, iteration, tag_ids))
    return session.scalar(statement) or 0


def _judged(session: Session, iteration: Iteration, tag_ids: Sequence[UUID]) -> list[ColumnElement[bool]]:
    return [
        IterationImage.iteration_id == iteration.id,
        IterationImage.held_out.is_not(None),
        IterationImage.image_id.in_(image_tags.in_iteration(session, iteration.id, tag_ids)),
    ]
