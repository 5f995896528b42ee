"""The quickstart as programs have it, with the SDK that stands first on PYTHONPATH; prints what it saw as JSON."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from azure.cognitiveservices.vision import customvision
from azure.cognitiveservices.vision.customvision.prediction import CustomVisionPredictionClient
from azure.cognitiveservices.vision.customvision.training import CustomVisionTrainingClient, models
from msrest.authentication import ApiKeyCredentials
from msrest.exceptions import HttpOperationError

MAJOR = int(customvision.__version__.split(".")[0])
PUBLISHED_AS = "first"
PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Errand:
    """What the test gives to the program."""

    endpoint: str
    training_key: str
    prediction_key: str
    resource: str
    album: str
    address: str

    @property
    def picture(self) -> bytes:
        """The picture that the address shows."""
        return Path(self.album, "unseen", Path(self.address).name).read_bytes()


@contextmanager
def clients_of(errand: Errand, training_key: str, prediction_key: str) -> Iterator[tuple[Any, Any]]:
    """Open both clients; those of the first generation take the key itself, and before the endpoint."""
    if MAJOR == 1:
        trainer = CustomVisionTrainingClient(training_key, errand.endpoint)
        predictor = CustomVisionPredictionClient(prediction_key, errand.endpoint)
    else:
        training = ApiKeyCredentials(in_headers={"Training-key": training_key})
        prediction = ApiKeyCredentials(in_headers={"Prediction-key": prediction_key})
        trainer = CustomVisionTrainingClient(errand.endpoint, training)
        predictor = CustomVisionPredictionClient(errand.endpoint, prediction)
    with trainer, predictor:
        yield trainer, predictor


def run(errand: Errand, trainer: Any, predictor: Any) -> dict[str, Any]:
    domains = trainer.get_domains(raw=True)
    domain = next(one for one in domains.output if (one.type, one.name) == ("Classification", "General"))
    name = f"quickstart {uuid4()}"
    project = trainer.create_project(name, domain_id=domain.id, classification_type="Multiclass")
    uploads = upload(trainer, project.id, Path(errand.album))
    iteration, statuses = train(trainer, project.id)
    figures = measured(trainer, project.id, iteration)
    published = trainer.publish_iteration(project.id, iteration, PUBLISHED_AS, errand.resource)
    predictions = predict(predictor, project.id, errand)
    quick = quick_test(trainer, project.id, iteration, errand)
    refusals = refuse(trainer, project.id, iteration, errand)
    end = take_down(trainer, predictor, project.id, iteration, errand.picture)
    return {
        "version": customvision.__version__,
        "copy": str(Path(customvision.__file__).parents[4]),
        "asked": [urlsplit(domains.response.request.url).path, predictions["asked"]],
        "domain": [project.settings.domain_id == domain.id, project.settings.classification_type],
        "uploads": uploads,
        "statuses": statuses,
        "figures": figures,
        "published": published,
        "files": predictions["files"],
        "answers": predictions["answers"] | quick,
        "refusals": refusals | end["refusals"],
        "deleted": end["deleted"],
    }


def upload(trainer: Any, project: str, album: Path) -> dict[str, Any]:
    """Make the tags and upload: a batch, some of it again, and one file as it is."""
    tags = {name: trainer.create_tag(project, name).id for name in ("red", "blue")}
    entries = [
        models.ImageFileCreateEntry(name=path.name, contents=path.read_bytes(), tag_ids=[tags[path.parent.name]])
        for path in sorted(album.glob("train/*/*.png"))
    ]
    batch, again = upload_batch(trainer, project, entries), upload_batch(trainer, project, entries[:2])
    with (album / "single" / "red.png").open("rb") as file:
        single = told(trainer.create_images_from_data(project, file, [tags["red"]], raw=True))
    counts = {tag.name: tag.image_count for tag in trainer.get_tags(project)}
    return {"batch": batch, "again": again, "single": single, "counts": counts}


def upload_batch(trainer: Any, project: str, entries: list[Any]) -> dict[str, Any]:
    """Upload pictures as base64; before 3.0 a batch is not yet a thing of its own."""
    if MAJOR < 3:
        return told(trainer.create_images_from_files(project, images=entries, raw=True))
    return told(trainer.create_images_from_files(project, models.ImageFileCreateBatch(images=entries), raw=True))


def told(raw: Any) -> dict[str, Any]:
    """Tell what an upload answered."""
    return {
        "http": raw.response.status_code,
        "successful": raw.output.is_batch_successful,
        "statuses": [image.status for image in raw.output.images],
        "names": [image.source_url for image in raw.output.images],
        "ids": [image.image.id for image in raw.output.images],
    }


def train(trainer: Any, project: str) -> tuple[str, list[str]]:
    """Train and poll; give the iteration and the statuses that it went through."""
    iteration = trainer.train_project(project)
    statuses = [iteration.status]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while iteration.status not in {"Completed", "Failed"} and time.monotonic() < deadline:
        time.sleep(0.1)
        iteration = trainer.get_iteration(project, iteration.id)
        statuses.append(iteration.status)
    return iteration.id, list(dict.fromkeys(statuses))


def measured(trainer: Any, project: str, iteration: str) -> dict[str, Any]:
    found = trainer.get_iteration_performance(project, iteration, threshold=0.5)
    rows = {"all": found} | {row.name: row for row in found.per_tag_performance}
    return {name: [row.precision, row.recall, row.average_precision] for name, row in rows.items()}


def predict(predictor: Any, project: str, errand: Errand) -> dict[str, Any]:
    """Classify files, and one picture in each way there is."""
    files: dict[str, Any] = {}
    for path in sorted(Path(errand.album, "unseen").iterdir()):
        with path.open("rb") as file:
            files[path.name] = ranked(predictor.classify_image(project, PUBLISHED_AS, file))
    first = predictor.classify_image_url(project, PUBLISHED_AS, errand.address, raw=True)
    bare = predictor.classify_image_with_no_store(project, PUBLISHED_AS, errand.picture)
    bare_address = predictor.classify_image_url_with_no_store(project, PUBLISHED_AS, errand.address)
    answers = {"address": ranked(first.output), "no store": ranked(bare), "address, no store": ranked(bare_address)}
    return {"asked": urlsplit(first.response.request.url).path, "files": files, "answers": answers}


def quick_test(trainer: Any, project: str, iteration: str, errand: Errand) -> dict[str, Any]:
    return {
        "quick test": ranked(trainer.quick_test_image(project, errand.picture, iteration_id=iteration)),
        "quick test of address": ranked(trainer.quick_test_image_url(project, errand.address, iteration_id=iteration)),
    }


def ranked(answer: Any) -> list[list[Any]]:
    return [[one.tag_name, one.probability] for one in answer.predictions]


def refuse(trainer: Any, project: str, iteration: str, errand: Errand) -> dict[str, Any]:
    """Do what the service refuses."""
    with clients_of(errand, "wrong", "wrong") as (stranger, strange_predictor):
        return {
            "training key": refused(stranger.get_projects),
            "prediction key": refused(lambda: strange_predictor.classify_image(project, PUBLISHED_AS, errand.picture)),
            "project": refused(lambda: trainer.get_tags(str(uuid4()))),
            "published": refused(lambda: trainer.delete_iteration(project, iteration)),
        }


def take_down(trainer: Any, predictor: Any, project: str, iteration: str, picture: bytes) -> dict[str, Any]:
    """Unpublish and delete everything; tell the statuses of HTTP, and what then no longer works."""
    done = {"published": trainer.unpublish_iteration(project, iteration, raw=True).response.status_code}
    unpublished = refused(lambda: predictor.classify_image(project, PUBLISHED_AS, picture))
    done["iteration"] = trainer.delete_iteration(project, iteration, raw=True).response.status_code
    done["iterations left"] = len(trainer.get_iterations(project))
    done["project"] = trainer.delete_project(project, raw=True).response.status_code
    deleted = refused(lambda: trainer.get_project(project))
    return {"deleted": done, "refusals": {"unpublished": unpublished, "deleted": deleted}}


def refused(call: Callable[[], Any]) -> dict[str, Any]:
    """Tell the error that the call raises."""
    try:
        call()
    except HttpOperationError as error:
        return {
            "http": error.response.status_code,
            "raised": type(error).__name__,
            "code": error.error.code,
            "message": str(error),
        }
    raise AssertionError("The service did not refuse.")


def main() -> None:
    errand = Errand(**json.loads(sys.argv[1]))
    with clients_of(errand, errand.training_key, errand.prediction_key) as (trainer, predictor):
        sys.stdout.write(json.dumps(run(errand, trainer, predictor)) + "\n")


if __name__ == "__main__":
    main()
