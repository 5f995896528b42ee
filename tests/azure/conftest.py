"""Clients of Microsoft's SDK, unmodified, for the live server."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.azure import scene as scenes
from tests.azure import sdk
from tests.azure.scene import Scene
from tests.azure.sdk import Published, predictor_of, trainer_of
from tests.support.server import Server


@pytest.fixture(scope="session")
def trainer(server: Server) -> Iterator[Any]:
    with trainer_of(server) as client:
        yield client


@pytest.fixture(scope="session")
def predictor(server: Server) -> Iterator[Any]:
    with predictor_of(server) as client:
        yield client


@pytest.fixture(scope="session")
def classifier(trainer: Any) -> Published:
    """Red and blue pictures, trained and published, for tests that leave the iteration as it is."""
    project, iteration = sdk.trained_project(trainer)
    trainer.publish_iteration(project, iteration.id, "colours", sdk.RESOURCE)
    return Published(project, iteration, "colours")


@pytest.fixture(scope="session")
def compact(trainer: Any) -> tuple[str, str]:
    """A project on General (compact) and its iteration, for tests that leave both as they are."""
    domain = next(each.id for each in trainer.get_domains() if each.name == "General (compact)")
    project = sdk.new_project(trainer, domain_id=domain)
    sdk.upload(trainer, project, sdk.coloured(), sdk.new_tags(trainer, project, ("red", "blue")))
    return project, sdk.train(trainer, project).id


@pytest.fixture(scope="session")
def scene(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    data = tmp_path_factory.mktemp("idle")
    with (
        Server(data, {"FOVEAL_MAX_BODY_MIB": "1"}, ("--no-worker",)) as idle,
        scenes.set_up(server, idle) as scene,
    ):
        yield scene
