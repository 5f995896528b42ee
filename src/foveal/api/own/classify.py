"""Classifying with an unknown score: how unlike the pictures that the model was trained on a picture is."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from sqlalchemy.orm import Session

from foveal import domains, imaging
from foveal.api import prediction
from foveal.api.bodies import OnePictureDep
from foveal.api.deps import PartsDep
from foveal.api.prediction import Asked, PublishedDep
from foveal.api.training.prediction_schemas import ImagePrediction
from foveal.db.tables import Iteration
from foveal.services import iterations, projects

router = APIRouter(prefix="/projects/{project_id}/iterations/{iteration_id}/classify", tags=["Foveal"])
published = APIRouter(prefix="/projects/{project_id}/classify/iterations/{published_name}", tags=["Foveal"])


class ClassifiedImage(ImagePrediction):
    """What a model says of a picture, and how unlike its training images that is, 0..1; null: it cannot tell."""

    unknown: float | None
    is_unknown: bool | None


def named(project_id: UUID, iteration_id: UUID, parts: PartsDep, request: Request) -> Asked:
    """Ask the iteration with this id."""

    def find(session: Session) -> Iteration:
        return iterations.completed(session, projects.get(session, project_id), iteration_id)

    return prediction.asked(parts, request, find, max_bytes=imaging.TRAINING_BYTES)


@published.post("/image", operation_id="ClassifyImageWithUnknown")
def classify(picture: OnePictureDep, published: PublishedDep) -> ClassifiedImage:
    """As `ClassifyImageWithNoStore`, and `unknown`, 0 to 1: how unlike its training images the picture is.

    `isUnknown` from 0.5 on. Both are null for models of earlier versions.
    """
    return _answer(published, picture)


@router.post("/image", operation_id="QuickTestImageWithUnknown")
def quick_test(picture: OnePictureDep, tested: Annotated[Asked, Depends(named)]) -> ClassifiedImage:
    """As `ClassifyImageWithUnknown`, of an iteration that need not be published. Up to 6 MB."""
    return _answer(tested, picture)


def _answer(asked: Asked, picture: bytes) -> ClassifiedImage:
    prediction.check_verb(prediction.VERB_OF_TYPE[domains.CLASSIFICATION], asked.iteration)
    verdict = prediction.judge(asked, picture)
    said = prediction.shape(asked, verdict)
    fields = {name: getattr(said, name) for name in ImagePrediction.model_fields}
    return ClassifiedImage(**fields, unknown=verdict.unknown, is_unknown=verdict.is_unknown)
