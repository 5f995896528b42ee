"""What to label next, near-duplicates, doubtful labels, and what more images would bring."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from foveal.api.deps import Parts, PartsDep
from foveal.api.links import LinksDep
from foveal.api.own import labelling_shapes
from foveal.api.own.labelling_shapes import (
    AssistedImage,
    DuplicateGroup,
    LabelError,
    NamedTag,
    NextImage,
    ShownImage,
    TagCurve,
)
from foveal.api.training.prediction_shapes import prediction_shapes
from foveal.db.tables import Iteration, Project
from foveal.engine.backbones import Backbone
from foveal.engine.labelling import learning_curve as curve
from foveal.services import assistant, iterations, label_checks, labelling, looks, projects, tags
from foveal.services.labelling import Next, Shelf
from foveal.services.tags import CountedTag

router = APIRouter(prefix="/projects/{project_id}", tags=["Foveal"])

Take = Annotated[int, Query(ge=1, le=256)]
MORE_IMAGES = curve.MORE


@router.get("/labelling/next", operation_id="GetImagesToLabel")
def next_images(
    project_id: UUID,
    parts: PartsDep,
    links: LinksDep,
    iteration_id: Annotated[UUID | None, Query(alias="iterationId")] = None,
    take: Take = 20,
) -> labelling_shapes.NextImages:
    """Untagged images to tag next, at most 256, each with its `reason`.

    By the iteration named, or the newest completed one; before the first training, typical images of groups that no tag
    stands for yet. `waiting` images are being looked at by a worker: ask again later.
    """
    with parts.sessions.read.begin() as session:
        project = projects.get(session, project_id)
        iteration = _model(session, project, iteration_id)
        found = _next(session, parts, project, iteration, take)
        trained = tags.of_iteration(session, iteration) if iteration else []
        shown = labelling_shapes.shown(session, [choice.image for choice in found.choices], links)
        images = [
            NextImage(
                **shown[each.image.id],
                score=each.score,
                reason=each.reason,
                predictions=None if each.said is None else prediction_shapes(trained, each.said),
            )
            for each in found.choices
        ]
        backbone = labelling.backbone_of(iteration or project)
        named = iteration.id if iteration else None
    _look(parts, project_id, backbone, found.waiting)
    return labelling_shapes.NextImages(iteration_id=named, waiting=found.waiting, images=images)


@router.get("/labelling/assistant", operation_id="GetAssistedTags")
def assisted(
    project_id: UUID,
    parts: PartsDep,
    links: LinksDep,
    *,
    take: Take = 60,
    surest_first: Annotated[bool, Query(alias="surestFirst")] = True,
) -> labelling_shapes.AssistedImages:
    """Tags for untagged images by a quick model of all tags given so far, made anew at each call. Classifiers only.

    No guesses while fewer than two tags have two images each; `waiting` images are being looked at: ask again later.
    """
    with parts.sessions.read.begin() as session:
        project = projects.get(session, project_id)
        found = assistant.assist(session, project, take=take, surest_first=surest_first)
        shown = labelling_shapes.shown(session, [guess.image for guess in found.guesses], links)
        answer = labelling_shapes.AssistedImages(
            tags=[NamedTag(id=tag.id, name=tag.name) for tag in found.tags],
            learned=found.learned,
            untagged=found.untagged,
            waiting=found.waiting,
            images=[
                AssistedImage(**shown[each.image.id], predictions=prediction_shapes(found.tags, each.said))
                for each in found.guesses
            ],
        )
        backbone = labelling.backbone_of(project)
    _look(parts, project_id, backbone, found.waiting)
    return answer


@router.get("/labelling/duplicates", operation_id="GetDuplicateImages")
def near_duplicates(
    project_id: UUID, parts: PartsDep, links: LinksDep, take: Take = 100
) -> labelling_shapes.DuplicateGroups:
    """Groups of images that are nearly the same, tagged or not, at most 256 groups of the newest 10000 images.

    `tagsDiffer` where two tagged ones bear other tags. `waiting` images are being looked at: ask again later.
    """
    with parts.sessions.read.begin() as session:
        project = projects.get(session, project_id)
        found = labelling.near_duplicates(session, project, take=take)
        shown = labelling_shapes.shown(session, [image for group in found.groups for image in group.images], links)
        groups = [
            DuplicateGroup(
                similarity=group.similarity,
                tags_differ=group.tags_differ,
                images=[ShownImage(**shown[image.id]) for image in group.images],
            )
            for group in found.groups
        ]
        backbone = labelling.backbone_of(project)
    _look(parts, project_id, backbone, found.waiting)
    return labelling_shapes.DuplicateGroups(compared=found.compared, waiting=found.waiting, groups=groups)


@router.get("/iterations/{iteration_id}/label-errors", operation_id="GetLabelErrors")
def label_errors(
    project_id: UUID, iteration_id: UUID, parts: PartsDep, links: LinksDep, take: Take = 20
) -> list[LabelError]:
    """Images of the iteration whose tag is probably wrong, the surest first, at most 256.

    Told by models that had not seen the image. What was corrected since the training is left out. Classifiers only.
    """
    with parts.sessions.read.begin() as session:
        iteration = iterations.completed(session, projects.get(session, project_id), iteration_id)
        found = label_checks.doubts(session, iteration, take=take)
        shown = labelling_shapes.shown(session, list({each.image.id: each.image for each in found}.values()), links)
        return [
            LabelError(
                **shown[each.image.id],
                given_tag=_named(each.given),
                likely_tag=_named(each.likely),
                sureness=each.sureness,
            )
            for each in found
        ]


@router.get("/iterations/{iteration_id}/learning-curve", operation_id="GetLearningCurve")
def learning_curve(project_id: UUID, iteration_id: UUID, parts: PartsDep) -> labelling_shapes.LearningCurve:
    """By tag, what ten more images would bring in average precision, with a 90 % interval.

    Null for a tag with fewer than 20 images: too few to know. The other tags are taken to grow alike. Classifiers only.
    """
    with parts.sessions.read.begin() as session:
        iteration = iterations.completed(session, projects.get(session, project_id), iteration_id)
        found = label_checks.curves(session, iteration)
        backbone = labelling.backbone_of(iteration)
    _look(parts, project_id, backbone, found.waiting)
    shapes = [
        TagCurve(
            tag_id=tag.id,
            tag_name=tag.name,
            image_count=tag.image_count,
            average_precision=gain.now,
            gain=gain.gain,
            gain_low=gain.low,
            gain_high=gain.high,
        )
        for tag, gain in found.gains
    ]
    return labelling_shapes.LearningCurve(more_images=MORE_IMAGES, waiting=found.waiting, tags=shapes)


def _model(session: Session, project: Project, iteration_id: UUID | None) -> Iteration | None:
    if iteration_id is None:
        return labelling.newest(session, project)
    return iterations.completed(session, project, iteration_id)


def _next(session: Session, parts: Parts, project: Project, iteration: Iteration | None, take: int) -> Next:
    if iteration is None:
        return labelling.first(session, project, take=take)
    return labelling.after(session, project, iteration, Shelf(parts.models, parts.blobs), take=take)


def _look(parts: Parts, project_id: UUID, backbone: Backbone, waiting: int) -> None:
    """Have a worker look at the images that wait, where there are any."""
    if not waiting:
        return
    with parts.sessions.write.begin() as session:
        asked = looks.ask(session, projects.get(session, project_id), backbone, now=parts.clock())
    if asked:
        parts.wake_worker()


def _named(tag: CountedTag | None) -> NamedTag | None:
    return None if tag is None else NamedTag(id=tag.id, name=tag.name)
