"""Every error of this slice as a program with the SDK reads it: `error.code`, `error.message` and the status."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
from azure.cognitiveservices.vision.customvision.prediction import models as prediction_models
from azure.cognitiveservices.vision.customvision.training import models
from azure.cognitiveservices.vision.customvision.training.models import (
    ImageFileCreateBatch,
    ImageFileCreateEntry,
    ImageTagCreateBatch,
    ImageTagCreateEntry,
    ImageUrlCreateBatch,
    ImageUrlCreateEntry,
    Region,
)
from tests.azure import sdk
from tests.azure.sdk import Photo
from tests.support.pictures import picture
from tests.support.server import TRAINING_KEY, Server

pytestmark = pytest.mark.slow

SDK_ERRORS = (models.CustomVisionErrorException, prediction_models.CustomVisionErrorException)
NOWHERE = "00000000-0000-4000-8000-000000000000"
ADULT = "45badf75-3591-4f26-a705-45678d3e9f5f"
DETECTION = "da2e3a8a-40a5-4171-82f4-58522f70fbc1"
MEBIBYTE = 1024 * 1024
INSIDE = "http://169.254.169.254/latest/meta-data/picture.png"
UNREACHABLE = "http://127.0.0.1:9/picture.png"

GOOD = picture(1)
HEAVY_FOR_PREDICTION = GOOD + bytes(4 * MEBIBYTE)
HEAVY_FOR_TRAINING = GOOD + bytes(6 * MEBIBYTE)
TOO_WIDE = picture(2, size=(10_241, 410))
TOO_LONG = picture(3, size=(520, 20))


def refusal(call: Callable[[], Any]) -> tuple[int, str, str]:
    """Make a call that must fail; give status, code and message as the SDK's exception tells them."""
    with pytest.raises(SDK_ERRORS) as caught:
        call()
    return caught.value.response.status_code, caught.value.error.code, caught.value.error.message


def files(count: int, tag_ids: Any = (), **entry: Any) -> ImageFileCreateBatch:
    images = [ImageFileCreateEntry(name=f"{n}.png", contents=GOOD, **entry) for n in range(count)]
    return ImageFileCreateBatch(images=images, tag_ids=list(tag_ids))


def patched_project(scene: Scene, project: str, **settings: Any) -> Any:
    found = scene.trainer.get_project(project)
    for name, value in settings.items():
        setattr(found.settings, name, value)
    return scene.trainer.update_project(project, found)


def pair(image: str, tag: str, count: int = 1) -> ImageTagCreateBatch:
    return ImageTagCreateBatch(tags=[ImageTagCreateEntry(image_id=image, tag_id=tag)] * count)


def project_of(scene: Scene, photos: list[Photo], classification_type: str = "Multiclass", **more: Any) -> str:
    project = sdk.new_project(scene.trainer, classification_type, **more)
    tags = sdk.new_tags(scene.trainer, project, sorted({tag for photo in photos for tag in photo.tags}))
    sdk.upload(scene.trainer, project, photos, tags)
    return project


def train_with_many_tags_each(scene: Scene) -> Any:
    photos = [Photo(str(n), picture(400 + n), ("red", "warm")) for n in range(5)]
    project = project_of(scene, photos, "Multilabel")
    patched_project(scene, project, classification_type="Multiclass")
    return scene.trainer.train_project(project)


def two_tags_on_one(scene: Scene) -> Any:
    tags = [tag.id for tag in scene.trainer.get_tags(scene.project)]
    return scene.trainer.create_images_from_files(scene.project, files(1, tags))


def negative_beside_regular(scene: Scene) -> Any:
    project = sdk.new_project(scene.trainer, "Multilabel")
    none = scene.trainer.create_tag(project, "none", type="Negative").id
    some = scene.trainer.create_tag(project, "some").id
    image = scene.trainer.create_images_from_files(project, files(1, [none])).images[0].image.id
    return scene.trainer.create_image_tags(project, pair(image, some))


def second_negative(scene: Scene) -> Any:
    project = sdk.new_project(scene.trainer)
    scene.trainer.create_tag(project, "none", type="Negative")
    return scene.trainer.create_tag(project, "nothing", type="Negative")


@dataclass(frozen=True)
class Row:
    """A call and how it is refused: code, words of the message, and status."""

    rule: str
    call: Callable[[Scene], Any]
    code: str
    words: str
    status: int = 400


ROWS = (
    # Keys
    Row("a wrong key", lambda s: s.stranger.get_projects(), "Unauthorized", "invalid key", 401),
    Row("no key", lambda s: s.nobody.get_projects(), "Unauthorized", "Training-Key", 401),
    Row(
        "a training key for a prediction",
        lambda s: s.strange_predictor.classify_image(s.project, "live", GOOD),
        "Unauthorized",
        "invalid key",
        401,
    ),
    Row(
        "no key for a prediction",
        lambda s: s.nameless_predictor.classify_image(s.project, "live", GOOD),
        "Unauthorized",
        "Prediction-Key",
        401,
    ),
    # Things that are not there
    Row("an unknown project", lambda s: s.trainer.get_project(NOWHERE), "NotFoundProject", NOWHERE, 404),
    Row("an id that is none", lambda s: s.trainer.get_project("my project"), "BadRequest", "project_id"),
    Row("an unknown tag", lambda s: s.trainer.get_tag(s.project, NOWHERE), "NotFoundTag", NOWHERE, 404),
    Row("deleting an unknown tag", lambda s: s.trainer.delete_tag(s.project, NOWHERE), "NotFoundTag", NOWHERE, 404),
    Row(
        "an unknown iteration", lambda s: s.trainer.get_iteration(s.project, NOWHERE), "NotFoundIteration", NOWHERE, 404
    ),
    Row(
        "another project's iteration",
        lambda s: s.trainer.get_iteration(s.empty, s.live),
        "NotFoundIteration",
        "in this project",
        404,
    ),
    Row("an unknown domain", lambda s: s.trainer.get_domain(NOWHERE), "NotFoundDomain", NOWHERE, 404),
    Row(
        "the images of an unknown iteration",
        lambda s: s.trainer.get_images(s.project, iteration_id=NOWHERE),
        "NotFoundIteration",
        NOWHERE,
        404,
    ),
    Row(
        "training on an unknown tag",
        lambda s: s.trainer.train_project(s.project, selected_tags=[NOWHERE]),
        "NotFoundTag",
        NOWHERE,
        404,
    ),
    # Projects
    Row(
        "a project's name again",
        lambda s: s.trainer.create_project(s.trainer.get_project(s.project).name.upper()),
        "BadRequestProjectNameNotUnique",
        "already a project",
    ),
    Row("a project without a name", lambda s: s.trainer.create_project(" "), "BadRequestProjectName", "has 0"),
    Row("a long name", lambda s: s.trainer.create_project("n" * 1000), "BadRequestProjectName", "has 1000"),
    Row(
        "a long description",
        lambda s: s.trainer.create_project(sdk.new_name(), description="d" * 2001),
        "BadRequestProjectDescription",
        "2001",
    ),
    Row(
        "a project of an unknown domain",
        lambda s: s.trainer.create_project(sdk.new_name(), domain_id="fashion"),
        "BadRequestProjectUnknownDomain",
        "'fashion'",
    ),
    Row(
        "a project for detection",
        lambda s: s.trainer.create_project(sdk.new_name(), domain_id=DETECTION),
        "BadRequestUnsupportedDomain",
        "not offered",
    ),
    Row(
        "a change from classification to detection",
        lambda s: patched_project(s, s.empty, domain_id=DETECTION),
        "BadRequestProjectUnsupportedDomainTypeChange",
        "ObjectDetection",
    ),
    Row(
        "an unknown classification type",
        lambda s: s.trainer.create_project(sdk.new_name(), classification_type="Binary"),
        "BadRequestProjectUnknownClassification",
        "'Binary'",
    ),
    Row(
        "an unknown export platform",
        lambda s: s.trainer.create_project(sdk.new_name(), target_export_platforms=["Toaster"]),
        "BadRequestProjectUnsupportedExportPlatform",
        "'Toaster'",
    ),
    Row(
        "deleting a project with something published",
        lambda s: s.trainer.delete_project(s.project),
        "BadRequestIterationIsPublished",
        "unpublish it first",
    ),
    # Tags
    Row("a tag's name again", lambda s: s.trainer.create_tag(s.project, "RED"), "BadRequestTagNameNotUnique", "'RED'"),
    Row("a tag without a name", lambda s: s.trainer.create_tag(s.empty, " "), "BadRequestTagName", "has 0"),
    Row(
        "a tag of an unknown type",
        lambda s: s.trainer.create_tag(s.empty, "odd", type="Odd"),
        "BadRequestTagType",
        "'Odd'",
    ),
    Row("a second Negative tag", second_negative, "BadRequestMultipleNegativeTag", "'none'"),
    Row(
        "renaming a tag to a name in use",
        lambda s: s.trainer.update_tag(s.project, s.tag, models.Tag(name="blue", description="", type="Regular")),
        "BadRequestTagNameNotUnique",
        "'blue'",
    ),
    # Images
    Row(
        "a batch of 65",
        lambda s: s.trainer.create_images_from_files(s.empty, files(65)),
        "BadRequestExceededBatchSize",
        "at most 64",
    ),
    Row(
        "a batch of 65 addresses",
        lambda s: s.trainer.create_images_from_urls(
            s.empty, ImageUrlCreateBatch(images=[ImageUrlCreateEntry(url=UNREACHABLE)] * 65)
        ),
        "BadRequestExceededBatchSize",
        "at most 64",
    ),
    Row(
        "a batch of nothing",
        lambda s: s.trainer.create_images_from_files(s.empty, files(0)),
        "BadRequestImageBatch",
        "No valid image files",
    ),
    Row(
        "21 tags in a batch",
        lambda s: s.trainer.create_images_from_files(
            sdk.new_project(s.trainer, "Multilabel"), files(1, [str(uuid4()) for _ in range(21)])
        ),
        "BadRequestExceededBatchSize",
        "20 tags",
    ),
    Row(
        "regions in a classifier",
        lambda s: s.trainer.create_images_from_files(
            s.project, files(1, regions=[Region(tag_id=s.tag, left=0, top=0, width=0.5, height=0.5)])
        ),
        "BadRequestNotSupported",
        "classifier",
    ),
    Row("two tags on an image of one", two_tags_on_one, "BadRequestImageTags", "bears one tag"),
    Row(
        "a tag on an unknown image",
        lambda s: s.trainer.create_image_tags(s.project, pair(NOWHERE, s.tag)),
        "BadRequestInvalidIds",
        f"Image {NOWHERE}",
    ),
    Row(
        "an unknown tag on an image",
        lambda s: s.trainer.create_image_tags(s.project, pair(s.trainer.get_images(s.project)[0].id, NOWHERE)),
        "BadRequestInvalidIds",
        f"Tag {NOWHERE}",
    ),
    Row(
        "129 image tags",
        lambda s: s.trainer.create_image_tags(s.project, pair(NOWHERE, NOWHERE, 129)),
        "BadRequestExceededBatchSize",
        "128",
    ),
    Row(
        "Negative beside another tag",
        negative_beside_regular,
        "BadRequestNegativeAndRegularTagOnSameImage",
        "none of the others",
    ),
    Row("deleting no images", lambda s: s.trainer.delete_images(s.empty), "BadRequestRequiredParamIsNull", "imageIds"),
    Row(
        "a body over the server's limit",
        lambda s: s.idle.create_images_from_data(s.stuck, GOOD + bytes(2 * MEBIBYTE)),
        "BadRequestImageSizeBytes",
        "at most 1048576 bytes",
        413,
    ),
    # Training
    Row(
        "training with one tag",
        lambda s: s.trainer.train_project(project_of(s, sdk.coloured(("red",)))),
        "BadRequestClassificationTrainingValidationFailed",
        "Not enough tags",
    ),
    Row(
        "training with four images of a tag",
        lambda s: s.trainer.train_project(project_of(s, [*sdk.coloured(), *sdk.coloured(("green",), 4, first=70)])),
        "BadRequestMultiClassClassificationTrainingValidationFailed",
        "'green' has 4",
    ),
    Row(
        "training Multilabel with four images of a tag",
        lambda s: s.trainer.train_project(project_of(s, sdk.coloured(count=4), "Multilabel")),
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
        lambda s: s.trainer.train_project(project_of(s, sdk.coloured(), domain_id=ADULT)),
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
        "Advanced training",
        lambda s: s.trainer.train_project(s.project, training_type="Advanced", reserved_budget_in_hours=1),
        "BadRequestDomainNotSupportedForAdvancedTraining",
        "expected Regular",
    ),
    Row(
        "a base model of one's own",
        lambda s: s.trainer.train_project(
            s.project,
            custom_base_model_info=models.CustomBaseModelInfo(project_id=s.project, iteration_id=s.live),
        ),
        "BadRequestNotSupported",
        "customBaseModelInfo",
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
        lambda s: s.trainer.quick_test_image(s.project, TOO_WIDE),
        "BadRequestImageDimensions",
        "10241x410",
    ),
    Row(
        "a picture too long for its height",
        lambda s: s.trainer.quick_test_image(s.project, TOO_LONG),
        "BadRequestImageAspectRatio",
        "25 times",
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
        lambda s: s.trainer.export_iteration(s.project, s.spare, "CoreML"),
        "BadRequestExportValidationFailed",
        "ONNX",
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


# What the SDK itself refuses to send goes as raw HTTP: (method, path below the project, body, code, words).
MANY = ",".join([NOWHERE] * 257)
UNSENDABLE = (
    ("DELETE", f"/images?imageIds={MANY}", b"", "BadRequestExceededBatchSize", "At most 256"),
    ("GET", f"/images/id?imageIds={MANY}", b"", "BadRequestExceededBatchSize", "At most 256"),
    ("GET", f"/images?tagIds={MANY}", b"", "BadRequestExceededBatchSize", "20 tags"),
    ("GET", "/images?take=257", b"", "BadRequest", "0 to 256"),
    ("DELETE", f"/images/tags?imageIds={MANY}&tagIds={NOWHERE}", b"", "BadRequestExceededBatchSize", "64 images"),
    ("POST", "/images/files", b'{"images": [', "BadRequest", "not as expected"),
    ("POST", "/images/files", b'{"images": [{"name": "a", "contents": 5}]}', "BadRequest", "contents"),
    ("POST", "/images/urls", b'{"images": [{}]}', "BadRequestRequiredParamIsNull", "url"),
    ("POST", "/tags", b"", "BadRequestRequiredParamIsNull", "name"),
    ("GET", "/images?taggingStatus=Half", b"", "BadRequest", "'Half'"),
)


class TestUnsendable:
    @pytest.mark.parametrize(("method", "path", "body", "code", "words"), UNSENDABLE)
    def test_is_refused_in_the_same_shape(
        self, server: Server, scene: Scene, *, method: str, path: str, body: bytes, code: str, words: str
    ) -> None:
        url = f"{server.endpoint}/customvision/v3.4-preview/training/projects/{scene.project}{path}"
        request = Request(url, body or None, {"Training-Key": TRAINING_KEY}, method=method)
        with pytest.raises(HTTPError) as caught, urlopen(request, timeout=30):
            pass
        with caught.value as answer:
            problem = json.loads(answer.read())
        assert (answer.status, problem["code"]) == (400, code)
        assert words in problem["message"]
