"""The migrations and the tables agree."""

import struct
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text
from tests.support import postgres

from foveal.db.engine import Sessions, connect, upgrade
from foveal.db.tables import IterationImage, Job, Prediction, Project, Table


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'foveal.db'}"
    return postgres.new_database(request.getfixturevalue("postgres_server"))


def test_autogenerate_finds_nothing_to_change(empty: str) -> None:
    engine = connect(empty)
    upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []
    engine.dispose()


def test_a_second_upgrade_changes_nothing(sessions: Sessions) -> None:
    upgrade(sessions.engine)
    with sessions.engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == "0004"


def test_what_an_older_version_stored_is_still_there(empty: str) -> None:
    engine = connect(empty)
    upgrade(engine, to="0001")
    ids = [uuid4().hex for _ in range(4)]
    project, iteration, image, prediction = ids
    halves = struct.pack("<2f", 0.5, 1.0)
    with engine.begin() as connection:
        for table, values in (
            (
                "project",
                {
                    "id": project,
                    "name": "p",
                    "name_key": "p",
                    "description": "",
                    "domain_id": project,
                    "target_export_platforms": "[]",
                    "augmentation_methods": "{}",
                    "status": "Succeeded",
                    **times("created_at", "last_modified_at", "workspace_created_at"),
                    "iterations_started": 1,
                },
            ),
            (
                "image",
                {
                    "id": image,
                    "project_id": project,
                    "digest": "d",
                    "width": 1,
                    "height": 1,
                    "rendered": False,
                    "attributes": "{}",
                    **times("created_at"),
                },
            ),
            (
                "iteration",
                {
                    "id": iteration,
                    "project_id": project,
                    "name": "i",
                    "name_key": "i",
                    "status": "Completed",
                    **times("created_at", "started_at", "last_modified_at"),
                    "domain_id": project,
                    "training_type": "Regular",
                    "reserved_budget_hours": 0,
                    "data_digest": "d",
                    "metrics": "{}",
                },
            ),
            ("iteration_image", {"iteration_id": iteration, "image_id": image, "positions": "[0]"}),
            (
                "prediction",
                {
                    "id": prediction,
                    "project_id": project,
                    "iteration_id": iteration,
                    "digest": "d",
                    "width": 1,
                    "height": 1,
                    "rendered": False,
                    "probabilities": halves,
                    **times("created_at"),
                },
            ),
            (
                "job",
                {
                    "id": uuid4().hex,
                    "kind": "train",
                    "project_id": project,
                    "subject_id": iteration,
                    "status": "queued",
                    "attempts": 1,
                    "stage": "",
                    "progress": 0.0,
                    **times("created_at"),
                },
            ),
        ):
            columns, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
            connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({marks})"), values)
    upgrade(engine)
    with Sessions(engine).read.begin() as session:
        assert session.scalars(select(Project.name)).all() == ["p"]
        assert session.scalars(select(IterationImage.regions)).all() == [[]]
        assert session.scalars(select(Prediction.uncertainty)).all() == [0.5]
        assert session.scalars(select(Job.payload)).all() == [{}]
        [job] = session.scalars(select(Job))
        assert (job.queued_at, job.claims, job.details) == (job.created_at, job.attempts, {})
    engine.dispose()


def times(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "2026-01-02 03:04:05")
