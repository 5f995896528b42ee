"""Folders of photos with boxes in COCO's and YOLO's formats."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support.pictures import picture

from foveal import datasets
from foveal.errors import Invalid
from foveal.geometry import Box

BOX = Box(0.25, 0.5, 0.5, 0.25)


def photo(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture(1, size=(80, 40)))
    return path


def coco(path: Path, *, name: str = "a.png", **changed: Any) -> Path:
    """A file with two photos, the first with two boxes."""
    content = {
        "images": [
            {"id": 7, "file_name": name, "width": 80, "height": 40},
            {"id": 8, "file_name": "b.png", "width": 80, "height": 40},
        ],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "bbox": [20, 20, 40, 10]},
            {"id": 2, "image_id": 7, "category_id": 5, "bbox": [-4, 0, 8, 40]},
        ],
        "categories": [{"id": 3, "name": "fork"}, {"id": 5, "name": "knife"}],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content | changed), encoding="utf-8")
    return path


def by_name(found: Sequence[datasets.BoxedPhoto]) -> Mapping[str, Sequence[tuple[str, Box]]]:
    return {each.path.name: each.objects for each in found}


class TestCoco:
    @pytest.mark.parametrize(
        ("told", "shown"),
        [
            ("annotations.json", "images"),
            ("annotations/instances.json", "images"),
            ("_annotations.coco.json", "."),
            ("train/_annotations.coco.json", "train"),
        ],
    )
    def test_boxes_are_fractions_of_the_photo(self, tmp_path: Path, told: str, shown: str) -> None:
        coco(tmp_path / told)
        for name in ("a.png", "b.png"):
            photo(tmp_path / shown / name)
        found = by_name(datasets.with_boxes(tmp_path))
        assert found == {"a.png": [("fork", BOX), ("knife", Box(0, 0, 0.05, 1))], "b.png": []}

    def test_several_files_are_read_together(self, tmp_path: Path) -> None:
        coco(tmp_path / "train" / "_annotations.coco.json")
        coco(tmp_path / "valid" / "_annotations.coco.json", name="c.png")
        for path in ("train/a.png", "train/b.png", "valid/c.png", "valid/b.png"):
            photo(tmp_path / path)
        assert len(datasets.with_boxes(tmp_path)) == 4

    def test_another_json_is_passed_over(self, tmp_path: Path) -> None:
        (tmp_path / "package.json").write_text("{}")
        assert datasets.with_boxes(tmp_path) == []

    def test_a_photo_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        coco(tmp_path / "annotations.json", name="lost.png")
        with pytest.raises(Invalid, match=r"names the photo lost\.png"):
            datasets.with_boxes(tmp_path)

    @pytest.mark.parametrize(
        "box", [[1, 2, 3], [20, 20, 0, 10], [90, 0, 10, 10], [float("nan"), 0, 1, 1], ["left", 0, 1, 1]]
    )
    def test_a_bad_box_is_told(self, tmp_path: Path, box: Any) -> None:
        photo(tmp_path / "a.png")
        photo(tmp_path / "b.png")
        path = coco(
            tmp_path / "annotations.json", annotations=[{"id": 1, "image_id": 7, "category_id": 3, "bbox": box}]
        )
        with pytest.raises(Invalid, match=f"{path} is not as COCO's format has it"):
            datasets.with_boxes(tmp_path)

    def test_an_unknown_category_is_told(self, tmp_path: Path) -> None:
        coco(tmp_path / "annotations.json", categories=[])
        with pytest.raises(Invalid, match="KeyError"):
            datasets.with_boxes(tmp_path)

    def test_what_is_no_json_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "annotations.json").write_text("{")
        with pytest.raises(Invalid, match="is no JSON"):
            datasets.with_boxes(tmp_path)


class TestYolo:
    LINE = "1 0.5 0.625 0.5 0.25"

    def write(self, folder: Path, photos: str, labels: str, line: str = LINE) -> None:
        photo(folder / photos / "a.png")
        photo(folder / photos / "b.png")
        (folder / labels).mkdir(parents=True, exist_ok=True)
        (folder / labels / "a.txt").write_text(line + "\n\n", encoding="utf-8")

    @pytest.mark.parametrize(
        ("photos", "labels"), [("images", "labels"), ("images/train", "labels/train"), ("train", "train"), (".", ".")]
    )
    def test_boxes_are_beside_photos_or_in_labels(self, tmp_path: Path, photos: str, labels: str) -> None:
        self.write(tmp_path, photos, labels)
        assert by_name(datasets.with_boxes(tmp_path)) == {"a.png": [("1", BOX)], "b.png": []}

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("data.yaml", "train: images\nnames: [fork, knife]\n"),
            ("data.yml", "names:\n  1: knife\n  0: fork\n"),
            ("classes.txt", "fork\nknife\n"),
        ],
    )
    def test_names_come_from_a_file(self, tmp_path: Path, name: str, content: str) -> None:
        self.write(tmp_path, "images", "labels")
        (tmp_path / name).write_text(content)
        assert by_name(datasets.with_boxes(tmp_path))["a.png"] == [("knife", BOX)]

    def test_a_polygon_becomes_the_box_around_it(self, tmp_path: Path) -> None:
        self.write(tmp_path, "images", "labels", "1 0.25 0.6 0.75 0.5 0.5 0.75")
        assert by_name(datasets.with_boxes(tmp_path))["a.png"] == [("1", BOX)]

    @pytest.mark.parametrize(
        "line", ["1 0.5 0.5", "fork 0.5 0.5 0.1 0.1", "1 0.5 0.5 0 0.1", "1 nan 0.5 0.1 0.1", "1 2 2 0.1 0.1"]
    )
    def test_a_bad_line_is_named(self, tmp_path: Path, line: str) -> None:
        self.write(tmp_path, "images", "labels", f"{self.LINE}\n{line}")
        with pytest.raises(Invalid, match=r"a\.txt, line 2: expected a tag's number"):
            datasets.with_boxes(tmp_path)

    def test_a_tag_without_a_name_is_told(self, tmp_path: Path) -> None:
        self.write(tmp_path, "images", "labels", "7 0.5 0.5 0.1 0.1")
        (tmp_path / "data.yaml").write_text("names: [fork]")
        with pytest.raises(Invalid, match="tag 7 has no name; there are 1"):
            datasets.with_boxes(tmp_path)

    def test_what_is_no_yaml_is_told(self, tmp_path: Path) -> None:
        self.write(tmp_path, "images", "labels")
        (tmp_path / "data.yaml").write_text("names: [fork")
        with pytest.raises(Invalid, match="is no YAML"):
            datasets.with_boxes(tmp_path)


def test_photos_without_boxes_are_of_neither_format(tmp_path: Path) -> None:
    photo(tmp_path / "red" / "a.png")
    assert datasets.with_boxes(tmp_path) == []
