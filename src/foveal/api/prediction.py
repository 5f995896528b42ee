"""The prediction operations, and quick test, which is the same with a training key and no published name."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.orm import Session

from foveal import domains, imaging
from foveal.api.bodies import OnePictureDep
from foveal.api.callers import CallerDep
from foveal.api.deps import Parts, PartsDep, json_body
from foveal.api.training import prediction_schemas, schemas
from foveal.api.training.prediction_shapes import prediction_shapes
from foveal.db.tables import Iteration
from foveal.errors import Invalid
from foveal.security import fetch
from foveal.services import iterations, limits, pictures, predictions, projects, sweeping, tags
from foveal.services.predictions import Verdict

router = APIRouter(prefix="/{project_id}/{verb}/iterations/{published_name}", tags=["Prediction"])
quick_test = APIRouter(prefix="/projects/{project_id}/quicktest", tags=["Quick test"])

TYPE_OF_VERB = {"classify": domains.CLASSIFICATION, "detect": domains.OBJECT_DETECTION}
UrlDep = Annotated[schemas.ImageUrl, Depends(json_body(schemas.ImageUrl))]
Application = Annotated[str | None, Query(max_length=predictions.MAX_APPLICATION)]


class Published:
    """What a prediction route works on: the iteration under the published name."""

    def __init__(
        self, project_id: UUID, verb: str, published_name: str, parts: PartsDep, caller: CallerDep, request: Request
    ) -> None:
        self.parts = parts
        self.request = request
        with parts.sessions.read.begin() as session:
            project = projects.get(session, project_id)
            self.iteration = iterations.published(session, project, published_name, caller.resource_id)
            self.tags = tags.of_iteration(session, self.iteration)
            session.expunge_all()
        _check_verb(verb, self.iteration)

    def answer(self, data: bytes, *, store: bool, application: str | None = None) -> prediction_schemas.ImagePrediction:
        return _answer(self, data, max_bytes=imaging.PREDICTION_BYTES, store=store, application=application)


class Tested:
    """What a quick test works on: the iteration named, or the newest that completed."""

    def __init__(
        self,
        project_id: UUID,
        parts: PartsDep,
        request: Request,
        iteration_id: Annotated[UUID | None, Query(alias="iterationId")] = None,
    ) -> None:
        self.parts = parts
        self.request = request
        with parts.sessions.read.begin() as session:
            self.iteration = _tested(session, project_id, iteration_id)
            self.tags = tags.of_iteration(session, self.iteration)
            session.expunge_all()

    def answer(self, data: bytes, *, store: bool) -> prediction_schemas.ImagePrediction:
        return _answer(self, data, max_bytes=imaging.TRAINING_BYTES, store=store, application=None)


PublishedDep = Annotated[Published, Depends()]
TestedDep = Annotated[Tested, Depends()]


@router.post("/image", operation_id="ClassifyImage")
def classify_image(
    picture: OnePictureDep, published: PublishedDep, application: Application = None
) -> prediction_schemas.ImagePrediction:
    return published.answer(picture, store=True, application=application)


@router.post("/image/nostore", operation_id="ClassifyImageWithNoStore")
def classify_image_with_no_store(picture: OnePictureDep, published: PublishedDep) -> prediction_schemas.ImagePrediction:
    return published.answer(picture, store=False)


@router.post("/url", operation_id="ClassifyImageUrl")
def classify_image_url(
    address: UrlDep, published: PublishedDep, application: Application = None
) -> prediction_schemas.ImagePrediction:
    return published.answer(fetch(address.url, published.parts.fetch_policy), store=True, application=application)


@router.post("/url/nostore", operation_id="ClassifyImageUrlWithNoStore")
def classify_image_url_with_no_store(address: UrlDep, published: PublishedDep) -> prediction_schemas.ImagePrediction:
    return published.answer(fetch(address.url, published.parts.fetch_policy), store=False)


@quick_test.post("/image", operation_id="QuickTestImage")
def quick_test_image(
    picture: OnePictureDep, tested: TestedDep, *, store: bool = True
) -> prediction_schemas.ImagePrediction:
    return tested.answer(picture, store=store)


@quick_test.post("/url", operation_id="QuickTestImageUrl")
def quick_test_image_url(
    address: UrlDep, tested: TestedDep, *, store: bool = True
) -> prediction_schemas.ImagePrediction:
    return tested.answer(fetch(address.url, tested.parts.fetch_policy), store=store)


def _check_verb(verb: str, iteration: Iteration) -> None:
    wanted = domains.get(iteration.domain_id).type
    if TYPE_OF_VERB.get(verb) != wanted:
        right = next(name for name, type in TYPE_OF_VERB.items() if type == wanted)
        raise Invalid(
            f"This project is of type {wanted}: call the {right} routes, not {verb}.", "BadRequestNotSupported"
        )


def _tested(session: Session, project_id: UUID, iteration_id: UUID | None) -> Iteration:
    project = projects.get(session, project_id)
    if iteration_id is None:
        return iterations.newest_completed(session, project)
    return iterations.completed(session, project, iteration_id)


def _answer(
    model: Published | Tested, data: bytes, *, max_bytes: int, store: bool, application: str | None
) -> prediction_schemas.ImagePrediction:
    parts, iteration = model.parts, model.iteration
    verdict = Verdict(
        id=UUID(model.request.state.request_id),
        iteration=iteration,
        probabilities=predictions.probabilities(parts.models.classifier(iteration.id), data, max_bytes=max_bytes),
        application=application,
        created_at=parts.clock(),
    )
    _count(parts)
    if store:
        picture = pictures.store(parts.blobs, data, max_bytes=max_bytes)
        with parts.sessions.write.begin() as session:
            sweeping.hold(session, parts.blobs, [picture.digest], lambda _: data)
            predictions.keep(session, verdict, picture)
    return prediction_schemas.ImagePrediction(
        id=verdict.id,
        project=iteration.project_id,
        iteration=iteration.id,
        created=verdict.created_at,
        predictions=prediction_shapes(model.tags, verdict.probabilities),
    )


def _count(parts: Parts) -> None:
    """Count a prediction that was made, where there is a quota; nobody waits for a counter where there is none."""
    if parts.limits.monthly_predictions is not None:
        with parts.sessions.write.begin() as session:
            limits.count_prediction(session, parts.limits, now=parts.clock())
