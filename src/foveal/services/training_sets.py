"""What a training of a project would learn from: its tags and tagged images, and whether that is enough."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from foveal import domains
from foveal.db.tables import Image, ImageTag, Iteration, IterationImage, Project, name_key
from foveal.domains import MULTICLASS, OBJECT_DETECTION
from foveal.engine.detection import scores
from foveal.engine.detection.scores import Truth
from foveal.errors import Invalid
from foveal.geometry import Box
from foveal.services import regions, tags, test_sets
from foveal.services.tags import CountedTag

MIN_TAGS = 2
MIN_IMAGES_PER_TAG = 5
MIN_IMAGES_PER_DETECTED_TAG = 15
TOO_FEW_IMAGES = {
    "Multiclass": "BadRequestMultiClassClassificationTrainingValidationFailed",
    "Multilabel": "BadRequestMultiLabelClassificationTrainingValidationFailed",
}


@dataclass(frozen=True, slots=True)
class TaggedBox:
    """A box with the position of its tag."""

    position: int
    box: Box


@dataclass(frozen=True, slots=True)
class TrainingImage:
    """An image with the positions of its tags among the tags of the set, ascending, and the boxes of a detector.

    One in the `test` set judges the model, which learns nothing from it.
    """

    id: UUID
    digest: str
    rendered: bool
    positions: tuple[int, ...]
    test: bool = False
    boxes: tuple[TaggedBox, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Tags in the order of the model's outputs, tagged images in a stable order, and a digest of it all."""

    tags: list[CountedTag]
    images: list[TrainingImage]
    digest: str

    @property
    def tests(self) -> bool:
        """Whether some of the images were set aside as a test set."""
        return any(image.test for image in self.images)


def gather(session: Session, project: Project, selected_tags: Sequence[UUID]) -> TrainingSet:
    """Collect the workspace's tags (those selected, or all) and the images that bear them."""
    chosen = tags.every(session, project)
    known = {tag.id for tag in chosen}
    if unknown := [id for id in selected_tags if id not in known]:
        raise tags.not_found(unknown[0])
    if selected_tags:
        chosen = [tag for tag in chosen if tag.id in set(selected_tags)]
    images = _images(session, project, chosen)
    return TrainingSet(chosen, images, digest(project.domain_id, project.classification_type, chosen, images))


def digest(
    domain_id: UUID, classification_type: str | None, tags: Sequence[CountedTag], images: Sequence[TrainingImage]
) -> str:
    """Return a digest that changes with anything that a training learns from."""
    made = sha256(f"{domain_id} {classification_type}\n".encode())
    for tag in tags:
        made.update(f"{tag.id} {tag.type} {tag.name}\n".encode())
    for image in sorted(images, key=_order):
        made.update(f"{image.digest} {image.positions}{' test' if image.test else ''}\n".encode())
        for each in image.boxes:
            edges = (each.box.left, each.box.top, each.box.width, each.box.height)
            made.update(f"{each.position} {' '.join(f'{edge:.6f}' for edge in edges)}\n".encode())
    return made.hexdigest()


def untagged(session: Session, project: Project, *, most: int) -> list[TrainingImage]:
    """Return untagged images of the workspace, in the stable order of training sets."""
    tagged = exists().where(ImageTag.image_id == Image.id)
    rows = session.execute(
        select(Image.id, Image.digest, Image.rendered)
        .where(Image.project_id == project.id, Image.deleted_at.is_(None), ~tagged)
        .order_by(Image.digest)
        .limit(most)
    )
    return [TrainingImage(id, digest, rendered, ()) for id, digest, rendered in rows]


def check(project: Project, training_set: TrainingSet) -> None:
    """Raise `Invalid` when the set is not enough to train on; the message names what is missing."""
    domain = domains.get(project.domain_id)
    if domain.retired:
        raise Invalid(
            f"The domain {domain.name!r} is retired: choose another one in the project's settings.",
            "BadRequestRetiredDomainNotSupportedForTraining",
        )
    (_check_detection if domain.type == OBJECT_DETECTION else _check_classification)(project, training_set)


def borrowed(session: Session, training_set: TrainingSet, base: Iteration) -> list[TrainingImage]:
    """Return the images that the base was trained on and this set lacks, with those of their tags that it has.

    Tags agree by id, or else by name: the base may belong to another project.
    """
    by_id = {tag.id: at for at, tag in enumerate(training_set.tags)}
    by_name = {name_key(tag.name): at for at, tag in enumerate(training_set.tags)}
    known = of_iteration(session, base)
    place = [by_id.get(tag.id, by_name.get(name_key(tag.name))) for tag in known.tags]
    there = {image.digest for image in training_set.images}
    exclusive = base.classification_type == MULTICLASS
    images: list[TrainingImage] = []
    for image in known.images:
        positions = tuple(sorted({at for old in image.positions if (at := place[old]) is not None}))
        # An image whose tags are unknown here would teach that it has none.
        whole = len(positions) == len(image.positions)
        if image.digest not in there and whole and (len(positions) == 1 or not exclusive):
            drawn = tuple(TaggedBox(at, old.box) for old in image.boxes if (at := place[old.position]) is not None)
            images.append(TrainingImage(image.id, image.digest, image.rendered, positions, boxes=drawn))
    return images


def _check_detection(project: Project, training_set: TrainingSet) -> None:
    if any(tag.type == tags.NEGATIVE for tag in training_set.tags):
        raise Invalid(
            "A detector has no Negative tag: what is in no box counts as nothing. Delete the tag, or select others.",
            "BadRequestDetectionTrainingNotAllowNegativeTag",
        )
    least = MIN_IMAGES_PER_DETECTED_TAG
    learned = [image for image in training_set.images if not image.test]
    counts = Counter(at for image in learned for at in {each.position for each in image.boxes})
    short = [f"{tag.name!r} has {counts[at]}" for at, tag in enumerate(training_set.tags) if counts[at] < least]
    if short or not training_set.tags:
        beside = " beside those of the test set" if training_set.tests else ""
        raise Invalid(
            f"Not enough images per tag for training: each tag needs {least} with a box{beside}, but "
            f"{', '.join(short) or f'the project {project.name!r} has no tags'}.",
            "BadRequestDetectionTrainingValidationFailed",
        )


def _check_classification(project: Project, training_set: TrainingSet) -> None:
    if len(training_set.tags) < MIN_TAGS:
        raise Invalid(
            f"Not enough tags for training: {MIN_TAGS} are needed, the project has {len(training_set.tags)}.",
            "BadRequestClassificationTrainingValidationFailed",
        )
    code = TOO_FEW_IMAGES[project.classification_type or MULTICLASS]
    learned = Counter(at for image in training_set.images if not image.test for at in image.positions)
    counts = [(tag, learned[at] if training_set.tests else tag.image_count) for at, tag in enumerate(training_set.tags)]
    short = [f"{tag.name!r} has {count}" for tag, count in counts if count < MIN_IMAGES_PER_TAG]
    if short:
        beside = " beside those of the test set" if training_set.tests else ""
        raise Invalid(
            f"Not enough images for training: each tag needs {MIN_IMAGES_PER_TAG}{beside}, but {', '.join(short)}.",
            code,
        )
    several = sum(len(image.positions) > 1 for image in training_set.images)
    if project.classification_type == MULTICLASS and several:
        raise Invalid(f"In a Multiclass project an image bears one tag, but {several} images bear several.", code)


def of_iteration(session: Session, iteration: Iteration) -> TrainingSet:
    """Return what the iteration was started on."""
    rows = session.execute(
        select(
            Image.id,
            Image.digest,
            Image.rendered,
            IterationImage.positions,
            IterationImage.test,
            IterationImage.regions,
        )
        .join(IterationImage, IterationImage.image_id == Image.id)
        .where(IterationImage.iteration_id == iteration.id)
    )
    images = [
        TrainingImage(id, digest, rendered, tuple(positions), test, boxes(regions))
        for id, digest, rendered, positions, test, regions in rows
    ]
    return TrainingSet(tags.of_iteration(session, iteration), sorted(images, key=_order), iteration.data_digest)


def boxes(kept: Sequence[Sequence[Any]]) -> tuple[TaggedBox, ...]:
    """Read `IterationImage.regions`."""
    return tuple(TaggedBox(position, Box(*edges)) for _, position, *edges in kept)


def truth(boxes: Sequence[TaggedBox]) -> Truth:
    """The same for a detector's training and judging."""
    return scores.truth([(each.position, each.box) for each in boxes])


def _images(session: Session, project: Project, chosen: Sequence[CountedTag]) -> list[TrainingImage]:
    position = {tag.id: at for at, tag in enumerate(chosen)}
    drawn = regions.snapshots(session, project, position)
    rows = session.execute(
        select(Image.id, Image.digest, Image.rendered, Image.attributes, ImageTag.tag_id)
        .join(ImageTag, ImageTag.image_id == Image.id)
        .where(Image.project_id == project.id, Image.deleted_at.is_(None))
    )
    borne: dict[tuple[UUID, str, bool, bool], list[int]] = defaultdict(list)
    for id, digest, rendered, attributes, tag_id in rows:
        if tag_id in position:
            borne[id, digest, rendered, test_sets.has(attributes)].append(position[tag_id])
    images = [
        TrainingImage(id, digest, rendered, tuple(sorted(positions)), test, boxes(drawn.get(id, ())))
        for (id, digest, rendered, test), positions in borne.items()
    ]
    return sorted(images, key=_order)


def _order(image: TrainingImage) -> str:
    # By content, not by id: the same pictures give the same model, whatever ids they got.
    return image.digest
