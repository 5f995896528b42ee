from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from foveal.errors import Invalid
from foveal.inference.session import Classifier


def graph(size: int = 4) -> bytes:
    """Softmax over the means of red, green and blue."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["scores"], axis=1),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, size, size])
    answer = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 3])
    made = helper.make_graph(nodes, "colours", [image], [answer])
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.onnx").write_bytes(graph())
    return tmp_path


def with_unknown(tmp_path: Path) -> Path:
    """The same model with a second output: how bright a picture is, 0..1."""
    model = onnx.load_from_string(graph())
    model.graph.initializer.append(helper.make_tensor("white", TensorProto.FLOAT, [1], [255.0]))
    model.graph.node.extend(
        [
            helper.make_node("ReduceMean", ["scores"], ["bright"], axes=[1], keepdims=1),
            helper.make_node("Div", ["bright", "white"], ["unknown"]),
        ]
    )
    model.graph.output.append(helper.make_tensor_value_info("unknown", TensorProto.FLOAT, ["batch", 1]))
    onnx.checker.check_model(model)
    path = tmp_path / "two.onnx"
    path.write_bytes(model.SerializeToString())
    return path


class TestAnswers:
    def test_gives_both_outputs(self, tmp_path: Path) -> None:
        images = np.zeros((20, 4, 4, 3), np.uint8)
        images[7] = 255
        made = Classifier(with_unknown(tmp_path), threads=1).answers(images)
        assert made.unknown is not None
        assert made.unknown.tolist() == [0] * 7 + [1] + [0] * 12
        np.testing.assert_allclose(made.probabilities, 1 / 3)

    def test_of_an_older_model_are_probabilities_alone(self, folder: Path) -> None:
        made = Classifier(folder, threads=1).answers(np.zeros((2, 4, 4, 3), np.uint8))
        assert made.unknown is None
        assert made.probabilities.shape == (2, 3)

    def test_of_nothing_are_nothing(self, tmp_path: Path) -> None:
        made = Classifier(with_unknown(tmp_path), threads=1).answers(np.zeros((0, 4, 4, 3), np.uint8))
        assert made.unknown is not None
        assert (made.unknown.shape, made.probabilities.shape) == ((0,), (0, 3))


class TestClassifier:
    def test_opens_a_bundle_or_a_graph(self, folder: Path) -> None:
        for path in (folder, folder / "model.onnx"):
            made = Classifier(path, threads=1)
            assert (made.size_px, made.tag_count) == (4, 3)

    def test_gives_a_row_for_each_image(self, folder: Path) -> None:
        images = np.zeros((20, 4, 4, 3), np.uint8)
        images[7, ..., 2] = 200
        made = Classifier(folder, threads=1).probabilities(images)
        assert made.shape == (20, 3)
        assert made.dtype == np.float32
        assert made[7].argmax() == 2
        np.testing.assert_allclose(made[0], 1 / 3)

    def test_gives_nothing_for_nothing(self, folder: Path) -> None:
        assert Classifier(folder, threads=1).probabilities(np.zeros((0, 4, 4, 3), np.uint8)).shape == (0, 3)

    def test_refuses_images_of_another_size(self, folder: Path) -> None:
        with pytest.raises(Invalid, match="4, 4, 3"):
            Classifier(folder, threads=1).probabilities(np.zeros((1, 5, 5, 3), np.uint8))

    def test_refuses_a_file_that_is_no_model(self, folder: Path) -> None:
        (folder / "model.onnx").write_bytes(b"no model")
        with pytest.raises(Invalid, match="not a model"):
            Classifier(folder, threads=1)
