"""The operations on stored predictions."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from foveal.api import sessions
from foveal.api.deps import NowDep, ReadDep, WriteDep, json_body, uuids
from foveal.api.links import Links, LinksDep
from foveal.api.training import prediction_schemas
from foveal.api.training.prediction_shapes import prediction_shapes
from foveal.db.tables import Iteration, Prediction
from foveal.services import paging, projects, said, stored_predictions
from foveal.services.stored_predictions import Query, Range
from foveal.services.tags import CountedTag

router = APIRouter(prefix="/projects/{project_id}/predictions", tags=["Predictions"])

Token = prediction_schemas.PredictionQueryToken


@router.post("/query", operation_id="QueryPredictions")
def query(
    project_id: UUID,
    token: Annotated[Token, Depends(json_body(Token))],
    session: ReadDep,
    links: LinksDep,
    now: NowDep,
) -> prediction_schemas.PredictionQueryResult:
    """64 a page, at most 256 (our choice); `continuation` leads on until it is empty.

    Conditions hold together; two tags mean both. `Suggested` begins with what the model was least sure of. Kept for 30
    days.
    """
    project = projects.get(session, project_id)
    began = sessions.moment(token.session, now)
    page = stored_predictions.query(session, project, _query(token, began))
    models = stored_predictions.models_of(session, page.rows)
    return prediction_schemas.PredictionQueryResult(
        token=token.model_copy(
            update={
                "session": sessions.token(began),
                "continuation": page.continuation,
                "order_by": token.order_by or "Newest",
                "application": token.application or "",
                "tags": token.tags or [],
            }
        ),
        results=[_shape(row, *models[row.iteration_id], links) for row in page.rows],
    )


@router.delete("", operation_id="DeletePrediction", status_code=204)
def delete(project_id: UUID, ids: Annotated[list[UUID], Depends(uuids("ids"))], session: WriteDep) -> None:
    """At most 64; those that are not there are passed over."""
    stored_predictions.delete(session, projects.get(session, project_id), ids)


def _query(token: Token, began: datetime) -> Query:
    return Query(
        order=token.order_by or "Newest",
        ranges=[Range(tag.id, tag.min_threshold, tag.max_threshold) for tag in token.tags or []],
        iteration_id=token.iteration_id,
        begins=token.start_time,
        ends=token.end_time,
        application=token.application or "",
        before=began,
        take=token.max_count if token.max_count > 0 else paging.DEFAULT_RESULTS,
        continuation=token.continuation or "",
    )


def _shape(
    row: Prediction, iteration: Iteration, tags: list[CountedTag], links: Links
) -> prediction_schemas.StoredImagePrediction:
    return prediction_schemas.StoredImagePrediction(
        id=row.id,
        project=row.project_id,
        iteration=row.iteration_id,
        created=row.created_at,
        predictions=prediction_shapes(tags, said.read(iteration.domain_id, row.probabilities)),
        resized_image_uri=links.rendition(row),
        thumbnail_uri=links.thumbnail(row.digest),
        original_image_uri=links.original(row),
        domain=iteration.domain_id,
    )
