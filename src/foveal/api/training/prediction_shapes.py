"""How predictions look on the wire, with the picture that they are about."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from foveal.api.training import prediction_schemas
from foveal.services import predictions
from foveal.services.tags import CountedTag


def prediction_shapes(
    tags: Sequence[CountedTag], probabilities: NDArray[np.float32]
) -> list[prediction_schemas.Prediction]:
    """Shape what a classifier says: all tags, the most probable first."""
    return [
        prediction_schemas.Prediction(
            probability=scored.probability, tag_id=scored.tag.id, tag_name=scored.tag.name, tag_type=scored.tag.type
        )
        for scored in predictions.ranked(tags, probabilities)
    ]
