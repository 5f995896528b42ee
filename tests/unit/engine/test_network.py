from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from tests.support import tiny

from foveal.engine import backbones
from foveal.engine.network import Network
from foveal.engine.resizing import at_size
from foveal.engine.two_sizes import in_two_sizes
from foveal.errors import Invalid


def images(count: int, size: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(0, 255, (count, 3, size, size)).astype(np.float32)


def served(model: bytes | Path, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["embedding"], {"image": pictures})[0])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tiny.backbone(tmp_path).path


class TestNetwork:
    @pytest.mark.parametrize("name", ["foveal-s", "foveal-xs"])
    def test_computes_what_its_file_computes(self, name: str) -> None:
        path = backbones.find(name).path
        pictures = images(2, 224)
        with torch.no_grad():
            found = Network(path)(torch.from_numpy(pictures)).numpy()
        np.testing.assert_allclose(found, served(path, pictures), atol=1e-4)

    def test_untouched_it_writes_an_equal_file(self, path: Path) -> None:
        pictures = images(2, tiny.SIZE_PX)
        assert np.array_equal(served(Network(path).to_bytes(), pictures), served(path, pictures))

    def test_what_was_trained_is_what_is_written(self, path: Path) -> None:
        network = Network(path)
        with torch.no_grad():
            for layer in network.layers():
                for weight in layer:
                    weight.mul_(1.1)
        network.round_()
        pictures = images(2, tiny.SIZE_PX)
        with torch.no_grad():
            expected = network(torch.from_numpy(pictures)).numpy()
        found = served(network.to_bytes(), pictures)
        np.testing.assert_allclose(found, expected, atol=2e-2)  # random maps are nearly flat: deviations close to 0
        assert not np.allclose(found, served(path, pictures))

    def test_every_layer_gets_a_gradient_even_from_a_flat_image(self, path: Path) -> None:
        network = Network(path)
        pictures = torch.cat([torch.full((1, 3, 32, 32), 128.0), torch.from_numpy(images(1, 32))])
        network(pictures).square().sum().backward()
        gradients = [weight.grad for layer in network.layers() for weight in layer]
        assert all(each is not None and torch.isfinite(each).all() for each in gradients)
        assert sum(float(each.abs().sum()) > 0 for each in gradients if each is not None) > len(gradients) / 2

    def test_the_range_of_pixels_is_never_trained(self, path: Path) -> None:
        fixed = [name for name, weight in Network(path).weights.items() if not weight.requires_grad]
        assert sorted(fixed) == ["image_mean", "image_scale"]

    def test_an_operator_that_it_lacks_is_named(self, path: Path, tmp_path: Path) -> None:
        model = onnx.load(path)
        next(node for node in model.graph.node if node.op_type == "Relu").op_type = "Gelu"
        other = tmp_path / "other.onnx"
        onnx.save(model, other)
        with pytest.raises(Invalid, match="Gelu"):
            Network(other)


class TestSizes:
    def test_the_same_weights_take_another_size(self, path: Path) -> None:
        pictures = images(2, 64)
        with torch.no_grad():
            expected = Network(path)(torch.from_numpy(pictures)).numpy()
        np.testing.assert_allclose(served(at_size(path, 64), pictures), expected, atol=2e-2)

    def test_two_sizes_are_two_looks_of_length_one(self, path: Path) -> None:
        pictures = images(3, 2 * tiny.SIZE_PX)
        small = pictures.reshape(3, 3, tiny.SIZE_PX, 2, tiny.SIZE_PX, 2).mean((3, 5))
        looks = [served(path, small), served(at_size(path, 2 * tiny.SIZE_PX), pictures)]
        expected = np.concatenate([look / np.linalg.norm(look, axis=1, keepdims=True) for look in looks], axis=1)
        np.testing.assert_allclose(served(in_two_sizes(path, tiny.SIZE_PX), pictures), expected, atol=1e-5)

    def test_two_sizes_cost_no_second_set_of_weights(self) -> None:
        path = backbones.find("foveal-xs").path
        assert len(in_two_sizes(path, 224)) < path.stat().st_size * 1.02 + 20_000
