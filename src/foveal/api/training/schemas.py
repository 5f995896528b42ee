"""The shapes on the wire, with Azure's names, casing and quirks."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, RootModel

from foveal.api.wire import ImageMoment, Moment, Wire


class Domain(Wire):
    """A domain."""

    id: UUID
    name: str
    type: str
    exportable: bool
    enabled: bool
    exportable_platforms: list[str]
    model_information: "ModelInformation | None"


class ModelInformation(Wire):
    """What the exported model of a domain weighs."""

    estimated_model_size_in_megabytes: int
    description: str


class ImageProcessingSettings(Wire):
    """Which augmentations a training may use."""

    augmentation_methods: dict[str, bool] | None = None


class ProjectSettings(Wire):
    """Settings of a project; as a request, what is absent or null stays as it is."""

    domain_id: str | None = None
    classification_type: str | None = None
    target_export_platforms: list[str] | None = None
    use_negative_set: bool | None = None
    detection_parameters: str | None = None
    image_processing_settings: ImageProcessingSettings | None = None
    export_model_container_uri: str | None = None
    notification_queue_uri: str | None = None


class Project(Wire):
    """A project."""

    id: UUID
    name: str
    description: str
    settings: ProjectSettings
    created: Moment
    last_modified: Moment
    thumbnail_uri: str | None
    dr_mode_enabled: bool
    status: str


class ProjectPatch(Wire):
    """A change of a project; read-only fields that come back are passed over."""

    name: str | None = None
    description: str | None = None
    settings: ProjectSettings | None = None


class CreateProjectOptions(Wire):
    """The optional body of a project's creation."""

    export_model_container_uri: str | None = None
    notification_queue_uri: str | None = None


class Tag(Wire):
    """A tag; `image_count` is that of the workspace or of the iteration asked for."""

    id: UUID
    name: str
    description: str | None
    type: str
    image_count: int


class TagPatch(Wire):
    """A change of a tag."""

    name: str | None = None
    description: str | None = None
    type: str | None = None


class ImageTag(Wire):
    """A tag on an image; the name is null in the answers of creations."""

    tag_id: UUID
    tag_name: str | None
    created: ImageMoment


class BoundingBox(Wire):
    """A box, its edges relative to the image, 0..1."""

    left: float
    top: float
    width: float
    height: float


class Region(BoundingBox):
    """A box for a tag."""

    tag_id: UUID


class ImageRegion(Region):
    """A box on an image; the name is null in the answers of creations."""

    region_id: UUID
    tag_name: str | None
    created: ImageMoment


class ImageRegionCreateEntry(Region):
    """A box for an image."""

    image_id: UUID


class ImageRegionCreateBatch(Wire):
    """Boxes for images."""

    regions: list[ImageRegionCreateEntry] | None = None


class ImageRegionCreateResult(ImageRegion):
    """A box as it was made."""

    image_id: UUID


class ImageRegionCreateSummary(Wire):
    """What became of the boxes for images."""

    created: list[ImageRegionCreateResult]
    duplicated: list[ImageRegionCreateEntry]
    exceeded: list[ImageRegionCreateEntry]


class RegionProposal(Wire):
    """A box that may hold an object, of whatever tag."""

    confidence: float
    bounding_box: BoundingBox


class ImageRegionProposal(Wire):
    """Where on an image objects may be, the likeliest first."""

    project_id: UUID
    image_id: UUID
    proposals: list[RegionProposal]


class Image(Wire):
    """A training image; width and height are those of the rendition."""

    omitted_when_none: ClassVar[frozenset[str]] = frozenset({"tags", "regions", "metadata"})

    id: UUID
    created: ImageMoment
    width: int
    height: int
    resized_image_uri: str
    thumbnail_uri: str
    original_image_uri: str
    tags: list[ImageTag] | None = None
    regions: list[ImageRegion] | None = None
    metadata: dict[str, str] | None = None


class Metadata(RootModel[dict[str, str | None]]):
    """Pairs to set on images; null takes a pair away."""


class ImageMetadataUpdateEntry(Wire):
    """What became of the metadata of one image; all that it has now."""

    image_id: UUID
    status: str
    metadata: dict[str, str] | None


class ImageMetadataUpdateSummary(Wire):
    """What became of the metadata of a batch."""

    is_batch_successful: bool
    images: list[ImageMetadataUpdateEntry]


class ImageCreateResult(Wire):
    """What became of one entry of a batch."""

    source_url: str
    status: str
    image: Image | None


class ImageCreateSummary(Wire):
    """What became of a batch."""

    is_batch_successful: bool
    images: list[ImageCreateResult]


class ImageFileCreateEntry(Wire):
    """A picture in base64."""

    name: str = ""
    contents: str = ""
    tag_ids: list[UUID] | None = None
    regions: list[Region] | None = None


class ImageFileCreateBatch(Wire):
    """Pictures in base64."""

    images: list[ImageFileCreateEntry] | None = None
    tag_ids: list[UUID] | None = None
    metadata: dict[str, str] | None = None


class ImageUrlCreateEntry(Wire):
    """A picture to fetch."""

    url: str
    tag_ids: list[UUID] | None = None
    regions: list[Region] | None = None


class ImageUrlCreateBatch(Wire):
    """Pictures to fetch."""

    images: list[ImageUrlCreateEntry] | None = None
    tag_ids: list[UUID] | None = None
    metadata: dict[str, str] | None = None


class ImageIdCreateEntry(Wire):
    """A stored prediction whose picture becomes a training image."""

    id: UUID
    tag_ids: list[UUID] | None = None
    regions: list[Region] | None = None


class ImageIdCreateBatch(Wire):
    """Stored predictions whose pictures become training images."""

    images: list[ImageIdCreateEntry] | None = None
    tag_ids: list[UUID] | None = None
    metadata: dict[str, str] | None = None


class ImageUrl(Wire):
    """The address of a picture."""

    url: str


class ImageTagCreateEntry(Wire):
    """A tag for an image."""

    image_id: UUID
    tag_id: UUID


class ImageTagCreateBatch(Wire):
    """Tags for images."""

    tags: list[ImageTagCreateEntry] | None = None


class ImageTagCreateSummary(Wire):
    """What became of the tags for images."""

    created: list[ImageTagCreateEntry]
    duplicated: list[ImageTagCreateEntry]
    exceeded: list[ImageTagCreateEntry]


class CustomBaseModelInfo(Wire):
    """An earlier iteration to continue from."""

    project_id: UUID
    iteration_id: UUID


class TrainingParameters(Wire):
    """The optional body of a training."""

    selected_tags: list[UUID] | None = None
    custom_base_model_info: CustomBaseModelInfo | None = None


class Iteration(Wire):
    """One training of a project."""

    omitted_when_none: ClassVar[frozenset[str]] = frozenset({"trainedAt"})

    id: UUID
    name: str
    status: str
    created: Moment
    last_modified: Moment
    trained_at: Moment | None
    project_id: UUID
    exportable: bool
    exportable_to: list[str] | None
    domain_id: UUID | None
    classification_type: str | None
    training_type: str
    reserved_budget_in_hours: int
    training_time_in_minutes: int
    publish_name: str | None
    original_publish_resource_id: str | None
    custom_base_model_info: CustomBaseModelInfo | None
    training_error_details: str | None


class IterationPatch(Wire):
    """A change of an iteration: its name."""

    name: str | None = None


class TagPerformance(Wire):
    """Precision, recall and average precision of one tag; the deviations are a relic and always 0."""

    id: UUID
    name: str
    precision: float
    precision_std_deviation: float = 0.0
    recall: float
    recall_std_deviation: float = 0.0
    average_precision: float


class IterationPerformance(Wire):
    """Precision, recall and average precision over all tags."""

    per_tag_performance: list[TagPerformance]
    precision: float
    precision_std_deviation: float = 0.0
    recall: float
    recall_std_deviation: float = 0.0
    average_precision: float


class ProjectExport(Wire):
    """What a copy of a project would hold, and the token that makes one within a day."""

    iteration_count: int
    image_count: int
    tag_count: int
    region_count: int
    estimated_import_time_in_ms: Annotated[int, Field(alias="estimatedImportTimeInMS")]
    token: str


class Export(Wire):
    """A model file in one platform's format."""

    platform: str
    status: str
    download_uri: str | None
    flavor: str | None
    newer_version_available: bool = False
