import hashlib
import os
from pathlib import Path

import onnx
import pytest

from foveal.engine import backbones
from foveal.errors import NotFound, Unavailable

LARGEST_BYTES = 12_000_000
IN_PACKAGE = [backbone for backbone in backbones.BACKBONES if not backbone.source]
TO_BE_PULLED = [backbone for backbone in backbones.BACKBONES if backbone.source]


class TestFind:
    def test_gives_the_default(self) -> None:
        assert backbones.find().name == backbones.DEFAULT

    def test_names_the_known_ones_where_there_is_none(self) -> None:
        with pytest.raises(NotFound, match=r"'nope'.*foveal-s"):
            backbones.find("nope")


class TestPulledFolder:
    def test_is_the_one_of_the_environment(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("FOVEAL_BACKBONES", str(tmp_path))
        assert backbones.row("dinov2-s").path == tmp_path / "dinov2-s" / "dinov2-s.onnx"

    @pytest.mark.parametrize("value", ["", None])
    def test_is_one_in_the_home_folder_otherwise(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str | None
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("FOVEAL_BACKBONES", raising=False)
        if value is not None:
            monkeypatch.setenv("FOVEAL_BACKBONES", value)
        assert backbones.pulled_folder() == tmp_path / ".cache" / "foveal" / "backbones"


class TestFingerprint:
    def test_follows_a_file_that_is_replaced(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("FOVEAL_BACKBONES", str(tmp_path))
        backbone = backbones.row("dinov2-s")
        backbone.path.parent.mkdir()
        for at, content in enumerate((b"first", b"second")):
            backbone.path.write_bytes(content)
            os.utime(backbone.path, ns=(at, at))
            assert backbone.fingerprint == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("backbone", TO_BE_PULLED, ids=lambda each: each.name)
class TestEachToBePulled:
    def test_is_found_only_when_its_file_is_there(
        self, backbone: backbones.Backbone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("FOVEAL_BACKBONES", str(tmp_path))
        with pytest.raises(Unavailable, match=f"foveal backbones pull {backbone.name}$"):
            backbones.find(backbone.name)
        backbone.path.parent.mkdir()
        backbone.path.touch()
        assert backbones.find(backbone.name) == backbone


@pytest.mark.parametrize("backbone", IN_PACKAGE, ids=lambda each: each.name)
class TestEachInThePackage:
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
