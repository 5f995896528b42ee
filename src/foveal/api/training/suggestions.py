"""The operations of the Smart Labeler."""

from typing import Annotated
from uuid import UUID

import numpy as np
from fastapi import APIRouter, Depends, Query
from numpy.typing import NDArray
from sqlalchemy import select

from foveal.api import sessions
from foveal.api.deps import ImageIdsDep, NowDep, PartsDep, ReadDep, json_body
from foveal.api.links import LinksDep
from foveal.api.training import prediction_schemas
from foveal.api.training.prediction_shapes import prediction_shapes
from foveal.db.tables import Image
from foveal.services import iterations, paging, pictures, predictions, projects, said, suggestions, tags

router = APIRouter(prefix="/projects/{project_id}", tags=["Suggestions"])

IterationId = Annotated[UUID, Query(alias="iterationId")]
Token = prediction_schemas.SuggestedTagAndRegionQueryToken
Filter = prediction_schemas.TagFilter


@router.post("/tagsandregions/suggestions", operation_id="SuggestTagsAndRegions")
def suggest(
    project_id: UUID, iteration_id: IterationId, image_ids: ImageIdsDep, parts: PartsDep
) -> list[prediction_schemas.SuggestedTagAndRegion]:
    """At most 64 images.

    What the iteration's model says of each is kept for 30 days. `predictionUncertainty`, in bits, is the mean binary
    entropy over the tags; of a detector that of the box that it is least sure of.
    """
    with parts.sessions.read.begin() as session:
        project = projects.get(session, project_id)
        iteration = iterations.completed(session, project, iteration_id)
        trained = tags.of_iteration(session, iteration)
        images = suggestions.images(session, project, image_ids)
        session.expunge_all()
    model = parts.models.model(iteration_id)

    def load(image: Image) -> NDArray[np.uint8]:
        return pictures.pixels(parts.blobs, image.digest, rendered=image.rendered, size_px=model.size_px)

    looked = predictions.look_at_all(model, list(parts.pool.map(load, images)))
    now = parts.clock()
    with parts.sessions.write.begin() as session:
        suggestions.keep(session, iteration_id, [image.id for image in images], looked, now=now)
    return [
        prediction_schemas.SuggestedTagAndRegion(
            id=image.id,
            project=project_id,
            iteration=iteration_id,
            created=now,
            predictions=prediction_shapes(trained, each),
            prediction_uncertainty=each.uncertainty,
        )
        for image, each in zip(images, looked, strict=True)
    ]


@router.post("/images/suggested", operation_id="QuerySuggestedImages")
def query(
    project_id: UUID,
    iteration_id: IterationId,
    token: Annotated[Token, Depends(json_body(Token))],
    session: ReadDep,
    links: LinksDep,
    now: NowDep,
) -> prediction_schemas.SuggestedTagAndRegionQuery:
    """Untagged images with a kept suggestion of at least `threshold` for one of the tags (none named: any tag).

    64 a page, at most 256 (our choice); `continuation` leads on until it is empty.
    """
    iteration = iterations.completed(session, projects.get(session, project_id), iteration_id)
    began = sessions.moment(token.session, now)
    wanted = suggestions.Query(
        tag_ids=token.tag_ids or [],
        threshold=token.threshold,
        order=token.sort_by or suggestions.DEFAULT_ORDER,
        before=began,
        take=token.max_count if token.max_count > 0 else paging.DEFAULT_RESULTS,
        continuation=token.continuation or "",
    )
    page = suggestions.query(session, iteration, wanted)
    trained = tags.of_iteration(session, iteration)
    rows = session.scalars(select(Image).where(Image.id.in_([row.image_id for row in page.rows])))
    images = {image.id: image for image in rows}
    return prediction_schemas.SuggestedTagAndRegionQuery(
        token=token.model_copy(
            update={
                "session": sessions.token(began),
                "continuation": page.continuation,
                "sort_by": wanted.order,
                "tag_ids": wanted.tag_ids,
            }
        ),
        results=[
            prediction_schemas.StoredSuggestedTagAndRegion(
                id=row.image_id,
                project=project_id,
                iteration=iteration_id,
                created=row.created_at,
                predictions=prediction_shapes(trained, said.read(iteration.domain_id, row.probabilities)),
                prediction_uncertainty=row.uncertainty,
                width=images[row.image_id].width,
                height=images[row.image_id].height,
                resized_image_uri=links.rendition(images[row.image_id]),
                thumbnail_uri=links.thumbnail(images[row.image_id].digest),
                original_image_uri=links.original(images[row.image_id]),
                domain=iteration.domain_id,
            )
            for row in page.rows
        ],
    )


@router.post("/images/suggested/count", operation_id="QuerySuggestedImageCount")
def count(
    project_id: UUID,
    iteration_id: IterationId,
    filter: Annotated[Filter, Depends(json_body(Filter))],
    session: ReadDep,
) -> dict[UUID, int]:
    """By tag, how many untagged images it is suggested for with at least `threshold`."""
    iteration = iterations.completed(session, projects.get(session, project_id), iteration_id)
    return suggestions.count(session, iteration, filter.tag_ids or [], filter.threshold)
