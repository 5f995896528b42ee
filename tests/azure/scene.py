"""Refusals: how one is read, and the projects and iterations that they happen to."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from azure.cognitiveservices.vision.customvision.prediction import models as prediction_models
from azure.cognitiveservices.vision.customvision.training import models
from tests.azure import sdk
from tests.azure.sdk import Photo
from tests.support.server import TRAINING_KEY, Server

SDK_ERRORS = (models.CustomVisionErrorException, prediction_models.CustomVisionErrorException)
NOWHERE = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Scene:
    """What the errors happen to."""

    trainer: Any
    predictor: Any
    stranger: Any
    strange_predictor: Any
    nobody: Any
    nameless_predictor: Any
    idle: Any
    """Of a server that never trains, and takes bodies of one mebibyte."""
    empty: str
    project: str
    live: str
    """The iteration published as `live`."""
    spare: str
    """Another completed iteration, with an export to ONNX."""
    stuck: str
    """A project of the idle server whose iteration never ends."""
    pending: str

    @property
    def tag(self) -> str:
        return self.trainer.get_tags(self.project)[0].id


@contextmanager
def set_up(server: Server, idle_server: Server) -> Iterator[Scene]:
    with ExitStack() as stack:
        trainer, idle = (stack.enter_context(sdk.trainer_of(each)) for each in (server, idle_server))
        project, live = sdk.trained_project(trainer)
        trainer.publish_iteration(project, live.id, "live", sdk.RESOURCE)
        spare = sdk.train(trainer, project, force_train=True)
        sdk.export(trainer, project, spare.id).close()
        stuck = project_of(idle, sdk.coloured())
        yield Scene(
            trainer=trainer,
            predictor=stack.enter_context(sdk.predictor_of(server)),
            stranger=stack.enter_context(sdk.trainer_of(server, "not-the-key")),
            strange_predictor=stack.enter_context(sdk.predictor_of(server, TRAINING_KEY)),
            nobody=stack.enter_context(sdk.trainer_of(server, "")),
            nameless_predictor=stack.enter_context(sdk.predictor_of(server, "")),
            idle=idle,
            empty=sdk.new_project(trainer),
            project=project,
            live=live.id,
            spare=spare.id,
            stuck=stuck,
            pending=idle.train_project(stuck).id,
        )


@dataclass(frozen=True)
class Row:
    """A call and how it is refused: code, words of the message, and status."""

    rule: str
    call: Callable[[Scene], Any]
    code: str
    words: str
    status: int = 400


def patched_project(scene: Scene, project: str, **settings: Any) -> Any:
    found = scene.trainer.get_project(project)
    for name, value in settings.items():
        setattr(found.settings, name, value)
    return scene.trainer.update_project(project, found)


def project_of(trainer: Any, photos: list[Photo], classification_type: str = "Multiclass", **more: Any) -> str:
    """Make a project with these photos and their tags."""
    project = sdk.new_project(trainer, classification_type, **more)
    tags = sdk.new_tags(trainer, project, sorted({tag for photo in photos for tag in photo.tags}))
    sdk.upload(trainer, project, photos, tags)
    return project


def refusal(call: Callable[[], Any]) -> tuple[int, str, str]:
    """Make a call that must fail; give status, code and message as the SDK's exception tells them."""
    with pytest.raises(SDK_ERRORS) as caught:
        call()
    return caught.value.response.status_code, caught.value.error.code, caught.value.error.message
