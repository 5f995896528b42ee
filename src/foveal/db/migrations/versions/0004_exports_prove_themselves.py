"""Exports keep their certificate, their size and the version of what wrote them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("export", schema=None) as batch_op:
        # What an earlier version wrote has no certificate: 0 lets clients export it again.
        batch_op.add_column(sa.Column("exporter_version", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("size_bytes", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("certificate", sa.JSON(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
