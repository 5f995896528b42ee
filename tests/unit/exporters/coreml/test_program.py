"""Each operator that Core ML's program is written from, against ONNX Runtime, through both kinds of file."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from foveal.errors import Invalid
from foveal.exporters.coreml.evaluate import open_model
from foveal.exporters.coreml.operators import OPERATORS
from foveal.exporters.coreml.program import program
from foveal.exporters.coreml.writer import write
from foveal.exporters.interface import GRID

RANDOM = np.random.default_rng(3)


def normal(*shape: int) -> NDArray[np.float32]:
    return RANDOM.normal(size=shape).astype(np.float32)


def whole(*values: int) -> NDArray[np.int64]:
    return np.array(values)


WEIGHTS: dict[str, NDArray[Any]] = {
    "channels": normal(1, 3, 1, 1),
    "number": np.float32(0.3).reshape(()),
    "second_number": np.float32(-0.7).reshape(()),
    "three": np.float32(3).reshape(()),
    "low": np.float32(-0.4).reshape(()),
    "high": np.float32(0.5).reshape(()),
    "kernel": normal(6, 3, 3, 3),
    "kernel_bias": normal(6),
    "grouped": normal(6, 1, 3, 3),
    "columns": normal(48, 5),
    "rows_of_columns": normal(5, 48),
    "columns_bias": normal(5),
    "rows_shape": whole(16, 48),
    "kept_shape": whole(0, -1, 32),
    "twice": np.array([1, 1, 2, 2], np.float32),
    "most": whole(4),
    "positions": whole(2, 0, -1),
    "table": normal(16, 3),
    "axis_0": whole(0),
    "axis_2": whole(2),
    "starts": whole(1, -7),
    "ends": whole(3, 2**62),
    "axes": whole(1, 3),
    "steps": whole(1, 2),
    "every": whole(2, 3, 16, 16),
    "five": np.int64(5).reshape(()),
    "seven": np.int64(7).reshape(()),
}
COMMON = [
    helper.make_node("Mul", ["data", "to_one"], ["unit"]),
    helper.make_node("Sub", ["unit", "to_middle"], ["x"]),  # from -1 to 1
    helper.make_node("Add", ["unit", "number"], ["positive"]),
    helper.make_node("Reshape", ["x", "rows_shape"], ["rows"]),
    helper.make_node("ReduceMean", ["x"], ["by_channel"], axes=[2, 3], keepdims=1),
    helper.make_node("ReduceMax", ["rows"], ["by_row"], axes=[1], keepdims=0),
    helper.make_node("TopK", ["by_row", "most"], ["best", "best_at"], axis=0),
]
SHARED = {"to_one": np.float32(1 / 128).reshape(()), "to_middle": np.float32(1).reshape(())}
Step = tuple[Any, ...]


def one(kind: str, *inputs: str, **attributes: Any) -> list[onnx.NodeProto]:
    return [helper.make_node(kind, inputs, ["y"], **attributes)]


def told(kind: str, *inputs: str, **attributes: Any) -> list[onnx.NodeProto]:
    """An operator that gives whole numbers, and the numbers as floating ones."""
    cast = helper.make_node("Cast", ["whole"], ["y"], to=TensorProto.FLOAT)
    return [helper.make_node(kind, inputs, ["whole"], **attributes), cast]


WINDOW = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
UNEVEN = {"kernel_shape": [3, 2], "pads": [2, 0, 1, 1], "strides": [2, 1]}
CASES: dict[str, list[onnx.NodeProto]] = {
    "Abs": one("Abs", "x"),
    "Add": one("Add", "x", "channels"),
    "Add maps": one("Add", "x", "unit"),
    "AveragePool": one("AveragePool", "x", kernel_shape=[2, 2], strides=[2, 2]),
    "AveragePool with padding": one("AveragePool", "x", **UNEVEN),
    "AveragePool of padding": one("AveragePool", "x", count_include_pad=1, **UNEVEN),
    "Cast": told("Cast", "x", to=TensorProto.INT64),
    "Clip": one("Clip", "x", "low", "high"),
    "Clip below": one("Clip", "x", "low"),
    "Clip above": one("Clip", "x", "", "high"),
    "Concat": one("Concat", "x", "unit", "positive", axis=1),
    "Concat of rows": one("Concat", "rows", "rows", axis=1),
    "Conv": one("Conv", "x", "kernel", "kernel_bias", **WINDOW),
    "Conv with a stride": one("Conv", "x", "kernel", strides=[2, 1], kernel_shape=[3, 3], pads=[1, 0, 2, 1]),
    "Conv by groups": one("Conv", "x", "grouped", group=3, **WINDOW),
    "Conv dilated": one("Conv", "x", "kernel", dilations=[2, 3], kernel_shape=[3, 3], pads=[2, 3, 2, 3]),
    "Div": one("Div", "x", "positive"),
    "Div of whole numbers": told("Div", "best_at", "five"),
    "Erf": one("Erf", "x"),
    "Exp": one("Exp", "x"),
    "Expand": one("Expand", "by_channel", "every"),
    "Flatten": one("Flatten", "x"),
    "Floor": one("Floor", "x"),
    "Gather": one("Gather", "rows", "positions", axis=0),
    "Gather from columns": one("Gather", "rows", "positions", axis=1),
    "Gather at computed places": one("Gather", "rows", "best_at", axis=0),
    "Gather from a table": one("Gather", "table", "best_at", axis=0),
    "Gemm": one("Gemm", "rows", "columns", "columns_bias"),
    "Gemm with factors": one("Gemm", "rows", "rows_of_columns", "columns_bias", transB=1, alpha=0.5, beta=2.0),
    "Gemm without a bias": one("Gemm", "rows", "columns"),
    "GlobalAveragePool": one("GlobalAveragePool", "x"),
    "Identity": one("Identity", "x"),
    "Log": one("Log", "positive"),
    "MatMul": one("MatMul", "rows", "columns"),
    "MatMul of two maps": one("MatMul", "x", "unit"),
    "Max": one("Max", "x", "number"),
    "Max of three": one("Max", "x", "number", "channels"),
    "MaxPool": one("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    "Min": one("Min", "x", "channels"),
    "Min of whole numbers": told("Min", "best_at", "seven"),
    "Mul": one("Mul", "x", "x"),
    "Mul of whole numbers": told("Mul", "best_at", "five"),
    "Neg": one("Neg", "x"),
    "Neg of whole numbers": told("Neg", "best_at"),
    "Pow": one("Pow", "positive", "three"),
    "ReduceL2": one("ReduceL2", "rows", axes=[1], keepdims=1),
    "ReduceMax": one("ReduceMax", "x", axes=[2], keepdims=0),
    "ReduceMean": one("ReduceMean", "x", axes=[1, 2], keepdims=1),
    "ReduceMin": one("ReduceMin", "x", axes=[1], keepdims=1),
    "ReduceSum": one("ReduceSum", "rows", "axis_0", keepdims=1),
    "Relu": one("Relu", "x"),
    "Reshape": one("Reshape", "x", "kept_shape"),
    "Resize": one(
        "Resize", "x", "", "twice", mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
    ),
    "Sigmoid": one("Sigmoid", "x"),
    "Slice": one("Slice", "x", "starts", "ends", "axes", "steps"),
    "Slice of one axis": one("Slice", "x", "axis_2", "most", "axis_2"),
    "Softmax": one("Softmax", "rows", axis=1),
    "Softmax of channels": one("Softmax", "x", axis=1),
    "Sqrt": one("Sqrt", "positive"),
    "Squeeze": [helper.make_node("Squeeze", ["x", "axis_0"], ["y"])],
    "Sub": one("Sub", "x", "second_number"),
    "Sub of whole numbers": told("Sub", "best_at", "five"),
    "Sub from a number": one("Sub", "number", "x"),
    "Tanh": one("Tanh", "x"),
    "TopK": one("Identity", "best"),
    "TopK places": told("Identity", "best_at"),
    "Transpose": one("Transpose", "x", perm=[0, 2, 3, 1]),
    "Unsqueeze": one("Unsqueeze", "rows", "axis_2"),
}


def made(graph: Callable[..., onnx.ModelProto], nodes: list[onnx.NodeProto], *outputs: str) -> onnx.ModelProto:
    return graph([*COMMON, *nodes], {**WEIGHTS, **SHARED}, *(outputs or ("y",)))


@pytest.fixture(scope="module")
def model(graph: Callable[..., onnx.ModelProto]) -> onnx.ModelProto:
    """All cases in one, an output each."""
    nodes: list[onnx.NodeProto] = []
    for number, case in enumerate(CASES.values()):
        for node in case:
            copied = onnx.NodeProto()
            copied.CopyFrom(node)
            for names in (copied.input, copied.output):
                names[:] = [f"{name}_{number}" if name in {"y", "whole"} else name for name in names]
            nodes.append(copied)
    return made(graph, nodes, *(f"y_{number}" for number in range(len(CASES))))


@pytest.fixture(scope="module", params=["mlprogram", "neuralnetwork"])
def results(
    request: pytest.FixtureRequest,
    model: onnx.ModelProto,
    interface: Callable[..., Any],
    image: NDArray[np.float32],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, NDArray[Any]]:
    kind = request.param
    path = tmp_path_factory.mktemp("all") / {"mlprogram": "all.mlpackage", "neuralnetwork": "all.mlmodel"}[kind]
    write(model, interface(GRID), path, kind=kind, precision="float32")
    return open_model(path)(image)


@pytest.fixture(scope="module")
def wanted(model: onnx.ModelProto, expected: Callable[..., list[NDArray[Any]]]) -> list[NDArray[Any]]:
    return expected(model)


class TestOperators:
    def test_all_of_them_are_tried(self) -> None:
        tried = {node.op_type for nodes in CASES.values() for node in nodes} | {node.op_type for node in COMMON}

        assert tried == OPERATORS.keys()

    @pytest.mark.parametrize("number", range(len(CASES)), ids=list(CASES))
    def test_says_the_same_as_onnx_runtime(
        self, number: int, results: dict[str, NDArray[Any]], wanted: list[NDArray[Any]]
    ) -> None:
        result = results[f"y_{number}"]

        assert result.shape == wanted[number].shape
        np.testing.assert_allclose(result, wanted[number], rtol=1e-5, atol=1e-5)


class TestRefusals:
    def test_names_the_operators_that_core_ml_lacks(self, graph: Callable[..., onnx.ModelProto]) -> None:
        model = made(graph, [helper.make_node("Softsign", ["x"], ["soft"]), *one("Selu", "soft")])

        with pytest.raises(
            Invalid, match=r"^The model cannot be written for Core ML: .* the operator Selu, Softsign\.$"
        ):
            program(model)

    @pytest.mark.parametrize(
        ("nodes", "reason"),
        [
            (one("Resize", "x", "", "twice", mode="linear"), "a Resize with mode"),
            (one("MaxPool", "x", kernel_shape=[2, 2], ceil_mode=1), "a MaxPool with ceil_mode 1"),
            (one("Conv", "x", "kernel", kernel_shape=[3, 3], auto_pad="SAME_UPPER"), "a Conv with auto_pad"),
            (one("Cast", "x", to=TensorProto.BOOL), "a Cast to type"),
            (one("Gemm", "rows", "rows", transB=1), "a Gemm whose input 1 is computed"),
        ],
    )
    def test_names_the_option_that_core_ml_lacks(
        self, nodes: list[onnx.NodeProto], reason: str, graph: Callable[..., onnx.ModelProto]
    ) -> None:
        with pytest.raises(Invalid, match=f"^The model cannot be written for Core ML: it has {reason}"):
            program(made(graph, nodes))

    def test_wants_an_image_of_fixed_size(self, graph: Callable[..., onnx.ModelProto]) -> None:
        model = made(graph, one("Relu", "x"))
        model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"

        with pytest.raises(Invalid, match="its input data has no fixed size"):
            program(model)
