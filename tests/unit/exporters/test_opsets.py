"""Graphs for runtimes of another age: the same answers at every opset that is written."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from foveal.errors import Invalid
from foveal.exporters.onnx_files import opsets
from foveal.exporters.onnx_files.opsets import IR_VERSIONS, RULES, at_opset

Graph = Callable[..., onnx.ModelProto]
Expected = Callable[..., list[NDArray[Any]]]
WEIGHTS: dict[str, NDArray[Any]] = {
    "low": np.float32(60).reshape(()),
    "high": np.float32(200).reshape(()),
    "rows_shape": np.array([16, 48]),
    "axis_0": np.array([0]),
    "axis_2": np.array([2]),
    "axes": np.array([1, 2]),
    "twice": np.array([1, 1, 2, 2], np.float32),
    "most": np.array([4]),
    "seven": np.int64(7).reshape(()),
    "number": np.float32(100).reshape(()),
    "pairs": np.array([[0, 0], [3, 47], [15, 2]]),
}
ROWS = helper.make_node("Reshape", ["data", "rows_shape"], ["rows"])
BEST = [
    helper.make_node("ReduceMax", ["rows"], ["by_row"], axes=[1], keepdims=0),
    helper.make_node("TopK", ["by_row", "most"], ["best", "best_at"], axis=0),
]
NEAREST = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}


def one(kind: str, *inputs: str, **attributes: Any) -> list[onnx.NodeProto]:
    return [helper.make_node(kind, inputs, ["y"], **attributes)]


CASES: dict[str, list[onnx.NodeProto]] = {
    "Clip": one("Clip", "data", "low", "high"),
    "Clip below": one("Clip", "data", "low"),
    "Clip above": one("Clip", "data", "", "high"),
    "GatherND": [ROWS, *one("GatherND", "rows", "pairs")],
    "Max": one("Max", "data", "number"),
    "Max of whole numbers": [ROWS, *BEST, *one("Max", "best_at", "seven")],
    "Min": one("Min", "data", "number"),
    "Min of whole numbers": [ROWS, *BEST, *one("Min", "best_at", "seven")],
    "ReduceL2": [ROWS, *one("ReduceL2", "rows", axes=[1], keepdims=1)],
    "ReduceMax": one("ReduceMax", "data", axes=[2, 3], keepdims=0),
    "ReduceMean": one("ReduceMean", "data", axes=[1], keepdims=1),
    "ReduceMean of everything": one("ReduceMean", "data"),
    "ReduceSum": one("ReduceSum", "data", "axes", keepdims=0),
    "ReduceSum of everything": one("ReduceSum", "data"),
    "Resize": one("Resize", "data", "", "twice", **NEAREST),
    "Squeeze": one("Squeeze", "data", "axis_0"),
    "Squeeze of every axis that can be": one("Squeeze", "data"),
    "Unsqueeze": [ROWS, *one("Unsqueeze", "rows", "axis_2")],
}


class TestAtOpset:
    def test_all_rules_are_tried(self) -> None:
        tried = {nodes[-1].op_type for nodes in CASES.values()}

        assert tried == RULES.keys()

    @pytest.mark.parametrize("version", IR_VERSIONS)
    @pytest.mark.parametrize("case", CASES)
    def test_says_the_same(self, case: str, version: int, graph: Graph, expected: Expected) -> None:
        model = graph(CASES[case], WEIGHTS, "y")
        (wanted,) = expected(model)

        made = at_opset(model, version)

        onnx.checker.check_model(made, full_check=True)
        assert {each.domain: each.version for each in made.opset_import} == {"": version}
        (result,) = expected(made)
        assert (result.dtype, result.shape) == (wanted.dtype, wanted.shape)
        np.testing.assert_allclose(result, wanted, rtol=1e-6)

    @pytest.mark.parametrize(("version", "ir_version"), [(10, 5), (12, 7), (18, 8)])
    def test_writes_files_that_runtimes_of_that_age_open(
        self, version: int, ir_version: int, classifier: onnx.ModelProto
    ) -> None:
        made = at_opset(classifier, version)

        assert (made.ir_version, made.producer_name) == (ir_version, "Foveal")

    @pytest.mark.parametrize("version", IR_VERSIONS)
    def test_keeps_inputs_outputs_and_any_number_of_images(
        self, version: int, classifier_of_many: onnx.ModelProto, expected: Expected, image: NDArray[np.float32]
    ) -> None:
        images = np.concatenate([image, 255 - image])

        made = at_opset(classifier_of_many, version)

        assert (made.graph.input, made.graph.output) == (
            classifier_of_many.graph.input,
            classifier_of_many.graph.output,
        )
        np.testing.assert_allclose(expected(made, images)[0], expected(classifier_of_many, images)[0], atol=1e-6)

    @pytest.mark.parametrize("version", IR_VERSIONS)
    @pytest.mark.parametrize("case", CASES)
    def test_leaves_the_given_model_as_it_was(self, case: str, version: int, graph: Graph) -> None:
        model = graph(CASES[case], WEIGHTS, "y")
        before = model.SerializeToString(deterministic=True)

        at_opset(model, version)

        assert model.SerializeToString(deterministic=True) == before

    def test_holds_no_weight_that_nothing_reads(self, graph: Graph) -> None:
        made = at_opset(graph(CASES["Clip"], WEIGHTS, "y"), 10)

        assert not made.graph.initializer

    def test_refuses_one_that_is_not_written(self, classifier: onnx.ModelProto) -> None:
        with pytest.raises(Invalid, match=r"^ONNX opset 11 is not written: expected one of 10, 12, 18\.$"):
            at_opset(classifier, 11)


def test_whole_numbers_are_those_that_the_least_is_made_of() -> None:
    assert set(opsets.WHOLE) == {TensorProto.INT32, TensorProto.INT64}
