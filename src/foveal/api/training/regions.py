"""The region operations: drawing boxes, removing them, proposing some."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from foveal.api.batches import MultiStatusDep, batch_answer, batch_responses
from foveal.api.deps import NowDep, PartsDep, ReadDep, WriteDep, json_body, uuids
from foveal.api.training import schemas
from foveal.api.training.image_shapes import placed
from foveal.errors import Invalid
from foveal.services import images, projects, proposals, regions
from foveal.services.regions import Placed

router = APIRouter(prefix="/projects/{project_id}/images", tags=["Regions"])

RegionIdsDep = Annotated[list[UUID], Depends(uuids("regionIds"))]


@router.post("/regions", operation_id="CreateImageRegions", responses=batch_responses(schemas.ImageRegionCreateSummary))
def create(
    project_id: UUID,
    batch: Annotated[schemas.ImageRegionCreateBatch, Depends(json_body(schemas.ImageRegionCreateBatch))],
    session: WriteDep,
    now: NowDep,
    multi_status: MultiStatusDep,
) -> JSONResponse:
    """At most 64, and 300 on an image; object detection projects only.

    The image gets the tag. What sticks out of the image by less than 0.001 is cut off, more is refused (our choice).
    207 when one is not created.
    """
    project = projects.get(session, project_id)
    if not batch.regions:
        raise Invalid(
            'The body names no regions: expected {"regions": [{imageId, tagId, left, top, width, height}]}.',
            "BadRequestImageRegions",
        )
    wanted = [(entry.image_id, placed(entry)) for entry in batch.regions]
    outcome = regions.create(session, project, wanted, now=now)
    summary = schemas.ImageRegionCreateSummary(
        created=[
            schemas.ImageRegionCreateResult(
                image_id=region.image_id,
                region_id=region.id,
                tag_name=None,
                created=region.created_at,
                tag_id=region.tag_id,
                left=region.left,
                top=region.top,
                width=region.width,
                height=region.height,
            )
            for region in outcome.created
        ],
        duplicated=_entries(outcome.duplicated),
        exceeded=_entries(outcome.exceeded),
    )
    whole = not outcome.duplicated and not outcome.exceeded
    return batch_answer(summary, whole=whole, multi_status=multi_status)


@router.delete("/regions", operation_id="DeleteImageRegions", status_code=204)
def delete(project_id: UUID, region_ids: RegionIdsDep, session: WriteDep) -> None:
    """At most 64. With its last region of a tag an image loses the tag."""
    if not region_ids:
        raise Invalid("Name the regions in regionIds.", "BadRequestRequiredParamIsNull")
    regions.remove(session, projects.get(session, project_id), region_ids)


@router.post("/{image_id}/regionproposals", operation_id="GetImageRegionProposals")
def propose(project_id: UUID, image_id: UUID, session: ReadDep, parts: PartsDep) -> schemas.ImageRegionProposal:
    """At most ten boxes around what stands out, likeliest first; no training needed.

    Good on few and clear objects, weak on clutter.
    """
    image = images.get(session, projects.get(session, project_id), image_id)
    return schemas.ImageRegionProposal(
        project_id=project_id,
        image_id=image_id,
        proposals=[
            schemas.RegionProposal(
                confidence=found.confidence,
                bounding_box=schemas.BoundingBox(
                    left=found.box.left, top=found.box.top, width=found.box.width, height=found.box.height
                ),
            )
            for found in proposals.of_image(parts.blobs, parts.proposer(), image)
        ],
    )


def _entries(wanted: Sequence[tuple[UUID, Placed]]) -> list[schemas.ImageRegionCreateEntry]:
    return [
        schemas.ImageRegionCreateEntry(
            image_id=image_id,
            tag_id=box.tag_id,
            left=box.left,
            top=box.top,
            width=box.width,
            height=box.height,
        )
        for image_id, box in wanted
    ]
