"""What to label next: untagged images that teach most, near-duplicates, doubtful labels, and what more images bring."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from foveal import domains
from foveal.blobs import Blobs
from foveal.db.tables import Image, Iteration, Project, Suggestion
from foveal.domains import MULTICLASS
from foveal.engine import backbones
from foveal.engine.backbones import Backbone
from foveal.engine.features import head_features
from foveal.engine.heads import Head
from foveal.engine.labelling import duplicates, informative, typical
from foveal.engine.labelling.informative import Informative
from foveal.engine.labelling.typical import Typical
from foveal.services import embeddings, image_tags, images, iterations, pictures, predictions, said, tags
from foveal.services.images import Filter
from foveal.services.models import Models
from foveal.services.said import Probabilities, Said

MOST_IMAGES = 10_000
"""The newest images, among which is chosen or compared."""
MOST_TAGGED = 3_000
"""The newest tagged images, of which is known what they stand for."""
MOST_PICTURES = 64
"""How many pictures a model looks at anew where its head does not fit the cached embeddings."""
SURE = 0.9

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Choice:
    """An untagged image to label, how much it is worth (0..1), why, and what the model says of it, if there is one."""

    image: Image
    score: float
    reason: str
    said: Said | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """Images to label, the most useful first; `waiting` more images could not be judged yet."""

    choices: list[Choice]
    waiting: int


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Images that are nearly the same, each at least this similar to another of the group; whether their tags differ.

    Tags differ where two tagged images do not bear the same ones: an untagged image differs from nothing.
    """

    images: list[Image]
    similarity: float
    tags_differ: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """Groups of near-duplicates, the most similar first, and how many images were compared and are still waiting."""

    groups: list[Duplicates]
    compared: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where models and pictures are."""

    models: Models
    blobs: Blobs


def backbone_of(owner: Project | Iteration) -> Backbone:
    """Return the backbone behind the domain of a project or an iteration."""
    domain = domains.get(owner.domain_id)
    return backbones.find(domain.backbone, domain.size_px)


def newest(session: Session, project: Project) -> Iteration | None:
    """Return the newest completed iteration, if any."""
    found = iterations.every(session, project)
    return next((iteration for iteration in found if iteration.status == iterations.COMPLETED), None)


def first(session: Session, project: Project, *, take: int) -> Next:
    """Choose untagged images while there is no model: typical ones of groups without a tagged image."""
    backbone = backbone_of(project)
    untagged = images.find(session, project, Filter(tagged=False), take=MOST_IMAGES)
    tagged = images.find(session, project, Filter(tagged=True), take=MOST_TAGGED)
    seen, vectors = looked_at(session, backbone, [*tagged, *untagged])
    tagged_ids = {image.id for image in tagged}
    known = np.array([image.id in tagged_ids for image in seen], bool)
    chosen = typical.typical_and_diverse(vectors, known, take) if seen else []
    choices = [Choice(seen[each.image], each.score, _of_group(each)) for each in chosen]
    return Next(choices, len(untagged) - int((~known).sum()))


def after(session: Session, project: Project, iteration: Iteration, shelf: Shelf, *, take: int) -> Next:
    """Choose untagged images that a model is unsure of, and no two that look alike."""
    backbone = backbone_of(iteration)
    untagged = images.find(session, project, Filter(tagged=False), take=MOST_IMAGES)
    seen, vectors = looked_at(session, backbone, untagged)
    looked = _suggested(session, iteration) | _looked(shelf, iteration, backbone, seen, vectors)
    judged = [at for at, image in enumerate(seen) if image.id in looked]
    if not judged:
        return Next([], len(untagged))
    names = [tag.name for tag in tags.of_iteration(session, iteration)]
    probabilities = np.stack([looked[seen[at].id].by_tag(len(names)) for at in judged]).astype(np.float32)
    exclusive = iteration.classification_type == MULTICLASS
    chosen = informative.informative(probabilities, vectors[judged], take, exclusive=exclusive)
    choices = [
        Choice(
            seen[judged[each.image]],
            each.score,
            _of_doubt(each, probabilities[each.image], names, exclusive=exclusive),
            looked[seen[judged[each.image]].id],
        )
        for each in chosen
    ]
    return Next(choices, len(untagged) - len(judged))


def near_duplicates(session: Session, project: Project, *, take: int) -> Compared:
    """Return groups of images of the workspace, tagged and untagged, that are nearly the same."""
    found = images.find(session, project, Filter(), take=MOST_IMAGES)
    seen, vectors = looked_at(session, backbone_of(project), found)
    groups = duplicates.near_duplicates(vectors)[:take] if seen else []
    members = [seen[at] for group in groups for at in group.members]
    borne = image_tags.of_images(session, members)
    made: list[Duplicates] = []
    for group in groups:
        alike = [seen[at] for at in group.members]
        sets = {frozenset(tag.tag_id for tag in borne[image.id]) for image in alike if image.id in borne}
        made.append(Duplicates(alike, group.similarity, len(sets) > 1))
    return Compared(made, len(seen), len(found) - len(seen))


def looked_at(session: Session, backbone: Backbone, found: Sequence[Image]) -> tuple[list[Image], Floats]:
    """Return those of the images that the backbone has seen, and their embeddings at length one."""
    vectors = embeddings.find(session, backbone, [image.digest for image in found])
    seen = [image for image in found if image.digest in vectors]
    if not seen:
        return [], np.empty((0, backbone.dimension), np.float32)
    return seen, head_features(np.stack([vectors[image.digest] for image in seen]))


def _suggested(session: Session, iteration: Iteration) -> dict[UUID, Said]:
    rows = session.execute(
        select(Suggestion.image_id, Suggestion.probabilities).where(Suggestion.iteration_id == iteration.id)
    )
    return {image_id: said.read(iteration.domain_id, content) for image_id, content in rows}


def _looked(
    shelf: Shelf, iteration: Iteration, backbone: Backbone, seen: Sequence[Image], vectors: Floats
) -> dict[UUID, Said]:
    """Return what the iteration's model says of images: of all by its head, or of a few by the whole model."""
    if not seen:
        return {}
    head = _head(shelf.models.bundle(iteration.id).head, iteration, backbone)
    if head is not None:
        rows = Head(*head, iteration.classification_type == MULTICLASS).probabilities(vectors)
        return {image.id: Probabilities(row) for image, row in zip(seen, rows, strict=True)}
    model, few = shelf.models.model(iteration.id), seen[:MOST_PICTURES]
    loaded = [
        pictures.pixels(shelf.blobs, image.digest, rendered=image.rendered, size_px=model.size_px) for image in few
    ]
    looked = predictions.look_at_all(model, loaded)
    return {image.id: each for image, each in zip(few, looked, strict=True)}


def _head(
    arrays: Mapping[str, NDArray[np.float32]], iteration: Iteration, backbone: Backbone
) -> tuple[Floats, Floats] | None:
    """Return weights and bias if they act on the backbone's embeddings, else None."""
    weights, bias = arrays.get("weights"), arrays.get("bias")
    tuned = "share_of_tuned_weights" in iteration.metrics  # the network is another one than the backbone
    if tuned or iteration.metrics.get("backbone") != backbone.fingerprint or weights is None or bias is None:
        return None
    fits = weights.shape[0] == backbone.dimension and weights.shape[1:] == bias.shape
    return (weights, bias) if fits else None


def _of_group(choice: Typical) -> str:
    if choice.group_size == 1:
        return "Unlike all other pictures."
    known = "some of them are tagged" if choice.group_known else "none of them is tagged yet"
    return f"Typical of a group of {choice.group_size} pictures like it; {known}."


def _of_doubt(choice: Informative, values: Floats, names: Sequence[str], *, exclusive: bool) -> str:
    told = [f"{names[tag]} ({values[tag]:.0%})" for tag in choice.tags]
    best = float(values[choice.tags[0]])
    if exclusive:
        sure = len(told) == 1 or best >= SURE
        return f"The model is rather sure of {told[0]}." if sure else f"The model wavers between {' and '.join(told)}."
    if max(best, 1 - best) >= SURE:
        return f"The model is rather sure of every tag, least of {told[0]}."
    return f"The model cannot tell whether it has {told[0]}."
