"""A detector learns to find coloured squares, says honestly how well, and is the same each time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from foveal import bundle
from foveal.bundle import TagEntry
from foveal.engine import backbones
from foveal.engine.detection import bench, scores, training, tune
from foveal.engine.detection.answers import answers
from foveal.engine.detection.base import Base
from foveal.engine.detection.bench import Drawn, Way
from foveal.engine.detection.finder import Finder
from foveal.engine.detection.scores import Truth
from foveal.engine.detection.training import TrainedDetector
from foveal.engine.detection.tune import Course, Schedule
from foveal.engine.detection.views import Policy
from foveal.engine.search import Memory, Progress, Search
from foveal.engine.training import Data, Task
from foveal.errors import Invalid
from foveal.geometry import Detections

SIZE_PX = 96
COLOURS = ((220, 40, 40), (40, 60, 220))
TASK = Task(
    project="p",
    iteration="i",
    domain="General",
    exclusive=False,
    tags=[TagEntry("a", "red", "Regular"), TagEntry("b", "blue", "Regular")],
    data_digest="d",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
COURSE = Course(
    size_px=SIZE_PX, policy=Policy(tiles=(1.0,)), schedule=Schedule(steps=40, rate=3e-3, backbone_rate=0), seed=0
)

QUICK = Way("quick", COURSE)
SLOPPY = Way("sloppy", replace(COURSE, schedule=replace(COURSE.schedule, steps=1)))


class Squares:
    """Grey noise with one or two coloured squares; boxes are relative."""

    def __init__(self, count: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.noise = rng.integers(90, 160, (count, 24, 24, 3))
        self.truth: list[Truth] = []
        for at in range(count):
            side, place = rng.uniform(0.25, 0.4), rng.uniform(0.05, 0.55, 2)
            self.truth.append(Truth(np.array([[*place, *(place + side)]]), np.array([at % 2])))

    def pixels(self, size_px: int) -> NDArray[np.uint8]:
        every = self.noise.repeat(size_px // 24 + 1, 1).repeat(size_px // 24 + 1, 2)[:, :size_px, :size_px].copy()
        for image, truth in zip(every, self.truth, strict=True):
            for box, tag in zip((truth.boxes * size_px).round().astype(int).tolist(), truth.tags, strict=True):
                image[box[1] : box[3], box[0] : box[2]] = COLOURS[tag]
        return every.astype(np.uint8)


@pytest.fixture(scope="module")
def base() -> Base:
    torch.manual_seed(0)
    return Base(backbones.find("foveal-xs"), tune.weights(Finder([48, 96, 176], 32, 1)))


def search(kept: Memory | None = None, told: list[Progress] | None = None) -> Search:
    return Search(
        budget_seconds=3600,
        kept=Memory() if kept is None else kept,
        report=([] if told is None else told).append,
        pause=lambda: None,
        policy="general",
        threads=1,
    )


def drawn(squares: Squares, test: Sequence[int] = ()) -> Drawn:
    count = len(squares.truth)
    targets = np.zeros((count, 2), bool)
    targets[np.arange(count), [each.tags[0] for each in squares.truth]] = True
    vectors = np.random.default_rng(0).normal(size=(count, 8)).astype(np.float32)
    return Drawn(Data(vectors, targets, test=np.isin(np.arange(count), test)), squares.truth, squares)


def trained(
    folder: Path, base: Base, given: Drawn, using: Search | None = None, ways: Sequence[Way] = (QUICK,)
) -> TrainedDetector:
    return training.train(folder, TASK, given, base=base, ways=ways, search=using or search())


@pytest.fixture(scope="module")
def made(base: Base, tmp_path_factory: pytest.TempPathFactory) -> TrainedDetector:
    return trained(tmp_path_factory.mktemp("made"), base, drawn(Squares(24)))


class TestTrain:
    def test_finds_what_it_was_taught_in_pictures_it_never_saw(self, made: TrainedDetector) -> None:
        unseen = Squares(20, seed=1)
        found = answers(made.bundle.graph.read_bytes(), unseen.pixels(SIZE_PX), threads=1)
        said = scores.performance(found, unseen.truth, tags=2, threshold=0.5, overlap=0.5)
        assert said.overall.average_precision > 0.8

    def test_judges_each_image_once_by_a_detector_that_had_not_seen_it(self, made: TrainedDetector) -> None:
        assert made.judged.tolist() == list(range(24))
        assert len(made.held_out) == 24
        metrics = made.manifest.metrics
        assert metrics["folds"] == 3
        assert metrics["evaluation"].startswith("cross-validation")
        assert metrics["average_precision"] == made.performance.overall.average_precision > 0.6

    def test_writes_a_bundle(self, made: TrainedDetector) -> None:
        read = bundle.read(made.bundle.folder)
        assert read.labels == ["red", "blue"]
        assert read.manifest.preprocessing.size == SIZE_PX
        assert set(read.head) == set(Finder([8, 8, 8], 8, 2).state_dict())

    def test_tells_how_far_it_is_and_keeps_each_fold(self, base: Base, tmp_path: Path, made: TrainedDetector) -> None:
        kept, told = Memory(), list[Progress]()
        again = trained(tmp_path / "again", base, drawn(Squares(24)), search(kept, told))
        assert list(kept) == ["quick-0", "spent", "quick-1", "quick-2"]
        shares = [each.share for each in told]
        assert shares == sorted(shares)
        assert again.bundle.graph.read_bytes() == made.bundle.graph.read_bytes()
        later = list[Progress]()
        resumed = trained(tmp_path / "resumed", base, drawn(Squares(24)), search(kept, later))
        assert {each.fold for each in later} == {3}
        assert resumed.bundle.graph.read_bytes() == made.bundle.graph.read_bytes()

    def test_a_test_set_judges_and_teaches_nothing(self, base: Base, tmp_path: Path) -> None:
        made = trained(tmp_path, base, drawn(Squares(24), test=[0, 1, 2, 3]))
        assert made.judged.tolist()[-4:] == [0, 1, 2, 3]
        assert made.manifest.metrics["evaluation"].startswith("test set")

    def test_refuses_a_test_set_that_leaves_too_little(self, base: Base, tmp_path: Path) -> None:
        with pytest.raises(Invalid, match="test set leaves a tag"):
            trained(tmp_path, base, drawn(Squares(6), test=[0, 2, 4]))


class TestCompete:
    def test_the_best_way_is_made(self, base: Base, tmp_path: Path) -> None:
        made = trained(tmp_path, base, drawn(Squares(24)), ways=[SLOPPY, QUICK])
        metrics = made.manifest.metrics
        assert (metrics["training"], metrics["chosen"]) == ("Advanced", "quick")
        rows = {row["name"]: row for row in metrics["candidates"]}
        assert rows["quick"]["average_precision"] > rows["sloppy"]["average_precision"] + 0.3
        assert {row["folds"] for row in rows.values()} == {3}
        assert metrics["average_precision"] > 0.6

    def test_the_worse_half_is_out_after_a_fold(self, base: Base, tmp_path: Path) -> None:
        hasty = replace(SLOPPY, name="hasty")
        made = trained(tmp_path, base, drawn(Squares(24)), ways=[SLOPPY, QUICK, hasty])
        folds = {row["name"]: row["folds"] for row in made.manifest.metrics["candidates"]}
        assert folds == {"sloppy": 3, "quick": 3, "hasty": 1}

    def test_what_there_is_no_time_for_is_not_begun(self, base: Base, tmp_path: Path) -> None:
        using = replace(search(), budget_seconds=0)
        made = trained(tmp_path, base, drawn(Squares(24)), using, [SLOPPY, QUICK])
        metrics = made.manifest.metrics
        assert metrics["chosen"] == "sloppy"
        assert metrics["candidates"][1] == {"name": "quick", "folds": 0}

    def test_stops_in_the_middle_when_time_is_up(self, base: Base, tmp_path: Path) -> None:
        told = list[Progress]()

        def clock() -> float:
            """It stands still until the second way has begun."""
            return 5000.0 if told and told[-1].candidate == "quick" else 0.0

        made = trained(tmp_path, base, drawn(Squares(24)), replace(search(told=told), clock=clock), [SLOPPY, QUICK])
        assert made.manifest.metrics["chosen"] == "sloppy"
        assert [(each.candidate, each.fold) for each in told[:4]] == [
            ("sloppy", 0),
            ("sloppy", 1),
            ("sloppy", 2),
            ("quick", 0),
        ]
        assert {(each.candidate, each.fold) for each in told[4:]} <= {("quick", 0), ("sloppy", 3)}
        assert sum(each.candidate == "quick" for each in told) <= 2

    def test_an_attempt_that_was_cut_off_goes_on(self, base: Base, tmp_path: Path) -> None:
        class CutOffError(Exception):
            pass

        def pause() -> None:
            if len(kept) == 4:  # three pieces, and the time they took
                raise CutOffError

        kept = Memory()
        with pytest.raises(CutOffError):
            trained(tmp_path / "a", base, drawn(Squares(24)), replace(search(kept), pause=pause), [SLOPPY, QUICK])
        told = list[Progress]()
        made = trained(tmp_path / "b", base, drawn(Squares(24)), search(kept, told), [SLOPPY, QUICK])
        assert {(each.candidate, each.fold) for each in told} == {("quick", fold) for fold in range(4)}
        whole = trained(tmp_path / "c", base, drawn(Squares(24)), ways=[SLOPPY, QUICK])
        assert made.bundle.graph.read_bytes() == whole.bundle.graph.read_bytes()


class TestCalibrate:
    def test_makes_probabilities_the_chance_to_be_right(self) -> None:
        rng = np.random.default_rng(0)
        said = rng.uniform(0.05, 0.95, 400)
        right = rng.random(400) < said**2
        away, there = [0.0, 0.0, 0.1, 0.1], [0.5, 0.5, 1.0, 1.0]
        found = [
            Detections(np.array([there if hit else away]), np.array([0]), np.array([score]))
            for hit, score in zip(right, said, strict=True)
        ]
        truth = [Truth(np.array([there]), np.array([0]))] * 400
        fitted = training.calibrate(found, truth)
        logits = np.log(said / (1 - said)) * fitted.scale + fitted.shift[0]
        made = 1 / (1 + np.exp(-logits))
        for low, high in ((0.1, 0.3), (0.3, 0.6), (0.6, 0.9)):
            some = (said**2 > low) & (said**2 < high)
            assert abs(made[some].mean() - right[some].mean()) < 0.1

    def test_leaves_them_where_nothing_can_be_told_apart(self) -> None:
        nothing = [Detections(np.empty((0, 4)), np.empty(0, np.intp), np.empty(0))]
        fitted = training.calibrate(nothing, [Truth(np.empty((0, 4)), np.empty(0, np.intp))])
        assert (fitted.scale, fitted.shift.tolist()) == (1.0, [0.0])


class TestPacked:
    def test_comes_back(self) -> None:
        rng = np.random.default_rng(0)
        found = [
            Detections(rng.random((count, 4)).astype(np.float32), np.arange(count), rng.random(count).astype("f4"))
            for count in (2, 0, 3)
        ]
        back, seconds = bench.unpacked(bench.packed(found, 1.5))
        assert seconds == 1.5
        for each, other in zip(found, back, strict=True):
            np.testing.assert_array_equal(each.boxes, other.boxes)
            np.testing.assert_array_equal(each.tags, other.tags)
            np.testing.assert_array_equal(each.scores, other.scores)


def test_a_finder_for_tags_begins_by_saying_the_same_for_each(base: Base) -> None:
    maps = [torch.rand(1, channels, side, side) for channels, side in ((48, 8), (96, 4), (176, 2))]
    with torch.no_grad():
        one, three = (tune.for_tags(base.finder, tags)(maps) for tags in (1, 3))
    assert torch.equal(one.boxes, three.boxes)
    expected = one.logits - np.log(3)
    assert torch.allclose(three.logits, expected.expand(-1, -1, 3), atol=1e-5)


def test_a_wider_finder_says_nearly_the_same(base: Base) -> None:
    maps = [torch.rand(1, channels, side, side) for channels, side in ((48, 8), (96, 4), (176, 2))]
    with torch.no_grad():
        narrow, wide = (tune.for_tags(base.finder, 2, width)(maps) for width in (0, 48))
    assert tune.for_tags(base.finder, 2, 48).sides.in_channels == 48
    spread = narrow.logits.std()
    assert (wide.logits - narrow.logits).abs().max() < 0.3 * spread


def test_rare_tags_come_up_more_often() -> None:
    squares = Squares(20)
    data = [replace(each, tags=np.array([int(at == 0)])) for at, each in enumerate(squares.truth)]
    scenes = [bench.scene(image, each) for image, each in zip(squares.pixels(48), data, strict=True)]
    chances = tune.shares(scenes)
    drawn_rows = np.random.default_rng(0).choice(20, 640, p=chances).tolist()
    assert drawn_rows.count(0) > 2 * len(drawn_rows) / 20
