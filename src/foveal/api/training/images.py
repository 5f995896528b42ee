"""The image operations: creating and deleting."""

import base64
import binascii
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response

from foveal.api.bodies import NamedPicturesDep
from foveal.api.deps import Flag, ImageIdsDep, MultiStatusDep, Parts, PartsDep, TagIdsDep, WriteDep, json_body
from foveal.api.links import Links, LinksDep
from foveal.api.training import schemas
from foveal.api.training.image_shapes import image_shape
from foveal.db.tables import Image
from foveal.errors import Invalid, ServiceError
from foveal.security import fetch
from foveal.services import image_tags, images, pictures, projects
from foveal.services.image_tags import Bearing
from foveal.services.images import Created
from foveal.services.pictures import Upload

router = APIRouter(prefix="/projects/{project_id}/images", tags=["Images"])

MAX_DELETED = 256
TagIds = tuple[UUID, ...]
Summary = dict[int | str, dict[str, Any]]
SUMMARY: Summary = {200: {"model": schemas.ImageCreateSummary}, 207: {"model": schemas.ImageCreateSummary}}


class Intake:
    """Takes batches of pictures in: received as blobs first, outside any transaction, then recorded in one."""

    def __init__(self, parts: PartsDep, links: LinksDep, multi_status: MultiStatusDep) -> None:
        self.parts = parts
        self.links = links
        self.multi_status = multi_status

    def check(self, project_id: UUID, tag_ids: Sequence[TagIds], metadata: dict[str, str] | None = None) -> None:
        """Refuse what can be refused before any picture is decoded; `tag_ids` are those of each picture."""
        with self.parts.sessions.read.begin() as session:
            project = projects.get(session, project_id)
            for ids in tag_ids:
                image_tags.check_together(project, len(ids))
        images.check_batch(tag_ids, metadata)

    def take(self, project_id: UUID, uploads: Sequence[Upload], metadata: dict[str, str] | None = None) -> JSONResponse:
        arrivals = pictures.receive(self.parts.blobs, uploads, self.parts.pool)
        with self.parts.sessions.write.begin() as session:
            project = projects.get(session, project_id)
            created = images.create(session, project, arrivals, metadata=metadata, now=self.parts.clock())
            borne = image_tags.of_images(session, [item.image for item in created if item.image])
            summary = _summary(created, borne, self.links)
        status = 200 if summary.is_batch_successful or not self.multi_status else 207
        return JSONResponse(summary.model_dump(mode="json"), status)


IntakeDep = Annotated[Intake, Depends()]


@router.post("", operation_id="CreateImagesFromData", responses=SUMMARY)
def create_from_data(project_id: UUID, named: NamedPicturesDep, tag_ids: TagIdsDep, intake: IntakeDep) -> JSONResponse:
    tags = tuple(dict.fromkeys(tag_ids))
    intake.check(project_id, [tags] * len(named))
    return intake.take(project_id, [Upload(name, data, tags) for name, data in named])


@router.post("/files", operation_id="CreateImagesFromFiles", responses=SUMMARY)
def create_from_files(
    project_id: UUID,
    batch: Annotated[schemas.ImageFileCreateBatch, Depends(json_body(schemas.ImageFileCreateBatch))],
    intake: IntakeDep,
) -> JSONResponse:
    entries = batch.images or []
    _refuse_regions(entries)
    intake.check(project_id, [_tags(batch, entry) for entry in entries], batch.metadata)
    uploads = [Upload(entry.name, _decoded(entry), _tags(batch, entry)) for entry in entries]
    return intake.take(project_id, uploads, batch.metadata)


@router.post("/urls", operation_id="CreateImagesFromUrls", responses=SUMMARY)
def create_from_urls(
    project_id: UUID,
    batch: Annotated[schemas.ImageUrlCreateBatch, Depends(json_body(schemas.ImageUrlCreateBatch))],
    intake: IntakeDep,
    parts: PartsDep,
) -> JSONResponse:
    entries = batch.images or []
    _refuse_regions(entries)
    intake.check(project_id, [_tags(batch, entry) for entry in entries], batch.metadata)
    contents = parts.fetchers.map(partial(_fetched, parts), [entry.url for entry in entries])
    uploads = [Upload(entry.url, data, _tags(batch, entry)) for entry, data in zip(entries, contents, strict=True)]
    return intake.take(project_id, uploads, batch.metadata)


@router.delete("", operation_id="DeleteImages", status_code=204, responses={202: {}})
def delete(  # Azure's parameters
    project_id: UUID,
    image_ids: ImageIdsDep,
    session: WriteDep,
    parts: PartsDep,
    allImages: Flag = False,  # noqa: FBT002, N803  # Azure's name
    allIterations: Flag = False,  # noqa: FBT002, N803
) -> Response:
    if not image_ids and not allImages:
        raise Invalid("Name the images in imageIds, or set allImages=true.", "BadRequestRequiredParamIsNull")
    if len(image_ids) > MAX_DELETED:
        raise Invalid(f"At most {MAX_DELETED} images are deleted in one call.", "BadRequestExceededBatchSize")
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
    if not image_ids or not tag_ids:
        raise Invalid("Both imageIds and tagIds are needed.", "BadRequestRequiredParamIsNull")
    if len(image_ids) > images.MAX_BATCH or len(tag_ids) > images.MAX_BATCH_TAGS:
        raise Invalid(
            f"At most {images.MAX_BATCH} images and {images.MAX_BATCH_TAGS} tags are untied in one call.",
            "BadRequestExceededBatchSize",
        )
    image_tags.remove(session, projects.get(session, project_id), image_ids, tag_ids)


Batch = schemas.ImageFileCreateBatch | schemas.ImageUrlCreateBatch
Entry = schemas.ImageFileCreateEntry | schemas.ImageUrlCreateEntry


def _tags(batch: Batch, entry: Entry) -> TagIds:
    return tuple(dict.fromkeys([*(batch.tag_ids or []), *(entry.tag_ids or [])]))


def _refuse_regions(entries: Sequence[Entry]) -> None:
    if any(entry.regions for entry in entries):
        raise Invalid("Regions belong to object detection projects; this is a classifier.", "BadRequestNotSupported")


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


def _summary(created: Sequence[Created], borne: dict[UUID, list[Bearing]], links: Links) -> schemas.ImageCreateSummary:
    def shape(image: Image | None) -> schemas.Image | None:
        return image_shape(image, borne.get(image.id, []), links, named=False) if image else None

    return schemas.ImageCreateSummary(
        is_batch_successful=all(item.status == pictures.OK for item in created),
        images=[
            schemas.ImageCreateResult(source_url=item.source, status=item.status, image=shape(item.image))
            for item in created
        ],
    )
