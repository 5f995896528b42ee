"""The life of a project through the API: whatever the order of calls, the promises of the contract hold.

A model of the project, a few sets and dictionaries, tells after each call what the server must answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.conftest import Api
from tests.support import postgres
from tests.support.flows import entry, make_project, make_tag, upload
from tests.support.pictures import COLOURS, picture
from tests.support.server import PREDICTION_KEY, TRAINING_KEY

from foveal.access import Keys
from foveal.app import create_app
from foveal.jobs import child
from foveal.jobs.worker import open_workshop
from foveal.services import jobs
from foveal.settings import Settings

NAMES = ("red", "blue", "green")
PICTURES = {(name, n): picture(100 * at + n, name) for at, name in enumerate(COLOURS) for n in range(7)}
RESOURCE = "r"
LEAST = 5  # images of a tag for a training

Shot = tuple[str, int]


@dataclass
class Trained:
    """An iteration as the model knows it: what it was trained on, and where it is published."""

    id: str
    tags: dict[str, str]
    images: dict[str, set[str]]
    lesson: Any
    """What it learned from; a training of the same again is not needed."""
    publish_name: str | None = None


@dataclass
class Model:
    """What the project must look like."""

    tags: dict[str, str] = field(default_factory=dict[str, str])
    """Ids by name."""
    images: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """Names of the tags by id of the image."""
    shots: dict[Shot, str] = field(default_factory=dict[Shot, str])
    """Ids of the images by what is on them."""
    iterations: list[Trained] = field(default_factory=list[Trained])
    """Newest last."""

    def count(self, name: str) -> int:
        return sum(name in tags for tags in self.images.values())

    def lesson(self) -> Any:
        """What a training would learn from now."""
        names = {image: frozenset(tags) for image, tags in self.images.items() if tags}
        content = {shot: names[id] for shot, id in self.shots.items() if id in names}
        return dict(self.tags), content

    def refusal_of_training(self, *, force: bool) -> str:
        if len(self.tags) < 2:
            return "BadRequestClassificationTrainingValidationFailed"
        if any(self.count(name) < LEAST for name in self.tags):
            return "BadRequestMultiLabelClassificationTrainingValidationFailed"
        again = bool(self.iterations) and self.iterations[-1].lesson == self.lesson()
        return "BadRequestTrainingNotNeeded" if again and not force else ""


class Life(RuleBasedStateMachine):
    """Tags, uploads, trains, publishes, predicts and deletes in any order."""

    def __init__(self, database: Callable[[Path], str]) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        data = Path(self.folder.name)
        settings = Settings(data=data, database_url=database(data), threads=1)
        self.client = TestClient(create_app(settings, Keys(TRAINING_KEY, PREDICTION_KEY, "s"), works=False))
        self.client.__enter__()
        self.api = Api(self.client)
        self.workshop = open_workshop(settings)
        self.model = Model()

    def teardown(self) -> None:
        self.client.__exit__(None, None, None)
        self.workshop.sessions.engine.dispose()
        self.folder.cleanup()

    @initialize()
    def begin(self) -> None:
        self.project = make_project(self.api, classificationType="Multilabel")
        self.path = f"/projects/{self.project}"
        for name in NAMES[:2]:
            self.create_tag(name)
            for n in range(LEAST):
                self.upload((name, n), tagged=True)

    def expect(self, code: str, method: str, path: str, **options: Any) -> Any:
        """Make a call that must be refused with the code, or succeed where it is empty; give the answer."""
        response = self.api(method, self.path + path, **options)
        told = response.json().get("code") if response.status_code >= 400 else ""
        assert told == code, response.text
        return response

    @rule(name=st.sampled_from(NAMES))
    def create_tag(self, name: str) -> None:
        if name in self.model.tags:
            self.expect("BadRequestTagNameNotUnique", "POST", "/tags", params={"name": name.upper()})
        else:
            self.model.tags[name] = make_tag(self.api, self.project, name)

    @rule(name=st.sampled_from(NAMES))
    def delete_tag(self, name: str) -> None:
        if name in self.model.tags:
            self.expect("", "DELETE", f"/tags/{self.model.tags.pop(name)}")
            for tags in self.model.images.values():
                tags.discard(name)

    @rule(shot=st.sampled_from(sorted(PICTURES)), tagged=st.booleans())
    def upload(self, shot: Shot, *, tagged: bool) -> None:
        tags = [shot[0]] if tagged and shot[0] in self.model.tags else []
        ids = [self.model.tags[name] for name in tags]
        (result,) = upload(self.api, self.project, entry("x", PICTURES[shot], *ids)).json()["images"]
        known = shot in self.model.shots
        assert result["status"] == ("OKDuplicate" if known else "OK")
        id = result["image"]["id"]
        assert self.model.shots.setdefault(shot, id) == id
        self.model.images.setdefault(id, set()).update(tags)

    @precondition(lambda self: self.model.shots)
    @rule(data=st.data())
    def upload_again(self, data: st.DataObject) -> None:
        self.upload(data.draw(st.sampled_from(sorted(self.model.shots))), tagged=True)

    @precondition(lambda self: self.model.shots)
    @rule(data=st.data(), name=st.sampled_from(NAMES), take=st.booleans())
    def tag(self, data: st.DataObject, name: str, *, take: bool) -> None:
        image = data.draw(st.sampled_from(sorted(self.model.shots.values())))
        if name not in self.model.tags:
            return
        tag = self.model.tags[name]
        if take:
            self.expect("", "DELETE", "/images/tags", params={"imageIds": image, "tagIds": tag})
            self.model.images[image].discard(name)
        else:
            pairs = {"tags": [{"imageId": image, "tagId": tag}]}
            outcome = self.expect("", "POST", "/images/tags", json=pairs).json()
            assert bool(outcome["created"]) == (name not in self.model.images[image])
            self.model.images[image].add(name)

    @precondition(lambda self: self.model.shots)
    @rule(data=st.data(), everywhere=st.booleans())
    def delete_image(self, data: st.DataObject, *, everywhere: bool) -> None:
        shot = data.draw(st.sampled_from(sorted(self.model.shots)))
        image = self.model.shots.pop(shot)
        del self.model.images[image]
        query = {"imageIds": image, "allIterations": str(everywhere).lower()}
        assert self.expect("", "DELETE", "/images", params=query).status_code == (202 if everywhere else 204)
        if everywhere:
            for trained in self.model.iterations:
                trained.images.pop(image, None)

    @rule(force=st.booleans())
    def train(self, *, force: bool) -> None:
        refusal = self.model.refusal_of_training(force=force)
        response = self.expect(refusal, "POST", "/train", params={"forceTrain": str(force).lower()})
        if refusal:
            return
        id = response.json()["id"]
        self.expect("BadRequestTrainingAlreadyInProgress", "POST", "/train", params={"forceTrain": "true"})
        self.expect("BadRequestIterationIsNotTrained", "POST", f"/iterations/{id}/publish", params=self.naming("a"))
        with self.workshop.sessions.write.begin() as session:
            claim = jobs.claim(session, worker="w", now=datetime.now(UTC), lease=timedelta(seconds=60))
        assert claim is not None
        child.perform(self.workshop, claim)
        assert self.api.ok("GET", f"{self.path}/iterations/{id}")["status"] == "Completed"
        learnt = {image: set(tags) for image, tags in self.model.images.items() if tags}
        self.model.iterations.append(Trained(id, dict(self.model.tags), learnt, self.model.lesson()))

    @precondition(lambda self: self.model.iterations)
    @rule(data=st.data(), name=st.sampled_from("ab"), overwrite=st.booleans())
    def publish(self, data: st.DataObject, name: str, *, overwrite: bool) -> None:
        trained = data.draw(st.sampled_from(self.model.iterations))
        holder = next((each for each in self.model.iterations if each.publish_name == name), None)
        refusal = (
            "BadRequestIterationIsPublished"
            if trained.publish_name
            else "BadRequestInvalidPublishName"
            if holder and not overwrite
            else ""
        )
        query = {**self.naming(name), "overwrite": str(overwrite).lower()}
        self.expect(refusal, "POST", f"/iterations/{trained.id}/publish", params=query)
        if not refusal:
            if holder:
                holder.publish_name = None
            trained.publish_name = name

    @precondition(lambda self: self.model.iterations)
    @rule(data=st.data())
    def unpublish(self, data: st.DataObject) -> None:
        trained = data.draw(st.sampled_from(self.model.iterations))
        refusal = "" if trained.publish_name else "BadRequestIterationNotPublished"
        self.expect(refusal, "DELETE", f"/iterations/{trained.id}/publish")
        trained.publish_name = None

    @precondition(lambda self: self.model.iterations)
    @rule(data=st.data())
    def delete_iteration(self, data: st.DataObject) -> None:
        trained = data.draw(st.sampled_from(self.model.iterations))
        refusal = "BadRequestIterationIsPublished" if trained.publish_name else ""
        self.expect(refusal, "DELETE", f"/iterations/{trained.id}")
        if not refusal:
            self.model.iterations.remove(trained)

    @precondition(lambda self: any(each.publish_name for each in self.model.iterations))
    @rule()
    def the_project_is_not_deleted_under_a_published_name(self) -> None:
        self.expect("BadRequestIterationIsPublished", "DELETE", "")

    @invariant()
    def the_workspace_is_as_it_was_made(self) -> None:
        told = {tag["name"]: tag["imageCount"] for tag in self.api.ok("GET", f"{self.path}/tags")}
        assert told == {name: self.model.count(name) for name in self.model.tags}
        images = self.api.ok("GET", f"{self.path}/images", params={"take": 256})
        borne = {image["id"]: {tag["tagName"] for tag in image.get("tags", [])} for image in images}
        assert borne == self.model.images
        tagged = sum(bool(tags) for tags in self.model.images.values())
        assert self.api.ok("GET", f"{self.path}/images/tagged/count") == tagged
        assert self.api.ok("GET", f"{self.path}/images/untagged/count") == len(self.model.images) - tagged

    @invariant()
    def iterations_remember_what_they_were_trained_on(self) -> None:
        told = self.api.ok("GET", f"{self.path}/iterations")
        assert [(each["id"], each["publishName"]) for each in told] == [
            (each.id, each.publish_name) for each in reversed(self.model.iterations)
        ]
        for trained in self.model.iterations:
            scope = {"iterationId": trained.id, "take": 256}
            images = self.api.ok("GET", f"{self.path}/images", params=scope)
            assert {image["id"]: {tag["tagName"] for tag in image["tags"]} for image in images} == trained.images
            tags = self.api.ok("GET", f"{self.path}/tags", params={"iterationId": trained.id})
            assert {tag["name"]: tag["id"] for tag in tags} == trained.tags

    @invariant()
    def published_names_answer_and_others_do_not(self) -> None:
        published = {each.publish_name: each for each in self.model.iterations if each.publish_name}
        for name in "ab":
            path = f"/{self.project}/classify/iterations/{name}/image/nostore"
            response = self.api.predict(path, content=PICTURES["red", 0])
            if name in published:
                answer = response.json()
                assert answer["iteration"] == published[name].id
                assert {row["tagName"] for row in answer["predictions"]} == set(published[name].tags)
            else:
                assert (response.status_code, response.json()["code"]) == (404, "NotFoundIteration")

    def naming(self, name: str) -> dict[str, str]:
        return {"publishName": name, "predictionId": RESOURCE}


EFFORT = hypothesis_settings(max_examples=8, stateful_step_count=40, deadline=None)


@pytest.mark.slow
def test_promises_hold_on_sqlite(sqlite_template: Path) -> None:
    def database(data: Path) -> str:
        return f"sqlite:///{copyfile(sqlite_template, data / 'foveal.db')}"

    run_state_machine_as_test(lambda: Life(database), settings=EFFORT)


@pytest.mark.slow
@pytest.mark.postgres
def test_promises_hold_on_postgres(postgres_server: str, postgres_template: str) -> None:
    def database(_: Path) -> str:
        return postgres.new_database(postgres_server, template=postgres_template)

    run_state_machine_as_test(lambda: Life(database), settings=EFFORT)
