"""The Smart Labeler: what a trained model says of untagged images, for a person to confirm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from sqlalchemy import delete, exists, insert, select
from sqlalchemy.orm import Session

from foveal.db.tables import Image, ImageTag, Iteration, Project, Suggestion
from foveal.errors import Invalid
from foveal.services import limits, paging, said, tags
from foveal.services.paging import Glimpse, Order, Page
from foveal.services.said import Said

MAX_IMAGES = 64
ORDERS: Mapping[str, Order[Suggestion]] = {
    "uncertaintyascending": Order(Suggestion, "uncertainty", "image_id", descending=False),
    "uncertaintydescending": Order(Suggestion, "uncertainty", "image_id", descending=True),
}
DEFAULT_ORDER = "UncertaintyAscending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which suggestions to return: those where one of the tags (none: any) is at least this probable."""

    tag_ids: Sequence[UUID] = ()
    threshold: float = 0.0
    order: str = DEFAULT_ORDER
    before: datetime
    take: int = paging.DEFAULT_RESULTS
    continuation: str = ""


def images(session: Session, project: Project, ids: Sequence[UUID]) -> list[Image]:
    """Return the images to suggest for, in the order asked for; one that is unknown is an error."""
    if not ids:
        raise Invalid("Name the images in imageIds.", "BadRequestRequiredParamIsNull")
    limits.check_size(len(ids), MAX_IMAGES, "images")
    rows = session.scalars(
        select(Image).where(Image.project_id == project.id, Image.deleted_at.is_(None), Image.id.in_(ids))
    )
    found = {image.id: image for image in rows}
    if unknown := [id for id in ids if id not in found]:
        raise Invalid(f"Image {unknown[0]} does not exist in this project.", "BadRequestInvalidIds")
    return [found[id] for id in dict.fromkeys(ids)]


def keep(
    session: Session,
    iteration_id: UUID,
    image_ids: Sequence[UUID],
    looked: Sequence[Said],
    *,
    now: datetime,
) -> None:
    """Keep what a model said of images in place of what was kept of them before.

    Images that are gone by now are passed over; so are all, if the iteration is.
    """
    session.execute(
        delete(Suggestion).where(Suggestion.iteration_id == iteration_id, Suggestion.image_id.in_(image_ids))
    )
    if session.get(Iteration, iteration_id) is None:
        return
    there = set(session.scalars(select(Image.id).where(Image.id.in_(image_ids), Image.deleted_at.is_(None))))
    rows = [
        {
            "iteration_id": iteration_id,
            "image_id": id,
            "probabilities": each.to_bytes(),
            "uncertainty": each.uncertainty,
            "created_at": now,
        }
        for id, each in zip(image_ids, looked, strict=True)
        if id in there
    ]
    if rows:
        session.execute(insert(Suggestion), rows)


def query(session: Session, iteration: Iteration, query: Query) -> Page[Suggestion]:
    """Return a page of the suggestions for images that are still untagged."""
    if query.order.lower() not in ORDERS:
        raise Invalid(f"sortBy {query.order!r} is unknown: expected UncertaintyAscending or UncertaintyDescending.")
    paging.check_size(query.take)
    _check_threshold(query.threshold)
    wanted = _positions(session, iteration, query.tag_ids)
    count = len(tags.of_iteration(session, iteration))

    def accept(suggestion: Glimpse) -> bool:
        best = said.read(iteration.domain_id, suggestion.probabilities).by_tag(count)
        return bool((best[wanted] >= query.threshold).any())

    return paging.page(
        session,
        _open(iteration).where(Suggestion.created_at <= query.before),
        ORDERS[query.order.lower()],
        continuation=query.continuation,
        take=query.take,
        glimpsed=("probabilities",),
        accept=accept,
    )


def count(session: Session, iteration: Iteration, tag_ids: Sequence[UUID], threshold: float) -> dict[UUID, int]:
    """Return for each tag (none named: each of the iteration) how many untagged images it is suggested for."""
    _check_threshold(threshold)
    trained = tags.of_iteration(session, iteration)
    positions = _positions(session, iteration, tag_ids)
    counts = np.zeros(len(trained), int)
    for content in session.scalars(_open(iteration).with_only_columns(Suggestion.probabilities)):
        counts += said.read(iteration.domain_id, content).by_tag(len(trained)) >= threshold
    return {trained[at].id: int(counts[at]) for at in positions}


def _check_threshold(threshold: float) -> None:
    if not 0 <= threshold <= 1:
        raise Invalid(f"threshold lies in 0..1; got {threshold:g}.")


def _open(iteration: Iteration):  # noqa: ANN202  # a Select, whose type parameters SQLAlchemy infers
    tagged = exists().where(ImageTag.image_id == Suggestion.image_id)
    return select(Suggestion).where(Suggestion.iteration_id == iteration.id, ~tagged)


def _positions(session: Session, iteration: Iteration, tag_ids: Sequence[UUID]) -> list[int]:
    place = {tag.id: at for at, tag in enumerate(tags.of_iteration(session, iteration))}
    if unknown := [id for id in tag_ids if id not in place]:
        raise Invalid(f"{iteration.name} was not trained on the tag {unknown[0]}.", "BadRequestInvalidIds")
    return [place[id] for id in tag_ids] if tag_ids else list(place.values())
