"""Proof that an export answers like the service: the same photos, two answers, and how far they are apart."""

import hashlib
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from foveal.bundle import Bundle
from foveal.exporters.order import FLOAT16, FLOAT32, INT8, INT8_WEIGHTS
from foveal.geometry import overlaps
from foveal.inference.session import Classifier, open_model

GOLDEN = 16
"""Photos that travel with an export."""
MOST_COMPARED = 48
"""Photos that judge an export in 8 bits, of which a few may change their minds."""
TOLERANCES = {FLOAT32: 1e-3, FLOAT16: 1e-2}
"""The largest difference of probabilities, and of edges of boxes relative to the image, that is let pass."""
AGREEMENT = 0.98
"""The share of answers that must stay the same in 8 bits."""
TOLD, CERTAIN = 0.1, 0.5
"""Probabilities from which boxes are compared, and from which they count as an answer."""
SAME_OBJECT = 0.5
QUALITY = 95
THREADS = 1
Predictions = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Photos:
    """Photos as they travel: files in the model's size, their pixels (n, s, s, 3), and where they are from."""

    files: Sequence[bytes]
    pixels: NDArray[np.uint8]
    source: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """How an export compared with the serving model.

    Differences of boxes are those of their edges, relative to the image; None where there are no boxes.
    `milliseconds` is the median time of one photo, from its preparation to the answer, where the export was written;
    None where the runtime is not at hand.
    """

    format: str
    precision: str
    runtime: str
    photos: int
    source: str
    agreement: float
    largest_difference: float
    mean_difference: float
    boxes: int | None
    largest_box_difference: float | None
    missed_boxes: int | None
    added_boxes: int | None
    tolerance: float
    passed: bool
    milliseconds: float | None
    model_sha256: str
    service_sha256: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def verdict(self) -> str:
        """Why it did not pass, in words."""
        if self.precision in {INT8, INT8_WEIGHTS}:
            return f"{self.agreement:.1%} of the answers are the same, {self.tolerance:.0%} were expected"
        boxes = f", missed or added boxes {(self.missed_boxes or 0) + (self.added_boxes or 0)}" if self.boxes else ""
        apart = max(self.largest_difference, self.largest_box_difference or 0.0)
        return f"the largest difference is {apart:.2g}, at most {self.tolerance:g} was expected{boxes}"


def golden(photos: NDArray[np.uint8], source: str, *, most: int = GOLDEN) -> Photos:
    """Give photos (n, s, s, 3) as files, at least `GOLDEN` of them: where there are too few, mirrored and turned ones.

    What is compared is what a file holds once it is read again.
    """
    views = [photos, photos[:, :, ::-1], photos[:, ::-1], photos[:, ::-1, ::-1]]
    views += [view.transpose(0, 2, 1, 3) for view in views]
    enough = np.concatenate(views)[: max(GOLDEN, min(len(photos), most))]
    files = [_jpeg(photo) for photo in enough]
    pixels = np.stack([np.asarray(Image.open(BytesIO(file)).convert("RGB")) for file in files])
    return Photos(files, pixels, source)


def served(bundle: Bundle, photos: Photos) -> list[Predictions]:
    """What the serving model says of photos, the most probable first."""
    model = open_model(bundle.folder, threads=THREADS)
    if isinstance(model, Classifier):
        return [_ranked(bundle.labels, each.tolist()) for each in model.probabilities(photos.pixels)]
    told: list[Predictions] = []
    for photo in photos.pixels:
        found = model.detect(photo)
        rows = zip(found.boxes.tolist(), found.tags.tolist(), found.scores.tolist(), strict=True)
        told.append([_box(bundle.labels[tag], score, box) for box, tag, score in rows])
    return told


def said(model: Any, photos: Photos) -> tuple[list[Predictions], float]:
    """What an exported model says of photos, by the program in its zip, and the milliseconds that one takes.

    The first is not counted: it may prepare what the others use.
    """
    told, seconds = list[Predictions](), list[float]()
    for photo in photos.pixels:
        began = time.perf_counter()
        told.append(model.predict(Image.fromarray(photo)))
        seconds.append(time.perf_counter() - began)
    return told, 1000 * statistics.median(seconds[1:])


def compare(expected: Sequence[Predictions], told: Sequence[Predictions], precision: str) -> dict[str, Any]:
    """The figures of a certificate, for the predictions of the same photos."""
    finds_boxes = any(each["boundingBox"] for photo in (*expected, *told) for each in photo)
    figures = (_compared_boxes if finds_boxes else _compared_tags)(expected, told)
    if precision in TOLERANCES:
        tolerance = TOLERANCES[precision]
        apart = max(figures["largest_difference"], figures["largest_box_difference"] or 0.0)
        same_boxes = not (figures["missed_boxes"] or figures["added_boxes"])
        return {**figures, "tolerance": tolerance, "passed": bool(apart <= tolerance and same_boxes)}
    return {**figures, "tolerance": AGREEMENT, "passed": bool(figures["agreement"] >= AGREEMENT)}


def digest(path: Path) -> str:
    """SHA-256 of a file, or of the files of a folder in the order of their names."""
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    found = hashlib.sha256()
    for file in files:
        found.update(file.read_bytes())
    return found.hexdigest()


def _compared_tags(expected: Sequence[Predictions], told: Sequence[Predictions]) -> dict[str, Any]:
    differences = [
        abs(each["probability"] - _by_name(here)[each["tagName"]])
        for there, here in zip(expected, told, strict=True)
        for each in there
    ]
    agreed = [_first(there, here) for there, here in zip(expected, told, strict=True)]
    return {
        "agreement": float(np.mean(agreed)),
        "largest_difference": max(differences),
        "mean_difference": float(np.mean(differences)),
        "boxes": None,
        "largest_box_difference": None,
        "missed_boxes": None,
        "added_boxes": None,
    }


def _first(expected: Predictions, told: Predictions) -> bool:
    """Whether the best tag is the same one; one that is as probable but for a rounding is."""
    return told[0]["tagName"] == expected[0]["tagName"] or (
        abs(_by_name(expected)[told[0]["tagName"]] - expected[0]["probability"]) <= TOLERANCES[FLOAT32]
    )


def _compared_boxes(expected: Sequence[Predictions], told: Sequence[Predictions]) -> dict[str, Any]:
    chances, edges = list[float](), list[float]()
    missed = added = agreed = counted = 0
    for there, here in zip(expected, told, strict=True):
        pairs, alone = _paired(there, here)
        chances += [abs(one["probability"] - other["probability"]) for one, other in pairs]
        edges += [float(np.abs(_corners([one]) - _corners([other])).max()) for one, other in pairs]
        missed += sum(each["probability"] >= TOLD + TOLERANCES[FLOAT16] for each in alone[0])
        added += sum(each["probability"] >= TOLD + TOLERANCES[FLOAT16] for each in alone[1])
        certain = [(one, other) for one, other in pairs if max(one["probability"], other["probability"]) >= CERTAIN]
        agreed += sum(_as_certain(one, other) for one, other in certain)
        counted += len(certain) + sum(each["probability"] >= CERTAIN for side in alone for each in side)
    return {
        "agreement": agreed / counted if counted else 1.0,
        "largest_difference": max(chances, default=0.0),
        "mean_difference": float(np.mean(chances)) if chances else 0.0,
        "boxes": len(chances),
        "largest_box_difference": max(edges, default=0.0),
        "missed_boxes": missed,
        "added_boxes": added,
    }


def _as_certain(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether a box is an answer for both, or all but."""
    chances = one["probability"], other["probability"]
    return min(chances) >= CERTAIN or abs(chances[0] - chances[1]) <= TOLD


def _paired(there: Predictions, here: Predictions) -> tuple[list[tuple[Any, Any]], tuple[Predictions, Predictions]]:
    """Boxes of two answers that stand for the same object, and those that are alone; the most probable choose first."""
    left = [each for each in here if each["probability"] >= TOLD / 2]
    pairs, alone = list[tuple[Any, Any]](), Predictions()
    for one in (each for each in there if each["probability"] >= TOLD):
        rivals = [other for other in left if other["tagName"] == one["tagName"]]
        shared = overlaps(_corners([one]), _corners(rivals))[0] if rivals else np.zeros(0)
        if len(shared) and shared.max() >= SAME_OBJECT:
            other = rivals[int(shared.argmax())]
            left.remove(other)
            pairs.append((one, other))
        else:
            alone.append(one)
    faint = _corners([each for each in there if each["probability"] < TOLD])
    extra = [each for each in left if each["probability"] >= TOLD and not _beside(each, faint)]
    return pairs, (alone, extra)


def _beside(box: Mapping[str, Any], others: NDArray[np.float64]) -> bool:
    return bool(len(others)) and bool(overlaps(_corners([box]), others).max() >= SAME_OBJECT)


def _corners(boxes: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    sides = np.array([[*each["boundingBox"].values()] for each in boxes], float).reshape(-1, 4)
    return np.concatenate([sides[:, :2], sides[:, :2] + sides[:, 2:]], 1)


def _by_name(predictions: Predictions) -> dict[str, float]:
    return {each["tagName"]: each["probability"] for each in predictions}


def _ranked(labels: Sequence[str], values: Sequence[float]) -> Predictions:
    told = [
        {"tagName": label, "probability": value, "boundingBox": None}
        for label, value in zip(labels, values, strict=True)
    ]
    return sorted(told, key=lambda each: -each["probability"])


def _box(label: str, score: float, corners: Sequence[float]) -> dict[str, Any]:
    left, top, right, bottom = corners
    sides = {"left": left, "top": top, "width": right - left, "height": bottom - top}
    return {"tagName": label, "probability": score, "boundingBox": sides}


def _jpeg(photo: NDArray[np.uint8]) -> bytes:
    out = BytesIO()
    Image.fromarray(np.ascontiguousarray(photo)).save(out, "JPEG", quality=QUALITY, subsampling="4:4:4")
    return out.getvalue()
