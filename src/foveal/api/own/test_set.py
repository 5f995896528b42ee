"""The test set of a project: images that judge models, and that no model learns from."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from foveal.api.batches import MultiStatusDep, batch_answer, batch_responses
from foveal.api.deps import ReadDep, WriteDep, json_body
from foveal.api.wire import Wire
from foveal.services import metadata, projects, test_sets

router = APIRouter(prefix="/projects/{project_id}/test-set", tags=["Foveal"])


class TestSet(Wire):
    """The images that are set aside, oldest first."""

    image_ids: list[UUID]
    count: int


class TestSetChange(Wire):
    """Images to set aside (`member` true), or to learn from again."""

    image_ids: list[UUID]
    member: bool


class TestSetChanged(Wire):
    """What became of one image."""

    image_id: UUID
    status: str


class TestSetSummary(Wire):
    """What became of the images of a change."""

    is_batch_successful: bool
    images: list[TestSetChanged]


@router.get("", operation_id="GetTestSet")
def get(project_id: UUID, session: ReadDep) -> TestSet:
    """The images that are set aside to judge models by: no training learns from them. Oldest first."""
    found = test_sets.members(session, projects.get(session, project_id))
    return TestSet(image_ids=found, count=len(found))


@router.put("", operation_id="UpdateTestSet", responses=batch_responses(TestSetSummary))
def update(
    project_id: UUID,
    change: Annotated[TestSetChange, Depends(json_body(TestSetChange))],
    session: WriteDep,
    multi_status: MultiStatusDep,
) -> JSONResponse:
    """Set at most 256 images aside (`member` true), or have them learned from again; the next training heeds it.

    The same as the pair `foveal.testSet` = `true` of an image's metadata. 207 when an image is not `OK`.
    """
    updated = test_sets.change(session, projects.get(session, project_id), change.image_ids, member=change.member)
    summary = TestSetSummary(
        is_batch_successful=all(each.status == metadata.OK for each in updated),
        images=[TestSetChanged(image_id=each.image_id, status=each.status) for each in updated],
    )
    return batch_answer(summary, whole=summary.is_batch_successful, multi_status=multi_status)
