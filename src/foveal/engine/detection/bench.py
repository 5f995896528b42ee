"""Making detectors in one way or another, from all images that are learned from or from all but a fold to judge."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal.engine.detection import scores, tune
from foveal.engine.detection.answers import answers
from foveal.engine.detection.base import Base
from foveal.engine.detection.graph import Weights, detector_graph
from foveal.engine.detection.scores import Truth
from foveal.engine.detection.tune import Course
from foveal.engine.detection.views import Scene
from foveal.engine.network import Network
from foveal.engine.search import Budget, OutOfTime, Photos, Progress, Search
from foveal.engine.training import Data
from foveal.geometry import Detections

FOLDS = 3
MARGIN = 1.4  # of the pictures that views are cut from, over the network's input
OVERLAPS = (0.5, 0.75)  # at which ways are compared: the one alone cannot tell good ones apart
RESERVE = 1.3  # a piece of work may take so much longer than the one that was timed


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

    @property
    def tags(self) -> int:
        return self.data.targets.shape[1]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a detector; its layers are made `width` channels wide, or left as they come (0)."""

    name: str
    course: Course
    width: int = 0

    @property
    def work(self) -> float:
        """What making it takes, relative to other ways."""
        schedule = self.course.schedule
        return schedule.steps * schedule.batch * float(self.course.size_px) ** 2


class Bench:
    """The images that are learned from, the folds, and what each way's detectors found in the images of each fold."""

    def __init__(self, drawn: Drawn, base: Base, ways: Sequence[Way], search: Search) -> None:
        self.drawn = drawn
        self.base = base
        self.ways = ways
        self.search = search
        self.budget = Budget(search)
        self.rows = drawn.data.learned
        self.folds = drawn.data.folds(FOLDS)
        self.rounds = range(int(self.folds.max()) + 1)
        self.said: dict[tuple[str, int], list[Detections]] = {}
        self.seconds: dict[str, float] = {}
        self._done = 0.0
        self._best: float | None = None

    def judge(self, way: Way, fold: int) -> None:
        """Have a detector made without the fold look at its images; what was kept of it is read back.

        Raises:
            OutOfTime: The budget ended.
        """
        content = self.search.kept.get(_key(way, fold))
        if content is None:
            self.search.pause()
            began = self.search.clock()
            held = self.folds[0] == fold
            labels = [str(tag) for tag in range(self.drawn.tags)]
            network, finder = self.made(way, self.rows[~held], fold)
            detector = detector_graph(network, finder, labels, size_px=way.course.size_px)
            self.said[way.name, fold] = self.found(detector, way, self.rows[held])
            self.seconds.setdefault(way.name, self.search.clock() - began)
            self.search.kept.put(_key(way, fold), packed(self.said[way.name, fold], self.seconds[way.name]))
            self.budget.keep()
        else:
            self.said[way.name, fold], self.seconds[way.name] = unpacked(content)
        self._done += way.work
        if fold == self.rounds[-1]:
            self._best = max(self._best or 0.0, self.score(way, len(self.rounds)))

    def score(self, way: Way, folds: int) -> float:
        """Mean average precision of a way, at several overlaps, on the images of the first so many folds."""
        rows, found = self.judged(way, folds)
        truth = self.drawn.of(rows)
        said = [scores.performance(found, truth, tags=self.drawn.tags, threshold=0.5, overlap=at) for at in OVERLAPS]
        return float(np.mean([each.overall.average_precision for each in said]))

    def judged(self, way: Way, folds: int) -> tuple[NDArray[np.intp], list[Detections]]:
        """The images of the first so many folds, ascending, and what was found in each by who had not seen it."""
        rows = np.concatenate([self.rows[self.folds[0] == fold] for fold in range(folds)])
        found = [each for fold in range(folds) for each in self.said[way.name, fold]]
        order = np.argsort(rows)
        return rows[order], [found[at] for at in order.tolist()]

    def affords(self, way: Way, fold: int) -> bool:
        """Tell whether there is time to judge a way from this fold on and to make it, or else the first one."""
        first = self.ways[0]
        pieces = 1 + sum(self.search.kept.get(_key(way, each)) is None for each in self.rounds[fold:])
        seconds = self.seconds.get(way.name, self.seconds[first.name] / first.work * way.work)
        return RESERVE * (seconds * pieces + self.seconds[first.name]) <= self.budget.left

    def made(self, way: Way, rows: NDArray[np.intp], piece: int) -> tuple[bytes, Weights]:
        """Train on these rows of the data: the network's file and the finder's weights.

        Raises:
            OutOfTime: The budget ended; the first way is made nevertheless.
        """
        network = Network(self.base.backbone.path)
        finder = tune.for_tags(self.base.finder, self.drawn.tags, way.width)
        course = replace(way.course, seed=way.course.seed + piece)

        def report(share: float) -> None:
            if self.budget.left <= 0 and way is not self.ways[0]:
                raise OutOfTime
            self._tell(way, piece, share)

        tuned = tune.tune(network, finder, self._scenes(way, rows), course, report=report)
        return network.to_bytes(), tune.weights(tuned)

    def found(self, detector: bytes, way: Way, rows: NDArray[np.intp]) -> list[Detections]:
        """What a detector's file finds in some images."""
        pixels = self.drawn.photos.pixels(way.course.size_px)
        return answers(detector, (pixels[row] for row in rows), threads=self.search.threads)

    def table(self) -> list[dict[str, Any]]:
        """What became of each way, for the manifest."""
        return [self._row(way) for way in self.ways]

    def _row(self, way: Way) -> dict[str, Any]:
        folds = sum((way.name, fold) in self.said for fold in self.rounds)
        row: dict[str, Any] = {"name": way.name, "folds": folds}
        if folds:
            row |= {"average_precision": self.score(way, folds), "seconds_per_fold": self.seconds[way.name]}
        return row

    def _scenes(self, way: Way, rows: NDArray[np.intp]) -> list[Scene]:
        pixels = self.drawn.photos.pixels(round(way.course.size_px * MARGIN))
        return [scene(pixels[row], truth) for row, truth in zip(rows, self.drawn.of(rows), strict=True)]

    def _tell(self, way: Way, piece: int, share: float) -> None:
        first, *others = self.ways
        planned = first.work * (len(self.rounds) + 1)
        for fold in self.rounds:
            planned += math.ceil(len(others) / 2**fold) * float(np.mean([each.work for each in others] or [0.0]))
        done = min((self._done + share * way.work) / planned, 1.0)
        self.search.report(Progress(way.name, piece, done, self._best, max(self.budget.left, 0.0)))


def _key(way: Way, fold: int) -> str:
    return f"{way.name}-{fold}"


def scene(pixels: NDArray[np.uint8], truth: Truth) -> Scene:
    """A square picture (s, s, 3) with its boxes in pixels."""
    return Scene(pixels, (truth.boxes * len(pixels)).astype(np.float32), truth.tags)


def packed(found: Sequence[Detections], seconds: float) -> bytes:
    """Detections, and how long they took, as bytes, for `unpacked`."""
    out = io.BytesIO()
    np.savez(
        out,
        allow_pickle=False,
        seconds=np.array(seconds),
        counts=np.array([len(each.tags) for each in found]),
        boxes=np.concatenate([np.empty((0, 4)), *(each.boxes for each in found)]).astype(np.float32),
        tags=np.concatenate([np.empty(0, np.intp), *(each.tags for each in found)]),
        scores=np.concatenate([np.empty(0), *(each.scores for each in found)]).astype(np.float32),
    )
    return out.getvalue()


def unpacked(content: bytes) -> tuple[list[Detections], float]:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        ends = np.cumsum(arrays["counts"])[:-1]
        parts = [np.split(arrays[name], ends) for name in ("boxes", "tags", "scores")]
        return [Detections(*each) for each in zip(*parts, strict=True)], float(arrays["seconds"])
