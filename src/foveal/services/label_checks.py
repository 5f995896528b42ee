"""Checks of an iteration's labels: which are probably wrong, and which tags need more images."""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from foveal.db.tables import Image, ImageTag, Iteration, IterationImage
from foveal.domains import MULTICLASS
from foveal.engine.features import head_features
from foveal.engine.labelling import label_errors, learning_curve
from foveal.engine.labelling.label_errors import LabelError
from foveal.engine.labelling.learning_curve import Gain
from foveal.errors import NotFound
from foveal.services import embeddings, performance, tags, training_sets
from foveal.services.labelling import backbone_of
from foveal.services.tags import CountedTag


@dataclass(frozen=True, slots=True)
class Doubt:
    """An image whose label is probably wrong: the tag to take away, the tag to add, or both; how sure, 0.5..1."""

    image: Image
    given: CountedTag | None
    likely: CountedTag | None
    sureness: float


@dataclass(frozen=True, slots=True)
class Curves:
    """What more images of each tag would bring; `waiting` images of the iteration have no embedding yet."""

    gains: list[tuple[CountedTag, Gain]]
    waiting: int


def doubts(session: Session, iteration: Iteration, *, take: int) -> list[Doubt]:
    """Return the labels that are probably wrong, the surest first; what was corrected since is left out.

    Raises:
        NotFound: The iteration has no held-out judgement of any image.
        Invalid: It is a detector's.
    """
    performance.check_classifier(iteration)
    trained = tags.of_iteration(session, iteration)
    rows = session.execute(
        select(IterationImage.image_id, IterationImage.positions, IterationImage.held_out)
        .where(IterationImage.iteration_id == iteration.id, IterationImage.held_out.is_not(None))
        .order_by(IterationImage.image_id)
    ).all()
    if not rows:
        raise NotFound(f"{iteration.name} has no performance.", "NotFoundIterationPerformance")
    targets = np.zeros((len(rows), len(trained)), bool)
    for at, (_, positions, _) in enumerate(rows):
        targets[at, positions] = True
    # Some iterations were judged several times over, by other folds: the mean is steadier.
    held_out = [np.frombuffer(values or b"", "<f4").reshape(-1, len(trained)).mean(0) for _, _, values in rows]
    exclusive = iteration.classification_type == MULTICLASS
    errors = label_errors.label_errors(targets, np.stack(held_out), exclusive=exclusive)
    now = _borne(session, iteration)
    ids = [image_id for image_id, _, _ in rows]
    kept = [error for error in errors if _stands(error, now.get(ids[error.image]), trained)][:take]
    found = session.scalars(select(Image).where(Image.id.in_([ids[error.image] for error in kept])))
    by_id = {image.id: image for image in found}
    return [
        Doubt(by_id[ids[error.image]], _tag(trained, error.given), _tag(trained, error.likely), error.sureness)
        for error in kept
    ]


def curves(session: Session, iteration: Iteration) -> Curves:
    """Return what ten more images of each tag of the iteration would bring.

    Raises:
        Invalid: It is a detector's.
    """
    performance.check_classifier(iteration)
    learned = training_sets.of_iteration(session, iteration)
    vectors = embeddings.find(session, backbone_of(iteration), [image.digest for image in learned.images])
    seen = [image for image in learned.images if image.digest in vectors]
    if not seen:
        return Curves([(tag, Gain(0)) for tag in learned.tags], len(learned.images))
    targets = np.zeros((len(seen), len(learned.tags)), bool)
    for row, image in enumerate(seen):
        targets[row, list(image.positions)] = True
    features = head_features(np.stack([vectors[image.digest] for image in seen]))
    exclusive = iteration.classification_type == MULTICLASS
    gains = learning_curve.learning_curve(features, targets, exclusive=exclusive)
    return Curves(list(zip(learned.tags, gains, strict=True)), len(learned.images) - len(seen))


def _borne(session: Session, iteration: Iteration) -> dict[UUID, set[UUID]]:
    """Return the tags that the iteration's images bear now; one that left the workspace is not there."""
    rows = session.execute(
        select(ImageTag.image_id, ImageTag.tag_id)
        .join(IterationImage, IterationImage.image_id == ImageTag.image_id)
        .where(IterationImage.iteration_id == iteration.id)
    )
    borne: dict[UUID, set[UUID]] = defaultdict(set)
    for image_id, tag_id in rows:
        borne[image_id].add(tag_id)
    return borne


def _stands(error: LabelError, borne: set[UUID] | None, trained: list[CountedTag]) -> bool:
    """Tell whether the image still bears what is doubted, and not yet what is likely."""
    given, likely = _tag(trained, error.given), _tag(trained, error.likely)
    if borne is None or (given is not None and given.id not in borne):
        return False
    return likely is None or likely.id not in borne


def _tag(trained: list[CountedTag], at: int | None) -> CountedTag | None:
    return None if at is None else trained[at]
