"""Labels that are probably wrong, from what models say of images that they had not seen.

After Northcutt, Jiang and Chuang 2021, "Confident learning": a tag is believed where its probability reaches the mean
of the images that bear it, so that a tag on which the model is always unsure is not believed at a lower price. Images
whose given tag is not the one believed are ranked by the normalised margin.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Targets = NDArray[np.bool_]  # (n, k)
Probabilities = NDArray[np.floating]  # (n, k)


@dataclass(frozen=True, slots=True)
class LabelError:
    """An image whose label is doubtful; `sureness` is 0.5 where both are as likely and 1 where all speaks against it.

    Where tags exclude one another, `given` is probably to be `likely`. Else one of the two is None: `given` is probably
    to be taken away, or `likely` to be added.
    """

    image: int
    given: int | None
    likely: int | None
    sureness: float


def label_errors(targets: Targets, held_out: Probabilities, *, exclusive: bool) -> list[LabelError]:
    """Return the doubtful labels, the surest error first; `held_out` are out-of-fold probabilities."""
    if not len(targets):
        return []
    values = held_out.astype(np.float64)
    found = _swapped(targets, values) if exclusive else _lacking(targets, values)
    return sorted(found, key=lambda error: (-error.sureness, error.image, error.given or 0, error.likely or 0))


def _swapped(targets: Targets, values: NDArray[np.float64]) -> list[LabelError]:
    believed = values >= _means(targets, values)
    likely = np.where(believed, values, -1).argmax(1)
    given = targets.argmax(1)
    doubtful = np.flatnonzero(believed.any(1) & (likely != given))
    made: list[LabelError] = []
    for image in doubtful.tolist():
        new, old = int(likely[image]), int(given[image])
        sureness = (1 + values[image, new] - values[image, old]) / 2
        if sureness > 0.5:  # noqa: PLR2004  # else the given tag is the more probable one
            made.append(LabelError(image, old, new, float(sureness)))
    return made


def _lacking(targets: Targets, values: NDArray[np.float64]) -> list[LabelError]:
    """Doubt each (image, tag) by itself: having a tag is the contrary of lacking it."""
    has = values >= _means(targets, values)
    lacks = 1 - values >= _means(~targets, 1 - values)
    made = [
        LabelError(image, tag, None, float(1 - values[image, tag]))
        for image, tag in np.argwhere(targets & lacks & (values < 0.5)).tolist()  # noqa: PLR2004  # an even chance
    ]
    return made + [
        LabelError(image, None, tag, float(values[image, tag]))
        for image, tag in np.argwhere(~targets & has & (values > 0.5)).tolist()  # noqa: PLR2004  # an even chance
    ]


def _means(targets: Targets, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each tag's mean probability among the images that bear it, (k,); infinite where none does."""
    count = targets.sum(0)
    return np.where(count > 0, (values * targets).sum(0) / np.maximum(count, 1), np.inf)
