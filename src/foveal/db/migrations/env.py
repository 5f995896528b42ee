"""Alembic environment: runs on the connection it is given by `foveal.db.engine.upgrade`."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from foveal.db.tables import Table, UtcTime


def render(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Write our own column type as the plain one beneath, so that old migrations never need today's code."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
    render_item=render,
    transactional_ddl=False,
)
context.run_migrations()
