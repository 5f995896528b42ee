"""Test sets: images that a person sets aside to judge models by; no model learns from them.

An image belongs to the test set by a pair of its metadata, so that any client of the training API can set it aside.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from foveal.db.tables import Image, Project
from foveal.services import metadata
from foveal.services.metadata import Updated

KEY: Final = "foveal.testSet"
MEMBER: Final = "true"


def has(attributes: Mapping[str, str]) -> bool:
    """Tell by an image's metadata whether it is set aside."""
    return str(attributes.get(KEY, "")).strip().lower() == MEMBER


def change(session: Session, project: Project, image_ids: Sequence[UUID], *, member: bool) -> list[Updated]:
    """Set images aside, or have them learned from again from the next training on."""
    return metadata.update(session, project, image_ids, {KEY: MEMBER if member else None})


def members(session: Session, project: Project) -> list[UUID]:
    """Return the images that are set aside, oldest first."""
    rows = session.execute(
        select(Image.id, Image.attributes)
        .where(Image.project_id == project.id, Image.deleted_at.is_(None))
        .order_by(Image.created_at, Image.id)
    )
    return [id for id, attributes in rows if has(attributes)]
