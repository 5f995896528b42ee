"""Telling the news to those who listen, and to those who do not."""

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from tests.support.azurite import Storage
from tests.support.flows import fill, make_project
from tests.support.receivers import Mailbox, Site, mail_server, web_server

from foveal.db.engine import Sessions
from foveal.db.tables import Job, Project
from foveal.errors import Invalid
from foveal.jobs import child
from foveal.jobs.local import LocalExecutor
from foveal.jobs.worker import open_crew, open_workshop
from foveal.jobs.workshop import Workshop
from foveal.outbound.mail import Smtp
from foveal.outbound.webhook import Webhook
from foveal.services import jobs
from foveal.services.notifications import News
from foveal.settings import Settings

NOBODY = "http://127.0.0.1:1/nobody"
PATIENCE_SECONDS = 60


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, fetch_allowed_hosts=frozenset({"127.0.0.1"}))


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as mailbox:
        yield mailbox


@pytest.fixture
def site() -> Iterator[Site]:
    with web_server() as site:
        yield site


@pytest.fixture
def workshop(settings: Settings, api: Any, mailbox: Mailbox, site: Site) -> Iterator[Workshop]:
    """A workshop that knows a mail server and a webhook, and tries everything twice."""
    del api  # makes the database
    smtp = Smtp(host="127.0.0.1", port=mailbox.port, user="", password="", security="none", sender="foveal@example.org")
    hook = Webhook(f"{site.url}/hook", "s3cret")
    workshop = replace(open_workshop(settings), smtp=smtp, webhook=hook, retry_pauses_seconds=(0,))
    yield workshop
    workshop.sessions.engine.dispose()


def work(workshop: Workshop) -> None:
    """Do all open jobs."""
    while True:
        with workshop.sessions.write.begin() as session:
            hears = workshop.webhook is not None
            now = datetime.now(UTC)
            claim = jobs.claim(session, worker="test", now=now, lease=timedelta(seconds=60), webhook=hears)
        if claim is None:
            return
        child.perform(workshop, claim)


@dataclass(frozen=True)
class Told:
    """How a telling ended."""

    status: str
    error: str | None


@pytest.fixture
def enqueue(workshop: Workshop, api: Any) -> Callable[..., None]:
    """Have news wait to be told, about a project with these addresses."""
    project_id = UUID(make_project(api))

    def enqueue(news: dict[str, Any], **addresses: str) -> None:
        facts = {"type": "Training", "project": "fruit", "iteration": "Iteration 1", "iteration_id": str(uuid4())}
        payload = News(**{**facts, "project_id": str(project_id), **news}).payload()
        with workshop.sessions.write.begin() as session:
            project = session.get_one(Project, project_id)
            for name, value in addresses.items():
                setattr(project, name, value)
            jobs.enqueue(
                session, jobs.NOTIFY, project_id=project_id, subject_id=uuid4(), now=datetime.now(UTC), payload=payload
            )

    return enqueue


@pytest.fixture
def tell(workshop: Workshop, enqueue: Callable[..., None]) -> Callable[..., Told]:
    """Have news told, and see how it went."""

    def tell(news: dict[str, Any], *, workshop: Workshop = workshop, **addresses: str) -> Told:
        enqueue(news, **addresses)
        work(workshop)
        return outcome(workshop)

    return tell


def outcome(workshop: Workshop) -> Told:
    with workshop.sessions.read.begin() as session:
        job = session.scalars(select(Job).where(Job.kind == jobs.NOTIFY)).one()
        return Told(job.status, job.error)


class TestMail:
    def test_reaches_the_person(self, tell: Any, mailbox: Mailbox) -> None:
        assert tell({"address": "ann@example.org"}).status == "done"
        [mail] = mailbox.mails
        assert (mail["To"], mail["Subject"]) == (
            "ann@example.org",
            "Foveal: training of Iteration 1 in fruit completed",
        )

    @pytest.mark.slow
    def test_without_a_mail_server_is_one_warning_and_no_failure(
        self, enqueue: Any, workshop: Workshop, settings: Settings, capfd: pytest.CaptureFixture[str]
    ) -> None:
        enqueue({"address": "ann@example.org"})
        with workshop.sessions.write.begin() as session:
            claim = jobs.claim(session, worker="test", now=datetime.now(UTC), lease=timedelta(seconds=60))
        assert claim is not None
        handle = LocalExecutor({**settings.environment(), "FOVEAL_LOG_LEVEL": "warning"}).start(claim)
        assert handle.wait(PATIENCE_SECONDS) == 0
        handle.stop()
        assert outcome(workshop).status == "done"
        [line] = capfd.readouterr().err.splitlines()
        assert "no e-mail sent: FOVEAL_SMTP_HOST is not set" in line


class TestFailures:
    def test_one_keeps_no_other_from_being_told(self, tell: Any, mailbox: Mailbox, site: Site) -> None:
        news = {"address": "ann@example.org", "type": "Export", "export_id": str(uuid4()), "platform": "ONNX"}
        addresses = {"export_model_container_uri": NOBODY, "notification_queue_uri": f"{site.url}/queue?sig=s3cr3t"}
        told = tell(news, **addresses)
        assert told.status == "failed"
        assert "container: There is no blob exports/" in str(told.error)
        assert [request.path for request in site.requests] == ["/queue/messages?sig=s3cr3t", "/hook"]
        assert len(mailbox.mails) == 1

    def test_each_is_tried_again_and_named_in_the_end(self, tell: Any, mailbox: Mailbox, site: Site) -> None:
        site.status, mailbox.refuses = 503, True
        told = tell({"address": "ann@example.org"}, notification_queue_uri=f"{site.url}/queue?sig=s3cr3t")
        assert [request.path for request in site.requests] == ["/queue/messages?sig=s3cr3t", "/hook"] * 2
        for reason in ("queue: ", "webhook: ", "e-mail: ", "status 503", "We take nothing"):
            assert reason in str(told.error)
        assert "s3cr3t" not in str(told.error)

    def test_a_second_try_may_succeed(self, tell: Any, site: Site) -> None:
        site.stumbles = 1
        assert tell({}).status == "done"
        assert [request.path for request in site.requests] == ["/hook"] * 2

    def test_who_was_told_is_not_told_again(self, tell: Any, mailbox: Mailbox, site: Site) -> None:
        mailbox.refuses = True
        told = tell({"address": "ann@example.org"}, notification_queue_uri=f"{site.url}/queue")
        assert told.status == "failed"
        assert [request.path for request in site.requests] == ["/queue/messages", "/hook"]

    def test_the_worker_goes_on_with_other_jobs_meanwhile(
        self, enqueue: Any, workshop: Workshop, api: Any, site: Site
    ) -> None:
        site.status = 503
        enqueue({})
        work(replace(workshop, retry_pauses_seconds=(3600,)))
        assert outcome(workshop).status == "queued"
        with workshop.sessions.read.begin() as session:
            now = datetime.now(UTC)
            assert not jobs.any_due(session, now=now)
            assert jobs.any_due(session, now=now + timedelta(hours=1))
        project = make_project(api, "another", classificationType="Multiclass")
        fill(api, project)
        iteration = api.ok("POST", f"/projects/{project}/train")["id"]
        work(replace(workshop, webhook=None))
        assert api.ok("GET", f"/projects/{project}/iterations/{iteration}")["status"] == "Completed"

    def test_an_inside_address_is_not_asked(self, tell: Any, workshop: Workshop, site: Site) -> None:
        careful = replace(workshop.fetch_policy, allowed_hosts=frozenset())
        told = tell({}, workshop=replace(workshop, fetch_policy=careful), notification_queue_uri=f"{site.url}/queue")
        assert "FOVEAL_FETCH_ALLOWED_HOSTS" in str(told.error)
        assert site.requests == []


class TestSettings:
    @pytest.mark.parametrize(
        ("wrong", "named"),
        [
            ({"smtp_host": "mail.example.org"}, "FOVEAL_SMTP_SENDER"),
            ({"smtp_host": "h", "smtp_user": "ann@example.org", "smtp_security": "ssl"}, "FOVEAL_SMTP_SECURITY"),
            ({"webhook_url": "https://example.org/hook"}, "FOVEAL_WEBHOOK_SECRET"),
        ],
    )
    def test_a_mistake_shows_at_the_start(
        self, settings: Settings, sessions: Sessions, wrong: dict[str, str], named: str
    ) -> None:
        with pytest.raises(Invalid, match=named):
            open_crew(replace(settings, **wrong), sessions)


@pytest.mark.slow
class TestFromEndToEnd:
    @pytest.fixture
    def name(self, storage: Storage) -> str:
        """A new container and a new queue of this name."""
        name = f"n{uuid4().hex}"
        storage.new_container(name)
        storage.new_queue(name)
        return name

    @pytest.fixture
    def project(self, api: Any, storage: Storage, name: str) -> str:
        addresses = {
            "exportModelContainerUri": storage.container_uri(name),
            "notificationQueueUri": storage.queue_uri(name),
        }
        project = api.ok("POST", "/projects", params={"name": "fruit"}, json=addresses)["id"]
        storage.messages(name)
        fill(api, project)
        return project

    def train(self, api: Any, workshop: Workshop, project: str, **query: str) -> str:
        iteration = api.ok("POST", f"/projects/{project}/train", params=query)["id"]
        work(workshop)
        return iteration

    def test_a_training_is_told_to_the_queue(
        self, api: Any, workshop: Workshop, project: str, storage: Storage, name: str
    ) -> None:
        iteration = self.train(api, workshop, project)
        content = {"projectId": project, "iterationId": iteration, "trainingStatus": "TrainingCompleted"}
        assert storage.messages(name) == [{"version": "1.0", "type": "Training", "Content": content}]

    def test_and_to_the_person_and_the_webhook(
        self, api: Any, workshop: Workshop, project: str, mailbox: Mailbox, site: Site
    ) -> None:
        iteration = self.train(api, workshop, project, notificationEmailAddress="ann@example.org")
        assert mailbox.recipients == ["ann@example.org"]
        assert [json.loads(request.body)["iterationId"] for request in site.requests] == [iteration]

    def test_an_exported_model_is_put_into_the_container(
        self, api: Any, workshop: Workshop, project: str, storage: Storage, name: str
    ) -> None:
        path = f"/projects/{project}/iterations/{self.train(api, workshop, project)}/export"
        api.ok("POST", path, params={"platform": "ONNX"})
        work(workshop)
        _, message = storage.messages(name)
        file = f"{project} - {message['Content']['iterationId']}.ONNX"
        assert message["Content"]["exportStatus"] == "ExportCompleted"
        assert message["Content"]["modelUri"] == f"{storage.blobs}/{name}/{file.replace(' ', '%20')}"
        assert storage.files(name) == {"CustomVision-TestPermission", file}
        assert "model.onnx" in zipfile.ZipFile(BytesIO(storage.file(name, file))).namelist()

    def test_a_container_that_is_gone_leaves_the_export_and_the_message(
        self, api: Any, workshop: Workshop, project: str, storage: Storage, name: str
    ) -> None:
        iteration = self.train(api, workshop, project)
        storage.delete_container(name)
        api.ok("POST", f"/projects/{project}/iterations/{iteration}/export", params={"platform": "ONNX"})
        work(workshop)
        assert api.ok("GET", f"/projects/{project}/iterations/{iteration}/export")[0]["status"] == "Done"
        _, message = storage.messages(name)
        assert (message["Content"]["exportStatus"], message["Content"]["modelUri"]) == ("ExportCompleted", None)
        with workshop.sessions.read.begin() as session:
            errors = [job.error or "" for job in session.scalars(select(Job).where(Job.status == "failed"))]
        assert ["container" in error and "status 404" in error for error in errors] == [True]

    def test_a_queue_that_is_gone_leaves_the_training(
        self, api: Any, workshop: Workshop, project: str, storage: Storage, name: str, site: Site
    ) -> None:
        storage.delete_queue(name)
        iteration = self.train(api, workshop, project)
        assert api.ok("GET", f"/projects/{project}/iterations/{iteration}")["status"] == "Completed"
        assert len(site.requests) == 1
