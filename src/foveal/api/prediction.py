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
from foveal.errors import Invalid, Unavailable
from foveal.security import fetch
from foveal.services import iterations, limits, pictures, predictions, projects, sweeping, tags
from foveal.services.pictures import Picture
from foveal.services.predictions import Verdict

router = APIRouter(tags=["Prediction"])
quick_test = APIRouter(prefix="/projects/{project_id}/quicktest", tags=["Quick test"])

VERB_OF_TYPE = {domains.CLASSIFICATION: "classify", domains.OBJECT_DETECTION: "detect"}
UrlDep = Annotated[schemas.ImageUrl, Depends(json_body(schemas.ImageUrl))]


def application(application: str | None = None) -> str | None:
    """Return the label under which a prediction is kept, or raise `Invalid` when it is too long."""
    if application is not None and len(application) > predictions.MAX_APPLICATION:
        raise Invalid(
            f"application has at most {predictions.MAX_APPLICATION} characters; this one has {len(application)}.",
            "BadRequestPredictionInvalidApplicationName",
        )
    return application


ApplicationDep = Annotated[str | None, Depends(application)]


class Published:
    """What a prediction route works on: the iteration under the published name."""

    def __init__(
        self, project_id: UUID, published_name: str, parts: PartsDep, caller: CallerDep, request: Request
    ) -> None:
        self.parts = parts
        self.request = request
        with parts.sessions.read.begin() as session:
            project = projects.get(session, project_id)
            self.iteration = iterations.published(session, project, published_name, caller.resource_id)
            self.tags = tags.of_iteration(session, self.iteration)
            session.expunge_all()

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


TestedDep = Annotated[Tested, Depends()]


def _operations(verb: str) -> APIRouter:
    """Make the four operations of a verb, classify or detect."""

    def fitting(published: Annotated[Published, Depends()]) -> Published:
        _check_verb(verb, published.iteration)
        return published

    router = APIRouter(prefix=f"/{{project_id}}/{verb}/iterations/{{published_name}}")
    name = f"{verb.title()}Image"

    @router.post("/image", operation_id=name)
    def image(
        picture: OnePictureDep, published: Annotated[Published, Depends(fitting)], application: ApplicationDep
    ) -> prediction_schemas.ImagePrediction:
        """Up to 4 MB. Every tag, most probable first. The picture and the answer are kept."""
        return published.answer(picture, store=True, application=application)

    @router.post("/image/nostore", operation_id=f"{name}WithNoStore")
    def image_with_no_store(
        picture: OnePictureDep, published: Annotated[Published, Depends(fitting)], _: ApplicationDep
    ) -> prediction_schemas.ImagePrediction:
        """The same, nothing is kept."""
        return published.answer(picture, store=False)

    @router.post("/url", operation_id=f"{name}Url")
    def url(
        address: UrlDep, published: Annotated[Published, Depends(fitting)], application: ApplicationDep
    ) -> prediction_schemas.ImagePrediction:
        """The same, with the address of a picture."""
        return published.answer(fetch(address.url, published.parts.fetch_policy), store=True, application=application)

    @router.post("/url/nostore", operation_id=f"{name}UrlWithNoStore")
    def url_with_no_store(
        address: UrlDep, published: Annotated[Published, Depends(fitting)], _: ApplicationDep
    ) -> prediction_schemas.ImagePrediction:
        """The same, with the address of a picture, nothing is kept."""
        return published.answer(fetch(address.url, published.parts.fetch_policy), store=False)

    return router


for verb in VERB_OF_TYPE.values():
    router.include_router(_operations(verb))


@quick_test.post("/image", operation_id="QuickTestImage")
def quick_test_image(
    picture: OnePictureDep, tested: TestedDep, *, store: bool = True
) -> prediction_schemas.ImagePrediction:
    """Up to 6 MB. Without `iterationId`: the newest that completed (our choice)."""
    return tested.answer(picture, store=store)


@quick_test.post("/url", operation_id="QuickTestImageUrl")
def quick_test_image_url(
    address: UrlDep, tested: TestedDep, *, store: bool = True
) -> prediction_schemas.ImagePrediction:
    """The same, with the address of a picture."""
    return tested.answer(fetch(address.url, tested.parts.fetch_policy), store=store)


def _check_verb(verb: str, iteration: Iteration) -> None:
    type = domains.get(iteration.domain_id).type
    if verb != VERB_OF_TYPE[type]:
        raise Invalid(
            f"This project is of type {type}: call the {VERB_OF_TYPE[type]} routes, not {verb}.",
            "BadRequestNotSupported",
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
        picture = _stored(parts, data, max_bytes)
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


def _stored(parts: Parts, data: bytes, max_bytes: int) -> Picture:
    try:
        return pictures.store(parts.blobs, data, max_bytes=max_bytes)
    except Unavailable as error:
        raise Unavailable(
            f"The prediction was made, but its picture could not be stored ({error}); /nostore keeps none.",
            "ErrorPredictionStorage",
        ) from error


def _count(parts: Parts) -> None:
    """Count a prediction that was made, where there is a quota; nobody waits for a counter where there is none."""
    if parts.limits.monthly_predictions is not None:
        with parts.sessions.write.begin() as session:
            limits.count_prediction(session, parts.limits, now=parts.clock())
