"""Resources, keys, roles and rates, as programs with Microsoft's SDK meet them."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from tests.azure import sdk
from tests.azure.scene import refusal
from tests.support.pictures import picture
from tests.support.server import Server

pytestmark = pytest.mark.slow

INSUFFICIENT = (403, "ForbiddenUserInsufficientCapability")


def foveal(server: Server, *arguments: str) -> Any:
    """Run a command on the data of a server that runs."""
    command = [sys.executable, "-m", "foveal", *arguments, "--data", str(server.data), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def create(server: Server, name: str, kind: str) -> Any:
    return foveal(server, "resources", "create", name, "--kind", kind)


@dataclass(frozen=True)
class Town:
    """Two teams that train and two that predict, on one server."""

    server: Server
    stack: ExitStack
    made: dict[str, Any]
    """What was printed when each resource was made."""

    def trainer(self, key: str) -> Any:
        return self.stack.enter_context(sdk.trainer_of(self.server, key))

    def predictor(self, name: str) -> Any:
        return self.stack.enter_context(sdk.predictor_of(self.server, self.key(name)))

    def key(self, name: str) -> str:
        return self.made[name]["keys"]["key1"]

    def id(self, name: str) -> str:
        return self.made[name]["id"]

    def add_key(self, name: str, role: str) -> str:
        arguments = ("--resource", name, "--name", role, "--role", role)
        return foveal(self.server, "keys", "add", *arguments)[role]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    names = {"training": ("apples", "pears"), "prediction": ("shop", "market")}
    with ExitStack() as stack:
        server = stack.enter_context(Server(tmp_path_factory.mktemp("town")))
        made = {name: create(server, name, kind) for kind in names for name in names[kind]}
        yield Town(server, stack, made)


@pytest.fixture(scope="module")
def apples(town: Town) -> Any:
    return town.trainer(town.key("apples"))


@pytest.fixture(scope="module")
def pears(town: Town) -> Any:
    return town.trainer(town.key("pears"))


class TestIsolation:
    def test_a_team_sees_its_own_projects_and_the_owner_sees_all(self, town: Town, apples: Any, pears: Any) -> None:
        project = sdk.new_project(apples)
        with sdk.trainer_of(town.server) as owner:
            seen = [project in {each.id for each in client.get_projects()} for client in (apples, pears, owner)]
        assert seen == [True, False, True]

    def test_another_team_s_project_does_not_exist(self, apples: Any, pears: Any) -> None:
        project = sdk.new_project(apples)
        for call in (pears.get_project, pears.get_images, pears.train_project, pears.delete_project):
            assert refusal(lambda call=call: call(project))[:2] == (404, "NotFoundProject")

    def test_keys_open_their_own_api_only(self, town: Town) -> None:
        stranger = town.trainer(town.key("shop"))
        assert refusal(stranger.get_projects)[:2] == (401, "Unauthorized")


class TestPublishing:
    def test_a_name_answers_the_resource_that_it_was_published_to(self, town: Town, apples: Any) -> None:
        project, iteration = sdk.trained_project(apples)
        status, code, message = refusal(lambda: apples.publish_iteration(project, iteration.id, "live", sdk.RESOURCE))
        assert (status, code) == (400, "BadRequestInvalidPublishTarget")
        assert {"market", "shop"} <= set(re.findall(r"\w+", message.rpartition(":")[2]))
        apples.publish_iteration(project, iteration.id, "live", town.id("shop"))
        assert apples.get_iteration(project, iteration.id).original_publish_resource_id == town.id("shop")
        shop, market = town.predictor("shop"), town.predictor("market")
        assert shop.classify_image(project, "live", picture(1, "red")).predictions[0].tag_name == "red"
        assert refusal(lambda: market.classify_image(project, "live", picture(1)))[:2] == (404, "NotFoundIteration")


class TestRoles:
    def test_a_reader_reads_and_a_labeler_labels(self, town: Town, apples: Any) -> None:
        project = sdk.new_project(apples)
        reader, labeler = (town.trainer(town.add_key("apples", role)) for role in ("Reader", "Labeler"))
        labeler.create_tag(project, "ripe")
        assert [tag.name for tag in reader.get_tags(project)] == ["ripe"]
        assert refusal(lambda: reader.create_tag(project, "rotten"))[:2] == INSUFFICIENT
        assert refusal(lambda: labeler.train_project(project))[:2] == INSUFFICIENT

    def test_a_trainer_makes_no_projects(self, town: Town) -> None:
        trainer = town.trainer(town.add_key("pears", "Trainer"))
        status, code, message = refusal(lambda: trainer.create_project(sdk.new_name()))
        assert (status, code) == INSUFFICIENT
        assert "role Trainer may not call CreateProject" in message


class TestRotation:
    def test_the_old_key_stops_working_and_the_other_one_does_not(self, town: Town) -> None:
        keys = create(town.server, "plums", "combined")["keys"]
        old, other = town.trainer(keys["key1"]), town.trainer(keys["key2"])
        old.get_projects()
        made = foveal(town.server, "keys", "rotate", "--resource", "plums", "--key", "key1")
        assert refusal(old.get_projects)[:2] == (401, "Unauthorized")
        assert other.get_projects() == town.trainer(made["key1"]).get_projects() == []


class TestRates:
    @pytest.fixture
    def trainer(self, tmp_path: Any) -> Iterator[Any]:
        with Server(tmp_path, {"FOVEAL_RATE_LIMIT": "2"}, ("--no-worker",)) as server, sdk.trainer_of(server) as client:
            yield client

    def test_the_sdk_waits_as_it_is_told_and_calls_again(self, trainer: Any) -> None:
        began = time.monotonic()
        assert all(trainer.get_domains() for _ in range(5))
        assert time.monotonic() - began > 1

    def test_what_the_sdk_does_not_repeat_is_told(self, trainer: Any) -> None:
        project = trainer.create_project("p").id
        trainer.create_tag(project, "one")
        status, code, message = refusal(lambda: [trainer.create_tag(project, f"{n}") for n in range(9)])
        assert (status, code) == (429, "TooManyRequests")
        assert "CreateTag was refused" in message
