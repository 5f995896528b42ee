"""What becomes news, for whom, and how it is put."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from foveal.db.engine import Sessions
from foveal.db.tables import Export, Iteration, Job, Project
from foveal.errors import Conflict
from foveal.services import jobs
from foveal.services.jobs import Claim
from foveal.services.notifications import News

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LEASE = timedelta(seconds=10)
QUEUE = {"notification_queue_uri": "https://a.queue.core.windows.net/q?sig=x"}
CONTAINER = {"export_model_container_uri": "https://a.blob.core.windows.net/c?sig=x"}
NEWS = News(type="Training", project_id="p-id", project="p", iteration_id="i-id", iteration="i")
EXPORT_NEWS = replace(NEWS, type="Export", export_id="e-id", platform="ONNX")


@pytest.fixture
def claim_of(sessions: Sessions) -> Callable[..., Claim]:
    """Make a project and an iteration that ask to be told, and claim a job about the iteration."""

    def make(kind: str, *, address: str | None = None, webhook: bool = False, **asks: Any) -> Claim:
        moments = {"created_at": NOW, "last_modified_at": NOW}
        with sessions.write.begin() as session:
            project = Project(name="p", name_key="p", domain_id=uuid4(), workspace_created_at=NOW, **moments, **asks)
            session.add(project)
            session.flush()
            iteration = Iteration(
                project_id=project.id,
                name="i",
                name_key="i",
                status="Training" if kind == jobs.TRAIN else "Completed",
                started_at=NOW,
                domain_id=project.domain_id,
                training_type="Regular",
                notification_address=address,
                data_digest="0" * 64,
                **moments,
            )
            session.add(iteration)
            session.flush()
            export = Export(iteration_id=iteration.id, platform="ONNX", status="Exporting", created_at=NOW)
            session.add(export)
            session.flush()
            subject = iteration if kind == jobs.TRAIN else export
            jobs.enqueue(session, kind, project_id=project.id, subject_id=subject.id, now=NOW)
            claim = jobs.claim(session, worker="w", now=NOW, lease=LEASE, webhook=webhook)
            assert claim is not None
            return claim

    return make


def told(sessions: Sessions) -> list[tuple[UUID, News]]:
    """Return the news that wait to be told, and of which job."""
    with sessions.read.begin() as session:
        found = session.scalars(select(Job).where(Job.kind == jobs.NOTIFY))
        return [(job.subject_id, News.from_payload(job.payload)) for job in found]


def finish(session: Session, claim: Claim) -> None:
    jobs.finish(session, claim, now=NOW)


def fail(session: Session, claim: Claim) -> None:
    jobs.fail(session, claim, now=NOW, error="no room")


class TestWhoIsTold:
    @pytest.mark.parametrize(
        ("kind", "asks"),
        [
            (jobs.TRAIN, QUEUE),
            (jobs.TRAIN, {"address": "ann@example.org"}),
            (jobs.TRAIN, {"webhook": True}),
            (jobs.EXPORT, QUEUE),
            (jobs.EXPORT, CONTAINER),
            (jobs.EXPORT, {"webhook": True}),
        ],
    )
    def test_any_who_asked(self, sessions: Sessions, claim_of: Any, kind: str, asks: dict[str, Any]) -> None:
        claim = claim_of(kind, **asks)
        with sessions.write.begin() as session:
            finish(session, claim)
        [(job_id, news)] = told(sessions)
        assert (job_id, news.error) == (claim.job_id, None)

    @pytest.mark.parametrize(
        ("kind", "asks"),
        [(jobs.TRAIN, {}), (jobs.TRAIN, CONTAINER), (jobs.EXPORT, {}), (jobs.EXPORT, {"address": "ann@example.org"})],
    )
    def test_nobody_else(self, sessions: Sessions, claim_of: Any, kind: str, asks: dict[str, Any]) -> None:
        claim = claim_of(kind, **asks)
        with sessions.write.begin() as session:
            finish(session, claim)
        assert told(sessions) == []

    def test_a_container_gets_no_file_of_a_failed_export(self, sessions: Sessions, claim_of: Any) -> None:
        claim = claim_of(jobs.EXPORT, **CONTAINER)
        with sessions.write.begin() as session:
            fail(session, claim)
        assert told(sessions) == []


class TestWhen:
    def test_a_failure_is_told_with_its_reason(self, sessions: Sessions, claim_of: Any) -> None:
        claim = claim_of(jobs.TRAIN, address="ann@example.org")
        with sessions.write.begin() as session:
            fail(session, claim)
        [(_, news)] = told(sessions)
        assert (news.error, news.address, news.outcome) == ("no room", "ann@example.org", "Failed")

    def test_so_is_a_job_that_is_given_up(self, sessions: Sessions, claim_of: Any) -> None:
        claim_of(jobs.TRAIN, webhook=True)
        for attempt in (1, 2):
            with sessions.write.begin() as session:
                jobs.claim(session, worker="w", now=NOW + attempt * LEASE * 2, lease=LEASE)
        [(_, news)] = told(sessions)
        assert "cut off 2 times" in str(news.error)

    def test_and_one_whose_worker_broke_off_for_the_last_time(self, sessions: Sessions, claim_of: Any) -> None:
        claim_of(jobs.EXPORT, **QUEUE)
        with sessions.write.begin() as session:
            last = jobs.claim(session, worker="w", now=NOW + LEASE * 2, lease=LEASE)
            assert last is not None
            jobs.abandon(session, last, now=NOW, reason="no memory")
        [(_, news)] = told(sessions)
        assert news.error == "no memory"

    def test_only_once_the_end_is_recorded(self, sessions: Sessions, claim_of: Any) -> None:
        claim = claim_of(jobs.TRAIN, **QUEUE)
        with sessions.write() as session:
            finish(session, claim)
            session.rollback()
        assert told(sessions) == []

    def test_not_by_a_worker_that_lost_its_claim(self, sessions: Sessions, claim_of: Any) -> None:
        claim = claim_of(jobs.TRAIN, **QUEUE)
        with pytest.raises(Conflict), sessions.write.begin() as session:
            finish(session, replace(claim, number=2))
        assert told(sessions) == []

    def test_telling_that_fails_is_no_news_and_spoils_nothing(self, sessions: Sessions, claim_of: Any) -> None:
        claim = claim_of(jobs.EXPORT, **QUEUE)
        with sessions.write.begin() as session:
            finish(session, claim)
            session.scalars(select(Export)).one().status = "Done"
        with sessions.write.begin() as session:
            telling = jobs.claim(session, worker="w", now=NOW, lease=LEASE, webhook=True)
            assert telling is not None
            fail(session, telling)
        assert len(told(sessions)) == 1
        with sessions.read.begin() as session:
            assert session.scalars(select(Export)).one().status == "Done"


class TestMessage:
    def test_of_a_training(self) -> None:
        content = {"projectId": "p-id", "iterationId": "i-id", "trainingStatus": "TrainingCompleted"}
        assert NEWS.message(None) == {"version": "1.0", "type": "Training", "Content": content}
        assert replace(NEWS, error="x").message(None)["Content"]["trainingStatus"] == "TrainingFailed"

    @pytest.mark.parametrize("address", ["https://h/c/p-id%20-%20i-id.ONNX", None])
    def test_of_an_export(self, address: str | None) -> None:
        content = {"projectId": "p-id", "iterationId": "i-id", "exportStatus": "ExportCompleted", "modelUri": address}
        assert EXPORT_NEWS.message(address) == {"version": "1.0", "type": "Export", "Content": content}
        assert replace(EXPORT_NEWS, error="x").message(None)["Content"]["exportStatus"] == "ExportFailed"


class TestEvent:
    def test_names_what_it_is_about(self) -> None:
        event = NEWS.event(UUID(int=1), None)
        assert event == {
            "id": str(UUID(int=1)),
            "type": "Training",
            "status": "Completed",
            "projectId": "p-id",
            "projectName": "p",
            "iterationId": "i-id",
            "iterationName": "i",
            "error": None,
        }

    def test_of_an_export_names_the_file(self) -> None:
        event = replace(EXPORT_NEWS, flavor="ONNX12").event(UUID(int=1), "https://h/c/f")
        assert (event["platform"], event["flavor"], event["modelUri"]) == ("ONNX", "ONNX12", "https://h/c/f")


class TestText:
    def test_says_what_a_person_wants_to_know(self) -> None:
        failed = replace(NEWS, error="no room")
        assert failed.subject == "Foveal: training of i in p failed"
        assert "Reason: no room" in failed.text("https://vision.example.org")
        assert "https://vision.example.org" in failed.text("https://vision.example.org")
        assert "Reason" not in NEWS.text("")

    def test_the_file_has_the_name_that_azure_gives_it(self) -> None:
        assert EXPORT_NEWS.blob_name == "p-id - i-id.ONNX"
