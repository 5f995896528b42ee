"""Sessions on SQLite and PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from foveal.db.engine import Sessions, connect
from foveal.db.tables import Project
from foveal.errors import Invalid

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def new(name: str) -> Project:
    return Project(
        name=name,
        name_key=name,
        domain_id=uuid4(),
        created_at=NOW,
        last_modified_at=NOW,
        workspace_created_at=NOW,
    )


def count_up(sessions: Sessions) -> None:
    with sessions.write.begin() as session:
        project = session.scalars(select(Project).with_for_update()).one()
        project.iterations_started += 1


class TestConnect:
    @pytest.mark.parametrize(
        ("url", "message"),
        [("no url", "FOVEAL_DATABASE_URL is no database URL"), ("mysql+mysqldb://h/d", "MySQLdb is not installed")],
    )
    def test_tells_what_is_wrong_with_the_url(self, url: str, message: str) -> None:
        with pytest.raises(Invalid, match=message):
            connect(url)


class TestSessions:
    def test_writers_that_read_first_take_turns(self, sessions: Sessions) -> None:
        with sessions.write.begin() as session:
            session.add(new("one"))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: count_up(sessions), range(40)))
        with sessions.read.begin() as session:
            assert session.scalars(select(Project.iterations_started)).one() == 40

    def test_a_reader_does_not_wait_for_a_writer(self, sessions: Sessions) -> None:
        with sessions.write.begin() as writer:
            writer.add(new("one"))
            writer.flush()
            with sessions.read.begin() as reader:
                assert reader.scalars(select(Project)).all() == []

    def test_moments_come_back_in_utc(self, sessions: Sessions) -> None:
        with sessions.write.begin() as session:
            session.add(new("one"))
        with sessions.read.begin() as session:
            assert session.scalars(select(Project.created_at)).one() == NOW

    def test_sqlite_is_durable_and_keeps_its_references(self, sessions: Sessions) -> None:
        if sessions.engine.dialect.name != "sqlite":
            return
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30000}
        with sessions.read.begin() as session:
            for name, value in wanted.items():
                assert session.execute(text(f"PRAGMA {name}")).scalar() == value
