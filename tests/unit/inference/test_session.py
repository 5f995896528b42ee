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
