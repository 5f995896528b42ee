"""How an image looks on the wire."""

from collections.abc import Sequence

from foveal.api.links import Links
from foveal.api.training import schemas
from foveal.db.tables import Image
from foveal.services.image_tags import Bearing


def image_shape(image: Image, borne: Sequence[Bearing], links: Links, *, named: bool = True) -> schemas.Image:
    """Shape an image; answers of creations leave the names of tags null, as the service does."""
    return schemas.Image(
        id=image.id,
        created=image.created_at,
        width=image.width,
        height=image.height,
        resized_image_uri=links.rendition(image),
        thumbnail_uri=links.thumbnail(image.digest),
        original_image_uri=links.original(image),
        tags=[
            schemas.ImageTag(tag_id=tag.tag_id, tag_name=tag.tag_name if named else None, created=tag.created_at)
            for tag in borne
        ]
        or None,
        metadata=image.attributes or None,
    )
