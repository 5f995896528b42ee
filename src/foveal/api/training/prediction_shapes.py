"""How predictions look on the wire, with the picture that they are about."""

from collections.abc import Sequence

from foveal.api.training import prediction_schemas
from foveal.api.training.schemas import BoundingBox
from foveal.geometry import Box
from foveal.services import predictions
from foveal.services.said import Said
from foveal.services.tags import CountedTag


def prediction_shapes(tags: Sequence[CountedTag], said: Said) -> list[prediction_schemas.Prediction]:
    """Shape what a model says: all tags, the most probable first, or boxes, tag by tag."""
    return [
        prediction_schemas.Prediction(
            probability=scored.probability,
            tag_id=scored.tag.id,
            tag_name=scored.tag.name,
            bounding_box=_box(scored.box),
            tag_type=scored.tag.type,
        )
        for scored in predictions.ranked(tags, said)
    ]


def _box(box: Box | None) -> BoundingBox | None:
    return None if box is None else BoundingBox(left=box.left, top=box.top, width=box.width, height=box.height)
