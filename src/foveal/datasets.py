"""Folders of photos with boxes, as other tools write them: COCO's file of annotations, YOLO's file beside each photo.

COCO: one or more JSON files with `images`, `annotations` and `categories`, in the folder or in its `annotations`; boxes
are left, top, width, height in pixels. YOLO: for each photo a text file of the same name, beside it or in `labels`
where the photo is in `images`; its lines are tag, middle x, middle y, width, height as fractions, or the corners of a
polygon instead of the last four. The names of the tags are in `data.yaml` or `classes.txt`.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, cast

import yaml

from foveal.errors import Invalid
from foveal.geometry import Box

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif")
NAMES = ("classes.txt", "obj.names", "labels.txt")
OBLONG = 4  # numbers of a box; a polygon has more


@dataclass(frozen=True, slots=True)
class BoxedPhoto:
    """A photo, and the tag and box of each object on it."""

    path: Path
    objects: Sequence[tuple[str, Box]]


def with_boxes(folder: Path) -> list[BoxedPhoto]:
    """Read the photos of a folder in COCO's or YOLO's format; none where it is in neither.

    Raises:
        Invalid: A file of the format cannot be read, or names what is not there.
    """
    told = [(path, content) for path in _annotations(folder) if (content := _coco(path)) is not None]
    if told:
        return list(chain.from_iterable(_of_coco(folder, path, content) for path, content in told))
    return _of_yolo(folder)


def photos(folder: Path) -> Iterator[Path]:
    """All photos in a folder and in those within it, by name."""
    return (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file())


def _annotations(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.json"), *folder.glob("annotations/*.json"), *folder.glob("*/*.coco.json")])


def _coco(path: Path) -> dict[str, Any] | None:
    """The content of a file in COCO's format, or none where it is some other JSON."""
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise Invalid(f"{path} is no JSON: {error}.") from error
    if not isinstance(content, dict) or not {"images", "annotations", "categories"} <= content.keys():
        return None
    return cast("dict[str, Any]", content)


def _of_coco(folder: Path, path: Path, content: Mapping[str, Any]) -> Iterator[BoxedPhoto]:
    try:
        names = {each["id"]: str(each["name"]) for each in content["categories"]}
        drawn: dict[Any, list[tuple[str, Sequence[float]]]] = defaultdict(list)
        for each in content["annotations"]:
            drawn[each["image_id"]].append((names[each["category_id"]], each["bbox"]))
        for image in content["images"]:
            size = image["width"], image["height"]
            photo = _found(folder, path, image["file_name"])
            yield BoxedPhoto(photo, [(name, _in_pixels(box, *size)) for name, box in drawn[image["id"]]])
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise Invalid(f"{path} is not as COCO's format has it: {error!r}.") from error


def _in_pixels(box: Sequence[float], width: float, height: float) -> Box:
    left, top, across, down = box
    return _around((left / width, (left + across) / width), (top / height, (top + down) / height))


def _found(folder: Path, path: Path, name: str) -> Path:
    """A photo that a file of annotations names: beside the file, in the folder, or in `images` of either."""
    places = [base / sub / name for base in (path.parent, folder) for sub in ("", "images")]
    for place in places:
        if place.is_file():
            return place
    raise Invalid(f"{path} names the photo {name}, which is neither beside it nor in {folder / 'images'}.")


def _of_yolo(folder: Path) -> list[BoxedPhoto]:
    labelled = [(photo, _labels(photo)) for photo in photos(folder)]
    if not any(labels.is_file() for _, labels in labelled):
        return []
    names = _names(folder)
    return [BoxedPhoto(photo, list(_lines(labels, names)) if labels.is_file() else []) for photo, labels in labelled]


def _labels(photo: Path) -> Path:
    """Where the boxes of a photo are: in `labels` where the photo is in `images`, or beside it."""
    parts = list(photo.parts)
    if "images" in parts:
        parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    return Path(*parts).with_suffix(".txt")


def _names(folder: Path) -> list[str]:
    """The names of the tags by their number; none where no file tells them."""
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise Invalid(f"{path} is no YAML: {error}.") from error
        told: Any = cast("dict[str, Any]", content).get("names") if isinstance(content, dict) else None
        if isinstance(told, dict):  # number -> name
            told = [told[at] for at in sorted(cast("dict[int, str]", told))]
        if isinstance(told, list):
            return [str(each) for each in cast("list[Any]", told)]
    for name in NAMES:
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8").split("\n")
    return []


def _lines(labels: Path, names: Sequence[str]) -> Iterator[tuple[str, Box]]:
    for number, line in enumerate(labels.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            tag, *values = line.split()
            at, box = int(tag), _box([float(each) for each in values])
        except ValueError as error:
            expected = "a tag's number, then middle x, middle y, width, height as fractions"
            raise Invalid(f"{labels}, line {number}: expected {expected}; it is {line!r:.80} ({error}).") from error
        if names and not 0 <= at < len(names):
            raise Invalid(f"{labels}, line {number}: tag {at} has no name; there are {len(names)}.")
        yield names[at].strip() if names else tag, box


def _box(values: Sequence[float]) -> Box:
    """A box from its middle and sides, or the one around a polygon."""
    if len(values) > OBLONG:
        return _around(values[::2], values[1::2])
    x, y, width, height = values
    return _around((x - width / 2, x + width / 2), (y - height / 2, y + height / 2))


def _around(across: Sequence[float], down: Sequence[float]) -> Box:
    """The box around points, cut off at the edges of the photo; raise `ValueError` where nothing of it is left."""
    if not all(map(math.isfinite, (*across, *down))):
        raise ValueError(f"a box has the corners {across} and {down}, which are no numbers")
    box = Box.from_corners(min(across), min(down), max(across), max(down))
    if not box.area:
        raise ValueError(
            f"a box from {min(across):.3f}, {min(down):.3f} to {max(across):.3f}, {max(down):.3f} is empty"
        )
    return box
