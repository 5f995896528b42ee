"""How help for labelling looks on the wire."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from foveal.api.links import Links
from foveal.api.training import schemas
from foveal.api.training.image_shapes import image_shapes
from foveal.api.training.prediction_schemas import Prediction
from foveal.api.wire import ImageMoment, Wire
from foveal.db.tables import Image


class ShownImage(Wire):
    """An image of the workspace with links to its picture and the tags that it bears now."""

    id: UUID
    created: ImageMoment
    width: int
    height: int
    resized_image_uri: str
    thumbnail_uri: str
    original_image_uri: str
    tags: list[schemas.ImageTag]


class NextImage(ShownImage):
    """An image to label, how much it is worth (0..1) and why; what the model says of it, null without a model."""

    score: float
    reason: str
    predictions: list[Prediction] | None


class NextImages(Wire):
    """Images to label, the most useful first; `waiting` untagged images are still to be looked at."""

    iteration_id: UUID | None
    waiting: int
    images: list[NextImage]


class AssistedImage(ShownImage):
    """An untagged image and what the assistant says of it."""

    predictions: list[Prediction]


class AssistedImages(Wire):
    """What the assistant says of untagged images, and which tags it knows, from how many images.

    Guesses need two tags with two images each; `waiting` images are still to be looked at.
    """

    tags: list["NamedTag"]
    learned: int
    untagged: int
    waiting: int
    images: list[AssistedImage]


class DuplicateGroup(Wire):
    """Images that are nearly the same, each at least this similar to another one of them."""

    similarity: float
    tags_differ: bool
    images: list[ShownImage]


class DuplicateGroups(Wire):
    """Groups of near-duplicates, the most similar first; `waiting` images are still to be looked at."""

    compared: int
    waiting: int
    groups: list[DuplicateGroup]


class NamedTag(Wire):
    """A tag."""

    id: UUID
    name: str


class LabelError(ShownImage):
    """An image whose label is probably wrong: the tag to take away, the tag to add, or both; how sure, 0.5 to 1."""

    given_tag: NamedTag | None
    likely_tag: NamedTag | None
    sureness: float


class TagCurve(Wire):
    """What more images of a tag would bring in average precision, with a 90 % interval; null: too few to know."""

    tag_id: UUID
    tag_name: str
    image_count: int
    average_precision: float | None
    gain: float | None
    gain_low: float | None
    gain_high: float | None


class LearningCurve(Wire):
    """What `moreImages` images more of each tag would bring; `waiting` images are still to be looked at."""

    more_images: int
    waiting: int
    tags: list[TagCurve]


def shown(session: Session, images: Sequence[Image], links: Links) -> Mapping[UUID, dict[str, Any]]:
    """Return the fields of a `ShownImage` for each image, by id."""
    shapes = image_shapes(session, images, links)
    fields = set(ShownImage.model_fields) - {"tags"}
    return {
        id: {**{field: getattr(shape, field) for field in fields}, "tags": shape.tags or []}
        for id, shape in shapes.items()
    }
