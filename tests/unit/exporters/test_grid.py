"""The grid of compact detectors: decoded, it holds just the boxes that ONNX Runtime's own choice leaves over."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper

from foveal.engine.detection.graph import ALL_BOXES, ALL_SCORES, FAINTEST, SAME_OBJECT
from foveal.engine.nodes import Nodes
from foveal.exporters import grid
from foveal.exporters.interface import ANCHORS, GRID_SIDE

Array = NDArray[Any]
NEAR = 1e-4  # relative to the image, and of probabilities
few = settings(max_examples=25, deadline=None)


def opened(nodes: Nodes, outputs: Sequence[onnx.ValueInfoProto], places: int, tags: int) -> ort.InferenceSession:
    inputs = [
        helper.make_tensor_value_info(ALL_BOXES, TensorProto.FLOAT, [1, places, 4]),
        helper.make_tensor_value_info(ALL_SCORES, TensorProto.FLOAT, [1, tags, places]),
    ]
    graph = helper.make_graph(nodes.nodes, "end", inputs, list(outputs), nodes.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(model.SerializeToString(), options)


@cache
def gridded(places: int, tags: int, *, logistic: bool) -> ort.InferenceSession:
    nodes = Nodes()
    return opened(nodes, [grid.add_grid(nodes, places, tags, logistic=logistic)], places, tags)


@cache
def chosen(places: int, tags: int) -> ort.InferenceSession:
    nodes = Nodes()
    most = nodes.constant(np.array([places]), "most")
    limits = [nodes.constant(np.array([each], np.float32), str(each)) for each in (SAME_OBJECT, FAINTEST)]
    nodes.add("NonMaxSuppression", [ALL_BOXES, ALL_SCORES, most, *limits], "chosen")
    return opened(nodes, [helper.make_tensor_value_info("chosen", TensorProto.INT64, ["m", 3])], places, tags)


def fed(boxes: Array, scores: Array) -> dict[str, Array]:
    return {ALL_BOXES: boxes[None].astype(np.float32), ALL_SCORES: scores[None].astype(np.float32)}


def decoded(boxes: Array, scores: Array, *, logistic: bool = False) -> list[Array]:
    """What a program reads from the grid: rows of tag, score and corners, the most probable first."""
    tags, places = scores.shape
    (made,) = gridded(places, tags, logistic=logistic).run(None, fed(boxes, scores))
    assert made.shape == (1, 5 * (5 + tags), 13, 13)
    slots = made[0].reshape(5, 5 + tags, 13, 13).transpose(2, 3, 0, 1).astype(np.float64)
    offsets = sigmoid(slots[..., :2]) if logistic else slots[..., :2]
    cells = np.stack(np.meshgrid(np.arange(13), np.arange(13)), -1)[:, :, None]
    middles, sides = (offsets + cells) / 13, np.exp(slots[..., 2:4]) * np.array(ANCHORS) / 13
    raised = np.exp(slots[..., 5:])
    probabilities = sigmoid(slots[..., 4:5]) * raised / raised.sum(-1, keepdims=True)
    best = probabilities.argmax(-1)
    score = np.take_along_axis(probabilities, best[..., None], -1)
    rows = np.concatenate([best[..., None], score, middles - sides / 2, middles + sides / 2], -1).reshape(-1, 6)
    return in_order(rows[rows[:, 1] > FAINTEST / 2])


def wanted(boxes: Array, scores: Array) -> list[Array]:
    """The same from ONNX Runtime's choice: among the best pairs, the first five of each cell."""
    tags, places = scores.shape
    (picked,) = chosen(places, tags).run(None, fed(boxes, scores))
    pairs = {(int(tag), int(place)) for _, tag, place in picked}
    order = np.argsort(-scores.reshape(-1), kind="stable")[: grid.CANDIDATES]
    held: dict[tuple[int, ...], int] = {}
    rows = list[Array]()
    for tag, place in ((int(at) // places, int(at) % places) for at in order):
        middle = (boxes[place, :2] + boxes[place, 2:]) / 2 * GRID_SIDE
        cell = tuple(np.floor(middle.clip(0, GRID_SIDE - 1e-4)).astype(int).tolist())
        if (tag, place) in pairs and held.get(cell, 0) < grid.PER_CELL:
            held[cell] = held.get(cell, 0) + 1
            rows.append(np.array([tag, scores[tag, place], *boxes[place]]))
    return in_order(rows)


def in_order(rows: Any) -> list[Array]:
    return sorted(rows, key=lambda row: (-round(float(row[1]), 4), row[0], *np.round(row[2:], 3)))


def sigmoid(values: Array) -> Array:
    return 1 / (1 + np.exp(-values))


def same(one: list[Array], other: list[Array]) -> None:
    assert len(one) == len(other)
    if one:
        np.testing.assert_allclose(np.stack(one), np.stack(other), atol=NEAR)


def drawn(seed: int, places: int, tags: int, *, side: float = 0.3) -> tuple[Array, Array]:
    """Random boxes (a, 4) and scores (k, a) that are not so near to a limit that rounding decides."""
    rng = np.random.default_rng(seed)
    middles, sides = rng.uniform(0, 1, (places, 2)), rng.uniform(0.05, side, (places, 2))
    boxes = np.concatenate([middles - sides / 2, middles + sides / 2], 1).clip(0, 1)
    scores = rng.uniform(0, 1, (tags, places)) ** 3
    scores[:, np.abs(overlaps(boxes) - SAME_OBJECT).min(1) < 1e-3] = 0
    scores[np.abs(scores - FAINTEST) < 1e-3] = 0
    return boxes.astype(np.float32), scores.astype(np.float32)


def overlaps(boxes: Array) -> Array:
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = (high - low).clip(0).prod(-1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    return shared / (areas[:, None] + areas - shared)


def chain(length: int) -> tuple[Array, Array]:
    """Boxes of which each overlaps the next alone, the better the earlier."""
    left = np.arange(length) * 0.03
    boxes = np.stack([left, np.full(length, 0.2), left + 0.1, np.full(length, 0.4)], 1)  # 0.54 and 0.25
    return boxes.astype(np.float32), np.linspace(0.9, 0.5, length)[None].astype(np.float32)


class TestGrid:
    @few
    @given(seed=st.integers(0, 10**6), logistic=st.booleans(), tags=st.sampled_from([1, 3, 40]))
    def test_holds_what_the_choice_leaves_over(self, seed: int, logistic: bool, tags: int) -> None:  # noqa: FBT001
        boxes, scores = drawn(seed, 20, tags)

        same(decoded(boxes, scores, logistic=logistic), wanted(boxes, scores))

    @settings(max_examples=8, deadline=None)
    @given(seed=st.integers(0, 10**6), tags=st.sampled_from([1, 2]))
    def test_holds_the_best_of_more_boxes_than_it_weighs(self, seed: int, tags: int) -> None:
        boxes, scores = drawn(seed, 600, tags, side=0.08)

        same(decoded(boxes, scores), wanted(boxes, scores))

    @few
    @given(seed=st.integers(0, 10**6))
    def test_holds_five_boxes_of_a_cell(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        boxes, _ = drawn(seed, 12, 1)
        boxes[:] = [0.50, 0.50, 0.53, 0.53]  # all of them in one cell, each with its own tags
        scores = rng.permutation(np.linspace(0.1, 0.9, 12))[None] * np.eye(12)

        found = decoded(boxes, scores.astype(np.float32))

        assert len(found) == 5
        same(found, wanted(boxes, scores.astype(np.float32)))

    @pytest.mark.parametrize("logistic", [False, True])
    def test_of_one_box_tells_it_exactly(self, logistic: bool) -> None:  # noqa: FBT001
        boxes, scores = np.array([[0.11, 0.22, 0.53, 0.94]]), np.array([[0.02], [0.8]])

        found = decoded(boxes, scores, logistic=logistic)

        same(found, [np.array([1, 0.8, *boxes[0]]), np.array([0, 0.02, *boxes[0]])])

    def test_of_nothing_is_empty(self) -> None:
        boxes, scores = drawn(0, 20, 3)

        assert decoded(boxes, np.zeros_like(scores)) == []
        assert decoded(boxes, np.full_like(scores, FAINTEST / 2)) == []

    def test_of_equal_scores_keeps_the_first(self) -> None:
        boxes = np.array([[0.1, 0.1, 0.5, 0.5], [0.12, 0.1, 0.5, 0.5], [0.6, 0.6, 0.9, 0.9]], np.float32)
        scores = np.full((2, 3), 0.7, np.float32)

        found = decoded(boxes, scores)

        same(found, wanted(boxes, scores))
        assert len(found) == 4

    @pytest.mark.parametrize("logistic", [False, True])
    @pytest.mark.parametrize(
        "box",
        [(0, 0, 0, 0), (1, 1, 1, 1), (0, 0, 1, 1), (0.9, 0.95, 1, 1), (0, 0.4, 0.01, 0.41), (2 / 13, 0, 4 / 13, 1)],
        ids=str,
    )
    def test_holds_boxes_at_the_edge(self, box: tuple[float, ...], logistic: bool) -> None:  # noqa: FBT001
        boxes, scores = np.array([box], np.float32), np.array([[0.6]], np.float32)

        same(decoded(boxes, scores, logistic=logistic), [np.array([0, 0.6, *box])])

    @pytest.mark.parametrize("score", [0.011, 0.5, 0.999, 1.0])
    def test_tells_scores_as_they_are(self, score: float) -> None:
        ((_, told, *_),) = decoded(np.array([[0.2, 0.2, 0.6, 0.6]]), np.array([[score], [0.0]]))

        assert told == pytest.approx(score, abs=1e-5)

    @pytest.mark.parametrize("score", [0.6, 1.0])
    def test_finds_no_other_tag_in_a_box(self, score: float) -> None:
        scores = np.zeros((40, 1), np.float32)
        scores[7] = score

        ((tag, *_),) = decoded(np.array([[0.2, 0.2, 0.6, 0.6]]), scores)

        assert tag == 7


class TestChains:
    @pytest.mark.parametrize("length", [2, 3, grid.ROUNDS, grid.ROUNDS + 1])
    def test_are_chosen_from_as_everywhere(self, length: int) -> None:
        same(decoded(*chain(length)), wanted(*chain(length)))

    def test_longer_than_the_rounds_lose_no_box(self) -> None:
        """What is left over beyond them are boxes too many, which a program's own choice then drops."""
        boxes, scores = chain(24)
        found, exact = decoded(boxes, scores), wanted(boxes, scores)

        told = {round(float(row[1]), 3) for row in found}

        assert {round(float(row[1]), 3) for row in exact} <= told
        certain = scores[0, grid.ROUNDS] - NEAR
        same([row for row in found if row[1] > certain], [row for row in exact if row[1] > certain])
