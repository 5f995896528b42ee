from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foveal import bundle
from foveal.bundle import BackboneEntry, Manifest, Preprocessing, TagEntry
from foveal.errors import Invalid

MANIFEST = Manifest(
    project="7c1e6bd0",
    iteration="1d2f3a4b",
    domain="General",
    classification_type="Multiclass",
    tags=(TagEntry("t1", "Äpfel", "Regular"), TagEntry("t2", "birds", "Regular")),
    backbone=BackboneEntry("foveal-s", "Apache-2.0", "ab" * 32),
    preprocessing=Preprocessing(size=224),
    metrics={"precision": 0.9, "tags": [{"name": "birds", "recall": 1.0}]},
    data_digest="cd" * 32,
    image_count=20,
    seed=0,
    versions={"foveal": "0.1.0"},
    created_at="2026-11-20T12:00:00+00:00",
)
HEAD = {"weights": np.ones((4, 2), np.float32), "bias": np.zeros(2, np.float32)}


def written(folder: Path) -> bundle.Bundle:
    return bundle.write(folder, graph=b"graph", labels=["Äpfel", "birds"], manifest=MANIFEST, head=HEAD)


class TestManifest:
    @given(st.text(), st.integers(0), st.floats(0, 1), st.lists(st.text(max_size=5), max_size=3))
    def test_comes_back_from_json(self, project: str, count: int, figure: float, names: list[str]) -> None:
        tags = tuple(TagEntry(str(number), name, "Regular") for number, name in enumerate(names))
        made = replace(MANIFEST, project=project, image_count=count, metrics={"f": figure}, tags=tags)
        assert Manifest.from_json(made.to_json()) == made

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"format_version": 1}', '{"format_version": 99}', "null"])
    def test_refuses_what_is_none(self, text: str) -> None:
        with pytest.raises(Invalid, match=r"manifest\.json"):
            Manifest.from_json(text)


class TestRead:
    def test_gives_what_was_written(self, tmp_path: Path) -> None:
        written(tmp_path / "model")
        found = bundle.read(tmp_path / "model")
        assert found.graph.read_bytes() == b"graph"
        assert found.labels == ["Äpfel", "birds"]
        assert found.manifest == MANIFEST
        np.testing.assert_array_equal(found.head["weights"], HEAD["weights"])

    @pytest.mark.parametrize("name", ["model.onnx", "labels.txt", "manifest.json", "head.npz"])
    def test_names_what_is_missing(self, tmp_path: Path, name: str) -> None:
        (written(tmp_path).folder / name).unlink()
        with pytest.raises(Invalid, match=name):
            bundle.read(tmp_path)

    @pytest.mark.parametrize("name", ["model.onnx", "labels.txt", "manifest.json", "head.npz"])
    @pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00damaged"])
    def test_refuses_what_is_damaged(self, tmp_path: Path, name: str, content: bytes) -> None:
        content = b"" if name == "model.onnx" else content  # a damaged graph is refused by the session that reads it
        (written(tmp_path).folder / name).write_bytes(content)
        with pytest.raises(Invalid):
            bundle.read(tmp_path)

    def test_refuses_labels_of_another_model(self, tmp_path: Path) -> None:
        (written(tmp_path).folder / "labels.txt").write_text("cats\n", encoding="utf-8")
        with pytest.raises(Invalid, match="does not agree"):
            bundle.read(tmp_path)


class TestWrite:
    @pytest.mark.parametrize("label", ["two\nlines", ""])
    def test_refuses_a_label_that_is_not_one_line(self, tmp_path: Path, label: str) -> None:
        with pytest.raises(Invalid, match="one line"):
            bundle.write(tmp_path, graph=b"graph", labels=[label], manifest=MANIFEST, head=HEAD)
