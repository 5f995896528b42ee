"""The shapes of predictions: fresh, stored, suggested, and those behind the figures of an iteration."""

from typing import ClassVar
from uuid import UUID

from foveal.api.training.schemas import BoundingBox, ImageRegion, ImageTag
from foveal.api.wire import ImageMoment, Moment, Wire, Zoned


class Prediction(Wire):
    """How probable one tag is; the box is that of a detector."""

    omitted_when_none: ClassVar[frozenset[str]] = frozenset({"boundingBox"})

    probability: float
    tag_id: UUID
    tag_name: str
    bounding_box: BoundingBox | None = None
    tag_type: str


class ImagePrediction(Wire):
    """What a model says of a picture; classification: all tags, most probable first."""

    id: UUID
    project: UUID
    iteration: UUID
    created: Moment
    predictions: list[Prediction]


class StoredImagePrediction(ImagePrediction):
    """A prediction that was kept, with its picture."""

    resized_image_uri: str
    thumbnail_uri: str
    original_image_uri: str
    domain: UUID


class PredictionQueryTag(Wire):
    """A tag whose probability lies in a range, ends included."""

    id: UUID
    min_threshold: float = 0.0
    max_threshold: float = 1.0


class PredictionQueryToken(Wire):
    """What to look for among the stored predictions, and where the last page ended."""

    session: str | None = None
    continuation: str | None = None
    max_count: int = 0
    order_by: str | None = None
    tags: list[PredictionQueryTag] | None = None
    iteration_id: UUID | None = None
    start_time: Zoned | None = None
    end_time: Zoned | None = None
    application: str | None = None


class PredictionQueryResult(Wire):
    """A page of stored predictions; the token asks for the next one."""

    token: PredictionQueryToken
    results: list[StoredImagePrediction]


class SuggestedTagAndRegion(ImagePrediction):
    """What a model suggests for an untagged image; the id is that of the image, the uncertainty is in bits."""

    prediction_uncertainty: float


class StoredSuggestedTagAndRegion(SuggestedTagAndRegion):
    """A suggestion with its image."""

    width: int
    height: int
    resized_image_uri: str
    thumbnail_uri: str
    original_image_uri: str
    domain: UUID


class SuggestedTagAndRegionQueryToken(Wire):
    """Which suggestions to look for, and where the last page ended."""

    tag_ids: list[UUID] | None = None
    threshold: float = 0.0
    session: str | None = None
    continuation: str | None = None
    max_count: int = 0
    sort_by: str | None = None


class SuggestedTagAndRegionQuery(Wire):
    """A page of suggestions; the token asks for the next one."""

    token: SuggestedTagAndRegionQueryToken
    results: list[StoredSuggestedTagAndRegion]


class TagFilter(Wire):
    """Tags that are counted where they are at least this probable."""

    tag_ids: list[UUID] | None = None
    threshold: float = 0.0


class ImagePerformance(Wire):
    """An image with what a model said of it that had not seen it."""

    omitted_when_none: ClassVar[frozenset[str]] = frozenset({"regions"})

    predictions: list[Prediction]
    id: UUID
    created: ImageMoment
    width: int
    height: int
    image_uri: str
    thumbnail_uri: str
    tags: list[ImageTag]
    regions: list[ImageRegion] | None
