"""All tables, in the order in which one meets them: resource, project, tag, image, iteration, prediction, job."""

from datetime import UTC, datetime
from typing import Any, ClassVar, cast
from uuid import UUID, uuid4

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, Index, LargeBinary, String, TypeDecorator, false, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAME_LENGTH = 256
DIGEST_LENGTH = 64


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite forgets the zone, so it is given back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Table(DeclarativeBase):
    """Base of every table; ids are made in Python so that both databases agree."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcTime(),
        dict[str, Any]: JSON(),
        list[str]: JSON(),
        bytes: LargeBinary(),
        str: String(),
    }


class Resource(Table):
    """Who may call: a training, prediction or combined resource in a region, opened by keys of its own."""

    __tablename__ = "resource"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_key: Mapped[str] = mapped_column(String(NAME_LENGTH), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    region: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class ResourceKey(Table):
    """A key of a resource, kept as its SHA-256; `label` is key1, key2 or a name of the owner's choosing."""

    __tablename__ = "resource_key"
    __table_args__ = (Index("resource_key_label", "resource_id", "label", unique=True),)

    digest: Mapped[str] = mapped_column(String(DIGEST_LENGTH), primary_key=True)
    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resource.id", ondelete="CASCADE"))
    label: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(16))
    ending: Mapped[str] = mapped_column(String(4))
    created_at: Mapped[datetime]


class Usage(Table):
    """How many predictions were made in a month, for the quota."""

    __tablename__ = "usage"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)  # 2026-01
    predictions: Mapped[int]


class Project(Table):
    """A set of tagged images and the models trained on them."""

    __tablename__ = "project"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    resource_id: Mapped[UUID | None] = mapped_column(index=True)
    """The resource that it was made with; None: the server's own keys."""
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_key: Mapped[str] = mapped_column(String(NAME_LENGTH), unique=True)
    description: Mapped[str] = mapped_column(default="")
    domain_id: Mapped[UUID]
    classification_type: Mapped[str | None]
    target_export_platforms: Mapped[list[str]] = mapped_column(default=list)
    augmentation_methods: Mapped[dict[str, Any]] = mapped_column(default=dict)
    export_model_container_uri: Mapped[str | None]
    notification_queue_uri: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="Succeeded")
    created_at: Mapped[datetime]
    last_modified_at: Mapped[datetime]
    workspace_created_at: Mapped[datetime]
    iterations_started: Mapped[int] = mapped_column(default=0)


class Tag(Table):
    """A label that images of one project may bear."""

    __tablename__ = "tag"
    __table_args__ = (Index("tag_name", "project_id", "name_key", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_key: Mapped[str] = mapped_column(String(NAME_LENGTH))
    description: Mapped[str | None]
    type: Mapped[str] = mapped_column(default="Regular")
    created_at: Mapped[datetime]


class Image(Table):
    """A training image; the pixels are blobs under its digest. Deleted ones stay while an iteration holds them."""

    __tablename__ = "image"
    __table_args__ = (
        Index(
            "image_digest",
            "project_id",
            "digest",
            unique=True,
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("image_created", "project_id", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(DIGEST_LENGTH))
    width: Mapped[int]
    height: Mapped[int]
    rendered: Mapped[bool]
    """Whether a rendition is kept beside the original; if not, the original serves as its own rendition."""
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class ImageTag(Table):
    """An image bears a tag."""

    __tablename__ = "image_tag"
    __table_args__ = (Index("image_tag_tag", "tag_id"),)

    image_id: Mapped[UUID] = mapped_column(ForeignKey("image.id", ondelete="CASCADE"), primary_key=True)
    tag_id: Mapped[UUID] = mapped_column(ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True)
    created_at: Mapped[datetime]


class Region(Table):
    """A box around an object of a tag; edges are relative to the image, 0..1. The image bears the tag too."""

    __tablename__ = "region"
    __table_args__ = (Index("region_image", "image_id"), Index("region_tag", "tag_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    image_id: Mapped[UUID] = mapped_column(ForeignKey("image.id", ondelete="CASCADE"))
    tag_id: Mapped[UUID] = mapped_column(ForeignKey("tag.id", ondelete="CASCADE"))
    left: Mapped[float]
    top: Mapped[float]
    width: Mapped[float]
    height: Mapped[float]
    created_at: Mapped[datetime]


class Iteration(Table):
    """One training of a project: its state, what it was trained on and where it is published."""

    __tablename__ = "iteration"
    __table_args__ = (
        Index("iteration_name", "project_id", "name_key", unique=True),
        Index("iteration_publish_name", "project_id", "publish_name", unique=True),
        # One training per project at a time is the database's promise; the service checks it for the message.
        Index(
            "iteration_training",
            "project_id",
            unique=True,
            sqlite_where=text("status = 'Training'"),
            postgresql_where=text("status = 'Training'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_key: Mapped[str] = mapped_column(String(NAME_LENGTH))
    status: Mapped[str]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime]
    last_modified_at: Mapped[datetime]
    trained_at: Mapped[datetime | None]
    domain_id: Mapped[UUID]
    classification_type: Mapped[str | None]
    training_type: Mapped[str]
    reserved_budget_hours: Mapped[int] = mapped_column(default=0)
    publish_name: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    publish_resource_id: Mapped[str | None]
    """What the client called the prediction resource; it is given back as it came."""
    published_to: Mapped[UUID | None]
    """The prediction resource whose keys may call the name; None: the server's own key."""
    base_project_id: Mapped[UUID | None]
    base_iteration_id: Mapped[UUID | None]
    notification_address: Mapped[str | None]
    error_details: Mapped[str | None]
    data_digest: Mapped[str] = mapped_column(String(DIGEST_LENGTH))
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)


class IterationTag(Table):
    """A tag as it was when the iteration was trained; `position` is its place among the model's outputs."""

    __tablename__ = "iteration_tag"

    iteration_id: Mapped[UUID] = mapped_column(ForeignKey("iteration.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    tag_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    description: Mapped[str | None]
    type: Mapped[str]
    image_count: Mapped[int]


class IterationImage(Table):
    """An image as it was when the iteration was trained, and what a model that had not seen it said of it.

    `positions` are those of its tags; `regions` are rows [id, position of the tag, left, top, width, height];
    `held_out` is a float32 array (repeats, tags) of probabilities. An image of the `test` set was not learned from.
    """

    __tablename__ = "iteration_image"
    __table_args__ = (Index("iteration_image_image", "image_id"),)

    iteration_id: Mapped[UUID] = mapped_column(ForeignKey("iteration.id", ondelete="CASCADE"), primary_key=True)
    image_id: Mapped[UUID] = mapped_column(ForeignKey("image.id", ondelete="CASCADE"), primary_key=True)
    positions: Mapped[list[int]] = mapped_column(JSON())
    regions: Mapped[list[Any]] = mapped_column(JSON(), default=list)
    test: Mapped[bool] = mapped_column(default=False, server_default=false())
    held_out: Mapped[bytes | None]


class Embedding(Table):
    """A cached feature vector (float32) of an image, as one backbone sees one view of it."""

    __tablename__ = "embedding"

    digest: Mapped[str] = mapped_column(String(DIGEST_LENGTH), primary_key=True)
    backbone: Mapped[str] = mapped_column(String(DIGEST_LENGTH), primary_key=True)
    view: Mapped[str] = mapped_column(String(32), primary_key=True)
    vector: Mapped[bytes]


class Prediction(Table):
    """A stored prediction: the picture and what the model said of it."""

    __tablename__ = "prediction"
    __table_args__ = (
        Index("prediction_created", "project_id", "created_at", "id"),
        Index("prediction_uncertainty", "project_id", "uncertainty", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    iteration_id: Mapped[UUID] = mapped_column(ForeignKey("iteration.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(DIGEST_LENGTH))
    width: Mapped[int]
    height: Mapped[int]
    rendered: Mapped[bool]
    application: Mapped[str | None]
    probabilities: Mapped[bytes]
    uncertainty: Mapped[float]
    created_at: Mapped[datetime]


class Suggestion(Table):
    """What an iteration's model says of an untagged image of the workspace; gone when the image is tagged."""

    __tablename__ = "suggestion"
    __table_args__ = (Index("suggestion_uncertainty", "iteration_id", "uncertainty", "image_id"),)

    iteration_id: Mapped[UUID] = mapped_column(ForeignKey("iteration.id", ondelete="CASCADE"), primary_key=True)
    image_id: Mapped[UUID] = mapped_column(ForeignKey("image.id", ondelete="CASCADE"), primary_key=True)
    probabilities: Mapped[bytes]
    uncertainty: Mapped[float]
    created_at: Mapped[datetime]


class DoomedBlob(Table):
    """A picture that nothing refers to, on its way out. `removed`: its blobs are gone, and may be stored anew."""

    __tablename__ = "doomed_blob"

    digest: Mapped[str] = mapped_column(String(DIGEST_LENGTH), primary_key=True)
    removed: Mapped[bool] = mapped_column(default=False)
    doomed_at: Mapped[datetime]


class Export(Table):
    """A model file of an iteration in one platform's format."""

    __tablename__ = "export"
    __table_args__ = (Index("export_format", "iteration_id", "platform", "flavor", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    iteration_id: Mapped[UUID] = mapped_column(ForeignKey("iteration.id", ondelete="CASCADE"))
    platform: Mapped[str] = mapped_column(String(32))
    flavor: Mapped[str] = mapped_column(String(32), default="")
    status: Mapped[str]
    error_details: Mapped[str | None]
    created_at: Mapped[datetime]
    exporter_version: Mapped[int] = mapped_column(default=0, server_default="0")
    """Of what wrote it: a newer one may write it again."""
    size_bytes: Mapped[int | None]
    certificate: Mapped[dict[str, Any] | None] = mapped_column(JSON())
    """How it compared with the service, see `exporters.parity.Certificate`."""


class Job(Table):
    """A piece of work for a worker. `subject_id` is the iteration, export, project or ended job that it is about.

    queued -> running (leased to a worker until `leased_until`) -> done | failed; a lost lease goes back to queued.
    Both may also end as cancelled. A queued job with a `leased_until` is put off until then.
    """

    __tablename__ = "job"
    __table_args__ = (Index("job_status", "status", "queued_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[str] = mapped_column(String(32))
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    subject_id: Mapped[UUID] = mapped_column(index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[str] = mapped_column(String(16), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    """How many were begun; one that was given back is not counted."""
    claims: Mapped[int] = mapped_column(default=0)
    """How many there were; only grows, so that no two claims of a job are equal."""
    worker: Mapped[str | None] = mapped_column(String(64))
    leased_until: Mapped[datetime | None]
    stage: Mapped[str] = mapped_column(default="waiting for a worker")
    progress: Mapped[float] = mapped_column(default=0.0)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What else the work says of its progress, as its answer on the wire has it."""
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    queued_at: Mapped[datetime]
    """Its place in the queue: when it was made, or last made way for others."""
    finished_at: Mapped[datetime | None]


class JobEvent(Table):
    """A line in the log of a job; `level` is info, warning or error."""

    __tablename__ = "job_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    level: Mapped[str] = mapped_column(String(16))
    text: Mapped[str]


def name_key(name: str) -> str:
    """Return the form under which names are compared: without case and outer blanks."""
    return name.strip().casefold()


def rowcount(result: object) -> int:
    """Return how many rows an update or delete touched."""
    return int(cast("Any", result).rowcount)
