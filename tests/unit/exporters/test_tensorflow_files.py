"""TensorFlow's files written and read back: frozen graphs, SavedModels, TensorFlow.js models."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper
from tests.support.written import changed_json, channels_last

from foveal.errors import Invalid
from foveal.exporters import lowering
from foveal.exporters.form import KINDS, Form
from foveal.exporters.tensorflow import evaluate, files, messages, nodes

Write = Callable[[Form, Path], Path]


def frozen(form: Form, folder: Path) -> Path:
    files.write_frozen(form, folder / "model.pb")
    return folder / "model.pb"


def saved_model(form: Form, folder: Path) -> Path:
    files.write_saved_model(form, folder)
    return folder


def tfjs(form: Form, folder: Path) -> Path:
    files.write_tfjs(form, folder)
    return folder


each_kind = pytest.mark.parametrize("write", [frozen, saved_model, tfjs])


@pytest.fixture
def form(classifier_of_many: onnx.ModelProto) -> Form:
    return lowering.lower(classifier_of_many, {"probabilities": "loss"})


@pytest.fixture
def form_of_two(graph: Callable[..., onnx.ModelProto]) -> Form:
    """Two outputs, one of them computed from the other."""
    steps = [helper.make_node("Relu", ["data"], ["first"]), helper.make_node("Neg", ["first"], ["second"])]
    return lowering.lower(graph(steps, {}, "first", "second"), {"first": "first", "second": "told"})


class TestRead:
    @each_kind
    def test_gives_what_was_written(
        self,
        write: Write,
        form: Form,
        classifier_of_many: onnx.ModelProto,
        expected: Callable[..., list[NDArray[Any]]],
        image: NDArray[np.float32],
        tmp_path: Path,
    ) -> None:
        images = np.concatenate([image, 255 - image])

        read = files.read(write(form, tmp_path))

        assert (read.input_name, read.outputs) == ("data", ("loss",))
        result = evaluate.evaluate(read, channels_last(images))["loss"]
        np.testing.assert_allclose(result, expected(classifier_of_many, images)[0], atol=1e-5)

    @pytest.mark.parametrize("write", [saved_model, tfjs])
    def test_finds_outputs_that_others_are_computed_from(self, write: Write, form_of_two: Form, tmp_path: Path) -> None:
        assert set(files.read(write(form_of_two, tmp_path)).outputs) == {"first", "told"}

    @each_kind
    def test_finds_one_placeholder_for_any_number_of_images(self, write: Write, form: Form, tmp_path: Path) -> None:
        (given,) = [each for each in files.read(write(form, tmp_path)).graph.node if each.op == "Placeholder"]

        assert [dim.size for dim in given.attr["shape"].shape.dim] == [-1, 16, 16, 3]

    @each_kind
    def test_finds_names_that_are_there_once_and_nodes_in_order(self, write: Write, form: Form, tmp_path: Path) -> None:
        known = set[str]()
        for node in files.read(write(form, tmp_path)).graph.node:
            assert node.name not in known
            assert {name.split(":")[0] for name in node.input} <= known
            known.add(node.name)


class TestSavedModel:
    def test_has_the_signature_that_servers_ask_for(self, form: Form, tmp_path: Path) -> None:
        files.write_saved_model(form, tmp_path)

        (meta,) = messages.classes().SavedModel.FromString((tmp_path / "saved_model.pb").read_bytes()).meta_graphs
        signature = meta.signature_def["serving_default"]

        assert (tmp_path / "variables").is_dir()
        assert list(meta.meta_info_def.tags) == ["serve"]
        assert (signature.inputs["data"].name, signature.outputs["loss"].name) == ("data:0", "loss:0")
        assert [dim.size for dim in signature.outputs["loss"].tensor_shape.dim] == [-1, 3]


class TestTensorFlowJs:
    def test_is_cut_into_shards(self, form: Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(files, "SHARD_BYTES", 1000)
        whole, cut = tmp_path / "whole.pb", tmp_path / "cut"
        cut.mkdir()

        files.write_tfjs(form, cut)
        files.write_frozen(form, whole)

        sizes = [path.stat().st_size for path in sorted(cut.glob("*.bin"))]
        assert len(sizes) > 2
        assert max(sizes) == 1000
        assert files.read(cut).graph == files.read(whole).graph

    def test_tells_of_itself(self, form: Form, tmp_path: Path) -> None:
        files.write_tfjs(form, tmp_path, {"Image.BitmapPixelFormat": "Rgb8"})

        model = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))

        assert model["format"] == "graph-model"
        assert model["userDefinedMetadata"] == {"Image.BitmapPixelFormat": "Rgb8"}

    def test_keeps_the_weights_out_of_the_json(self, form: Form, tmp_path: Path) -> None:
        files.write_tfjs(form, tmp_path)

        assert "tensorContent" not in (tmp_path / "model.json").read_text(encoding="utf-8")

    def test_without_constants_still_loads(self, graph: Callable[..., onnx.ModelProto], tmp_path: Path) -> None:
        model = graph([helper.make_node("Relu", ["data"], ["y"])], {}, "y")

        files.write_tfjs(lowering.lower(model, {"y": "y"}), tmp_path)

        assert files.read(tmp_path).outputs == ("y",)


class TestBroken:
    @pytest.mark.parametrize("content", [b"", b"not a graph", b"\x0a\xff\xff"], ids=["empty", "text", "cut short"])
    @pytest.mark.parametrize("name", ["model.pb", "saved_model.pb", "model.json"])
    def test_files_are_refused_by_their_path(self, name: str, content: bytes, tmp_path: Path) -> None:
        (tmp_path / name).write_bytes(content)
        path = tmp_path / name if name == "model.pb" else tmp_path

        with pytest.raises(Invalid, match=f"{path.name} is not a TensorFlow model that can be read"):
            files.read(path)

    def test_empty_folders_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(Invalid, match="is not a TensorFlow model"):
            files.read(tmp_path)

    def test_graphs_without_an_input_are_refused(self, tmp_path: Path) -> None:
        graph = messages.classes().GraphDef()
        graph.node.add(name="y", op="Const")
        (tmp_path / "model.pb").write_bytes(graph.SerializeToString())

        with pytest.raises(Invalid, match="one Placeholder was expected, not 0"):
            files.read(tmp_path / "model.pb")

    @pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"short")], ids=["gone", "short"])
    def test_shards_are_refused(self, damage: Callable[[Path], Any], form: Form, tmp_path: Path) -> None:
        files.write_tfjs(form, tmp_path)
        damage(tmp_path / "group1-shard1of1.bin")

        with pytest.raises(Invalid, match="is not a TensorFlow model"):
            files.read(tmp_path)

    def test_models_without_weights_are_refused(self, form: Form, tmp_path: Path) -> None:
        files.write_tfjs(form, tmp_path)
        changed_json(tmp_path / "model.json", lambda model: model["weightsManifest"].clear())

        with pytest.raises(Invalid, match="is not a TensorFlow model"):
            files.read(tmp_path)


class TestWriters:
    def test_know_every_kind_of_step(self) -> None:
        assert set(nodes.WRITERS) == set(KINDS)


class TestEvaluate:
    def test_names_the_operation_that_it_does_not_know(self, form: Form, tmp_path: Path) -> None:
        read = files.read(frozen(form, tmp_path))
        next(node for node in read.graph.node if node.op == "Softmax").op = "Magic"

        with pytest.raises(Invalid, match=r"^The graph has the operation Magic, which is not known here\.$"):
            evaluate.evaluate(read, np.zeros((1, 16, 16, 3), np.float32))


class TestMessages:
    def test_keep_fields_that_are_not_in_the_table(self) -> None:
        graph_def = messages.classes().GraphDef
        node = b"\x0a\x01x\x12\x04Relu\x32\x03\x0a\x01o"  # name, op, and where it was made: field 6
        library = b"\x0a\x05\x0a\x03\x0a\x01f"  # a function
        content = b"\x0a" + bytes([len(node)]) + node + b"\x12" + bytes([len(library)]) + library + b"\x18\x07"

        graph = graph_def.FromString(content)

        assert [(each.name, each.op) for each in graph.node] == [("x", "Relu")]
        kept = graph.SerializeToString()
        assert len(kept) == len(content)
        assert graph_def.FromString(kept) == graph
        assert all(part in kept for part in (node, library, b"\x18\x07"))

    def test_tell_a_scalar_from_a_shape_that_is_not_known(self) -> None:
        classes = messages.classes()
        shape = classes.AttrValue()
        shape.shape.SetInParent()

        assert classes.AttrValue.FromString(shape.SerializeToString()).WhichOneof("value") == "shape"
