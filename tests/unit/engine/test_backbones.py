import hashlib

import onnx
import pytest

from foveal.engine import backbones
from foveal.errors import NotFound

LARGEST_BYTES = 12_000_000


class TestFind:
    def test_gives_the_default(self) -> None:
        assert backbones.find().name == backbones.DEFAULT

    def test_names_the_known_ones_where_there_is_none(self) -> None:
        with pytest.raises(NotFound, match=r"'nope'.*foveal-s"):
            backbones.find("nope")


@pytest.mark.parametrize("backbone", backbones.BACKBONES, ids=lambda each: each.name)
class TestEachBackbone:
    def test_its_file_keeps_the_promises_of_its_row(self, backbone: backbones.Backbone) -> None:
        model = onnx.load(backbone.path)
        image, embedding = model.graph.input[0], model.graph.output[0]
        size = [each.dim_value for each in image.type.tensor_type.shape.dim][1:]
        assert (image.name, size) == ("image", [3, backbone.size_px, backbone.size_px])
        assert embedding.name == "embedding"
        assert embedding.type.tensor_type.shape.dim[1].dim_value == backbone.dimension

    def test_its_file_is_small_enough_for_the_package(self, backbone: backbones.Backbone) -> None:
        assert backbone.path.stat().st_size <= LARGEST_BYTES

    def test_its_fingerprint_is_that_of_the_file(self, backbone: backbones.Backbone) -> None:
        assert backbone.fingerprint == hashlib.sha256(backbone.path.read_bytes()).hexdigest()
