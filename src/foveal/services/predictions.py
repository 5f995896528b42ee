"""What a model says of a picture, and the predictions that are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from foveal import imaging
from foveal.db.tables import Iteration, Prediction
from foveal.engine import evaluate
from foveal.errors import NotFound
from foveal.inference.session import UNKNOWN_FROM, Answers, Classifier
from foveal.services.pictures import Picture
from foveal.services.tags import CountedTag

MAX_APPLICATION = 256


@dataclass(frozen=True, slots=True)
class Scored:
    """A tag and how probable it is."""

    tag: CountedTag
    probability: float


def answers(classifier: Classifier, data: bytes, *, max_bytes: int) -> Answers:
    """Return what the model says of one picture, its tags in the order of the model's outputs.

    Raises:
        ImageRefused: The bytes are no acceptable picture.
    """
    picture = imaging.decode(data, max_bytes=max_bytes, shrink_to=classifier.size_px)
    return classifier.answers(imaging.model_input(picture, classifier.size_px)[None])


def ranked(tags: Sequence[CountedTag], probabilities: NDArray[np.float32]) -> list[Scored]:
    """Return all tags, the most probable first."""
    scored = [Scored(tag, float(value)) for tag, value in zip(tags, probabilities, strict=True)]
    return sorted(scored, key=lambda item: -item.probability)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a model said of a picture; `probabilities` are in the order of its outputs.

    `unknown` tells how unlike the training images it is, 0..1; None where the model cannot tell.
    """

    id: UUID
    iteration: Iteration
    probabilities: NDArray[np.float32]
    unknown: float | None
    application: str | None
    created_at: datetime

    @property
    def is_unknown(self) -> bool | None:
        return None if self.unknown is None else self.unknown >= UNKNOWN_FROM


def keep(session: Session, verdict: Verdict, picture: Picture) -> None:
    """Store a verdict with its picture; raise `NotFound` when the iteration was deleted meanwhile."""
    prediction = Prediction(
        id=verdict.id,
        project_id=verdict.iteration.project_id,
        iteration_id=verdict.iteration.id,
        digest=picture.digest,
        width=picture.width,
        height=picture.height,
        rendered=picture.rendered,
        application=verdict.application,
        probabilities=verdict.probabilities.astype("<f4").tobytes(),
        uncertainty=float(evaluate.uncertainty(verdict.probabilities[None])[0]),
        created_at=verdict.created_at,
    )
    if session.get(Iteration, verdict.iteration.id) is None:
        raise NotFound(f"Iteration {verdict.iteration.id} was deleted just now.", "NotFoundIteration")
    session.add(prediction)
    session.flush()
