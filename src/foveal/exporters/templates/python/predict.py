"""Ask an exported model: `python predict.py PHOTO [PHOTO ...]`.

Everything that must be right is read from the files beside the model: its labels, the size of its images, the order of
the colours and their range. `runtime.py` runs the model's file.
"""

import importlib
import io
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps

ANCHORS_KEY = "CustomVision.Postprocess.Yolo.Biases"
LOGISTIC_KEY = "Foveal.Postprocess.Yolo.Offsets"
FAINTEST = 0.01  # probability of a box that is told
SAME_OBJECT = 0.5  # overlap from which the better of two boxes with one tag stands for both
MOST = 200  # boxes in an answer
SHOWN = 0.1  # probability from which a box is printed
Prediction = dict[str, Any]


class Model:
    """An exported model in a folder, ready to be asked."""

    def __init__(self, folder: Path, load: Callable[[Path], Any] | None = None) -> None:
        """Open the model; `load` gives what runs its file, by default what `runtime.py` has."""
        manifest = json.loads((folder / "cvexport.manifest").read_text(encoding="utf-8"))
        about = json.loads((folder / manifest["MetadataPropsFileName"]).read_text(encoding="utf-8"))
        self.labels = (folder / manifest["LabelFileName"]).read_text(encoding="utf-8").splitlines()
        self.size = int(about["CustomVision.Preprocess.TargetWidth"])
        self._bgr = about["Image.BitmapPixelFormat"] == "Bgr8"
        self._divisor = 1.0 if about["Image.NominalPixelRange"] == "NominalRange_0_255" else 255.0
        self._anchors = np.array(json.loads(about.get(ANCHORS_KEY, "[]"))).reshape(-1, 2)
        self._logistic = about.get(LOGISTIC_KEY) == "Logistic"
        self._runtime = (load or importlib.import_module("runtime").load)(folder / manifest["ModelFileName"])

    def predict(self, image: Image.Image) -> list[Prediction]:
        """What the model says of an image, the most probable first."""
        pixels = np.asarray(prepared(image, self.size), np.float32)[None] / np.float32(self._divisor)
        outputs = self._runtime.run(pixels[..., ::-1] if self._bgr else pixels)
        return self.read(outputs)

    def read(self, outputs: Mapping[str, Any]) -> list[Prediction]:
        """The outputs of the model's file as predictions."""
        if "detected_boxes" in outputs:
            found = [np.asarray(outputs[name]) for name in ("detected_boxes", "detected_classes", "detected_scores")]
            boxes, tags, scores = found[0].reshape(-1, 4), found[1].reshape(-1), found[2].reshape(-1)
        elif "coordinates" in outputs:
            boxes, tags, scores = _best(_corners(outputs["coordinates"]), np.asarray(outputs["confidence"]))
        elif "raw_boxes" in outputs:
            boxes, tags, scores = _chosen(_corners(outputs["raw_boxes"][0]), outputs["raw_probs"][0][:, 1:])
        elif "grid" in outputs:
            boxes, tags, scores = self._from_grid(outputs["grid"][0])
        else:
            return self._of_labels(outputs)
        told = zip(boxes, tags, scores, strict=True)
        listed = [self._box(box, tag, score) for box, tag, score in told if score > FAINTEST]
        return sorted(listed, key=lambda each: -each["probability"])

    def _of_labels(self, outputs: Mapping[str, Any]) -> list[Prediction]:
        said = next(value for name, value in outputs.items() if name not in {"classLabel", "unknown"})
        first = said if isinstance(said, dict) else said[0]
        values = [first[label] for label in self.labels] if isinstance(first, dict) else np.asarray(first).reshape(-1)
        told = [
            {"tagName": label, "probability": float(value), "boundingBox": None}
            for label, value in zip(self.labels, values, strict=True)
        ]
        return sorted(told, key=lambda each: -each["probability"])

    def _box(self, box: Any, tag: Any, score: Any) -> Prediction:
        left, top, right, bottom = (float(value) for value in box)
        sides = {"left": left, "top": top, "width": right - left, "height": bottom - top}
        return {"tagName": self.labels[int(tag)], "probability": float(score), "boundingBox": sides}

    def _from_grid(self, grid: Any) -> tuple[Any, Any, Any]:
        """Boxes of a YOLO grid (h, w, anchors * (5 + tags)); the choice among them is made already."""
        rows, columns, _ = grid.shape
        slots = grid.reshape(rows, columns, len(self._anchors), -1)
        offsets = _logistic(slots[..., :2]) if self._logistic else slots[..., :2]
        cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1)[:, :, None]
        middles = (offsets + cells) / (columns, rows)
        sides = np.exp(slots[..., 2:4]) * self._anchors / (columns, rows)
        corners = np.concatenate([middles - sides / 2, middles + sides / 2], -1).reshape(-1, 4)
        scores = _logistic(slots[..., 4:5]) * _softmax(slots[..., 5:])
        return _best(corners, scores.reshape(len(corners), -1))


def home() -> Path:
    """The folder of the model: this one, or the one above."""
    here = Path(__file__).resolve().parent
    return here if (here / "cvexport.manifest").is_file() else here.parent


def open_image(data: bytes, shrink_to: int | None = None) -> Image.Image:
    """Give the picture in the bytes of a file, upright, in red, green and blue.

    Raises:
        ValueError: The bytes are no picture.
    """
    try:
        return upright(Image.open(io.BytesIO(data)), shrink_to)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"This is no picture that can be read: {error}.") from error


def prepared(image: Image.Image, size: int) -> Image.Image:
    """An image as the service prepares it: upright, stretched to a square."""
    return upright(image, size).resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0)


def upright(image: Image.Image, shrink_to: int | None = None) -> Image.Image:
    """Turn an image as its camera says, in sRGB and on white; a JPEG may be read in a smaller size, much faster."""
    if shrink_to and image.format == "JPEG":
        image.draft(None, (shrink_to, shrink_to))
    profile = image.info.get("icc_profile")
    turned = ImageOps.exif_transpose(image)
    if turned.mode in {"LA", "PA", "RGBA", "La", "RGBa"} or "transparency" in turned.info:
        seen = turned.convert("RGBA")
        paper = Image.new("RGB", seen.size, "white")
        paper.paste(seen, mask=seen.getchannel("A"))
        return paper
    if profile and turned.mode in {"RGB", "CMYK", "L"}:
        turned = _in_srgb(turned, profile)
    return turned.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return image
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return image  # a broken profile, or one of another kind of picture


def _corners(measures: Any) -> Any:
    """Middles and sides (m, 4) as corners."""
    middles, sides = np.asarray(measures)[:, :2], np.asarray(measures)[:, 2:]
    return np.concatenate([middles - sides / 2, middles + sides / 2], 1)


def _best(boxes: Any, scores: Any) -> tuple[Any, Any, Any]:
    """The most probable tag of each box."""
    tags = scores.argmax(1)
    return boxes, tags, scores[np.arange(len(tags)), tags]


def _chosen(boxes: Any, scores: Any) -> tuple[Any, Any, Any]:
    """Of boxes (m, 4) with one tag that overlap, the best; tag by tag, from probabilities (m, k)."""
    kept: list[tuple[float, int, int]] = []
    for tag in range(scores.shape[1]):
        order = [at for at in np.argsort(-scores[:, tag], kind="stable") if scores[at, tag] > FAINTEST]
        chosen: list[int] = []
        for at in order:
            if all(_overlap(boxes[at], boxes[other]) <= SAME_OBJECT for other in chosen):
                chosen.append(at)
        kept += [(float(scores[at, tag]), at, tag) for at in chosen]
    best = sorted(kept, reverse=True)[:MOST]
    at = np.array([each[1] for each in best], int)
    return boxes[at], np.array([each[2] for each in best], int), np.array([each[0] for each in best])


def _overlap(one: Any, other: Any) -> float:
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    shared = float(np.prod(np.maximum(sides, 0)))
    areas = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]))
    return shared / max(areas - shared, 1e-12)


def _logistic(values: Any) -> Any:
    return 1 / (1 + np.exp(-np.clip(values, -60, 60)))


def _softmax(values: Any) -> Any:
    raised = np.exp(values - values.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def main(paths: list[str]) -> None:
    """Print what the model says of photos."""
    model = Model(home())
    for path in paths:
        print(path)
        for each in model.predict(Image.open(path)):
            box = each["boundingBox"]
            where = "" if box is None else "  " + ", ".join(f"{name} {value:.3f}" for name, value in box.items())
            if box is None or each["probability"] >= SHOWN:
                print(f"  {each['tagName']:24} {each['probability']:7.1%}{where}")


if __name__ == "__main__":
    main(sys.argv[1:] or sys.exit("Name at least one photo: python predict.py PHOTO"))
