"""How good an iteration is, told by models that had not seen the image they are judged on."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from foveal import domains
from foveal.db.tables import Image, Iteration, IterationImage
from foveal.domains import MULTICLASS, OBJECT_DETECTION
from foveal.engine import evaluate
from foveal.engine.detection import evidence as boxes
from foveal.engine.detection import scores
from foveal.engine.detection.scores import Truth
from foveal.engine.evaluate import Performance
from foveal.engine.report import Evidence, Judgements
from foveal.errors import Invalid, NotFound
from foveal.geometry import Detections
from foveal.services import image_tags, said, training_sets
from foveal.services.said import Boxes, Probabilities, Said

DEFAULT_THRESHOLD = 0.5
DEFAULT_OVERLAP = 0.3  # of a detector's box with the true one
EARLIER_DESIGN_EFFECT = 2.25  # of five folds, as iterations of earlier versions were judged


def record(session: Session, iteration: Iteration, image_ids: Sequence[UUID], held_out: Sequence[bytes]) -> None:
    """Keep what was said of the iteration's images, each as `IterationImage.held_out` has it."""
    rows = [
        {"iteration_id": iteration.id, "image_id": image_id, "held_out": content}
        for image_id, content in zip(image_ids, held_out, strict=True)
    ]
    session.execute(update(IterationImage), rows)


def of_classifier(held_out: NDArray[np.float32]) -> list[bytes]:
    """Probabilities (repeats, images, tags) as they are kept, image by image."""
    return [each.tobytes() for each in np.ascontiguousarray(held_out.transpose(1, 0, 2), "<f4")]


def check_classifier(iteration: Iteration) -> None:
    """Raise `Invalid` for a detector's iteration."""
    if finds_boxes(iteration):
        raise Invalid("This is known of classifiers alone; the iteration is a detector's.", "BadRequestNotSupported")


def judgements(session: Session, iteration: Iteration, *, tags: int) -> Judgements:
    """Return what was said of the images that the iteration is judged on: those of its test set, or all.

    Raises:
        NotFound: Nothing was judged.
        Invalid: It is a detector's.
    """
    check_classifier(iteration)
    return judgements_of(iteration, kept(session, iteration), tags=tags)


def judgements_of(iteration: Iteration, kept: Sequence[IterationImage], *, tags: int) -> Judgements:
    """Read what was said of these images of a classifier's iteration."""
    targets = np.zeros((len(kept), tags), dtype=bool)
    for at, row in enumerate(kept):
        targets[at, row.positions] = True
    held_out = np.stack([repeats(row.held_out or b"", tags) for row in kept], axis=1)
    effect = float(iteration.metrics.get("design_effect", EARLIER_DESIGN_EFFECT))
    return Judgements(targets, held_out, iteration.classification_type == MULTICLASS, effect)


def repeats(held_out: bytes, tags: int) -> NDArray[np.float32]:
    """Read `IterationImage.held_out` of a classifier: (repeats, tags)."""
    return np.frombuffer(held_out, dtype="<f4").reshape(-1, tags)


def said_of(iteration: Iteration, held_out: bytes, tags: int) -> Said:
    """Read `IterationImage.held_out`: what was said of the image, a mean over repeats."""
    if finds_boxes(iteration):
        return said.read(iteration.domain_id, held_out)
    return Probabilities(repeats(held_out, tags).mean(0))


def evidence(session: Session, iteration: Iteration, *, tags: int, overlap: float = DEFAULT_OVERLAP) -> Evidence:
    """Return what was said of the images that the iteration is judged on, for a report.

    Raises:
        NotFound: Nothing was judged.
    """
    if not finds_boxes(iteration):
        return judgements(session, iteration, tags=tags)
    effect = float(iteration.metrics.get("design_effect", EARLIER_DESIGN_EFFECT))
    found, truth = detections(session, iteration)
    return boxes.Boxes(found, truth, tags, overlap, effect)


def of_iteration(
    session: Session, iteration: Iteration, *, tags: int, threshold: float, overlap: float = DEFAULT_OVERLAP
) -> Performance:
    """Return the scores over all images that the iteration is judged on, precision and recall at the threshold.

    A box is right that overlaps one of its tag by so much.
    """
    if finds_boxes(iteration):
        found, truth = detections(session, iteration)
        return scores.performance(found, truth, tags=tags, threshold=threshold, overlap=overlap)
    judged = judgements(session, iteration, tags=tags)
    return evaluate.performance(judged.repeated, judged.stacked, threshold)


def detections(session: Session, iteration: Iteration) -> tuple[list[Detections], list[Truth]]:
    """Return what was found in the images that a detector is judged on, and what is on them.

    Raises:
        NotFound: Nothing was judged.
    """
    return boxes_of(iteration, kept(session, iteration))


def boxes_of(iteration: Iteration, kept: Sequence[IterationImage]) -> tuple[list[Detections], list[Truth]]:
    """Read what was found in these images of a detector's iteration, and what is on them."""
    found, truth = list[Detections](), list[Truth]()
    for row in kept:
        looked = said.read(iteration.domain_id, row.held_out or b"")
        assert isinstance(looked, Boxes)
        found.append(looked.found)
        truth.append(training_sets.truth(training_sets.boxes(row.regions)))
    return found, truth


def finds_boxes(iteration: Iteration) -> bool:
    return domains.get(iteration.domain_id).type == OBJECT_DETECTION


def kept(session: Session, iteration: Iteration) -> list[IterationImage]:
    """Return the images that the iteration is judged on, by id: those of its test set, or all that were judged.

    Raises:
        NotFound: Nothing was judged.
    """
    statement = select(IterationImage).where(
        IterationImage.iteration_id == iteration.id, IterationImage.held_out.is_not(None)
    )
    rows = list(session.scalars(statement.order_by(IterationImage.image_id)))
    if not rows:
        raise NotFound(f"{iteration.name} has no performance.", "NotFoundIterationPerformance")
    return [row for row in rows if row.test] or rows


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
    other = aliased(IterationImage)
    tested = select(1).where(other.iteration_id == iteration.id, other.test, other.held_out.is_not(None))
    return [
        IterationImage.iteration_id == iteration.id,
        IterationImage.held_out.is_not(None),
        or_(IterationImage.test, ~tested.exists()),
        IterationImage.image_id.in_(image_tags.in_iteration(session, iteration.id, tag_ids)),
    ]
