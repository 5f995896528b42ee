"""The label assistant: a quick model of the tags given so far, and what it says of the images that have none.

Nothing of it is kept: it is made anew from cached embeddings whenever it is asked, so that each tag counts at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from foveal import domains
from foveal.db.tables import Image, Project
from foveal.domains import CLASSIFICATION, MULTICLASS
from foveal.engine import heads
from foveal.errors import Invalid
from foveal.services import image_tags, images, labelling, tags
from foveal.services.images import Filter
from foveal.services.said import Probabilities
from foveal.services.tags import CountedTag

MOST_TAGGED = 1_000
"""The newest tagged images, from which it learns."""
FEWEST = 2
"""Images that a tag must have, and tags that there must be, for a model."""
SEED = 0


@dataclass(frozen=True, slots=True)
class Guess:
    """An untagged image and what the assistant says of it."""

    image: Image
    said: Probabilities


@dataclass(frozen=True, slots=True)
class Assisted:
    """What the assistant learned from, and its guesses, the surest first.

    `waiting` images, tagged or not, are still to be looked at; of the `untagged` ones guesses may be but the surest.
    """

    tags: list[CountedTag]
    learned: int
    untagged: int
    waiting: int
    guesses: list[Guess]


def assist(session: Session, project: Project, *, take: int, surest_first: bool) -> Assisted:
    """Guess the tags of untagged images; no tag is guessed while fewer than two tags have two images each.

    Raises:
        Invalid: The project is of detectors.
    """
    if domains.get(project.domain_id).type != CLASSIFICATION:
        raise Invalid("The label assistant is for classification projects.", "BadRequestNotSupported")
    backbone = labelling.backbone_of(project)
    tagged = images.find(session, project, Filter(tagged=True), take=MOST_TAGGED)
    untagged = images.find(session, project, Filter(tagged=False), take=labelling.MOST_IMAGES)
    seen, vectors = labelling.looked_at(session, backbone, [*tagged, *untagged])
    waiting = len(tagged) + len(untagged) - len(seen)
    known = {image.id for image in tagged}
    examples = [at for at, image in enumerate(seen) if image.id in known]
    asked = [at for at, image in enumerate(seen) if image.id not in known]
    learned, targets = _targets(session, project, [seen[at] for at in examples])
    rows = np.flatnonzero(targets.any(1)) if project.classification_type == MULTICLASS else np.arange(len(targets))
    if len(learned) < FEWEST or not asked:
        return Assisted(learned, 0, len(untagged), waiting, [])
    fitted = heads.fit(
        vectors[examples][rows], targets[rows], exclusive=project.classification_type == MULTICLASS, seed=SEED
    )
    said = fitted.head.probabilities(vectors[asked])
    order: list[int] = np.argsort(said.max(1), kind="stable").tolist()
    chosen = order[::-1][:take] if surest_first else order[:take]
    guesses = [Guess(seen[asked[at]], Probabilities(said[at])) for at in chosen]
    return Assisted(learned, len(rows), len(untagged), waiting, guesses)


def _targets(
    session: Session, project: Project, examples: Sequence[Image]
) -> tuple[list[CountedTag], NDArray[np.bool_]]:
    """Return the tags that have enough of the images, and which image has which of them: (n, k)."""
    every = tags.every(session, project)
    column = {tag.id: at for at, tag in enumerate(every)}
    borne = image_tags.of_images(session, examples)
    targets = np.zeros((len(examples), len(every)), dtype=bool)
    for at, image in enumerate(examples):
        for bearing in borne.get(image.id, ()):
            targets[at, column[bearing.tag_id]] = True
    enough = np.flatnonzero(targets.sum(0) >= FEWEST)
    return [every[at] for at in enough], targets[:, enough]
