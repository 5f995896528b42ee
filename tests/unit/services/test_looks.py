"""Looks: at most one on its way for a project, the untagged pictures first."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import func, select
from tests.support.queue import NOW

from foveal.db.engine import Sessions
from foveal.db.tables import Image, ImageTag, Job, Project, Tag
from foveal.engine import backbones
from foveal.services import embeddings, jobs, looks, projects
from foveal.services.projects import Draft

BACKBONE = backbones.find()


@pytest.fixture
def project_id(sessions: Sessions) -> UUID:
    """A project of three images, from the oldest to the newest named 0, 1 and 2; the newest is tagged."""
    with sessions.write.begin() as session:
        project = projects.create(session, Draft(name="p"), now=NOW)
        made = [
            Image(
                project_id=project.id,
                digest=str(at),
                width=256,
                height=256,
                rendered=False,
                created_at=NOW + timedelta(seconds=at),
            )
            for at in range(3)
        ]
        tag = Tag(project_id=project.id, name="t", name_key="t", created_at=NOW)
        session.add_all([*made, tag])
        session.flush()
        session.add(ImageTag(image_id=made[-1].id, tag_id=tag.id, created_at=NOW))
        return project.id


def ask(sessions: Sessions, project_id: UUID, *, seconds: int = 0) -> bool:
    with sessions.write.begin() as session:
        moment = NOW + timedelta(seconds=seconds)
        return looks.ask(session, session.get_one(Project, project_id), BACKBONE, now=moment)


def see(sessions: Sessions, *digests: str) -> None:
    with sessions.write.begin() as session:
        embeddings.add(session, BACKBONE, {digest: np.zeros(BACKBONE.dimension, np.float32) for digest in digests})


def end(sessions: Sessions, *, error: str = "") -> None:
    with sessions.write.begin() as session:
        claim = jobs.claim(session, worker="w", now=NOW, lease=timedelta(seconds=60))
        assert claim is not None
        if error:
            jobs.fail(session, claim, now=NOW, error=error)
        else:
            jobs.finish(session, claim, now=NOW)


class TestAsk:
    def test_one_is_on_its_way_at_a_time(self, sessions: Sessions, project_id: UUID) -> None:
        assert [ask(sessions, project_id), ask(sessions, project_id)] == [True, False]
        end(sessions)
        assert ask(sessions, project_id, seconds=1)

    def test_many_who_ask_at_once_get_one_job(self, sessions: Sessions, project_id: UUID) -> None:
        with ThreadPoolExecutor(4) as pool:
            asked = list(pool.map(lambda _: ask(sessions, project_id), range(8)))
        assert sum(asked) == 1
        with sessions.read.begin() as session:
            assert session.scalar(select(func.count()).select_from(Job)) == 1

    def test_a_failed_one_is_tried_again_after_a_pause(self, sessions: Sessions, project_id: UUID) -> None:
        ask(sessions, project_id)
        end(sessions, error="broken")
        pause = int(looks.PAUSE.total_seconds())
        assert not ask(sessions, project_id, seconds=pause - 1)
        assert ask(sessions, project_id, seconds=pause + 1)

    def test_nothing_is_enqueued_when_all_is_seen(self, sessions: Sessions, project_id: UUID) -> None:
        see(sessions, "0", "1", "2")
        assert not ask(sessions, project_id)


class TestBatch:
    def test_untagged_ones_come_first_then_the_newest(self, sessions: Sessions, project_id: UUID) -> None:
        with sessions.read.begin() as session:
            found = looks.batch(session, session.get_one(Project, project_id), BACKBONE, most=9)
            assert [image.digest for image in found] == ["1", "0", "2"]

    def test_what_is_seen_or_deleted_is_left_out(self, sessions: Sessions, project_id: UUID) -> None:
        see(sessions, "1")
        with sessions.write.begin() as session:
            session.scalars(select(Image).where(Image.digest == "2")).one().deleted_at = NOW
        with sessions.read.begin() as session:
            found = looks.batch(session, session.get_one(Project, project_id), BACKBONE, most=9)
            assert [image.digest for image in found] == ["0"]


class TestGoOn:
    def test_goes_on_while_pictures_are_left(self, sessions: Sessions, project_id: UUID) -> None:
        def go_on() -> int:
            with sessions.write.begin() as session:
                looks.go_on(session, session.get_one(Project, project_id), BACKBONE, now=NOW)
                return session.scalar(select(func.count()).select_from(Job)) or 0

        see(sessions, "1")
        assert go_on() == 1
        see(sessions, "0", "2")
        assert go_on() == 1
