"""The images behind the figures of an iteration: which were taken for what, and where the mistakes are."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from foveal.db.tables import Image, Iteration, IterationImage
from foveal.engine import verdicts
from foveal.engine.verdicts import JudgedBox, Verdicts, Wanted
from foveal.services import performance, training_sets
from foveal.services.said import Boxes


@dataclass(frozen=True, slots=True)
class JudgedImage:
    """An image and what is known of it, tags by their positions; `probabilities` are of each tag (k,).

    `share` of the judgements said the tag that was asked for; None: none was, or tags do not exclude one another.
    """

    image: Image
    true: list[int]
    missed: list[int]
    wrong: list[int]
    probabilities: NDArray[np.floating]
    share: float | None
    boxes: list[JudgedBox]


@dataclass(frozen=True, slots=True)
class Ask:
    """What to look for: at a threshold and, for detectors, an overlap; and which page of it."""

    wanted: Wanted
    threshold: float
    overlap: float
    take: int
    skip: int


def behind(session: Session, iteration: Iteration, ask: Ask, *, tags: int) -> tuple[int, list[JudgedImage]]:
    """Return how many images there are and a page of them, the most wrong first.

    Raises:
        NotFound: Nothing was judged.
    """
    kept = performance.kept(session, iteration)
    found = _verdicts(iteration, kept, ask, tags)
    rows = verdicts.find(found, ask.wanted)
    page: list[int] = rows[ask.skip : ask.skip + ask.take].tolist()
    images = _images(session, [kept[row].image_id for row in page])
    return len(rows), [_judged(iteration, images, kept[row], _Row(found, row), ask) for row in page]


@dataclass(frozen=True, slots=True)
class _Row:
    """One image among all verdicts."""

    verdicts: Verdicts
    at: int


def _verdicts(iteration: Iteration, kept: Sequence[IterationImage], ask: Ask, tags: int) -> Verdicts:
    if performance.finds_boxes(iteration):
        found, truth = performance.boxes_of(iteration, kept)
        return verdicts.of_detector(found, truth, tags, (ask.threshold, ask.overlap))
    return verdicts.of_classifier(performance.judgements_of(iteration, kept, tags=tags), ask.threshold)


def _images(session: Session, ids: Sequence[UUID]) -> dict[UUID, Image]:
    return {image.id: image for image in session.scalars(select(Image).where(Image.id.in_(ids)))}


def _judged(iteration: Iteration, images: dict[UUID, Image], kept: IterationImage, row: _Row, ask: Ask) -> JudgedImage:
    all, at = row.verdicts, row.at
    tags = all.true.shape[1]
    said = performance.said_of(iteration, kept.held_out or b"", tags)
    boxes: list[JudgedBox] = []
    if isinstance(said, Boxes):
        there = training_sets.truth(training_sets.boxes(kept.regions))
        boxes = verdicts.boxes(said.found, there, tags, (ask.threshold, ask.overlap))
    asked = ask.wanted.said_tag
    return JudgedImage(
        image=images[kept.image_id],
        true=np.flatnonzero(all.true[at]).tolist(),
        missed=np.flatnonzero(all.missed[at]).tolist(),
        wrong=np.flatnonzero(all.wrong[at]).tolist(),
        probabilities=said.by_tag(tags),
        share=None if all.shares is None or asked is None else float(all.shares[at, asked]),
        boxes=boxes,
    )
