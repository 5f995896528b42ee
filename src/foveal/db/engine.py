"""Engine and sessions for SQLite and PostgreSQL, and the migrations that build the tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session, sessionmaker

from foveal.db.tables import Table
from foveal.errors import Invalid

BUSY_TIMEOUT_MS = 30_000
INSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
MIGRATIONS = Path(__file__).parent / "migrations"


class Sessions:
    """Make sessions of two kinds, so that a reader never waits for a writer.

    SQLite takes its single write lock when a writing transaction begins, not at its first write: a transaction that
    read first and writes later could fail at once instead of waiting (SQLITE_BUSY_SNAPSHOT).
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.read: sessionmaker[Session] = sessionmaker(engine)
        self.write: sessionmaker[Session] = sessionmaker(engine.execution_options(writes=True))


def connect(url: str) -> Engine:
    """Return an engine; for SQLite with its folder made, write-ahead log, foreign keys and a busy timeout.

    Raises:
        Invalid: The URL cannot be read, or the driver of its database is not installed.
    """
    try:
        return _engine(make_url(url))
    except ArgumentError as error:
        raise Invalid(f"FOVEAL_DATABASE_URL is no database URL: {error}.") from error
    except ModuleNotFoundError as error:
        raise Invalid(
            f"{error.name} is not installed: pip install 'foveal[postgres]' brings what PostgreSQL needs."
        ) from error


def insert_into(session: Session, table: type[Table]) -> Any:
    """Return an insert of the session's own dialect, which knows what to do about a row that is there already."""
    return INSERT[session.get_bind().dialect.name](table)


def upgrade(engine: Engine, *, to: str = "head") -> None:
    """Bring the tables to the newest version, or one named; safe when several processes start together."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(8350)")
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def _engine(parsed: URL) -> Engine:
    if parsed.get_backend_name() != "sqlite":
        drivername = "postgresql+psycopg" if parsed.drivername == "postgresql" else parsed.drivername
        return create_engine(parsed.set(drivername=drivername), pool_pre_ping=True, pool_size=10, max_overflow=40)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, pool_size=10, max_overflow=40, connect_args={"check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN is late; ours is in _begin_sqlite
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",  # an answer is given only for what survives a power cut
        "foreign_keys = ON",
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
