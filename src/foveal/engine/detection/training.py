"""Training a detector: judged fold by fold on images that the judging one had not seen, then made from all of them."""

from collections.abc import Sequence
from contextlib import suppress
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
from foveal.engine.calibration import Calibration
from foveal.engine.detection import scores
from foveal.engine.detection.base import Base
from foveal.engine.detection.bench import Bench, Drawn, Way
from foveal.engine.detection.graph import Weights, detector_graph
from foveal.engine.detection.scores import Truth
from foveal.engine.evaluate import Performance
from foveal.engine.search import OutOfTime, Search
from foveal.engine.training import Task
from foveal.geometry import Detections

FOUND = 0.5  # overlap from which a box counts as right
"""Where the probability of a box is calibrated, and what the figures of a training are told at."""
THRESHOLD = 0.5
LOWEST, HIGHEST = 1e-6, 1 - 1e-6


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
    ways: Sequence[Way],
    search: Search,
) -> TrainedDetector:
    """Judge ways to a detector fold by fold, make the best one's from all images, calibrate it and write its bundle.

    Args:
        folder: for the bundle.
        task: what the model is for.
        drawn: the images with their boxes.
        base: of the domain.
        ways: the first is made whatever it takes; the others compete with it within the budget.
        search: budget, what is kept, whom to tell.
    """
    data = drawn.data
    training.check(data)
    torch.set_num_threads(search.threads)
    bench = Bench(drawn, base, ways, search)
    way, network, weights = _made(bench, _ranked(bench))
    judged, found = bench.judged(way, len(bench.rounds))
    calibrated = calibrate(found, drawn.of(judged))
    found = [_calibrated(each, calibrated) for each in found]
    labels = [tag.name for tag in task.tags]
    graph = detector_graph(network, weights, labels, size_px=way.course.size_px, calibrated=calibrated)
    shown, truth = found, drawn.of(judged)
    if data.test is not None and data.test.any():
        tested = np.flatnonzero(data.test)
        shown, truth = bench.found(graph, way, tested), drawn.of(tested)
        judged, found = np.concatenate([judged, tested]), [*found, *shown]
    performance = scores.performance(shown, truth, tags=len(labels), threshold=THRESHOLD, overlap=FOUND)
    metrics = _metrics(bench, way, performance, calibrated)
    told = training.manifest(task, data, training.Network(base.backbone, way.course.size_px), metrics)
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


def _ranked(bench: Bench) -> list[Way]:
    """The ways that were judged on all folds, the best first.

    The first way is judged first; after each fold the worse half of the others is out (successive halving, Jamieson &
    Talwalkar 2016). What could not be brought to its end in time is not begun.
    """
    first, *alive = bench.ways
    for fold in bench.rounds:
        bench.judge(first, fold)
    for fold in bench.rounds:
        judged: list[Way] = []
        for way in alive:
            if not bench.affords(way, fold):
                continue
            try:
                bench.judge(way, fold)
            except OutOfTime:
                break
            judged.append(way)
        ordered = sorted(judged, key=lambda way: -bench.score(way, fold + 1))
        alive = ordered[: (len(ordered) + 1) // 2]
    return sorted([first, *alive], key=lambda way: -bench.score(way, len(bench.rounds)))


def _made(bench: Bench, ranked: Sequence[Way]) -> tuple[Way, bytes, Weights]:
    """Make the best way's detector from all images that are learned from, or the next best's where time ends."""
    for way in ranked:
        with suppress(OutOfTime):
            return way, *bench.made(way, bench.rows, len(bench.rounds))
    raise AssertionError("the first way is always made")


def _calibrated(found: Detections, calibrated: Calibration) -> Detections:
    return replace(found, scores=expit(_logits(found.scores) * calibrated.scale + calibrated.shift[0]))


def _logits(probabilities: NDArray[np.floating]) -> NDArray[np.floating]:
    return logit(np.clip(probabilities.astype(np.float64), LOWEST, HIGHEST))


def _metrics(bench: Bench, way: Way, performance: Performance, calibrated: Calibration) -> dict[str, Any]:
    overall, schedule, data = performance.overall, way.course.schedule, bench.drawn.data
    compared = {"training": "Advanced", "chosen": way.name, "candidates": bench.table()} if len(bench.ways) > 1 else {}
    return {
        "threshold": THRESHOLD,
        "overlap": FOUND,
        "precision": overall.precision,
        "recall": overall.recall,
        "average_precision": overall.average_precision,
        "folds": int(bench.folds.max()) + 1,
        "repeats": 1,
        "design_effect": report.design_effect(bench.folds),
        "evaluation": training.evaluation(bench.folds, data),
        "test_images": 0 if data.test is None else int(data.test.sum()),
        "borrowed_images": data.borrowed,
        "calibration": {"scale": calibrated.scale, "shift": float(calibrated.shift[0])},
        "steps": schedule.steps,
        "batch": schedule.batch,
        "rate": schedule.rate,
        "backbone": bench.base.backbone.fingerprint,
        "size_px": way.course.size_px,
        **compared,
    }
