"""What our programs with Microsoft's SDK have in common: clients, batches of 64, waiting for a training."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.request import urlopen
from uuid import uuid4
from zipfile import ZipFile

from azure.cognitiveservices.vision.customvision.prediction import CustomVisionPredictionClient
from azure.cognitiveservices.vision.customvision.training import CustomVisionTrainingClient
from azure.cognitiveservices.vision.customvision.training.models import ImageFileCreateBatch, ImageFileCreateEntry
from msrest.authentication import ApiKeyCredentials
from tests.support.pictures import picture
from tests.support.server import PREDICTION_KEY, TRAINING_KEY, Server

BATCH = 64
PATIENCE_SECONDS = 120
PLATFORMS = ["CoreML", "DockerFile", "ONNX", "OpenVino", "TensorFlow"]  # that every domain exports to
RESOURCE = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/vision"
    "/providers/Microsoft.CognitiveServices/accounts/vision-prediction"
)


@contextmanager
def trainer_of(server: Server, key: str = TRAINING_KEY) -> Iterator[Any]:
    credentials = ApiKeyCredentials(in_headers={"Training-key": key} if key else {"Not-A": "key"})
    with CustomVisionTrainingClient(server.endpoint, credentials) as client:
        yield client


@contextmanager
def predictor_of(server: Server, key: str = PREDICTION_KEY) -> Iterator[Any]:
    credentials = ApiKeyCredentials(in_headers={"Prediction-key": key} if key else {"Not-A": "key"})
    with CustomVisionPredictionClient(server.endpoint, credentials) as client:
        yield client


@dataclass(frozen=True)
class Published:
    """A project with an iteration that answers under a name."""

    project: str
    iteration: Any
    name: str


@dataclass(frozen=True)
class Photo:
    """A picture with its name and the names of its tags."""

    name: str
    data: bytes
    tags: tuple[str, ...]


def new_name(what: str = "project") -> str:
    """Make a name that no other test uses."""
    return f"{what} {uuid4().hex[:8]}"


def new_project(trainer: Any, classification_type: str = "Multiclass", **more: Any) -> str:
    return trainer.create_project(new_name(), classification_type=classification_type, **more).id


def new_detector(trainer: Any, **more: Any) -> str:
    """Make a project for object detection; its domain is found as Microsoft's quickstart finds it."""
    domain = next(each for each in trainer.get_domains() if each.type == "ObjectDetection" and each.name == "General")
    return trainer.create_project(new_name("detector"), domain_id=domain.id, **more).id


def new_tags(trainer: Any, project: str, names: Sequence[str]) -> dict[str, str]:
    return {name: trainer.create_tag(project, name).id for name in names}


def upload(trainer: Any, project: str, photos: Sequence[Photo], tags: Mapping[str, str]) -> list[Any]:
    """Upload in batches of 64; give what the service said of each picture."""
    results: list[Any] = []
    for batch in _batches(photos):
        entries = [
            ImageFileCreateEntry(name=photo.name, contents=photo.data, tag_ids=[tags[tag] for tag in photo.tags])
            for photo in batch
        ]
        answer = trainer.create_images_from_files(project, ImageFileCreateBatch(images=entries))
        assert answer.is_batch_successful, [image.status for image in answer.images]
        results.extend(answer.images)
    return results


def train(trainer: Any, project: str, *, seconds: float = PATIENCE_SECONDS, **options: Any) -> Any:
    """Train and poll until the training has ended."""
    iteration = trainer.train_project(project, **options)
    deadline = time.monotonic() + seconds
    while iteration.status not in {"Completed", "Failed"}:
        assert time.monotonic() < deadline, f"still {iteration.status} after {seconds} s"
        time.sleep(0.05)
        iteration = trainer.get_iteration(project, iteration.id)
    assert iteration.status == "Completed", iteration.training_error_details
    return iteration


def opened(link: str) -> bytes:
    """Open a link as a browser does, without a key."""
    with urlopen(link, timeout=30) as answer:
        return answer.read()


def export(trainer: Any, project: str, iteration: str, platform: str = "ONNX", flavor: str | None = None) -> ZipFile:
    """Export, wait, download."""
    trainer.export_iteration(project, iteration, platform, flavor)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        listed = trainer.get_exports(project, iteration)
        (found,) = (each for each in listed if (each.platform, each.flavor) == (platform, flavor))
        if found.status != "Exporting":
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert found.status == "Done", found.status
    return ZipFile(BytesIO(opened(found.download_uri)))


def coloured(colours: Sequence[str] = ("red", "blue"), count: int = 5, *, first: int = 0) -> list[Photo]:
    """Draw `count` pictures of each colour, tagged with it."""
    return [
        Photo(f"{colour}-{n}.png", picture(first + 1000 * at + n, colour), (colour,))
        for at, colour in enumerate(colours)
        for n in range(count)
    ]


def trained_project(trainer: Any, classification_type: str = "Multiclass") -> tuple[str, Any]:
    """Make a project of red and blue pictures and train it; give its id and the iteration."""
    project = new_project(trainer, classification_type)
    upload(trainer, project, coloured(), new_tags(trainer, project, ("red", "blue")))
    return project, train(trainer, project)


def _batches(photos: Sequence[Photo]) -> Iterator[Sequence[Photo]]:
    return (photos[at : at + BATCH] for at in range(0, len(photos), BATCH))
