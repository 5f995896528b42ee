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
from foveal.errors import NotFound
from foveal.geometry import Box
from foveal.inference.session import UNKNOWN_FROM, Detector, Model
from foveal.services.pictures import Picture
from foveal.services.said import Boxes, Probabilities, Said
from foveal.services.tags import CountedTag

MAX_APPLICATION = 256


@dataclass(frozen=True, slots=True)
class Scored:
    """A tag and how probable it is; of a detector, with its box."""

    tag: CountedTag
    probability: float
    box: Box | None = None


def look(model: Model, data: bytes, *, max_bytes: int) -> tuple[Said, float | None]:
    """Return what the model says of one picture, and how unlike its training images that is, if it can tell.

    Raises:
        ImageRefused: The bytes are no acceptable picture.
    """
    picture = imaging.decode(data, max_bytes=max_bytes, shrink_to=model.size_px)
    pixels = imaging.model_input(picture, model.size_px)
    if isinstance(model, Detector):
        return Boxes(model.detect(pixels)), None
    answers = model.answers(pixels[None])
    return Probabilities(answers.probabilities[0]), None if answers.unknown is None else float(answers.unknown[0])


def look_at_all(model: Model, squares: Sequence[NDArray[np.uint8]]) -> list[Said]:
    """Return what the model says of pictures of its size."""
    if isinstance(model, Detector):
        return [Boxes(model.detect(each)) for each in squares]
    return [Probabilities(row) for row in model.probabilities(np.stack(squares))]


def ranked(tags: Sequence[CountedTag], said: Said) -> list[Scored]:
    """Return all tags, the most probable first; of a detector its boxes, tag by tag, the most probable first."""
    if isinstance(said, Boxes):
        found = said.found
        order = np.lexsort((-found.scores, found.tags))
        positions: list[int] = found.tags[order].tolist()
        rows = zip(positions, found.scores[order].tolist(), found.boxes[order].tolist(), strict=True)
        return [Scored(tags[at], score, Box.from_corners(*corners)) for at, score, corners in rows]
    scored = [Scored(tag, float(value)) for tag, value in zip(tags, said.by_tag(len(tags)), strict=True)]
    return sorted(scored, key=lambda item: -item.probability)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a model said of a picture.

    `unknown` tells how unlike the training images it is, 0..1; None where the model cannot tell.
    """

    id: UUID
    iteration: Iteration
    said: Said
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
        probabilities=verdict.said.to_bytes(),
        uncertainty=verdict.said.uncertainty,
        created_at=verdict.created_at,
    )
    if session.get(Iteration, verdict.iteration.id) is None:
        raise NotFound(f"Iteration {verdict.iteration.id} was deleted just now.", "NotFoundIteration")
    session.add(prediction)
    session.flush()
