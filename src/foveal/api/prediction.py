"""The prediction operations, and quick test, which is the same with a training key and no published name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
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
from foveal.services.tags import CountedTag

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a prediction route asks: an iteration with its tags; and how large a picture may be."""

    parts: Parts
    prediction_id: UUID
    iteration: Iteration
    tags: Sequence[CountedTag]
    max_bytes: int


def asked(parts: Parts, request: Request, find: Callable[[Session], Iteration], *, max_bytes: int) -> Asked:
    """Find the iteration; what it says is known by the id of the request."""
    with parts.sessions.read.begin() as session:
        iteration = find(session)
        trained = tags.of_iteration(session, iteration)
        session.expunge_all()
    id = UUID(request.state.request_id)
    return Asked(parts=parts, prediction_id=id, iteration=iteration, tags=trained, max_bytes=max_bytes)


def published(project_id: UUID, published_name: str, parts: PartsDep, caller: CallerDep, request: Request) -> Asked:
    """Ask the iteration under the published name."""

    def find(session: Session) -> Iteration:
        project = projects.get(session, project_id)
        return iterations.published(session, project, published_name, caller.resource_id)

    return asked(parts, request, find, max_bytes=imaging.PREDICTION_BYTES)


def under_test(
    project_id: UUID,
    parts: PartsDep,
    request: Request,
    iteration_id: Annotated[UUID | None, Query(alias="iterationId")] = None,
) -> Asked:
    """Ask the iteration named, or the newest that completed."""
    find = partial(_tested, project_id=project_id, iteration_id=iteration_id)
    return asked(parts, request, find, max_bytes=imaging.TRAINING_BYTES)


PublishedDep = Annotated[Asked, Depends(published)]
TestedDep = Annotated[Asked, Depends(under_test)]


def _operations(verb: str) -> APIRouter:
    """Make the four operations of a verb, classify or detect."""

    def fitting(published: PublishedDep) -> Asked:
        check_verb(verb, published.iteration)
        return published

    router = APIRouter(prefix=f"/{{project_id}}/{verb}/iterations/{{published_name}}")
    name = f"{verb.title()}Image"

    @router.post("/image", operation_id=name)
    def image(
        picture: OnePictureDep, published: Annotated[Asked, Depends(fitting)], application: ApplicationDep
    ) -> prediction_schemas.ImagePrediction:
        """Up to 4 MB. Classifiers: every tag, most probable first; detectors: boxes, tag by tag. All is kept."""
        return _answer(published, picture, store=True, application=application)

    @router.post("/image/nostore", operation_id=f"{name}WithNoStore")
    def image_with_no_store(
        picture: OnePictureDep, published: Annotated[Asked, Depends(fitting)], _: ApplicationDep
    ) -> prediction_schemas.ImagePrediction:
        """The same, nothing is kept."""
        return _answer(published, picture, store=False)

    @router.post("/url", operation_id=f"{name}Url")
    def url(
        address: UrlDep, published: Annotated[Asked, Depends(fitting)], application: ApplicationDep
    ) -> prediction_schemas.ImagePrediction:
        """The same, with the address of a picture."""
        data = fetch(address.url, published.parts.fetch_policy)
        return _answer(published, data, store=True, application=application)

    @router.post("/url/nostore", operation_id=f"{name}UrlWithNoStore")
    def url_with_no_store(
        address: UrlDep, published: Annotated[Asked, Depends(fitting)], _: ApplicationDep
    ) -> prediction_schemas.ImagePrediction:
        """The same, with the address of a picture, nothing is kept."""
        return _answer(published, fetch(address.url, published.parts.fetch_policy), store=False)

    return router


for verb in VERB_OF_TYPE.values():
    router.include_router(_operations(verb))


@quick_test.post("/image", operation_id="QuickTestImage")
def quick_test_image(
    picture: OnePictureDep, tested: TestedDep, *, store: bool = True
) -> prediction_schemas.ImagePrediction:
    """Up to 6 MB. Without `iterationId`: the newest that completed (our choice)."""
    return _answer(tested, picture, store=store)


@quick_test.post("/url", operation_id="QuickTestImageUrl")
def quick_test_image_url(
    address: UrlDep, tested: TestedDep, *, store: bool = True
) -> prediction_schemas.ImagePrediction:
    """The same, with the address of a picture."""
    return _answer(tested, fetch(address.url, tested.parts.fetch_policy), store=store)


def check_verb(verb: str, iteration: Iteration) -> None:
    """Raise `Invalid` where the verb is not that of the iteration's type of project."""
    type = domains.get(iteration.domain_id).type
    if verb != VERB_OF_TYPE[type]:
        raise Invalid(
            f"This project is of type {type}: call the {VERB_OF_TYPE[type]} routes, not {verb}.",
            "BadRequestNotSupported",
        )


def _tested(session: Session, *, project_id: UUID, iteration_id: UUID | None) -> Iteration:
    project = projects.get(session, project_id)
    if iteration_id is None:
        return iterations.newest_completed(session, project)
    return iterations.completed(session, project, iteration_id)


def judge(asked: Asked, data: bytes, application: str | None = None) -> Verdict:
    """Have the model look at a picture, and count that."""
    parts, iteration = asked.parts, asked.iteration
    said, unknown = predictions.look(parts.models.model(iteration.id), data, max_bytes=asked.max_bytes)
    verdict = Verdict(
        id=asked.prediction_id,
        iteration=iteration,
        said=said,
        unknown=unknown,
        application=application,
        created_at=parts.clock(),
    )
    _count(parts)
    return verdict


def shape(asked: Asked, verdict: Verdict) -> prediction_schemas.ImagePrediction:
    """Shape a verdict as Azure's clients read it."""
    return prediction_schemas.ImagePrediction(
        id=verdict.id,
        project=verdict.iteration.project_id,
        iteration=verdict.iteration.id,
        created=verdict.created_at,
        predictions=prediction_shapes(asked.tags, verdict.said),
    )


def _answer(
    asked: Asked, data: bytes, *, store: bool, application: str | None = None
) -> prediction_schemas.ImagePrediction:
    verdict = judge(asked, data, application)
    if store:
        _keep(asked, verdict, data)
    return shape(asked, verdict)


def _keep(asked: Asked, verdict: Verdict, data: bytes) -> None:
    picture = _stored(asked.parts, data, asked.max_bytes)
    with asked.parts.sessions.write.begin() as session:
        sweeping.hold(session, asked.parts.blobs, [picture.digest], lambda _: data)
        predictions.keep(session, verdict, picture)


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
