"""A program that keeps its models in its own storage and listens to a queue, through Microsoft's SDK."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import pytest
from tests.azure import sdk
from tests.azure.scene import refusal
from tests.support.azurite import Storage
from tests.support.receivers import Mailbox, Site, mail_server, web_server
from tests.support.server import Server

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Told:
    """A project that was trained and exported once, and who was told what of it."""

    project: str
    iteration: str
    container: str
    messages: list[dict[str, Any]]
    mailbox: Mailbox
    events: list[dict[str, Any]]


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as mailbox:
        yield mailbox


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with web_server() as site:
        yield site


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox, site: Site) -> Iterator[Any]:
    """A client of a server that may reach this machine, its mail server and its webhook."""
    variables = {
        "FOVEAL_FETCH_ALLOWED_HOSTS": "127.0.0.1",
        "FOVEAL_SMTP_HOST": "127.0.0.1",
        "FOVEAL_SMTP_PORT": str(mailbox.port),
        "FOVEAL_SMTP_SECURITY": "none",
        "FOVEAL_SMTP_SENDER": "foveal@example.org",
        "FOVEAL_WEBHOOK_URL": f"{site.url}/hook",
        "FOVEAL_WEBHOOK_SECRET": "s3cret",
    }
    with Server(tmp_path_factory.mktemp("telling"), variables) as server, sdk.trainer_of(server) as trainer:
        yield trainer


@pytest.fixture(scope="module")
def told(trainer: Any, storage: Storage, mailbox: Mailbox, site: Site) -> Told:
    container, queue = f"models-{uuid4().hex}", f"queue-{uuid4().hex}"
    storage.new_container(container)
    storage.new_queue(queue)
    project = sdk.new_project(
        trainer,
        export_model_container_uri=storage.container_uri(container),
        notification_queue_uri=storage.queue_uri(queue),
    )
    sdk.upload(trainer, project, sdk.coloured(), sdk.new_tags(trainer, project, ("red", "blue")))
    iteration = sdk.train(trainer, project, notification_email_address="ann@example.org").id
    sdk.export(trainer, project, iteration).close()
    events = [json.loads(request.body) for request in site.about(iteration, count=2)]  # told last
    return Told(project, iteration, container, storage.messages(queue), mailbox, events)


class TestQueue:
    def test_hears_of_the_connection_the_training_and_the_export(self, told: Told) -> None:
        assert [message["type"] for message in told.messages] == ["ConnectionTest", "Training", "Export"]
        assert {message["version"] for message in told.messages} == {"1.0"}
        names = {"projectId": told.project, "iterationId": told.iteration}
        assert told.messages[1]["Content"] == {**names, "trainingStatus": "TrainingCompleted"}
        export = dict(told.messages[2]["Content"])
        assert export.pop("modelUri").endswith(f"/{told.container}/{told.project}%20-%20{told.iteration}.ONNX")
        assert export == {**names, "exportStatus": "ExportCompleted"}


class TestContainer:
    def test_holds_the_exported_model(self, told: Told, storage: Storage) -> None:
        name = f"{told.project} - {told.iteration}.ONNX"
        assert storage.files(told.container) == {"CustomVision-TestPermission", name}
        with ZipFile(BytesIO(storage.file(told.container, name))) as archive:
            assert {"model.onnx", "labels.txt"} <= set(archive.namelist())


class TestMail:
    def test_comes_at_the_end_of_the_training(self, told: Told) -> None:
        [mail] = told.mailbox.mails
        assert (mail["To"], mail["From"]) == ("ann@example.org", "foveal@example.org")
        assert mail["Subject"].endswith("completed")
        assert told.iteration in mail.get_content()


class TestWebhook:
    def test_hears_of_both_ends(self, told: Told) -> None:
        ends = [(event["type"], event["status"], event["iterationId"]) for event in told.events]
        assert ends == [("Training", "Completed", told.iteration), ("Export", "Completed", told.iteration)]


class TestProject:
    def test_tells_its_addresses_without_their_signatures(self, trainer: Any, told: Told) -> None:
        settings = trainer.get_project(told.project).settings
        for uri in (settings.export_model_container_uri, settings.notification_queue_uri):
            assert uri.endswith("sig=***")

    @pytest.mark.parametrize("setting", ["export_model_container_uri", "notification_queue_uri"])
    def test_is_not_made_with_an_address_that_does_not_work(self, trainer: Any, storage: Storage, setting: str) -> None:
        uri = {"export_model_container_uri": storage.container_uri, "notification_queue_uri": storage.queue_uri}
        count = len(trainer.get_projects())
        wrong = {setting: uri[setting]("missing").replace("sig=", "sig=x")}
        status, code, message = refusal(lambda: sdk.new_project(trainer, **wrong))
        assert (status, code) == (400, "BadRequestInvalidUri")
        assert "status 403" in message
        assert len(trainer.get_projects()) == count


class TestGone:
    def test_a_model_is_trained_and_exported_all_the_same(self, trainer: Any, storage: Storage) -> None:
        name = f"gone-{uuid4().hex}"
        storage.new_container(name)
        storage.new_queue(name)
        project = sdk.new_project(
            trainer,
            export_model_container_uri=storage.container_uri(name),
            notification_queue_uri=storage.queue_uri(name),
        )
        storage.delete_container(name)
        storage.delete_queue(name)
        sdk.upload(trainer, project, sdk.coloured(), sdk.new_tags(trainer, project, ("red", "blue")))
        iteration = sdk.train(trainer, project)
        sdk.export(trainer, project, iteration.id).close()
