"""The image operations: creating and deleting."""

import base64
import binascii
from collections.abc import Sequence
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response
from sqlalchemy.orm import Session

from foveal.api.batches import MultiStatusDep, batch_answer, batch_responses
from foveal.api.bodies import NamedPicturesDep
from foveal.api.deps import Flag, ImageIdsDep, Parts, PartsDep, TagIdsDep, WriteDep, json_body
from foveal.api.links import Links, LinksDep
from foveal.api.training import schemas
from foveal.api.training.image_shapes import image_shapes, placed
from foveal.errors import Invalid, ServiceError
from foveal.security import fetch
from foveal.services import image_tags, images, limits, metadata, pictures, projects, stored_predictions, sweeping
from foveal.services.images import Created
from foveal.services.pictures import Arrival, Entry, Upload

router = APIRouter(prefix="/projects/{project_id}/images", tags=["Images"])

MAX_DELETED = 256
Pairs = dict[str, str] | None
SUMMARY = batch_responses(schemas.ImageCreateSummary)


class Intake:
    """Takes batches of pictures in: received as blobs first, outside any transaction, then recorded in one."""

    def __init__(self, parts: PartsDep, links: LinksDep, multi_status: MultiStatusDep) -> None:
        self.parts = parts
        self.links = links
        self.multi_status = multi_status

    def check(self, project_id: UUID, entries: Sequence[Entry], pairs: Pairs = None) -> None:
        """Refuse what can be refused before any picture is fetched or decoded."""
        with self.parts.sessions.read.begin() as session:
            images.check_batch(projects.get(session, project_id), entries, pairs)

    def take(self, project_id: UUID, uploads: Sequence[Upload], pairs: Pairs = None) -> JSONResponse:
        arrivals = pictures.receive(self.parts.blobs, uploads, self.parts.pool)
        content = {
            arrival.picture.digest: upload.content
            for arrival, upload in zip(arrivals, uploads, strict=True)
            if arrival.picture and isinstance(upload.content, bytes)
        }
        with self.parts.sessions.write.begin() as session:
            sweeping.hold(session, self.parts.blobs, list(content), content.__getitem__)
            created = self.record(session, project_id, arrivals, pairs)
            return self.answer(session, created)

    def record(self, session: Session, project_id: UUID, arrivals: Sequence[Arrival], pairs: Pairs) -> list[Created]:
        project, parts = projects.get(session, project_id), self.parts
        return images.create(session, project, arrivals, pairs=pairs, now=parts.clock(), most=parts.limits)

    def answer(self, session: Session, created: Sequence[Created]) -> JSONResponse:
        summary = _summary(session, created, self.links)
        return batch_answer(summary, whole=summary.is_batch_successful, multi_status=self.multi_status)


IntakeDep = Annotated[Intake, Depends()]


@router.post("", operation_id="CreateImagesFromData", responses=SUMMARY)
def create_from_data(project_id: UUID, named: NamedPicturesDep, tag_ids: TagIdsDep, intake: IntakeDep) -> JSONResponse:
    """Parts named `imageData`, with or without a file name, or the raw bytes. 207 when an image is not `OK`."""
    tags = tuple(dict.fromkeys(tag_ids))
    uploads = [Upload(Entry(name, tags), data) for name, data in named]
    intake.check(project_id, [upload.entry for upload in uploads])
    return intake.take(project_id, uploads)


@router.post("/files", operation_id="CreateImagesFromFiles", responses=SUMMARY)
def create_from_files(
    project_id: UUID,
    batch: Annotated[schemas.ImageFileCreateBatch, Depends(json_body(schemas.ImageFileCreateBatch))],
    intake: IntakeDep,
) -> JSONResponse:
    """Base64; at most 64 images and 20 tags.

    The tags of its regions are an image's tags too. 207 when an image is not `OK`.
    """
    files = batch.images or []
    uploads = [Upload(_entry(file.name, batch, file), _decoded(file)) for file in files]
    intake.check(project_id, [upload.entry for upload in uploads], batch.metadata)
    return intake.take(project_id, uploads, batch.metadata)


@router.post("/urls", operation_id="CreateImagesFromUrls", responses=SUMMARY)
def create_from_urls(
    project_id: UUID,
    batch: Annotated[schemas.ImageUrlCreateBatch, Depends(json_body(schemas.ImageUrlCreateBatch))],
    intake: IntakeDep,
    parts: PartsDep,
) -> JSONResponse:
    """Fetched by the server, http and https only. 207 when an image is not `OK`."""
    entries = [_entry(image.url, batch, image) for image in batch.images or []]
    intake.check(project_id, entries, batch.metadata)
    contents = parts.fetchers.map(partial(_fetched, parts), [entry.source for entry in entries])
    uploads = [Upload(entry, content) for entry, content in zip(entries, contents, strict=True)]
    return intake.take(project_id, uploads, batch.metadata)


@router.post("/predictions", operation_id="CreateImagesFromPredictions", responses=SUMMARY)
def create_from_predictions(
    project_id: UUID,
    batch: Annotated[schemas.ImageIdCreateBatch, Depends(json_body(schemas.ImageIdCreateBatch))],
    intake: IntakeDep,
    session: WriteDep,
) -> JSONResponse:
    """At most 64 stored predictions.

    Those whose pictures became training images leave the list of predictions, as in Azure's portal. An unknown id is
    `ErrorSource` in its place (our choice).
    """
    wanted = batch.images or []
    stored_predictions.check_ids([image.id for image in wanted])
    entries = [_entry(str(image.id), batch, image) for image in wanted]
    arrivals = stored_predictions.arrivals(session, projects.get(session, project_id), entries)
    created = intake.record(session, project_id, arrivals, batch.metadata)
    stored_predictions.leave(session, created)
    return intake.answer(session, created)


@router.post(
    "/metadata",
    operation_id="UpdateImageMetadata",
    responses=batch_responses(schemas.ImageMetadataUpdateSummary),
)
def update_metadata(
    project_id: UUID,
    image_ids: ImageIdsDep,
    pairs: Annotated[schemas.Metadata, Depends(json_body(schemas.Metadata))],
    session: WriteDep,
    multi_status: MultiStatusDep,
) -> JSONResponse:
    """At most 256 images (Azure's text says 64, its schema 256).

    Pairs are set beside those that are there; null takes one away (our choice). 207 when an image is not `OK`.
    """
    updated = metadata.update(session, projects.get(session, project_id), image_ids, pairs.root)
    summary = schemas.ImageMetadataUpdateSummary(
        is_batch_successful=all(each.status == metadata.OK for each in updated),
        images=[
            schemas.ImageMetadataUpdateEntry(
                image_id=each.image_id, status=each.status, metadata=dict(each.metadata) if each.metadata else None
            )
            for each in updated
        ],
    )
    return batch_answer(summary, whole=summary.is_batch_successful, multi_status=multi_status)


@router.delete("", operation_id="DeleteImages", status_code=204, responses={202: {}})
def delete(  # Azure's parameters
    project_id: UUID,
    image_ids: ImageIdsDep,
    session: WriteDep,
    parts: PartsDep,
    allImages: Flag = False,  # noqa: FBT002, N803  # Azure's name
    allIterations: Flag = False,  # noqa: FBT002, N803
) -> Response:
    """204 for a list of ids, 202 with `allImages` or `allIterations`; it is done when the answer comes.

    Images that a trained iteration holds stay with it unless `allIterations` is given.
    """
    if not image_ids and not allImages:
        raise Invalid("Name the images in imageIds, or set allImages=true.", "BadRequestRequiredParamIsNull")
    limits.check_size(len(image_ids), MAX_DELETED, "images")
    project = projects.get(session, project_id)
    ids = None if allImages else image_ids
    images.remove(session, project, ids, all_iterations=allIterations, now=parts.clock())
    return Response(status_code=202 if allImages or allIterations else 204)


@router.post("/tags", operation_id="CreateImageTags")
def create_tags(
    project_id: UUID,
    batch: Annotated[schemas.ImageTagCreateBatch, Depends(json_body(schemas.ImageTagCreateBatch))],
    session: WriteDep,
    parts: PartsDep,
) -> schemas.ImageTagCreateSummary:
    """At most 128 pairs. A second tag on an image of a Multiclass project is reported as `exceeded` (our choice)."""
    project = projects.get(session, project_id)
    pairs = [(entry.image_id, entry.tag_id) for entry in batch.tags or []]
    if not pairs:
        raise Invalid('The body names no image tags: expected {"tags": [{imageId, tagId}]}.', "BadRequestImageTags")
    outcome = image_tags.create(session, project, pairs, now=parts.clock())
    return schemas.ImageTagCreateSummary(
        created=_pairs(outcome.created), duplicated=_pairs(outcome.duplicated), exceeded=_pairs(outcome.exceeded)
    )


@router.delete("/tags", operation_id="DeleteImageTags", status_code=204)
def delete_tags(project_id: UUID, image_ids: ImageIdsDep, tag_ids: TagIdsDep, session: WriteDep) -> None:
    """At most 64 images and 20 tags; each of the tags, with its regions, is taken from each of the images."""
    if not image_ids or not tag_ids:
        raise Invalid("Both imageIds and tagIds are needed.", "BadRequestRequiredParamIsNull")
    limits.check_size(len(image_ids), images.MAX_BATCH, "images")
    limits.check_size(len(tag_ids), images.MAX_BATCH_TAGS, "tags")
    image_tags.remove(session, projects.get(session, project_id), image_ids, tag_ids)


Batch = schemas.ImageFileCreateBatch | schemas.ImageUrlCreateBatch | schemas.ImageIdCreateBatch
Item = schemas.ImageFileCreateEntry | schemas.ImageUrlCreateEntry | schemas.ImageIdCreateEntry


def _entry(source: str, batch: Batch, item: Item) -> Entry:
    boxes = tuple(placed(region) for region in item.regions or [])
    tags = [*(batch.tag_ids or []), *(item.tag_ids or []), *(box.tag_id for box in boxes)]
    return Entry(source, tuple(dict.fromkeys(tags)), boxes)


def _decoded(entry: schemas.ImageFileCreateEntry) -> bytes | ServiceError:
    try:
        return base64.b64decode(entry.contents, validate=True)
    except binascii.Error as error:
        return Invalid(f"The contents of {entry.name!r} are not base64: {error}.", "BadRequestImageFormat")


def _fetched(parts: Parts, url: str) -> bytes | ServiceError:
    try:
        return fetch(url, parts.fetch_policy)
    except ServiceError as error:
        return error


def _pairs(pairs: Sequence[image_tags.Pair]) -> list[schemas.ImageTagCreateEntry]:
    return [schemas.ImageTagCreateEntry(image_id=image_id, tag_id=tag_id) for image_id, tag_id in pairs]


def _summary(session: Session, created: Sequence[Created], links: Links) -> schemas.ImageCreateSummary:
    shapes = image_shapes(session, [item.image for item in created if item.image], links, named=False)
    return schemas.ImageCreateSummary(
        is_batch_successful=all(item.status == pictures.OK for item in created),
        images=[
            schemas.ImageCreateResult(
                source_url=item.entry.source, status=item.status, image=shapes[item.image.id] if item.image else None
            )
            for item in created
        ],
    )
