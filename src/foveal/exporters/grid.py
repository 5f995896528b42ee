"""The end of a compact detector as Azure's programs expect it: a YOLO grid, computed from all boxes and probabilities.

The programs bound how many boxes a cell of the grid may hold, and choose among boxes that overlap in their own ways.
So the choice is made here already, with arithmetic that every platform knows: the boxes that are left over from a
greedy choice are a fixed point of "kept unless a kept, more probable one overlaps it" (Cluster-NMS: Zheng et al.,
Enhancing Geometric Factors in Model Learning and Inference for Object Detection and Instance Segmentation, 2021).
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import onnx
from onnx import helper

from foveal.engine.detection.graph import ALL_BOXES, ALL_SCORES, FAINTEST, SAME_OBJECT
from foveal.engine.nodes import Nodes
from foveal.exporters.interface import ANCHORS, GRID_SIDE

OUTPUT = "grid"
PER_CELL = len(ANCHORS)
SLOTS = GRID_SIDE * GRID_SIDE * PER_CELL
CANDIDATES = 256
ROUNDS = 8
"""Of the choice: enough for chains of that many boxes, each of which overlaps the next."""
STEEP = 6e4
"""Makes a step of a slope; half precision, which some devices compute in, still holds it."""
NEVER = -30.0  # a logit
SMALLEST_SIDE, SMALLEST_AREA = 1e-4, 1e-9
NEAR_EDGE = 1e-4
SURELY = 1 - 1e-6


@dataclass
class Arithmetic:
    """Nodes with names of their own: short words for what the grid needs."""

    nodes: Nodes
    count: int = 0

    def _add(self, operator: str, *inputs: str, **attributes: object) -> str:
        self.count += 1
        return self.nodes.add(operator, inputs, f"grid_{self.count}_{operator.lower()}", **attributes)

    def number(self, value: object) -> str:
        self.count += 1
        values = np.asarray(value)
        return self.nodes.constant(
            values.astype(np.float32) if values.dtype.kind == "f" else values, f"grid_{self.count}"
        )

    def __getattr__(self, operator: str):  # noqa: ANN204  # a function for each operator of ONNX
        return partial(self._add, operator)

    def shaped(self, tensor: str, *shape: int) -> str:
        return self.Reshape(tensor, self.number(np.array(shape)))

    def row(self, column: str) -> str:
        """A column (m, 1) as a row (1, m): beside the column, it makes all pairs."""
        return self.shaped(column, 1, -1)

    def less(self, tensor: str) -> str:
        """One less than a tensor."""
        return self.Sub(self.number(1.0), tensor)

    def above(self, tensor: str, limit: float) -> str:
        """One where a tensor is above a limit, else zero."""
        steep = self.Mul(self.Relu(self.Sub(tensor, self.number(limit))), self.number(STEEP))
        return self.Min(steep, self.number(1.0))

    def same(self, column: str, row: str) -> str:
        """One where whole numbers are the same, else zero."""
        difference = self.Sub(column, row)
        return self.Relu(self.less(self.Max(difference, self.Sub(row, column))))

    def logit(self, tensor: str, lowest: float, highest: float) -> str:
        bounded = self.Min(self.Max(tensor, self.number(lowest)), self.number(highest))
        return self.Sub(self.Log(bounded), self.Log(self.less(bounded)))


def add_grid(nodes: Nodes, places: int, tags: int, *, logistic: bool) -> onnx.ValueInfoProto:
    """Add the end and describe its output (1, 5 * (5 + k), 13, 13).

    Args:
        nodes: where `boxes` (1, a, 4) and `scores` (1, k, a) are known.
        places: how many boxes there are, a.
        tags: how many tags, k.
        logistic: whether programs take the logistic function of a middle's distance from its cell.
    """
    do = Arithmetic(nodes)
    scores, tag, corners = _candidates(do, places, tags)
    number = do.number(np.arange(min(CANDIDATES, places * tags), dtype=np.float32)[:, None])
    earlier = do.Min(do.Relu(do.Sub(number, do.row(number))), do.number(1.0))
    named = do.Gather(do.number(np.arange(tags, dtype=np.float32)[:, None]), tag, axis=0)
    rivals = do.Mul(do.Mul(_overlapping(do, corners), do.same(named, do.row(named))), earlier)
    kept = do.Mul(_kept(do, rivals, number), do.above(scores, FAINTEST))
    half, one = np.eye(2) / 2, np.eye(2)
    middles = do.MatMul(corners, do.number(GRID_SIDE * np.concatenate([half, half])))
    within = do.Min(do.Max(middles, do.number(0.0)), do.number(GRID_SIDE - NEAR_EDGE))
    cells = do.Floor(within)
    slots = _slots(do, cells, kept, earlier)
    offsets = do.Sub(within, cells)
    told = do.logit(offsets, NEAR_EDGE, 1 - NEAR_EDGE) if logistic else offsets
    sides = do.MatMul(corners, do.number(GRID_SIDE * np.concatenate([-one, one])))
    logarithms = do.Log(do.Max(sides, do.number(SMALLEST_SIDE)))
    certain = do.Sub(do.logit(scores, FAINTEST / 2, SURELY), do.number(NEVER))
    table = do.number(np.where(np.eye(tags, dtype=bool), 0.0, NEVER))
    values = do.Concat(told, logarithms, certain, do.Gather(table, tag, axis=0), axis=1)
    return _laid_out(do, do.MatMul(slots, values), tags)


def _candidates(do: Arithmetic, places: int, tags: int) -> tuple[str, str, str]:
    """The most probable pairs of a box and a tag: probabilities (m, 1), tags (m,), corners (m, 4)."""
    most = min(CANDIDATES, places * tags)
    pairs = do.shaped(ALL_SCORES, places * tags)
    top = helper.make_node("TopK", [pairs, do.number(np.array([most]))], ["grid_best", "grid_best_at"], axis=0)
    do.nodes.nodes.append(top)
    boxes = do.number(np.int64(places))
    tag = do.Div("grid_best_at", boxes)
    place = do.Sub("grid_best_at", do.Mul(tag, boxes))
    return do.shaped("grid_best", most, 1), tag, do.Gather(do.shaped(ALL_BOXES, places, 4), place, axis=0)


def _overlapping(do: Arithmetic, corners: str) -> str:
    """One where two boxes overlap so much that they are taken for the same object (m, m)."""
    first, last, second, bottom = (do.MatMul(corners, do.number(np.eye(4)[:, [at]])) for at in (0, 2, 1, 3))
    spans = ((first, last), (second, bottom))
    shared = do.Mul(*(do.Relu(do.Sub(do.Min(high, do.row(high)), do.Max(low, do.row(low)))) for low, high in spans))
    area = do.Mul(*(do.Sub(high, low) for low, high in spans))
    union = do.Sub(do.Add(area, do.row(area)), shared)
    return do.above(do.Div(shared, do.Max(union, do.number(SMALLEST_AREA))), SAME_OBJECT)


def _kept(do: Arithmetic, rivals: str, number: str) -> str:
    """One for each candidate (m, 1) that no kept rival suppresses."""
    kept = do.Add(do.Mul(number, do.number(0.0)), do.number(1.0))
    for _ in range(ROUNDS):
        kept = do.less(do.ReduceMax(do.Mul(rivals, do.row(kept)), axes=[1], keepdims=1))
    return kept


def _slots(do: Arithmetic, cells: str, kept: str, earlier: str) -> str:
    """Which candidate stands in which slot (slots, m): the first five of each cell."""
    cell = do.MatMul(cells, do.number(np.array([[1.0], [GRID_SIDE]])))
    before = do.Mul(do.Mul(do.same(cell, do.row(cell)), earlier), do.row(kept))
    rank = do.ReduceSum(before, do.number(np.array([1])), keepdims=1)
    fits = do.Mul(kept, do.Min(do.Relu(do.Sub(do.number(float(PER_CELL)), rank)), do.number(1.0)))
    slot = do.Add(do.Mul(cell, do.number(float(PER_CELL))), rank)
    every = do.number(np.arange(SLOTS, dtype=np.float32)[:, None])
    return do.Mul(do.same(every, do.row(slot)), do.row(fits))


def _laid_out(do: Arithmetic, slots: str, tags: int) -> onnx.ValueInfoProto:
    """Slots (slots, 5 + k) as the grid, with sides in anchors; a slot without a box is never an object."""
    aside = np.zeros((SLOTS, 5 + tags), np.float32)
    aside[:, 2:4] = -np.log(np.tile(np.array(ANCHORS, np.float32), (GRID_SIDE * GRID_SIDE, 1)))
    aside[:, 4] = NEVER
    depth = PER_CELL * (5 + tags)
    cells = do.shaped(do.Add(slots, do.number(aside)), 1, GRID_SIDE, GRID_SIDE, depth)
    do.nodes.add("Transpose", [cells], OUTPUT, perm=[0, 3, 1, 2])
    return helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, [1, depth, GRID_SIDE, GRID_SIDE])
