"""How images, their tags and their regions look on the wire."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from foveal.api.links import Links
from foveal.api.training import schemas
from foveal.db.tables import Image
from foveal.services import image_tags, regions
from foveal.services.image_tags import Bearing
from foveal.services.regions import Placed, Remembered


def image_shapes(
    session: Session, images: Sequence[Image], links: Links, *, iteration_id: UUID | None = None, named: bool = True
) -> dict[UUID, schemas.Image]:
    """Shape images by id, in their order; answers of creations leave the names of tags null, as the service does."""
    borne = image_tags.of_images(session, images, iteration_id)
    placed = regions.of_images(session, images, iteration_id)
    return {
        image.id: schemas.Image(
            id=image.id,
            created=image.created_at,
            width=image.width,
            height=image.height,
            resized_image_uri=links.rendition(image),
            thumbnail_uri=links.thumbnail(image.digest),
            original_image_uri=links.original(image),
            tags=[_tag(tag, named=named) for tag in borne.get(image.id, [])] or None,
            regions=[_region(region, named=named) for region in placed.get(image.id, [])] or None,
            metadata=image.attributes or None,
        )
        for image in images
    }


def _tag(tag: Bearing, *, named: bool = True) -> schemas.ImageTag:
    return schemas.ImageTag(tag_id=tag.tag_id, tag_name=tag.tag_name if named else None, created=tag.created_at)


def _region(region: Remembered, *, named: bool = True) -> schemas.ImageRegion:
    return schemas.ImageRegion(
        region_id=region.id,
        tag_id=region.tag_id,
        tag_name=region.tag_name if named else None,
        created=region.created_at,
        left=region.box.left,
        top=region.box.top,
        width=region.box.width,
        height=region.box.height,
    )


def placed(region: schemas.Region) -> Placed:
    return Placed(region.tag_id, region.left, region.top, region.width, region.height)
