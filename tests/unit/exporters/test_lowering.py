"""Each operator that TensorFlow's formats are written from, against ONNX Runtime, through both kinds of file."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper
from tests.support import written

from foveal.errors import Invalid
from foveal.exporters.form import Form
from foveal.exporters.lowering import OPERATORS, lower

RANDOM = np.random.default_rng(3)
Graph = Callable[..., onnx.ModelProto]
Expected = Callable[..., list[NDArray[Any]]]


def normal(*shape: int) -> NDArray[np.float32]:
    return RANDOM.normal(size=shape).astype(np.float32)


def whole(*values: int) -> NDArray[np.int64]:
    return np.array(values)


WEIGHTS: dict[str, NDArray[Any]] = {
    "to_one": np.float32(1 / 128).reshape(()),
    "to_middle": np.float32(1).reshape(()),
    "channels": normal(1, 3, 1, 1),
    "channels_alone": normal(3, 1, 1),
    "columns_alone": normal(16),
    "number": np.float32(0.3).reshape(()),
    "second_number": np.float32(-0.7).reshape(()),
    "low": np.float32(-0.4).reshape(()),
    "high": np.float32(0.5).reshape(()),
    "kernel": normal(6, 3, 3, 3),
    "kernel_bias": normal(6),
    "single": normal(3, 1, 3, 3),
    "single_bias": normal(3),
    "wide": normal(6, 1, 3, 3),
    "columns": normal(48, 5),
    "rows_of_columns": normal(5, 48),
    "columns_bias": normal(5),
    "biases": normal(16, 5),
    "columns_bias_row": normal(1, 5),
    "left": normal(4, 16),
    "table": normal(16, 3),
    "rows_shape": whole(16, 48),
    "square_shape": whole(48, 16),
    "places_shape": whole(1, 3, -1),
    "column_shape": whole(3, 1),
    "kept_shape": whole(0, -1, 32),
    "twice": np.array([1, 1, 2, 2], np.float32),
    "half_more": np.array([1, 1, 1.5, 1.5], np.float32),
    "most": whole(4),
    "positions": whole(2, 0, 5),
    "negative_positions": whole(2, -1),
    "axis_0": whole(0),
    "axis_2": whole(2),
    "five": np.int64(5).reshape(()),
    "seven": np.int64(7).reshape(()),
}
COMMON = [
    helper.make_node("Mul", ["data", "to_one"], ["unit"]),
    helper.make_node("Sub", ["unit", "to_middle"], ["x"]),  # from -1 to 1
    helper.make_node("Add", ["unit", "number"], ["positive"]),
    helper.make_node("Reshape", ["x", "rows_shape"], ["rows"]),
    helper.make_node("Reshape", ["x", "places_shape"], ["places"]),
    helper.make_node("ReduceMean", ["x"], ["by_channel"], axes=[2, 3], keepdims=1),
    helper.make_node("ReduceMean", ["x"], ["means"], axes=[2, 3], keepdims=0),
    helper.make_node("ReduceMax", ["rows"], ["by_row"], axes=[1], keepdims=0),
    helper.make_node("TopK", ["by_row", "most"], ["best", "best_at"], axis=0),
]
WINDOW = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
NEAREST = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}


def one(kind: str, *inputs: str, **attributes: Any) -> list[onnx.NodeProto]:
    return [helper.make_node(kind, inputs, ["y"], **attributes)]


CASES: dict[str, list[onnx.NodeProto]] = {
    "Add": one("Add", "x", "channels"),
    "Add maps": one("Add", "x", "unit"),
    "Add channels without the image's axis": one("Add", "x", "channels_alone"),
    "Add a row along the last axis": one("Add", "x", "columns_alone"),
    "Add an image to a turned one": [
        helper.make_node("Transpose", ["x"], ["turned"], perm=[0, 1, 3, 2]),
        *one("Add", "turned", "unit"),
    ],
    "AveragePool": one("AveragePool", "x", kernel_shape=[2, 2], strides=[2, 2]),
    "AveragePool of an uneven window": one("AveragePool", "x", kernel_shape=[3, 2], strides=[1, 2]),
    "Clip": one("Clip", "x", "low", "high"),
    "Clip below": one("Clip", "x", "low"),
    "Clip above": one("Clip", "x", "", "high"),
    "Clip not at all": one("Clip", "x"),
    "Clip whole numbers": one("Clip", "best_at", "five", "seven"),
    "Concat": one("Concat", "x", "unit", "positive", axis=1),
    "Concat of rows": one("Concat", "rows", "rows", axis=-1),
    "Concat of a turned and a straight image": [
        helper.make_node("Transpose", ["x"], ["turned"], perm=[0, 1, 3, 2]),
        *one("Concat", "turned", "unit", axis=2),
    ],
    "Conv": one("Conv", "x", "kernel", "kernel_bias", **WINDOW),
    "Conv with a stride": one("Conv", "x", "kernel", strides=[2, 1], kernel_shape=[3, 3], pads=[1, 0, 2, 1]),
    "Conv with a stride and even borders": one("Conv", "x", "kernel", strides=[2, 2], **WINDOW),
    "Conv without borders": one("Conv", "x", "kernel"),
    "Conv of each channel": one("Conv", "x", "single", "single_bias", group=3, **WINDOW),
    "Conv of each channel with a stride": one("Conv", "x", "single", group=3, strides=[2, 2], **WINDOW),
    "Div": one("Div", "x", "positive"),
    "Div a number": one("Div", "number", "positive"),
    "Div of whole numbers": one("Div", "best_at", "five"),
    "Exp": one("Exp", "x"),
    "Flatten": one("Flatten", "x"),
    "Flatten of means": one("Flatten", "by_channel"),
    "Floor": one("Floor", "x"),
    "Gather": one("Gather", "rows", "positions", axis=0),
    "Gather at computed places": one("Gather", "rows", "best_at", axis=0),
    "Gather from a table": one("Gather", "table", "best_at", axis=0),
    "Gemm": one("Gemm", "rows", "columns", "columns_bias"),
    "Gemm of turned weights": one("Gemm", "rows", "rows_of_columns", transB=1),
    "Gemm with a row of biases": one("Gemm", "rows", "columns", "columns_bias_row"),
    "Gemm with one bias": one("Gemm", "rows", "columns", "number"),
    "GlobalAveragePool": one("GlobalAveragePool", "x"),
    "Identity": one("Identity", "x"),
    "Log": one("Log", "positive"),
    "MatMul": one("MatMul", "rows", "columns"),
    "MatMul from the left": one("MatMul", "left", "rows"),
    "MatMul of two": [
        helper.make_node("Reshape", ["positive", "square_shape"], ["tall"]),
        *one("MatMul", "rows", "tall"),
    ],
    "MatMul with a turned constant": [
        helper.make_node("Transpose", ["rows_of_columns"], ["turned"], perm=[1, 0]),
        *one("MatMul", "rows", "turned"),
    ],
    "Max": one("Max", "x", "number"),
    "Max of three": one("Max", "x", "number", "channels"),
    "MaxPool": one("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    "MaxPool without borders": one("MaxPool", "x", kernel_shape=[2, 3], strides=[2, 1]),
    "Min": one("Min", "x", "channels"),
    "Min of whole numbers": one("Min", "best_at", "seven"),
    "Mul": one("Mul", "x", "x"),
    "Mul with means": one("Mul", "x", "by_channel"),
    "Mul of whole numbers": one("Mul", "best_at", "five"),
    "Mul with a turned constant": [
        helper.make_node("Transpose", ["table"], ["turned"], perm=[1, 0]),
        helper.make_node("Reshape", ["means", "column_shape"], ["column"]),
        *one("Mul", "column", "turned"),
    ],
    "Neg": one("Neg", "x"),
    "ReduceL2": one("ReduceL2", "rows", axes=[1], keepdims=1),
    "ReduceL2 without the axis": one("ReduceL2", "rows", axes=[-1], keepdims=0),
    "ReduceMax": one("ReduceMax", "x", axes=[2], keepdims=0),
    "ReduceMean": one("ReduceMean", "x", axes=[1, -1], keepdims=1),
    "ReduceMean of everything": one("ReduceMean", "x", keepdims=1),
    "ReduceSum": one("ReduceSum", "rows", "axis_0", keepdims=1),
    "Relu": one("Relu", "x"),
    "Reshape": one("Reshape", "x", "kept_shape"),
    "Resize": one("Resize", "x", "", "twice", **NEAREST),
    "Sigmoid": one("Sigmoid", "x"),
    "Softmax": one("Softmax", "rows", axis=1),
    "Softmax of an image's rows": one("Softmax", "x"),
    "Sqrt": one("Sqrt", "positive"),
    "Squeeze": one("Squeeze", "x", "axis_0"),
    "Sub": one("Sub", "x", "second_number"),
    "Sub from a number": one("Sub", "number", "x"),
    "Sub of whole numbers": one("Sub", "best_at", "five"),
    "Tanh": one("Tanh", "x"),
    "TopK": one("Identity", "best"),
    "TopK places": one("Identity", "best_at"),
    "TopK of rows": [helper.make_node("TopK", ["rows", "most"], ["y", "rows_at"], axis=1)],
    "Transpose": one("Transpose", "x", perm=[0, 2, 3, 1]),
    "Transpose of all axes": one("Transpose", "rows"),
    "Transpose twice": [
        helper.make_node("Transpose", ["x"], ["turned"], perm=[0, 3, 1, 2]),
        *one("Transpose", "turned", perm=[0, 1, 3, 2]),
    ],
    "Unsqueeze": one("Unsqueeze", "rows", "axis_2"),
}

REFUSED: list[tuple[list[onnx.NodeProto], str]] = [
    (one("AveragePool", "x", **WINDOW), "AveragePool y .* counts what lies outside the image"),
    (one("AveragePool", "x", kernel_shape=[2, 2], auto_pad="SAME_UPPER"), "AveragePool y .* borders are not told"),
    (one("Add", "x", "means_of_rows"), "Add y .* another number of axes"),
    (one("Add", "by_row", "channels"), "Add y .* another number of axes"),
    (one("Conv", "x", "kernel", dilations=[2, 2]), "Conv y .* dilations"),
    (one("Conv", "x", "kernel", auto_pad="SAME_UPPER"), "Conv y .* borders are not told"),
    (one("Conv", "x", "wide", group=3), "Conv y .* 3 groups"),
    (one("Conv", "x", "made_kernel"), "Conv y .* its input made_kernel is not constant"),
    (one("Gather", "rows", "positions", axis=1), "Gather y .* only rows can be gathered"),
    (one("Gather", "rows", "negative_positions"), "Gather y .* from the end"),
    (one("Gemm", "rows", "rows", transB=1), "Gemm y .* its input rows is not constant"),
    (one("Gemm", "rows", "columns", alpha=0.5), "Gemm y .* scales"),
    (one("Gemm", "rows", "table", transA=1), "Gemm y .* transposes"),
    (one("Gemm", "rows", "columns", "biases"), "Gemm y .* a bias of its own"),
    (one("MatMul", "x", "unit"), "MatMul y .* only products of two matrices"),
    (one("MaxPool", "x", kernel_shape=[2, 2], dilations=[2, 2]), "MaxPool y .* dilations"),
    (one("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1), "MaxPool y .* outside the image"),
    (one("Resize", "x", "", "twice", mode="linear"), "Resize y .* only the nearest pixel"),
    (one("Resize", "x", "", "half_more", **NEAREST), "Resize y .* no whole number"),
    (one("Softmax", "x", axis=1), "Softmax y .* only the last axis"),
    (
        [helper.make_node("TopK", ["rows", "most"], ["y", "at"], axis=0)],
        "TopK y .* only the largest along the last axis",
    ),
    (
        [helper.make_node("TopK", ["rows", "most"], ["y", "at"], axis=1, largest=0)],
        "TopK y .* only the largest along the last axis",
    ),
]


def made(graph: Graph, nodes: list[onnx.NodeProto], *outputs: str) -> onnx.ModelProto:
    return graph([*COMMON, *nodes], WEIGHTS, *(outputs or ("y",)))


def kinds(form: Form) -> list[str]:
    return [step.kind for step in form.steps]


class TestOperators:
    def test_all_of_them_are_tried(self) -> None:
        tried = {node.op_type for nodes in CASES.values() for node in nodes} | {node.op_type for node in COMMON}

        assert tried == OPERATORS.keys()

    @pytest.mark.parametrize("run", [written.by_tensorflow, written.by_tflite], ids=["TensorFlow", "TFLite"])
    @pytest.mark.parametrize("case", CASES)
    def test_says_the_same_as_onnx_runtime(
        self,
        case: str,
        run: Callable[[Form, NDArray[np.float32]], written.Answers],
        graph: Graph,
        expected: Expected,
        image: NDArray[np.float32],
    ) -> None:
        model = made(graph, CASES[case])
        (wanted,) = expected(model)

        result = run(lower(model, {"y": "told"}), image)["told"]

        assert result.shape == wanted.shape
        assert result.dtype.kind == wanted.dtype.kind
        np.testing.assert_allclose(result, wanted, rtol=1e-5, atol=1e-5)

    @pytest.mark.parametrize("run", [written.by_tensorflow, written.by_tflite], ids=["TensorFlow", "TFLite"])
    def test_says_the_same_of_many_images(
        self,
        run: Callable[[Form, NDArray[np.float32]], written.Answers],
        classifier_of_many: onnx.ModelProto,
        expected: Expected,
        rng: np.random.Generator,
    ) -> None:
        images = rng.integers(0, 256, (3, 3, 16, 16)).astype(np.float32)
        (wanted,) = expected(classifier_of_many, images)

        result = run(lower(classifier_of_many, {"probabilities": "loss"}), images)["loss"]

        np.testing.assert_allclose(result, wanted, atol=1e-5)


class TestRefusals:
    def test_names_the_operator_that_is_not_known(self, graph: Graph) -> None:
        with pytest.raises(Invalid, match=r"^The model cannot be written for TensorFlow: it has the operator Selu\.$"):
            lower(made(graph, one("Selu", "x")), {"y": "y"})

    @pytest.mark.parametrize(("nodes", "reason"), REFUSED, ids=map(str, range(len(REFUSED))))
    def test_names_operator_and_reason(self, nodes: list[onnx.NodeProto], reason: str, graph: Graph) -> None:
        prepared = [
            helper.make_node("Relu", ["kernel"], ["made_kernel"]),
            helper.make_node("ReduceMean", ["rows"], ["rows_alone"], axes=[1], keepdims=0),
            helper.make_node("Identity", ["rows_alone"], ["means_of_rows"]),
        ]

        with pytest.raises(Invalid, match=reason):
            lower(made(graph, [*prepared, *nodes]), {"y": "y"})


class TestTranspositions:
    def test_are_not_needed_for_rows_of_places(self, graph: Graph, expected: Expected, image: Any) -> None:
        """As detectors have them: maps of several sizes, a row of all places, by place."""
        nodes = [
            helper.make_node("Conv", ["x", "kernel"], ["fine"], **WINDOW),
            helper.make_node("Conv", ["x", "kernel"], ["coarse"], strides=[2, 2], **WINDOW),
            *(helper.make_node("Reshape", [each, "row_shape"], [f"{each}_row"]) for each in ("fine", "coarse")),
            helper.make_node("Concat", ["fine_row", "coarse_row"], ["row"], axis=2),
            helper.make_node("Transpose", ["row"], ["y"], perm=[0, 2, 1]),
        ]
        model = graph([*COMMON, *nodes], {**WEIGHTS, "row_shape": whole(1, 6, -1)}, "y")

        form = lower(model, {"y": "y"})

        assert "transpose" not in kinds(form)
        np.testing.assert_allclose(written.by_tensorflow(form, image)["y"], expected(model)[0], rtol=1e-5, atol=1e-5)

    def test_are_not_needed_for_flat_means(self, classifier: onnx.ModelProto) -> None:
        assert "transpose" not in kinds(lower(classifier, {"probabilities": "loss"}))

    def test_are_made_where_the_order_is_told(self, graph: Graph) -> None:
        form = lower(made(graph, one("Reshape", "x", "kept_shape")), {"y": "y"})

        assert kinds(form).count("transpose") == 1


class TestForm:
    def test_is_without_steps_that_lead_nowhere(self, graph: Graph) -> None:
        form = lower(made(graph, one("Relu", "x")), {"y": "y"})

        assert kinds(form) == ["mul", "sub", "relu"]

    def test_has_a_weight_once(self, graph: Graph) -> None:
        nodes = [
            helper.make_node("Conv", ["x", "kernel"], ["first"], **WINDOW),
            helper.make_node("Conv", ["unit", "kernel"], ["second"], **WINDOW),
            *one("Add", "first", "second"),
        ]

        form = lower(made(graph, nodes), {"y": "y"})

        kernels = [step.inputs[1] for step in form.steps if step.kind == "conv2d"]
        assert kernels[0] is kernels[1]
