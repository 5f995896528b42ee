"""A small network's head learns from a larger network, on the project's own images: the untagged ones too.

The larger network's head tags the untagged images that it is sure of, and the small network's head learns from them as
from any others (pseudo-labels, Lee 2013; from a better eye, so that its knowledge is handed on).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foveal.engine import evaluate, heads
from foveal.engine.heads import Fitted

SURE = 0.7  # the probability from which the larger network is believed
SEED = 0
FOLDS = 5

Vectors = NDArray[np.float32]
Targets = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Lessons:
    """Embeddings of the data's images (n, D) and of untagged ones (u, D) by the larger network.

    `untagged` (u, d) are those of the untagged ones by the small network.
    """

    own: Vectors
    untagged_by_teacher: Vectors
    untagged: Vectors


@dataclass(frozen=True, slots=True)
class Class:
    """What is learned from: raw embeddings (n, d) by the small network, targets (n, k), the larger one's lessons."""

    vectors: Vectors
    targets: Targets
    lessons: Lessons
    exclusive: bool

    def taught(self, seen: NDArray[np.bool_]) -> tuple[Vectors, Targets]:
        """Embeddings and targets of the images seen and, after them, of the untagged ones that the teacher is sure of.

        The teacher is fitted on the images seen alone, so that the others can judge what came of it.
        """
        targets, lessons = self.targets[seen], self.lessons
        teacher = heads.fit(lessons.own[seen], targets, exclusive=self.exclusive, seed=SEED).head
        said = teacher.probabilities(lessons.untagged_by_teacher)
        if self.exclusive:
            sure, tags = said.max(1) >= SURE, np.eye(targets.shape[1], dtype=bool)[said.argmax(1)]
        else:
            sure, tags = (np.maximum(said, 1 - said) >= SURE).all(1), said >= 1 / 2
        return np.concatenate([self.vectors[seen], lessons.untagged[sure]]), np.concatenate([targets, tags[sure]])

    def scores(self, held: NDArray[np.bool_]) -> NDArray[np.floating]:
        """What heads taught without the images held out say of them: (c, held, k)."""
        vectors, targets = self.taught(~held)
        return heads.scores(vectors, targets, self.vectors[held], exclusive=self.exclusive)


def fit(pupils: Class, folds: NDArray[np.intp]) -> Fitted:
    """Fit a head on the embeddings and what the teacher makes of the untagged images, judged by one repeat of folds."""
    judged = np.flatnonzero(folds[0] != evaluate.NEVER_HELD)
    said = heads.out_of_fold(folds, pupils.scores)
    vectors, targets = pupils.taught(np.ones(len(pupils.targets), bool))
    return heads.assemble(vectors, targets, said, judged, exclusive=pupils.exclusive)
