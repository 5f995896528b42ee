"""Errors as a program with the SDK reads them: training, iterations, publishing, predictions, exports."""

import sqlite3
from contextlib import closing
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from azure.cognitiveservices.vision.customvision.training import models
from PIL import Image
from tests.azure import sdk
from tests.azure.scene import NOWHERE, Row, Scene, patched_project, project_of, refusal
from tests.azure.sdk import Photo
from tests.support.pictures import picture
from tests.support.server import Server

pytestmark = pytest.mark.slow

ADULT = "45badf75-3591-4f26-a705-45678d3e9f5f"
MEBIBYTE = 1024 * 1024
INSIDE = "http://169.254.169.254/latest/meta-data/picture.png"
UNREACHABLE = "http://127.0.0.1:9/picture.png"
GOOD = picture(1)
FOUR_GREEN = sdk.coloured(("green",), 4, first=70)
HEAVY_FOR_PREDICTION = GOOD + bytes(4 * MEBIBYTE)
HEAVY_FOR_TRAINING = GOOD + bytes(6 * MEBIBYTE)


def white(width: int, height: int) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), "white").save(out, "PNG")
    return out.getvalue()


def train_with_many_tags_each(scene: Scene) -> Any:
    photos = [Photo(str(n), picture(400 + n), ("red", "warm")) for n in range(5)]
    project = project_of(scene.trainer, photos, "Multilabel")
    patched_project(scene, project, classification_type="Multiclass")
    return scene.trainer.train_project(project)


def base(project: str, iteration: str) -> models.CustomBaseModelInfo:
    return models.CustomBaseModelInfo(project_id=project, iteration_id=iteration)


def detector_of(trainer: Any, count: int, tag_type: str = "Regular") -> str:
    """Make a detector with a tag, and pictures that have a box of it."""
    project = sdk.new_detector(trainer)
    tag = trainer.create_tag(project, "fork", type=tag_type).id
    box = models.Region(tag_id=tag, left=0.25, top=0.25, width=0.5, height=0.5)
    images = [
        models.ImageFileCreateEntry(name=f"{n}.png", contents=picture(500 + n), regions=[box]) for n in range(count)
    ]
    trainer.create_images_from_files(project, models.ImageFileCreateBatch(images=images))
    return project


ROWS = (
    # Training
    Row(
        "training with one tag",
        lambda s: s.trainer.train_project(project_of(s.trainer, sdk.coloured(("red",)))),
        "BadRequestClassificationTrainingValidationFailed",
        "Not enough tags",
    ),
    Row(
        "training with four images of a tag",
        lambda s: s.trainer.train_project(project_of(s.trainer, [*sdk.coloured(), *FOUR_GREEN])),
        "BadRequestMultiClassClassificationTrainingValidationFailed",
        "'green' has 4",
    ),
    Row(
        "training Multilabel with four images of a tag",
        lambda s: s.trainer.train_project(project_of(s.trainer, sdk.coloured(count=4), "Multilabel")),
        "BadRequestMultiLabelClassificationTrainingValidationFailed",
        "Not enough images for training",
    ),
    Row(
        "training Multiclass where images bear several tags",
        train_with_many_tags_each,
        "BadRequestMultiClassClassificationTrainingValidationFailed",
        "5 images bear several",
    ),
    Row(
        "training when nothing changed",
        lambda s: s.trainer.train_project(s.project),
        "BadRequestTrainingNotNeeded",
        "Nothing changed since last training",
    ),
    Row(
        "training while it trains",
        lambda s: s.idle.train_project(s.stuck, force_train=True),
        "BadRequestTrainingAlreadyInProgress",
        "is running",
    ),
    Row(
        "training on a retired domain",
        lambda s: s.trainer.train_project(project_of(s.trainer, sdk.coloured(), domain_id=ADULT)),
        "BadRequestRetiredDomainNotSupportedForTraining",
        "'Adult' is retired",
    ),
    Row(
        "an address that is no e-mail",
        lambda s: s.trainer.train_project(s.project, notification_email_address="somebody"),
        "BadRequestInvalidEmailAddress",
        "'somebody'",
    ),
    Row(
        "Advanced training without a budget",
        lambda s: s.trainer.train_project(s.project, training_type="Advanced", force_train=True),
        "BadRequestReservedBudgetInHoursNotEnoughForAdvancedTraining",
        "at least 1",
    ),
    Row(
        "a base model of a project that is not there",
        lambda s: s.trainer.train_project(s.project, custom_base_model_info=base(NOWHERE, s.live)),
        "NotFoundProject",
        NOWHERE,
        404,
    ),
    Row(
        "a base model that is not there",
        lambda s: s.trainer.train_project(s.project, custom_base_model_info=base(s.project, NOWHERE)),
        "NotFoundIteration",
        NOWHERE,
        404,
    ),
    Row(
        "a base model of another type",
        lambda s: s.trainer.train_project(
            project_of(s.trainer, sdk.coloured(), "Multilabel"), custom_base_model_info=base(s.project, s.live)
        ),
        "BadRequestCustomBaseModelDomainNotCompatible",
        "(Multiclass)",
    ),
    Row(
        "a base model that is still trained",
        lambda s: s.idle.train_project(
            project_of(s.idle, sdk.coloured()), custom_base_model_info=base(s.stuck, s.pending)
        ),
        "BadRequestCustomBaseModelIterationStatusNotCompleted",
        "status is Training",
    ),
    # Training detectors
    Row(
        "training a detector without tags",
        lambda s: s.trainer.train_project(sdk.new_detector(s.trainer)),
        "BadRequestDetectionTrainingValidationFailed",
        "has no tags",
    ),
    Row(
        "training a detector with 14 images of a tag",
        lambda s: s.trainer.train_project(detector_of(s.trainer, 14)),
        "BadRequestDetectionTrainingValidationFailed",
        "'fork' has 14",
    ),
    Row(
        "training a detector with a Negative tag",
        lambda s: s.trainer.train_project(detector_of(s.trainer, 1, "Negative")),
        "BadRequestDetectionTrainingNotAllowNegativeTag",
        "no Negative tag",
    ),
    # Iterations
    Row(
        "publishing before it is trained",
        lambda s: s.idle.publish_iteration(s.stuck, s.pending, "soon", sdk.RESOURCE),
        "BadRequestIterationIsNotTrained",
        "its status is Training",
    ),
    Row(
        "the performance before it is trained",
        lambda s: s.idle.get_iteration_performance(s.stuck, s.pending),
        "BadRequestIterationIsNotTrained",
        "its status is Training",
    ),
    Row(
        "a quick test before it is trained",
        lambda s: s.idle.quick_test_image(s.stuck, GOOD, s.pending),
        "BadRequestIterationIsNotTrained",
        "its status is Training",
    ),
    Row(
        "an export before it is trained",
        lambda s: s.idle.export_iteration(s.stuck, s.pending, "ONNX"),
        "BadRequestIterationIsNotTrained",
        "its status is Training",
    ),
    Row(
        "a threshold over one",
        lambda s: s.trainer.get_iteration_performance(s.project, s.live, threshold=1.5),
        "BadRequest",
        "threshold",
    ),
    Row(
        "an iteration's name again",
        lambda s: s.trainer.update_iteration(s.project, s.spare, "iteration 1"),
        "BadRequestIterationNameNotUnique",
        "'iteration 1'",
    ),
    Row(
        "an iteration without a name",
        lambda s: s.trainer.update_iteration(s.project, s.spare, " "),
        "BadRequestIterationName",
        "has 0",
    ),
    Row(
        "deleting what is published",
        lambda s: s.trainer.delete_iteration(s.project, s.live),
        "BadRequestIterationIsPublished",
        "'live'",
    ),
    # Publishing
    Row(
        "a published name again",
        lambda s: s.trainer.publish_iteration(s.project, s.spare, "live", sdk.RESOURCE),
        "BadRequestInvalidPublishName",
        "Iteration 1",
    ),
    Row(
        "publishing twice, even with overwrite",
        lambda s: s.trainer.publish_iteration(s.project, s.live, "again", sdk.RESOURCE, overwrite=True),
        "BadRequestIterationIsPublished",
        "Iteration is already published as: live",
    ),
    Row(
        "publishing to no resource",
        lambda s: s.trainer.publish_iteration(s.project, s.spare, "other", ""),
        "BadRequestInvalidPublishTarget",
        "predictionId is empty",
    ),
    Row(
        "a published name with a slash",
        lambda s: s.trainer.publish_iteration(s.project, s.spare, "a/b", sdk.RESOURCE),
        "BadRequestInvalidPublishName",
        "'a/b'",
    ),
    Row(
        "an empty published name",
        lambda s: s.trainer.publish_iteration(s.project, s.spare, " ", sdk.RESOURCE),
        "BadRequestInvalidPublishName",
        "1 to 128",
    ),
    Row(
        "unpublishing what is not published",
        lambda s: s.trainer.unpublish_iteration(s.project, s.spare),
        "BadRequestIterationNotPublished",
        "not published",
    ),
    # Predictions
    Row(
        "a name that nothing is published under",
        lambda s: s.predictor.classify_image(s.project, "dead", GOOD),
        "NotFoundIteration",
        "Invalid iteration",
        404,
    ),
    Row(
        "a prediction of an unknown project",
        lambda s: s.predictor.classify_image(NOWHERE, "live", GOOD),
        "NotFoundProject",
        NOWHERE,
        404,
    ),
    Row(
        "detecting with a classifier",
        lambda s: s.predictor.detect_image(s.project, "live", GOOD),
        "BadRequestNotSupported",
        "call the classify routes",
    ),
    Row(
        "more than 4 MiB to classify",
        lambda s: s.predictor.classify_image(s.project, "live", HEAVY_FOR_PREDICTION),
        "BadRequestImageSizeBytes",
        "at most 4194304",
    ),
    Row(
        "more than 6 MiB to test",
        lambda s: s.trainer.quick_test_image(s.project, HEAVY_FOR_TRAINING),
        "BadRequestImageSizeBytes",
        "at most 6291456",
    ),
    Row(
        "classifying no picture",
        lambda s: s.predictor.classify_image(s.project, "live", b"no picture"),
        "BadRequestImageFormat",
        "JPEG, PNG, BMP or GIF",
    ),
    Row(
        "classifying half a picture",
        lambda s: s.predictor.classify_image_with_no_store(s.project, "live", GOOD[: len(GOOD) // 2]),
        "BadRequestImageFormat",
        "damaged or incomplete",
    ),
    Row(
        "testing nothing",
        lambda s: s.trainer.quick_test_image(s.project, b""),
        "BadRequestImageFormat",
        "an empty file",
    ),
    Row(
        "a picture too wide",
        lambda s: s.trainer.quick_test_image(s.project, white(10_241, 500)),
        "BadRequestImageDimensions",
        "10241x500",
    ),
    Row(
        "a picture too long for its height",
        lambda s: s.trainer.quick_test_image(s.project, white(520, 20)),
        "BadRequestImageAspectRatio",
        "25 times",
    ),
    Row(
        "a long name of an application",
        lambda s: s.predictor.classify_image(s.project, "live", GOOD, application="a" * 1000),
        "BadRequestPredictionInvalidApplicationName",
        "has 1000",
    ),
    Row(
        "an address where nobody listens",
        lambda s: s.predictor.classify_image_url(s.project, "live", UNREACHABLE),
        "BadRequestImageUrl",
        "was not fetched",
    ),
    Row(
        "an address inside the network",
        lambda s: s.predictor.classify_image_url_with_no_store(s.project, "live", INSIDE),
        "BadRequestImageUrl",
        "not on the public internet",
    ),
    Row(
        "testing an address inside the network",
        lambda s: s.trainer.quick_test_image_url(s.project, INSIDE),
        "BadRequestImageUrl",
        "FOVEAL_FETCH_ALLOWED_HOSTS",
    ),
    Row(
        "testing what was never trained",
        lambda s: s.trainer.quick_test_image(s.empty, GOOD),
        "NotFoundProjectDefaultIteration",
        "train it first",
        404,
    ),
    # Exports
    Row(
        "an export that is not offered",
        lambda s: s.trainer.export_iteration(s.project, s.spare, "VAIDK"),
        "BadRequestExportValidationFailed",
        "Vision AI Dev Kit is no longer made",
    ),
    Row(
        "an export again",
        lambda s: s.trainer.export_iteration(s.project, s.spare, "ONNX"),
        "BadRequestExportAlreadyInProgress",
        "already done",
    ),
)


class TestRefusals:
    @pytest.mark.parametrize("row", ROWS, ids=[row.rule for row in ROWS])
    def test_tell_status_code_and_reason(self, scene: Scene, row: Row) -> None:
        status, code, message = refusal(lambda: row.call(scene))
        assert (status, code) == (row.status, row.code)
        assert row.words in message


@pytest.fixture(scope="module")
def retired(server: Server, trainer: Any) -> tuple[str, str]:
    """A project and its iteration, which stands on a network that the server does not know.

    Only an update of Foveal does that, so it is written into the database.
    """
    project, iteration = sdk.trained_project(trainer)
    change = "UPDATE iteration SET metrics = json_set(metrics, '$.backbone', 'of old') WHERE id = ?"
    with closing(sqlite3.connect(server.data / "foveal.db")) as database, database:
        assert database.execute(change, [UUID(iteration.id).hex]).rowcount == 1
    return project, iteration.id


class TestRetired:
    def test_an_iteration_on_an_old_network_is_no_base(self, trainer: Any, retired: tuple[str, str]) -> None:
        status, code, message = refusal(
            lambda: trainer.train_project(retired[0], custom_base_model_info=base(*retired))
        )
        assert (status, code) == (400, "BadRequestCustomBaseModelArchitectureRetired")
        assert "no longer has" in message

    def test_the_same_data_may_be_trained_anew_by_force(self, trainer: Any, retired: tuple[str, str]) -> None:
        status, code, message = refusal(lambda: trainer.train_project(retired[0]))
        assert (status, code) == (400, "BadRequestTrainingNotNeededButTrainingPipelineUpdated")
        assert "forceTrain=true" in message
