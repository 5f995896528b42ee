"""Resources and keys, regions, suggestions, usage, payloads of jobs."""

import struct
from collections.abc import Sequence
from math import log2

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "doomed_blob",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("doomed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "resource",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("name_key", sa.String(length=256), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name_key"),
    )
    op.create_table(
        "usage",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("predictions", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month"),
    )
    op.create_table(
        "resource_key",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("ending", sa.String(length=4), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["resource_id"], ["resource.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest"),
    )
    with op.batch_alter_table("resource_key", schema=None) as batch_op:
        batch_op.create_index("resource_key_label", ["resource_id", "label"], unique=True)

    op.create_table(
        "region",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.Column("left", sa.Double(), nullable=False),
        sa.Column("top", sa.Double(), nullable=False),
        sa.Column("width", sa.Double(), nullable=False),
        sa.Column("height", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("region", schema=None) as batch_op:
        batch_op.create_index("region_image", ["image_id"], unique=False)
        batch_op.create_index("region_tag", ["tag_id"], unique=False)

    op.create_table(
        "suggestion",
        sa.Column("iteration_id", sa.Uuid(), nullable=False),
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("probabilities", sa.LargeBinary(), nullable=False),
        sa.Column("uncertainty", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["iteration_id"], ["iteration.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("iteration_id", "image_id"),
    )
    with op.batch_alter_table("suggestion", schema=None) as batch_op:
        batch_op.create_index("suggestion_uncertainty", ["iteration_id", "uncertainty", "image_id"], unique=False)

    with op.batch_alter_table("iteration", schema=None) as batch_op:
        batch_op.add_column(sa.Column("published_to", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("base_project_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("base_iteration_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("notification_address", sa.String(), nullable=True))

    with op.batch_alter_table("iteration_image", schema=None) as batch_op:
        batch_op.add_column(sa.Column("regions", sa.JSON(), nullable=False, server_default="[]"))

    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.add_column(sa.Column("payload", sa.JSON(), nullable=False, server_default="{}"))

    with op.batch_alter_table("prediction", schema=None) as batch_op:
        batch_op.add_column(sa.Column("uncertainty", sa.Double(), nullable=False, server_default="0"))
        batch_op.create_index("prediction_uncertainty", ["project_id", "uncertainty", "id"], unique=False)

    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.add_column(sa.Column("resource_id", sa.Uuid(), nullable=True))
        batch_op.create_index(batch_op.f("ix_project_resource_id"), ["resource_id"], unique=False)
    _measure_uncertainty()


def _measure_uncertainty() -> None:
    """Give the predictions stored so far their mean binary entropy, in bits."""
    prediction = sa.table("prediction", sa.column("id"), sa.column("probabilities"), sa.column("uncertainty"))
    connection = op.get_bind()
    for id, stored in connection.execute(sa.select(prediction.c.id, prediction.c.probabilities)).all():
        values = struct.unpack(f"<{len(stored) // 4}f", stored)
        parts = [p * log2(p) for value in values for p in (value, 1 - value) if 0 < p < 1]
        mean = -sum(parts) / max(len(values), 1)
        connection.execute(prediction.update().where(prediction.c.id == id).values(uncertainty=mean))


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
