"""The image operations: finding and counting."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy.orm import Session

from foveal.api.deps import ImageIdsDep, ReadDep, TagIdsDep
from foveal.api.links import Links, LinksDep
from foveal.api.training import schemas
from foveal.api.training.image_shapes import image_shapes
from foveal.api.wire import Wire
from foveal.errors import Invalid
from foveal.services import images, iterations, limits, projects
from foveal.services.images import Filter

router = APIRouter(prefix="/projects/{project_id}/images", tags=["Images"])

MAX_TAG_FILTER = 20
MAX_IDS = 256
MAX_SKIP = 2**31 - 1
TAGGED = {"all": None, "tagged": True, "untagged": False}


class Scope(Wire):
    """Where to look: the workspace or an iteration."""

    iteration_id: UUID | None = None


class Page(Scope):
    """A page of images."""

    order_by: str | None = None
    take: int = 50
    skip: int = 0


class Choice(Wire):
    """Images with or without tags, and with some metadata."""

    tagging_status: str | None = None
    metadata: Annotated[str, Field(alias="$filter")] = ""


class AnyPage(Page, Choice):
    """A page of images with or without tags."""


class AnyScope(Scope, Choice):
    """Images with or without tags."""


@router.get("", operation_id="GetImages")
def every(
    project_id: UUID, query: Annotated[AnyPage, Query()], tag_ids: TagIdsDep, session: ReadDep, links: LinksDep
) -> list[schemas.Image]:
    """Newest first; `take` 0 to 256, 50 by default.

    Several `tagIds` mean any of them. `$filter` reads metadata: `line eq '7' and (shift ne 'day' or note eq 'it''s')`;
    `and` binds before `or`, parentheses are read too, and `ne` is true of an image without the key (our choice).
    """
    filter = _filter(query, tag_ids, tagged=_tagged(query.tagging_status), metadata=query.metadata)
    return _page(session, project_id, query, filter, links)


@router.get("/tagged", operation_id="GetTaggedImages")
def tagged(
    project_id: UUID, query: Annotated[Page, Query()], tag_ids: TagIdsDep, session: ReadDep, links: LinksDep
) -> list[schemas.Image]:
    """As `GetImages` with `taggingStatus=Tagged`."""
    return _page(session, project_id, query, _filter(query, tag_ids, tagged=True), links)


@router.get("/untagged", operation_id="GetUntaggedImages")
def untagged(
    project_id: UUID, query: Annotated[Page, Query()], session: ReadDep, links: LinksDep
) -> list[schemas.Image]:
    """As `GetImages` with `taggingStatus=Untagged`. An iteration holds tagged images only."""
    return _page(session, project_id, query, _filter(query, (), tagged=False), links)


@router.get("/count", operation_id="GetImageCount")
def count(project_id: UUID, query: Annotated[AnyScope, Query()], tag_ids: TagIdsDep, session: ReadDep) -> int:
    """A bare number."""
    filter = _filter(query, tag_ids, tagged=_tagged(query.tagging_status), metadata=query.metadata)
    return _count(session, project_id, filter)


@router.get("/tagged/count", operation_id="GetTaggedImageCount")
def count_tagged(project_id: UUID, query: Annotated[Scope, Query()], tag_ids: TagIdsDep, session: ReadDep) -> int:
    """A bare number. Any number of `tagIds`."""
    return _count(session, project_id, Filter(tagged=True, tag_ids=tuple(tag_ids), iteration_id=query.iteration_id))


@router.get("/untagged/count", operation_id="GetUntaggedImageCount")
def count_untagged(project_id: UUID, query: Annotated[Scope, Query()], session: ReadDep) -> int:
    """A bare number."""
    return _count(session, project_id, _filter(query, (), tagged=False))


@router.get("/id", operation_id="GetImagesByIds")
def by_ids(
    project_id: UUID, query: Annotated[Scope, Query()], image_ids: ImageIdsDep, session: ReadDep, links: LinksDep
) -> list[schemas.Image]:
    """Those that exist, in the order asked for."""
    limits.check_size(len(image_ids), MAX_IDS, "images")
    filter = Filter(ids=tuple(image_ids), iteration_id=query.iteration_id)
    found = _page(session, project_id, Page(iteration_id=query.iteration_id, take=MAX_IDS), filter, links)
    place = {id: at for at, id in enumerate(image_ids)}
    return sorted(found, key=lambda image: place[image.id])


def check_tag_filter(tag_ids: Sequence[UUID]) -> None:
    """Refuse a filter of too many tags."""
    limits.check_size(len(tag_ids), MAX_TAG_FILTER, "tags")


def check_page(take: int, skip: int, order_by: str | None) -> bool:
    """Refuse a page out of range; return whether the oldest come first."""
    if not (0 <= take <= MAX_IDS and 0 <= skip <= MAX_SKIP):
        raise Invalid(f"take is 0 to {MAX_IDS} and skip 0 to {MAX_SKIP}; got take={take}, skip={skip}.")
    order = (order_by or "newest").lower()
    if order not in {"newest", "oldest"}:
        raise Invalid(f"orderBy {order_by!r} is unknown: expected Newest or Oldest.")
    return order == "oldest"


def _tagged(status: str | None) -> bool | None:
    wanted = (status or "all").lower()
    if wanted not in TAGGED:
        raise Invalid(f"taggingStatus {status!r} is unknown: expected All, Tagged or Untagged.")
    return TAGGED[wanted]


def _filter(scope: Scope, tag_ids: Sequence[UUID], *, tagged: bool | None, metadata: str = "") -> Filter:
    check_tag_filter(tag_ids)
    return Filter(tagged=tagged, tag_ids=tuple(tag_ids), iteration_id=scope.iteration_id, metadata=metadata)


def _page(session: Session, project_id: UUID, page: Page, filter: Filter, links: Links) -> list[schemas.Image]:
    oldest_first = check_page(page.take, page.skip, page.order_by)
    project = projects.get(session, project_id)
    if filter.iteration_id is not None:
        iterations.get(session, project, filter.iteration_id)
    found = images.find(session, project, filter, oldest_first=oldest_first, take=page.take, skip=page.skip)
    return list(image_shapes(session, found, links, iteration_id=filter.iteration_id).values())


def _count(session: Session, project_id: UUID, filter: Filter) -> int:
    project = projects.get(session, project_id)
    if filter.iteration_id is not None:
        iterations.get(session, project, filter.iteration_id)
    return images.count(session, project, filter)
