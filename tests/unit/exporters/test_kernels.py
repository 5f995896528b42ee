"""The arithmetic of networks in numpy, against PyTorch and ONNX Runtime."""

from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper
from torch.nn import functional

from foveal.exporters import kernels

Array = NDArray[np.float32]
LIMITS = {"overlap": 0.471, "faintest": 0.01}  # no overlap on the raster below comes near this one


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def last(tensor: torch.Tensor) -> Array:
    return tensor.numpy().transpose(0, 2, 3, 1)


def first(images: Array) -> torch.Tensor:
    return torch.from_numpy(images.transpose(0, 3, 1, 2).copy())


def close(result: Array, wanted: Array) -> None:
    assert result.shape == wanted.shape
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, wanted, rtol=1e-5, atol=1e-5)


class TestConv2d:
    @pytest.mark.parametrize("strides", [(1, 1), (2, 2), (2, 3)])
    @pytest.mark.parametrize("pads", [(0, 0, 0, 0), (1, 1, 1, 1), (2, 0, 1, 3)], ids=str)
    @pytest.mark.parametrize(("groups", "size"), [(1, (3, 3)), (2, (3, 2)), (4, (1, 3))])
    def test_slides_the_kernel_over_the_padded_images(
        self, strides: tuple[int, int], pads: tuple[int, ...], groups: int, size: tuple[int, int]
    ) -> None:
        images, kernel, bias = normal(2, 9, 8, 4), normal(*size, 4 // groups, 8, seed=1), normal(8, seed=2)
        top, left, bottom, right = pads
        padded = functional.pad(first(images), (left, right, top, bottom))
        weights = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
        wanted = functional.conv2d(padded, weights, torch.from_numpy(bias), strides, groups=groups)

        close(kernels.conv2d(images, kernel, bias, strides=strides, pads=pads, groups=groups), last(wanted))

    @pytest.mark.parametrize("groups", [1, 2])
    def test_adds_nothing_without_a_bias(self, groups: int) -> None:
        images, kernel = normal(1, 5, 5, 2), normal(3, 3, 2 // groups, 4)
        nothing = np.zeros(4, np.float32)

        result = kernels.conv2d(images, kernel, groups=groups)

        np.testing.assert_array_equal(result, kernels.conv2d(images, kernel, nothing, groups=groups))


class TestPools:
    @pytest.mark.parametrize(("size", "strides"), [((2, 2), (2, 2)), ((3, 2), (1, 2)), ((3, 3), (2, 1))])
    def test_give_the_largest_and_the_mean_of_each_window(
        self, size: tuple[int, int], strides: tuple[int, int]
    ) -> None:
        images = normal(2, 9, 8, 3)

        close(
            kernels.max_pool(images, size, strides=strides), last(functional.max_pool2d(first(images), size, strides))
        )
        close(
            kernels.average_pool(images, size, strides=strides),
            last(functional.avg_pool2d(first(images), size, strides)),
        )

    def test_never_choose_what_lies_outside(self) -> None:
        images = normal(1, 7, 7, 2) - 100

        result = kernels.max_pool(images, (3, 3), strides=(2, 2), pads=(1, 1, 1, 1))

        close(result, last(functional.max_pool2d(first(images), 3, 2, 1)))


class TestEnlarge:
    def test_repeats_each_pixel(self) -> None:
        images = normal(2, 3, 4, 5)

        np.testing.assert_array_equal(kernels.enlarge(images, (6, 12)), images.repeat(2, 1).repeat(3, 2))

    def test_takes_the_pixel_above_and_to_the_left_between_two(self) -> None:
        images = np.arange(3, dtype=np.float32).reshape(1, 1, 3, 1)

        result = kernels.enlarge(images, (1, 5))

        assert result.ravel().tolist() == [0, 0, 1, 1, 2]


class TestSamePads:
    @pytest.mark.parametrize(
        ("sides", "size", "strides", "pads"),
        [
            ((8, 8), (3, 3), (1, 1), (1, 1, 1, 1)),
            ((8, 8), (3, 3), (2, 2), (0, 0, 1, 1)),  # the odd one comes last
            ((7, 7), (3, 3), (2, 2), (1, 1, 1, 1)),
            ((8, 6), (5, 2), (1, 1), (2, 0, 2, 1)),
            ((8, 8), (1, 1), (2, 2), (0, 0, 0, 0)),  # never less than none
        ],
        ids=str,
    )
    def test_are_those_that_tensorflow_documents(self, sides: Any, size: Any, strides: Any, pads: Any) -> None:
        assert kernels.same_pads(sides, size, strides) == pads


class TestActivations:
    def test_of_usual_values(self) -> None:
        values = normal(3, 5)

        close(kernels.sigmoid(values), torch.sigmoid(torch.from_numpy(values)).numpy())
        close(kernels.softmax(values), torch.softmax(torch.from_numpy(values), -1).numpy())
        close(kernels.softmax(values, 0), torch.softmax(torch.from_numpy(values), 0).numpy())

    def test_of_large_values_stay_finite_without_a_warning(self) -> None:
        values = np.array([[-1e4, 0.0, 1e4]], np.float32)

        assert kernels.sigmoid(values).tolist() == [[0.0, 0.5, 1.0]]
        assert kernels.softmax(values).tolist() == [[0.0, 0.0, 1.0]]


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Array, Array]:
    """Boxes (m, 4), as corners, on a coarse raster so that equal ones and equal scores happen; scores (m,)."""
    number = st.integers(0, 12)
    rows = draw(st.lists(st.tuples(number, number, st.integers(1, 8), st.integers(1, 8)), max_size=30))
    corners = np.array(rows, np.float32).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]
    levels = draw(st.lists(st.integers(0, 20), min_size=len(rows), max_size=len(rows)))
    return corners / 20, np.array(levels, np.float32) / 20


def by_onnx_runtime(boxes: Array, scores: Array, most: int) -> list[int]:
    wanted = [("boxes", [1, len(boxes), 4]), ("scores", [1, 1, len(boxes)])]
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in wanted]
    limits = [
        helper.make_tensor("most", TensorProto.INT64, [1], [most]),
        helper.make_tensor("overlap", TensorProto.FLOAT, [1], [LIMITS["overlap"]]),
        helper.make_tensor("faintest", TensorProto.FLOAT, [1], [LIMITS["faintest"]]),
    ]
    names = ["boxes", "scores", "most", "overlap", "faintest"]
    node = helper.make_node("NonMaxSuppression", names, ["chosen"])
    output = helper.make_tensor_value_info("chosen", TensorProto.INT64, ["m", 3])
    graph = helper.make_graph([node], "choice", inputs, [output], limits)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    session = ort.InferenceSession(model.SerializeToString())
    (chosen,) = session.run(None, {"boxes": boxes[None], "scores": scores[None, None]})
    return chosen[:, 2].tolist()


def overlaps(boxes: Array) -> NDArray[np.float64]:
    """Of each box with each other (m, m)."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = (high - low).clip(0).prod(-1).astype(float)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    return shared / (areas[:, None] + areas - shared)


class TestNonMaximumSuppression:
    @settings(max_examples=40, deadline=None)
    @given(scene=scenes(), most=st.sampled_from([3, 100]))
    def test_chooses_what_onnx_runtime_chooses(self, scene: tuple[Array, Array], most: int) -> None:
        boxes, scores = scene

        chosen = kernels.non_maximum_suppression(boxes, scores, most=most, **LIMITS)

        assert chosen.tolist() == by_onnx_runtime(boxes, scores, most)

    @settings(max_examples=60, deadline=None)
    @given(scene=scenes())
    def test_keeps_boxes_apart_and_drops_only_beside_a_better_one(self, scene: tuple[Array, Array]) -> None:
        boxes, scores = scene
        chosen = kernels.non_maximum_suppression(boxes, scores, most=100, **LIMITS).tolist()
        shared = overlaps(boxes)

        dropped = set(np.flatnonzero(scores > LIMITS["faintest"]).tolist()) - set(chosen)

        assert scores[chosen].tolist() == sorted(scores[chosen].tolist(), reverse=True)
        assert all(shared[one, other] <= LIMITS["overlap"] for one in chosen for other in chosen if one != other)
        assert all(
            any(shared[one, kept] > LIMITS["overlap"] and scores[kept] >= scores[one] for kept in chosen)
            for one in dropped
        )

    def test_takes_corners_in_either_order(self) -> None:
        boxes = np.array([[0.6, 0.6, 0.1, 0.1], [0.1, 0.6, 0.6, 0.1], [0.8, 0.8, 0.9, 0.9]], np.float32)

        chosen = kernels.non_maximum_suppression(boxes, np.array([0.5, 0.9, 0.2], np.float32), most=9, **LIMITS)

        assert chosen.tolist() == [1, 2]

    def test_leaves_out_what_is_faint(self) -> None:
        boxes = np.array([[0, 0, 1, 1]] * 2, np.float32)

        chosen = kernels.non_maximum_suppression(boxes, np.full(2, 0.01, np.float32), most=9, **LIMITS)

        assert chosen.tolist() == []

    def test_does_not_choke_on_boxes_without_an_area(self) -> None:
        boxes = np.full((2, 4), 0.5, np.float32)

        chosen = kernels.non_maximum_suppression(boxes, np.array([0.3, 0.6], np.float32), most=9, **LIMITS)

        assert chosen.tolist() == [1, 0]
