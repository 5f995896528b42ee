"""The predictions that were kept: finding them, deleting them, making training images of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete as sql_delete
from sqlalchemy import select
from sqlalchemy.orm import Session

from foveal.db.tables import Iteration, IterationTag, Prediction, Project
from foveal.errors import Invalid
from foveal.services import iterations, limits, paging, said, tags
from foveal.services.images import OK_DUPLICATE, Created
from foveal.services.paging import Glimpse, Order, Page
from foveal.services.pictures import OK, Arrival, Entry, Picture
from foveal.services.tags import CountedTag

MAX_IDS = 64
MAX_TAGS = 2
ORDERS: Mapping[str, Order[Prediction]] = {
    "newest": Order(Prediction, "created_at", "id", descending=True),
    "oldest": Order(Prediction, "created_at", "id", descending=False),
    # What the model is least sure of teaches it most.
    "suggested": Order(Prediction, "uncertainty", "id", descending=True),
}


@dataclass(frozen=True, slots=True)
class Range:
    """A tag whose probability lies between two ends, both included."""

    tag_id: UUID
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to look for; all conditions hold together, None or empty asks for nothing."""

    order: str = "Newest"
    ranges: Sequence[Range] = ()
    iteration_id: UUID | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    application: str = ""
    before: datetime
    """The moment of the first page: what is stored later belongs to another query."""
    take: int = paging.DEFAULT_RESULTS
    continuation: str = ""


def check_ids(ids: Sequence[UUID]) -> None:
    """Refuse a call that names no predictions, or too many."""
    if not ids:
        raise Invalid("Name the predictions by their ids.", "BadRequestPredictionIdsMissing")
    limits.check_size(len(ids), MAX_IDS, "predictions", "BadRequestPredictionIdsExceededCount")


def query(session: Session, project: Project, query: Query) -> Page[Prediction]:
    """Return a page of the project's stored predictions."""
    _check(query)
    conditions = [Prediction.project_id == project.id, Prediction.created_at <= query.before]
    if query.iteration_id is not None:
        conditions.append(Prediction.iteration_id == iterations.get(session, project, query.iteration_id).id)
    if query.begins is not None:
        conditions.append(Prediction.created_at >= query.begins)
    if query.ends is not None:
        conditions.append(Prediction.created_at <= query.ends)
    if query.application:
        conditions.append(Prediction.application == query.application)
    return paging.page(
        session,
        select(Prediction).where(*conditions),
        ORDERS[query.order.lower()],
        continuation=query.continuation,
        take=query.take,
        glimpsed=("iteration_id", "probabilities"),
        accept=_Within(session, project, query.ranges),
    )


def delete(session: Session, project: Project, ids: Sequence[UUID]) -> None:
    """Delete stored predictions; those that are not there are passed over."""
    check_ids(ids)
    session.execute(sql_delete(Prediction).where(Prediction.project_id == project.id, Prediction.id.in_(ids)))


def arrivals(session: Session, project: Project, entries: Sequence[Entry]) -> list[Arrival]:
    """Return the pictures of stored predictions, named by their ids as sources, for training images."""
    ids = [UUID(entry.source) for entry in entries]
    rows = session.scalars(select(Prediction).where(Prediction.project_id == project.id, Prediction.id.in_(ids)))
    found = {row.id: Picture(row.digest, row.width, row.height, row.rendered) for row in rows}
    return [
        Arrival(entry, OK, found[id])
        if id in found
        else Arrival(entry, "ErrorSource", None, f"There is no stored prediction {id}.")
        for id, entry in zip(ids, entries, strict=True)
    ]


def leave(session: Session, created: Sequence[Created]) -> None:
    """Take the predictions whose pictures are training images now off the list, as Azure's portal does."""
    moved = [UUID(item.entry.source) for item in created if item.status in {OK, OK_DUPLICATE}]
    session.execute(sql_delete(Prediction).where(Prediction.id.in_(moved)))


def models_of(session: Session, rows: Sequence[Prediction]) -> dict[UUID, tuple[Iteration, list[CountedTag]]]:
    """Return the iterations of predictions, each with its tags in the order of the model's outputs."""
    ids = {row.iteration_id for row in rows}
    found = session.scalars(select(Iteration).where(Iteration.id.in_(ids)))
    return {iteration.id: (iteration, tags.of_iteration(session, iteration)) for iteration in found}


def _check(query: Query) -> None:
    if len(query.ranges) > MAX_TAGS:
        raise Invalid(
            f"A query names at most {MAX_TAGS} tags; these are {len(query.ranges)}.",
            "BadRequestPredictionTagsExceededCount",
        )
    paging.check_size(query.take)
    wrong = next((each for each in query.ranges if not 0 <= each.lowest <= each.highest <= 1), None)
    if wrong is not None:
        raise Invalid(
            f"minThreshold and maxThreshold lie in 0..1, in this order; got {wrong.lowest:g} and {wrong.highest:g}.",
            "BadRequestPredictionInvalidQueryParameters",
        )
    if query.order.lower() not in ORDERS:
        raise Invalid(
            f"orderBy {query.order!r} is unknown: expected Newest, Oldest or Suggested.",
            "BadRequestPredictionInvalidQueryParameters",
        )
    if query.begins is not None and query.ends is not None and query.begins > query.ends:
        raise Invalid(
            f"startTime {query.begins} is later than endTime {query.ends}.",
            "BadRequestPredictionInvalidQueryParameters",
        )


@dataclass
class _Within:
    """Tells whether a prediction lies in all ranges."""

    session: Session
    project: Project
    ranges: Sequence[Range]
    positions: dict[UUID, dict[UUID, int]] = field(default_factory=dict[UUID, dict[UUID, int]])

    def __call__(self, prediction: Glimpse) -> bool:
        if not self.ranges:
            return True
        position = self._positions(prediction.iteration_id)
        best = said.read(self.project.domain_id, prediction.probabilities).by_tag(len(position))
        return all(
            each.tag_id in position and each.lowest <= best[position[each.tag_id]] <= each.highest
            for each in self.ranges
        )

    def _positions(self, iteration_id: UUID) -> dict[UUID, int]:
        if iteration_id not in self.positions:
            rows = self.session.execute(
                select(IterationTag.tag_id, IterationTag.position).where(IterationTag.iteration_id == iteration_id)
            )
            self.positions[iteration_id] = dict(iter(rows))
        return self.positions[iteration_id]
