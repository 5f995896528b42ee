"""Training a detector: judged fold by fold on images that the judging one had not seen, then made from all of them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, logit

from foveal import bundle
from foveal.bundle import Bundle, Manifest
from foveal.domains import OBJECT_DETECTION
from foveal.engine import calibration, report, training
from foveal.engine.backbones import Backbone
from foveal.engine.calibration import Calibration
from foveal.engine.detection import scores, tune
from foveal.engine.detection.answers import answers
from foveal.engine.detection.graph import Weights, detector_graph
from foveal.engine.detection.scores import Truth
from foveal.engine.detection.tune import Course
from foveal.engine.detection.views import Scene
from foveal.engine.evaluate import Performance
from foveal.engine.network import Network
from foveal.engine.search import Photos, Progress, Search
from foveal.engine.training import Data, Task
from foveal.geometry import Detections

FOLDS = 3
MARGIN = 1.4  # of the pictures that views are cut from, over the network's input
FOUND = 0.5  # overlap from which a box counts as right
"""Where the probability of a box is calibrated, and what the figures of a training are told at."""
THRESHOLD = 0.5
LOWEST, HIGHEST = 1e-6, 1 - 1e-6


@dataclass(frozen=True, slots=True)
class Drawn:
    """What people drew: the images, by whose embeddings near-duplicates are known, and the boxes on each.

    Boxes of the truth are relative to the image.
    """

    data: Data
    truth: Sequence[Truth]
    photos: Photos

    def of(self, rows: NDArray[np.intp]) -> list[Truth]:
        """What is in some of the images."""
        return [self.truth[row] for row in rows.tolist()]


@dataclass(frozen=True, slots=True)
class Base:
    """What a detector begins as: a backbone, and the weights, by name, of what finds things of any kind on it."""

    backbone: Backbone
    finder: Weights


@dataclass(frozen=True, slots=True)
class TrainedDetector:
    """A detector on disk, and what detectors that had not seen an image found in each of the images `judged` (m,)."""

    bundle: Bundle
    manifest: Manifest
    judged: NDArray[np.intp]
    held_out: Sequence[Detections]
    performance: Performance


def train(
    folder: Path,
    task: Task,
    drawn: Drawn,
    *,
    base: Base,
    course: Course,
    search: Search,
) -> TrainedDetector:
    """Judge detectors fold by fold, make one from all images, calibrate it and write its bundle into the folder.

    Args:
        folder: for the bundle.
        task: what the model is for.
        drawn: the images with their boxes.
        base: of the domain.
        course: size of the images, views and schedule.
        search: budget, what is kept, whom to tell.
    """
    data = drawn.data
    training.check(data)
    torch.set_num_threads(search.threads)
    bench = _Bench(drawn, base, course, search)
    judged, found = _held_out(bench)
    calibrated = calibrate(found, drawn.of(judged))
    found = [_calibrated(each, calibrated) for each in found]
    network, weights = bench.made(bench.rows, bench.pieces - 1)
    labels = [tag.name for tag in task.tags]
    graph = detector_graph(network, weights, labels, size_px=course.size_px, calibrated=calibrated)
    shown, truth = found, drawn.of(judged)
    if data.test is not None and data.test.any():
        tested = np.flatnonzero(data.test)
        shown, truth = bench.found(graph, tested), drawn.of(tested)
        judged, found = np.concatenate([judged, tested]), [*found, *shown]
    performance = scores.performance(shown, truth, tags=len(labels), threshold=THRESHOLD, overlap=FOUND)
    metrics = _metrics(bench, performance, calibrated)
    told = training.manifest(task, data, training.Network(base.backbone, course.size_px), metrics)
    manifest = replace(told, classification_type=OBJECT_DETECTION)
    written = bundle.write(folder, graph=graph, labels=labels, manifest=manifest, head=weights)
    return TrainedDetector(written, manifest, judged, found, performance)


def calibrate(found: Sequence[Detections], truth: Sequence[Truth]) -> Calibration:
    """Find the scale and shift of logits that make the probability of a box the chance that it is right."""
    tags = 1 + max((int(each.tags.max(initial=0)) for each in (*found, *truth)), default=0)
    matched = [scores.matches(found, truth, tag, FOUND) for tag in range(tags)]
    said, right = np.concatenate([each.scores for each in matched]), np.concatenate([each.right for each in matched])
    if not right.any() or right.all():
        return Calibration(1.0, np.zeros(1))  # there is nothing to tell apart
    return calibration.fit(_logits(said)[:, None], right[:, None], exclusive=False)


def scene(pixels: NDArray[np.uint8], truth: Truth) -> Scene:
    """A square picture (s, s, 3) with its boxes in pixels."""
    return Scene(pixels, (truth.boxes * len(pixels)).astype(np.float32), truth.tags)


def packed(found: Sequence[Detections]) -> bytes:
    """Detections as bytes, for `unpacked`."""
    out = io.BytesIO()
    np.savez(
        out,
        allow_pickle=False,
        counts=np.array([len(each.tags) for each in found]),
        boxes=np.concatenate([np.empty((0, 4)), *(each.boxes for each in found)]).astype(np.float32),
        tags=np.concatenate([np.empty(0, np.intp), *(each.tags for each in found)]),
        scores=np.concatenate([np.empty(0), *(each.scores for each in found)]).astype(np.float32),
    )
    return out.getvalue()


def unpacked(content: bytes) -> list[Detections]:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        ends = np.cumsum(arrays["counts"])[:-1]
        parts = [np.split(arrays[name], ends) for name in ("boxes", "tags", "scores")]
    return [Detections(*each) for each in zip(*parts, strict=True)]


def _held_out(bench: "_Bench") -> tuple[NDArray[np.intp], list[Detections]]:
    """The images that are judged, ascending, and what a detector that had not seen them found in each."""
    rows, found = list[int](), list[Detections]()
    for fold in range(int(bench.folds.max()) + 1):
        rows += bench.rows[bench.folds[0] == fold].tolist()
        found += bench.judged(fold)
    order: list[int] = np.argsort(rows).tolist()
    return np.array(rows)[order], [found[at] for at in order]


def _calibrated(found: Detections, calibrated: Calibration) -> Detections:
    return replace(found, scores=expit(_logits(found.scores) * calibrated.scale + calibrated.shift[0]))


def _logits(probabilities: NDArray[np.floating]) -> NDArray[np.floating]:
    return logit(np.clip(probabilities.astype(np.float64), LOWEST, HIGHEST))


def _metrics(bench: "_Bench", performance: Performance, calibrated: Calibration) -> dict[str, Any]:
    overall, schedule = performance.overall, bench.course.schedule
    return {
        "threshold": THRESHOLD,
        "overlap": FOUND,
        "precision": overall.precision,
        "recall": overall.recall,
        "average_precision": overall.average_precision,
        "folds": int(bench.folds.max()) + 1,
        "repeats": 1,
        "design_effect": report.design_effect(bench.folds),
        "evaluation": training.evaluation(bench.folds, bench.drawn.data),
        "calibration": {"scale": calibrated.scale, "shift": float(calibrated.shift[0])},
        "steps": schedule.steps,
        "rate": schedule.rate,
        "backbone": bench.base.backbone.fingerprint,
        "size_px": bench.course.size_px,
    }


class _Bench:
    """The images, and what is made from some of them."""

    def __init__(self, drawn: Drawn, base: Base, course: Course, search: Search) -> None:
        self.drawn = drawn
        self.base = base
        self.course = course
        self.search = search
        self._began = search.clock()
        self.rows = drawn.data.learned
        self.folds = drawn.data.folds(FOLDS)

    @property
    def pieces(self) -> int:
        """How many detectors are made: one for each fold that is judged, and the one that will serve."""
        return int(self.folds.max()) + 2

    def judged(self, fold: int) -> list[Detections]:
        """What a detector made without the fold finds in its images; what was kept of it is read back."""
        key = f"fold-{fold}"
        content = self.search.kept.get(key)
        if content is None:
            self.search.pause()
            held = self.folds[0] == fold
            network, finder = self.made(self.rows[~held], fold)
            labels = [str(tag) for tag in range(self.drawn.data.targets.shape[1])]
            detector = detector_graph(network, finder, labels, size_px=self.course.size_px)
            found = self.found(detector, self.rows[held])
            self.search.kept.put(key, packed(found))
            return found
        return unpacked(content)

    def made(self, rows: NDArray[np.intp], piece: int) -> tuple[bytes, Weights]:
        """Train on these rows of the data: the network's file and the finder's weights."""
        network = Network(self.base.backbone.path)
        finder = tune.for_tags(self.base.finder, self.drawn.data.targets.shape[1])
        course = replace(self.course, seed=self.course.seed + piece)

        def report(share: float) -> None:
            left = max(0.0, self.search.budget_seconds - (self.search.clock() - self._began))
            self.search.report(Progress("detector", piece, (piece + share) / self.pieces, None, left))

        tuned = tune.tune(network, finder, self._scenes(rows), course, report=report)
        return network.to_bytes(), tune.weights(tuned)

    def found(self, detector: bytes, rows: NDArray[np.intp]) -> list[Detections]:
        pixels = self.drawn.photos.pixels(self.course.size_px)
        return answers(detector, (pixels[row] for row in rows), threads=self.search.threads)

    def _scenes(self, rows: NDArray[np.intp]) -> list[Scene]:
        pixels = self.drawn.photos.pixels(round(self.course.size_px * MARGIN))
        return [scene(*each) for each in zip(pixels[rows], self.drawn.of(rows), strict=True)]
