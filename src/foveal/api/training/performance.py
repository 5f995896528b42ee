"""The operations on how good an iteration is, and on the images behind its figures."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from foveal.api.deps import Fraction, ReadDep, TagIdsDep
from foveal.api.links import LinksDep
from foveal.api.training import prediction_schemas, schemas
from foveal.api.training.image_queries import check_page, check_tag_filter
from foveal.api.training.image_shapes import image_shapes
from foveal.api.training.prediction_shapes import prediction_shapes
from foveal.api.wire import Wire
from foveal.services import iterations, performance, projects, tags

router = APIRouter(prefix="/projects/{project_id}/iterations/{iteration_id}/performance", tags=["Performance"])


class Page(Wire):
    """A page of images."""

    order_by: str | None = None
    take: int = 50
    skip: int = 0


@router.get("", operation_id="GetIterationPerformance")
def get(
    project_id: UUID,
    iteration_id: UUID,
    session: ReadDep,
    threshold: Fraction = performance.DEFAULT_THRESHOLD,
    overlap_threshold: Annotated[Fraction, Query(alias="overlapThreshold")] = performance.DEFAULT_OVERLAP,
) -> schemas.IterationPerformance:
    """`threshold` is 0.5 and `overlapThreshold` 0.3 by default (our choice).

    Judged by cross-validation, on images that the judging model had not seen.
    """
    iteration = iterations.completed(session, projects.get(session, project_id), iteration_id)
    trained = tags.of_iteration(session, iteration)
    found = performance.of_iteration(
        session, iteration, tags=len(trained), threshold=threshold, overlap=overlap_threshold
    )
    return schemas.IterationPerformance(
        per_tag_performance=[
            schemas.TagPerformance(
                id=tag.id,
                name=tag.name,
                precision=values.precision,
                recall=values.recall,
                average_precision=values.average_precision,
            )
            for tag, values in zip(trained, found.tags, strict=True)
        ],
        precision=found.overall.precision,
        recall=found.overall.recall,
        average_precision=found.overall.average_precision,
    )


@router.get("/images", operation_id="GetImagePerformances")
def images(  # Azure's parameters
    project_id: UUID,
    iteration_id: UUID,
    query: Annotated[Page, Query()],
    tag_ids: TagIdsDep,
    session: ReadDep,
    links: LinksDep,
) -> list[prediction_schemas.ImagePerformance]:
    """All images of the iteration, each judged by a model that had not seen it; Azure shows a fifth of them."""
    check_tag_filter(tag_ids)
    oldest_first = check_page(query.take, query.skip, query.order_by)
    iteration = iterations.completed(session, projects.get(session, project_id), iteration_id)
    trained = tags.of_iteration(session, iteration)
    found = performance.images(session, iteration, tag_ids, oldest_first=oldest_first, take=query.take, skip=query.skip)
    shapes = image_shapes(session, [image for image, _ in found], links, iteration_id=iteration_id).values()
    return [
        prediction_schemas.ImagePerformance(
            predictions=prediction_shapes(trained, performance.said_of(iteration, held_out, len(trained))),
            id=shape.id,
            created=shape.created,
            width=shape.width,
            height=shape.height,
            image_uri=shape.resized_image_uri,
            thumbnail_uri=shape.thumbnail_uri,
            tags=shape.tags or [],
            regions=shape.regions,
        )
        for shape, (_, held_out) in zip(shapes, found, strict=True)
    ]


@router.get("/images/count", operation_id="GetImagePerformanceCount")
def count(project_id: UUID, iteration_id: UUID, tag_ids: TagIdsDep, session: ReadDep) -> int:
    """A bare number."""
    iteration = iterations.completed(session, projects.get(session, project_id), iteration_id)
    return performance.count_images(session, iteration, tag_ids)
