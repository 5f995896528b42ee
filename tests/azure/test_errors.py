"""Errors as a program with the SDK reads them (`error.code`, `error.message`, status): keys, projects, tags, images."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
from azure.cognitiveservices.vision.customvision.training import models
from azure.cognitiveservices.vision.customvision.training.models import (
    ImageFileCreateBatch,
    ImageFileCreateEntry,
    ImageIdCreateBatch,
    ImageIdCreateEntry,
    ImageRegionCreateEntry,
    ImageTagCreateEntry,
    ImageUrlCreateBatch,
    ImageUrlCreateEntry,
    PredictionQueryTag,
    PredictionQueryToken,
    Region,
)
from tests.azure import sdk
from tests.azure.scene import NOWHERE, Row, Scene, patched_project, refusal
from tests.support.pictures import picture
from tests.support.server import TRAINING_KEY, Server

pytestmark = pytest.mark.slow

DETECTION = "da2e3a8a-40a5-4171-82f4-58522f70fbc1"
MEBIBYTE = 1024 * 1024
UNREACHABLE = "http://127.0.0.1:9/picture.png"
GOOD = picture(1)


def files(count: int, tag_ids: Any = (), **entry: Any) -> ImageFileCreateBatch:
    images = [ImageFileCreateEntry(name=f"{n}.png", contents=GOOD, **entry) for n in range(count)]
    return ImageFileCreateBatch(images=images, tag_ids=list(tag_ids))


def pair(image: str, tag: str, count: int = 1) -> list[ImageTagCreateEntry]:
    return [ImageTagCreateEntry(image_id=image, tag_id=tag)] * count


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


def draw(scene: Scene, count: int = 1, *, image: str = "", **edges: float) -> Any:
    """Draw boxes in a detector of one image and one tag."""
    project = sdk.new_detector(scene.trainer)
    tag = scene.trainer.create_tag(project, "fork").id
    known = scene.trainer.create_images_from_data(project, GOOD).images[0].image.id
    box = {"left": 0, "top": 0, "width": 0.5, "height": 0.5, **edges}
    regions = [ImageRegionCreateEntry(image_id=image or known, tag_id=tag, **box)] * count
    return scene.trainer.create_image_regions(project, regions)


def query(scene: Scene, **token: Any) -> Any:
    return scene.trainer.query_predictions(scene.project, PredictionQueryToken(**token))


def range_of(lowest: float, highest: float) -> PredictionQueryTag:
    return PredictionQueryTag(id=NOWHERE, min_threshold=lowest, max_threshold=highest)


def predictions(count: int) -> ImageIdCreateBatch:
    return ImageIdCreateBatch(images=[ImageIdCreateEntry(id=NOWHERE)] * count)


def export_what_is_being_imported(scene: Scene) -> Any:
    original = sdk.new_project(scene.idle)
    copy = scene.idle.import_project(scene.idle.export_project(original).token)
    return scene.idle.export_project(copy.id)


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
        "At most 64",
    ),
    Row(
        "a batch of 65 addresses",
        lambda s: s.trainer.create_images_from_urls(
            s.empty, ImageUrlCreateBatch(images=[ImageUrlCreateEntry(url=UNREACHABLE)] * 65)
        ),
        "BadRequestExceededBatchSize",
        "At most 64",
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
    Row(
        "11 pairs of metadata",
        lambda s: s.trainer.update_image_metadata(s.empty, [NOWHERE], {str(n): "" for n in range(11)}),
        "BadRequestImageMetadataKey",
        "these are 11",
    ),
    Row(
        "a long value of metadata",
        lambda s: s.trainer.update_image_metadata(s.empty, [NOWHERE], {"line": "7" * 257}),
        "BadRequestImageMetadataValue",
        "'line' has 257",
    ),
    Row(
        "a filter that cannot be read",
        lambda s: s.trainer.get_image_count(s.empty, filter="line eq"),
        "BadRequest",
        "character 8: expected a value",
    ),
    Row("deleting no images", lambda s: s.trainer.delete_images(s.empty), "BadRequestRequiredParamIsNull", "imageIds"),
    Row(
        "a body over the server's limit",
        lambda s: s.idle.create_images_from_data(s.stuck, GOOD + bytes(2 * MEBIBYTE)),
        "BadRequestImageSizeBytes",
        "at most 1048576 bytes",
        413,
    ),
    # Regions
    Row(
        "drawing nothing",
        lambda s: s.trainer.create_image_regions(sdk.new_detector(s.trainer), []),
        "BadRequestImageRegions",
        "names no regions",
    ),
    Row("a box that leaves its image", lambda s: draw(s, left=0.75), "BadRequestImageRegions", "0.75"),
    Row("a box without a width", lambda s: draw(s, width=0), "BadRequestImageRegions", "0"),
    Row("65 boxes", lambda s: draw(s, 65), "BadRequestExceededBatchSize", "has 65"),
    Row("a box on an unknown image", lambda s: draw(s, image=NOWHERE), "BadRequestInvalidIds", f"Image {NOWHERE}"),
    Row(
        "drawing in a classifier",
        lambda s: s.trainer.create_image_regions(
            s.project, [ImageRegionCreateEntry(image_id=NOWHERE, tag_id=s.tag, left=0, top=0, width=1, height=1)]
        ),
        "BadRequestNotSupported",
        "is a classifier",
    ),
    Row(
        "deleting no regions",
        lambda s: s.trainer.delete_image_regions(s.empty, []),
        "BadRequestRequiredParamIsNull",
        "regionIds",
    ),
    Row(
        "proposals for an unknown image",
        lambda s: s.trainer.get_image_region_proposals(s.empty, NOWHERE),
        "NotFoundImage",
        NOWHERE,
        404,
    ),
    # Stored predictions
    Row(
        "deleting no predictions",
        lambda s: s.trainer.delete_prediction(s.project, []),
        "BadRequestPredictionIdsMissing",
        "by their ids",
    ),
    Row(
        "images from no predictions",
        lambda s: s.trainer.create_images_from_predictions(s.project, predictions(0)),
        "BadRequestPredictionIdsMissing",
        "by their ids",
    ),
    Row(
        "images from 65 predictions",
        lambda s: s.trainer.create_images_from_predictions(s.project, predictions(65)),
        "BadRequestPredictionIdsExceededCount",
        "has 65",
    ),
    Row(
        "predictions with three tags",
        lambda s: query(s, tags=[range_of(0, 1)] * 3),
        "BadRequestPredictionTagsExceededCount",
        "at most 2 tags",
    ),
    Row(
        "257 predictions", lambda s: query(s, max_count=257), "BadRequestPredictionResultsExceededCount", "at most 256"
    ),
    Row(
        "predictions in an unknown order",
        lambda s: query(s, order_by="Loudest"),
        "BadRequestPredictionInvalidQueryParameters",
        "expected Newest, Oldest or Suggested",
    ),
    Row(
        "predictions in an empty range",
        lambda s: query(s, tags=[range_of(0.9, 0.1)]),
        "BadRequestPredictionInvalidQueryParameters",
        "0.9 and 0.1",
    ),
    Row(
        "a page of predictions that leads from none",
        lambda s: query(s, continuation="further"),
        "BadRequestPredictionInvalidQueryParameters",
        "'further'",
    ),
    Row(
        "predictions of an unknown iteration",
        lambda s: query(s, iteration_id=NOWHERE),
        "NotFoundIteration",
        NOWHERE,
        404,
    ),
    # Moving
    Row(
        "exporting a project that trains",
        lambda s: s.idle.export_project(s.stuck),
        "BadRequestExportWhileTraining",
        "is training",
    ),
    Row(
        "exporting a project that is being imported",
        export_what_is_being_imported,
        "BadRequestOperationNotSupported",
        "status Importing",
    ),
    Row(
        "importing what is no token",
        lambda s: s.trainer.import_project("my project"),
        "BadRequestInvalidImportToken",
        "export_project gives one",
    ),
    Row(
        "importing under a name in use",
        lambda s: s.trainer.import_project(
            s.trainer.export_project(s.project).token, name=s.trainer.get_project(s.empty).name
        ),
        "BadRequestProjectNameNotUnique",
        "already a project",
    ),
)


class TestRefusals:
    @pytest.mark.parametrize("row", ROWS, ids=[row.rule for row in ROWS])
    def test_tell_status_code_and_reason(self, scene: Scene, row: Row) -> None:
        status, code, message = refusal(lambda: row.call(scene))
        assert (status, code) == (row.status, row.code)
        assert row.words in message


# What the SDK itself refuses to send, or tells without its code, goes as raw HTTP: (method, path below the project,
# body, code, words).
MANY = ",".join([NOWHERE] * 257)
UNSENDABLE = (
    ("DELETE", f"/images?imageIds={MANY}", b"", "BadRequestExceededBatchSize", "At most 256"),
    ("GET", f"/images/id?imageIds={MANY}", b"", "BadRequestExceededBatchSize", "At most 256"),
    ("GET", f"/images?tagIds={MANY}", b"", "BadRequestExceededBatchSize", "20 tags"),
    ("GET", "/images?take=257", b"", "BadRequest", "0 to 256"),
    ("DELETE", f"/images/regions?regionIds={MANY}", b"", "BadRequestExceededBatchSize", "At most 64 regions"),
    ("DELETE", f"/predictions?ids={MANY}", b"", "BadRequestPredictionIdsExceededCount", "At most 64 predictions"),
    ("POST", f"/images/metadata?imageIds={MANY}", b"{}", "BadRequestExceededBatchSize", "At most 256 images"),
    ("GET", "/artifacts?path=keys.json", b"", "BadRequestInvalidArtifactUri", "i-<project>/i-<image>"),
    ("DELETE", f"/images/tags?imageIds={MANY}&tagIds={NOWHERE}", b"", "BadRequestExceededBatchSize", "64 images"),
    ("POST", "/images/files", b'{"images": [', "BadRequest", "not as expected"),
    ("POST", "/images/files", b'{"images": "all"}', "BadRequest", "images"),
    ("POST", "/images/urls", b'{"images": [{}]}', "BadRequestRequiredParamIsNull", "url"),
    ("POST", "/tags", b"", "BadRequestRequiredParamIsNull", "name"),
    ("GET", "/images?taggingStatus=Half", b"", "BadRequest", "'Half'"),
)


class TestUnsendable:
    @pytest.mark.parametrize("row", UNSENDABLE, ids=lambda row: f"{row[0]} {row[1][:20]} {row[4]}")
    def test_is_refused_in_the_same_shape(self, server: Server, scene: Scene, row: Any) -> None:
        method, path, body, code, words = row
        url = f"{server.endpoint}/customvision/v3.4-preview/training/projects/{scene.project}{path}"
        request = Request(url, body or None, {"Training-Key": TRAINING_KEY}, method=method)
        with pytest.raises(HTTPError) as caught, urlopen(request, timeout=30):
            pass
        with caught.value as answer:
            problem = json.loads(answer.read())
        assert (answer.status, problem["code"]) == (400, code)
        assert words in problem["message"]
