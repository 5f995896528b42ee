"""Boxes around whatever stands out in a picture; nothing is trained for it, and no tag is known.

Two ways that know nothing of each other propose, and what both propose comes first. One is what every detector begins
as, which has learned to find things of any kind (`detection.base`). The other is salience: the edge of a photo mostly
shows background, so a cell of the backbone's feature maps is salient when even the cells of the edge that are most like
it are not much like it. The salience and the principal components of the features are cut at several levels. The
connected regions are the candidates; those win that are salient and that many others confirm.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import onnx
from numpy.typing import NDArray
from scipy import linalg, ndimage

from foveal.engine.detection.base import Base
from foveal.engine.detection.graph import BOXES, SCORES, STRIDES, detector_graph
from foveal.engine.features import SMALLEST_NORM
from foveal.errors import Invalid
from foveal.geometry import Box, overlaps
from foveal.runtime import open_session

MAX_PROPOSALS = 10
MAPS = [f"map{stride}" for stride in STRIDES]
SIZE_PX = 320  # the backbones know 224, yet their maps bear more, and a finer grid gives closer boxes
CELL_PX = 16
GRID = SIZE_PX // CELL_PX  # cells on a side

COLOUR_WEIGHT = 0.5  # of colours in [0, 1], beside features of length one
EDGE_SHARE = 0.2  # of the edge's cells are compared with, as a background may have several parts
FAINTEST = 0.15  # range of salience; noise and plain colours stay below 0.11, photos above 0.22
COMPONENTS = 3
LEVELS = 8
SMALLEST_REGION = 2  # cells
CUT_OFF = 0.9  # factor on the confidence for each side of the picture that a region touches
SAME_OBJECT = 0.6  # intersection over union from which the better of two boxes stands for both
ADJACENT = np.ones((3, 3), bool)  # a cell touches all eight around it

NDIMAGE: Any = ndimage  # its types do not tell what comes back for which arguments

Cells = NDArray[np.float32]  # (GRID * GRID, c), row by row
Likeness = NDArray[np.float32]  # (GRID * GRID, GRID * GRID), about the cosine of two cells' features
View = NDArray[np.float32]  # (GRID, GRID), a number for each cell
Boxes = tuple[NDArray[np.floating], NDArray[np.floating]]  # corners (m, 4) and confidences (m,)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A box that may hold an object; its confidence, 0..1, is half of one way's and half of what the other agrees."""

    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Region:
    """A candidate: its bounding box and the mean salience of its cells, where 1 is the picture's highest."""

    box_cells: tuple[int, int, int, int]  # x1, y1, x2, y2
    salience: float


class Proposer:
    """A backbone and what finds things on it, in memory. Safe to call from several threads at once."""

    size_px: ClassVar[int] = SIZE_PX

    def __init__(self, start: Base, *, threads: int) -> None:
        self._session = open_session(_with_maps(start), threads=threads)

    def propose(self, image: NDArray[np.uint8]) -> list[Proposal]:
        """Return the boxes of what stands out in an RGB image (size_px, size_px, 3), best first; none if nothing does.

        The image is stretched to its size, so that relative boxes fit the original as well.
        """
        if image.shape != (SIZE_PX, SIZE_PX, 3):
            raise Invalid(f"Proposals are made for images of shape {(SIZE_PX, SIZE_PX, 3)}, not {image.shape}.")
        tensor = np.ascontiguousarray(image.transpose(2, 0, 1)[np.newaxis], np.float32)
        boxes, confidences, *maps = self._session.run([BOXES, SCORES, *MAPS], {"image": tensor})
        likeness = _likeness([each[0] for each in maps], image)
        salience = _salience(likeness)
        if np.ptp(salience) < FAINTEST:
            return []
        relative = (salience - salience.min()) / np.ptp(salience)
        views = [relative, *_components(likeness)]
        salient = _salient([region for view in views for region in _regions(view, relative)])
        return _agreed(salient, (boxes[0].astype(np.float64), confidences[0].astype(np.float64)))


def _with_maps(start: Base) -> bytes:
    """What finds things of any kind as a model that gives the backbone's maps (1, c, s, s) as well."""
    model = onnx.load_from_string(detector_graph(start.backbone.path, start.finder, ["thing"], size_px=SIZE_PX))
    for name in MAPS:
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    return model.SerializeToString()


def _likeness(maps: Sequence[NDArray[np.float32]], image: NDArray[np.uint8]) -> Likeness:
    """Compare all cells with one another; each map has an equal say, whatever its channels and their scale."""
    features = _at_length_one(np.hstack([_at_length_one(_on_grid(each)) for each in maps]))
    colours = _on_grid(image.transpose(2, 0, 1).astype(np.float32)) / 255
    cells = np.hstack([features, COLOUR_WEIGHT * (colours - colours.mean(0))])
    return cells @ cells.T


def _on_grid(channels: NDArray[np.float32]) -> Cells:
    """Bring a map (c, s, s) to the grid: a finer one by means, a coarser one by interpolation."""
    count, side, _ = channels.shape
    if side < GRID:
        channels = NDIMAGE.zoom(channels, (1, GRID / side, GRID / side), order=1, mode="nearest", grid_mode=True)
    each = max(side // GRID, 1)
    return channels.reshape(count, GRID, each, GRID, each).mean((2, 4)).reshape(count, -1).T


def _at_length_one(cells: Cells) -> Cells:
    return cells / np.maximum(np.linalg.norm(cells, axis=1, keepdims=True), SMALLEST_NORM)


def _salience(likeness: Likeness) -> View:
    """How little each cell is like those of the edge that it is most like."""
    is_edge = np.ones((GRID, GRID), bool)
    is_edge[1:-1, 1:-1] = False
    to_edge = likeness[:, is_edge.ravel()]
    nearest = round(EDGE_SHARE * to_edge.shape[1])
    return 1 - np.partition(to_edge, -nearest, axis=1)[:, -nearest:].mean(1).reshape(GRID, GRID)


def _components(likeness: Likeness) -> Iterator[View]:
    """The principal components of the cells, each in both directions, as either end may be the object."""
    means = likeness.mean(0)
    centred = likeness - means - means[:, np.newaxis] + means.mean()
    _, vectors = linalg.eigh(centred, subset_by_index=[len(means) - COMPONENTS, len(means) - 1])
    for vector in vectors.T:
        yield vector.reshape(GRID, GRID)
        yield -vector.reshape(GRID, GRID)


def _regions(view: View, salience: View) -> Iterator[Region]:
    """The connected regions above each of several levels, evenly spaced between the lowest and the highest cell."""
    for level in np.linspace(view.min(), view.max(), LEVELS + 2)[1:-1]:
        labels, _ = NDIMAGE.label(view > level, ADJACENT)
        sizes = np.bincount(labels.ravel())[1:]
        sums = np.bincount(labels.ravel(), salience.ravel())[1:]
        for (rows, columns), size, total in zip(NDIMAGE.find_objects(labels), sizes, sums, strict=True):
            if size >= SMALLEST_REGION:
                yield Region((columns.start, rows.start, columns.stop, rows.stop), float(total / size))


def _salient(regions: Sequence[Region]) -> Boxes:
    """The boxes (m, 4) that win among the candidates, and how sure each is (m,)."""
    if not regions:
        return np.empty((0, 4)), np.empty(0)
    boxes = np.array([region.box_cells for region in regions]) / GRID
    shared = overlaps(boxes, boxes)
    confirmed = np.sqrt(shared.mean(1))
    sides = (boxes == [0, 0, 1, 1]).sum(1)
    confidences = confirmed * [region.salience for region in regions] * CUT_OFF**sides
    kept = _best(shared, confidences)
    return boxes[kept], confidences[kept]


def _agreed(first: Boxes, second: Boxes) -> list[Proposal]:
    """The boxes of both ways, one for each object; each is as sure as its own way, and as the other that agrees."""
    boxes, own = (np.concatenate([first[at], second[at]]) for at in (0, 1))
    shared = overlaps(boxes, boxes)
    from_first = np.arange(len(boxes)) < len(first[0])
    others = from_first[:, np.newaxis] != from_first
    confidences = (own + (shared * others * own).max(1, initial=0)) / 2
    return [
        Proposal(Box.from_corners(*boxes[at].tolist()), float(confidences[at])) for at in _best(shared, confidences)
    ]


def _best(shared: NDArray[np.floating], confidences: NDArray[np.floating]) -> list[int]:
    """The surest boxes, of which no two overlap (m, m) so much that they are of one object, the best first."""
    found: list[int] = []
    is_free = np.ones(len(confidences), bool)
    for at in np.argsort(-confidences, kind="stable").tolist():
        if is_free[at] and len(found) < MAX_PROPOSALS:
            found.append(at)
            is_free &= shared[at] < SAME_OBJECT
    return found
