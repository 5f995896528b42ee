"""The life of iterations: whatever the order of calls, the promises hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select
from sqlalchemy.orm import Session

from foveal.app import open_database
from foveal.db.tables import Image, Iteration, IterationImage, Project
from foveal.errors import Invalid
from foveal.services import image_tags, images, iterations, jobs, projects, tags
from foveal.services.iterations import Order, Publication
from foveal.services.pictures import Arrival, Entry, Picture
from foveal.services.projects import Draft
from foveal.services.tags import TagDraft
from foveal.settings import Settings

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Life(RuleBasedStateMachine):
    """Trains, publishes, unpublishes, deletes images and iterations in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.sessions = open_database(Settings(data=Path(self.folder.name)))
        self.now = NOW
        self.pictures = 0

    def teardown(self) -> None:
        self.sessions.engine.dispose()
        self.folder.cleanup()

    @contextmanager
    def write(self) -> Iterator[Session]:
        self.now += timedelta(seconds=1)
        with self.sessions.write.begin() as session:
            yield session

    @initialize()
    def begin(self) -> None:
        with self.write() as session:
            project = projects.create(session, Draft(name="p", classification_type="Multiclass"), now=self.now)
            self.project_id = project.id
            for name in ("a", "b"):
                tags.create(session, project, TagDraft(name=name), now=self.now)
        for tag in (0, 1):
            for _ in range(5):
                self.add(tag)

    @rule(tag=st.integers(0, 1))
    def add(self, tag: int) -> None:
        self.pictures += 1
        with self.write() as session:
            project = session.get_one(Project, self.project_id)
            ids = [found.id for found in tags.every(session, project)]
            picture = Picture(f"{self.pictures:064d}", 256, 256, rendered=False)
            arrival = Arrival(Entry("x", (ids[tag],)), "OK", picture)
            images.create(session, project, [arrival], pairs=None, now=self.now)

    @rule(ends_well=st.booleans(), force=st.booleans())
    def train(self, *, ends_well: bool, force: bool) -> None:
        with self.write() as session:
            project = session.get_one(Project, self.project_id)
            try:
                iteration = iterations.start(session, project, Order(force=force), now=self.now)
            except Invalid:
                return
            claim = jobs.claim(session, worker="w", now=self.now, lease=timedelta(seconds=9))
            assert claim is not None
            if ends_well:
                jobs.finish(session, claim, now=self.now)
                iterations.complete(session, iteration, metrics={}, now=self.now)
            else:
                jobs.fail(session, claim, now=self.now, error="bad luck")

    @rule(which=st.integers(0, 9), name=st.sampled_from(["m", "n"]), overwrite=st.booleans())
    def publish(self, which: int, name: str, *, overwrite: bool) -> None:
        with self.write() as session:
            project, id = self.chosen(session, which)
            if id is None:
                return
            try:
                iteration = iterations.completed(session, project, id)
                iterations.publish(
                    session, project, iteration, Publication(name=name, resource_id="r", overwrite=overwrite)
                )
            except Invalid:
                return

    @rule(which=st.integers(0, 9))
    def unpublish(self, which: int) -> None:
        with self.write() as session:
            project, id = self.chosen(session, which)
            iteration = None if id is None else iterations.get(session, project, id)
            if iteration is not None and iteration.publish_name is not None:
                iterations.unpublish(session, iteration)

    @rule(which=st.integers(0, 9))
    def delete(self, which: int) -> None:
        with self.write() as session:
            project, id = self.chosen(session, which)
            iteration = None if id is None else iterations.get(session, project, id)
            if iteration is not None and iteration.publish_name is None:
                iterations.delete(session, project, iteration)

    @rule(skip=st.integers(0, 20), everywhere=st.booleans())
    def delete_image(self, skip: int, *, everywhere: bool) -> None:
        with self.write() as session:
            project = session.get_one(Project, self.project_id)
            for image in images.find(session, project, images.Filter(), take=1, skip=skip):
                images.remove(session, project, [image.id], all_iterations=everywhere, now=self.now)

    @invariant()
    def names_and_ends_are_true(self) -> None:
        with self.sessions.read.begin() as session:
            found = list(session.scalars(select(Iteration)))
            published = [row.publish_name for row in found if row.publish_name]
            assert len(published) == len(set(published))
            assert all(row.status == "Completed" for row in found if row.publish_name)
            assert all(row.status in {"Completed", "Failed"} for row in found)
            assert all((row.trained_at is not None) == (row.status == "Completed") for row in found)

    @invariant()
    def an_image_is_kept_exactly_as_long_as_somebody_holds_it(self) -> None:
        with self.sessions.read.begin() as session:
            held = set(session.scalars(select(IterationImage.image_id)))
            for image in session.scalars(select(Image)):
                assert image.deleted_at is None or image.id in held
                borne = image_tags.of_images(session, [image]).get(image.id, [])
                assert len(borne) == (1 if image.deleted_at is None else 0)

    def chosen(self, session: Session, which: int) -> tuple[Project, UUID | None]:
        project = session.get_one(Project, self.project_id)
        ids = [iteration.id for iteration in iterations.every(session, project)]
        return project, ids[which % len(ids)] if ids else None


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
