"""The migrations and the tables agree."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from foveal.db.engine import Sessions, upgrade
from foveal.db.tables import Table


def test_autogenerate_finds_nothing_to_change(sessions: Sessions) -> None:
    with sessions.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []


def test_a_second_upgrade_changes_nothing(sessions: Sessions) -> None:
    upgrade(sessions.engine)
    with sessions.engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == "0002"
