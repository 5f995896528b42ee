"""A detector's file says what the torch module says, without what lies on top of one another."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray

from foveal.engine import backbones
from foveal.engine.calibration import Calibration
from foveal.engine.detection import graph, tune
from foveal.engine.detection.finder import Finder, Places
from foveal.engine.network import Network
from foveal.geometry import overlaps

SIZE_PX = 96
TAGS = ["nut", "bolt"]
CALIBRATED = Calibration(0.5, np.array([-0.25]))


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(backbones.find("foveal-xs").path)


@pytest.fixture(scope="module")
def finder() -> Finder:
    torch.manual_seed(0)
    made = Finder([48, 96, 176], 16, len(TAGS))
    torch.nn.init.normal_(made.logits.weight, std=0.5)
    torch.nn.init.normal_(made.sides.weight, std=0.05)
    torch.nn.init.zeros_(made.logits.bias)
    for weight in made.parameters():
        weight.data = weight.data.half().float()  # as the file keeps them
    return made


@pytest.fixture(scope="module")
def photo() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (SIZE_PX, SIZE_PX, 3), np.uint8)


def run(content: bytes, photo: NDArray[np.uint8], *names: str) -> list[NDArray[np.float32]]:
    model = onnx.load_from_string(content)
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    tensor = np.ascontiguousarray(photo.transpose(2, 0, 1)[None], np.float32)
    return session.run([*names] or None, {"image": tensor})


class TestDetectorGraph:
    def test_says_at_every_place_what_the_module_says(
        self, network: Network, finder: Finder, photo: NDArray[np.uint8]
    ) -> None:
        made = graph.detector_graph(network.path, tune.weights(finder), TAGS, size_px=SIZE_PX, calibrated=CALIBRATED)
        boxes, probabilities = run(made, photo, graph.ALL_BOXES, graph.ALL_SCORES)
        with torch.no_grad():
            found = finder(network.maps(torch.from_numpy(photo.transpose(2, 0, 1)[None].copy()).float()))
        assert boxes.shape == (1, 12 * 12 + 6 * 6 + 3 * 3, 4)
        np.testing.assert_allclose(boxes, (found.boxes / SIZE_PX).clamp(0, 1).numpy(), atol=1e-4)
        expected = torch.sigmoid(found.logits * 0.5 - 0.25).transpose(1, 2).numpy()
        np.testing.assert_allclose(probabilities, expected, atol=1e-4)

    def test_keeps_the_best_of_boxes_that_overlap(
        self, network: Network, finder: Finder, photo: NDArray[np.uint8]
    ) -> None:
        made = graph.detector_graph(network.path, tune.weights(finder), TAGS, size_px=SIZE_PX)
        every_box, every_score = run(made, photo, graph.ALL_BOXES, graph.ALL_SCORES)
        boxes, classes, probabilities = run(made, photo)
        assert boxes.shape == (1, len(classes[0]), 4)
        assert 0 < len(classes[0]) <= graph.MOST
        assert (np.diff(probabilities[0]) <= 0).all()
        for tag in range(len(TAGS)):
            mine = boxes[0][classes[0] == tag]
            apart = overlaps(mine, mine)
            assert apart[~np.eye(len(mine), dtype=bool)].max(initial=0) <= graph.SAME_OBJECT + 1e-6
            best = every_score[0, tag].argmax()
            assert probabilities[0][classes[0] == tag][0] == every_score[0, tag, best]
            np.testing.assert_array_equal(mine[0], every_box[0, best])

    def test_tells_its_labels_and_how_to_feed_it(self, network: Network, finder: Finder) -> None:
        made = graph.detector_graph(network.path, tune.weights(finder), TAGS, size_px=SIZE_PX)
        model = onnx.load_from_string(made)
        told = {each.key: each.value for each in model.metadata_props}
        assert told["foveal.labels"] == '["nut", "bolt"]'
        assert told["Image.NominalPixelRange"] == "NominalRange_0_255"
        shape = model.graph.input[0].type.tensor_type.shape
        assert [each.dim_value for each in shape.dim] == [1, 3, SIZE_PX, SIZE_PX]


class TestPlaces:
    def test_lie_in_the_middle_of_their_cells(self) -> None:
        middles, strides = graph.places(32)
        assert middles[:2].tolist() == [[4, 4], [12, 4]]
        assert middles[-1].tolist() == [16, 16]
        assert np.bincount(strides.astype(int))[[8, 16, 32]].tolist() == [16, 4, 1]

    def test_are_the_same_for_training(self) -> None:
        places = Places.of(64)
        np.testing.assert_array_equal(places.middles.numpy(), graph.places(64)[0])


def test_the_file_is_the_same_each_time(network: Network, finder: Finder) -> None:
    made = [graph.detector_graph(network.path, tune.weights(finder), TAGS, size_px=64) for _ in range(2)]
    assert made[0] == made[1]
