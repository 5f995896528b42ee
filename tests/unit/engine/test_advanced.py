import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from tests.support import tiny

from foveal.bundle import TagEntry
from foveal.engine import advanced, heads
from foveal.engine.backbones import Backbone
from foveal.engine.candidates import CANDIDATES, Candidate
from foveal.engine.features import Embedder
from foveal.engine.finetune import Schedule
from foveal.engine.search import Memory, Progress, Search
from foveal.engine.training import Data, Task, Trained
from foveal.inference.session import Classifier

SHORT = Schedule(epochs=2, fewest_steps=6)
FEW = (
    *(each for each in CANDIDATES if each.schedule is None),
    Candidate("whole network", schedule=SHORT),
    Candidate("last stages", schedule=replace(SHORT, trained_share=0.5)),
)


class CutOffError(Exception):
    """Stands for a process that is killed between two pieces of work."""


def task(tags: int = 2, *, exclusive: bool = True) -> Task:
    return Task(
        project="p",
        iteration="i",
        domain="General",
        exclusive=exclusive,
        tags=[TagEntry(str(at), f"tag {at}", "Regular") for at in range(tags)],
        data_digest="0",
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
    )


def search(
    kept: Memory | None = None,
    *,
    seconds: float = 600,
    pause: Callable[[], None] = lambda: None,
    report: Callable[[Progress], None] = lambda _: None,
    candidates: Sequence[Candidate] = FEW,
) -> Search:
    kept = Memory() if kept is None else kept
    return Search(
        budget_seconds=seconds,
        kept=kept,
        report=report,
        pause=pause,
        policy="general",
        threads=1,
        candidates=candidates,
    )


def train(folder: Path, backbone: Backbone, squares: tiny.Squares, how: Search, *, exclusive: bool = True) -> Trained:
    vectors = Embedder(backbone, threads=1).embed(squares.pixels(tiny.SIZE_PX))
    data = Data(vectors, squares.targets)
    made = task(squares.targets.shape[1], exclusive=exclusive)
    return advanced.train(folder, made, data, squares, backbone=backbone, search=how)


@pytest.fixture
def backbone(tmp_path: Path) -> Backbone:
    return tiny.backbone(tmp_path)


def table(trained: Trained) -> dict[str, dict[str, float]]:
    return {row["name"]: row for row in trained.manifest.metrics["candidates"]}


class TestTrain:
    @pytest.mark.parametrize("tags", [2, 3])
    def test_the_model_answers_for_pictures_never_seen(self, tmp_path: Path, backbone: Backbone, tags: int) -> None:
        trained = train(tmp_path / "model", backbone, tiny.Squares(12, tags), search())
        classifier = Classifier(tmp_path / "model", threads=1)
        fresh = tiny.Squares(50, tags, seed=3)
        guess = classifier.probabilities(fresh.pixels(classifier.size_px))
        assert (guess.argmax(1) == fresh.targets.argmax(1)).mean() > 0.75
        assert trained.held_out.shape[1:] == (12 * tags, tags)

    def test_the_best_by_cross_validation_is_chosen_and_the_manifest_is_the_evidence(
        self, tmp_path: Path, backbone: Backbone
    ) -> None:
        trained = train(tmp_path / "model", backbone, tiny.Squares(12), search())
        found, metrics = table(trained), trained.manifest.metrics
        whole = {name: row for name, row in found.items() if row["folds"] == advanced.FOLDS}
        assert {"frozen", "two sizes", "two sizes, varied views"} <= set(whole)
        assert metrics["chosen"] == min(whole, key=lambda name: whole[name]["log_loss"])
        assert whole[metrics["chosen"]]["log_loss"] <= found["frozen"]["log_loss"]
        assert json.loads((tmp_path / "model" / "manifest.json").read_text())["metrics"]["candidates"]

    @pytest.mark.parametrize(
        "chosen", [each for each in FEW if not each.earlier and not each.taught], ids=lambda each: each.name
    )
    def test_each_way_gives_a_model_that_answers_as_it_was_judged(
        self, tmp_path: Path, backbone: Backbone, chosen: Candidate
    ) -> None:
        squares = tiny.Squares(16)
        trained = train(tmp_path / "model", backbone, squares, search(candidates=[chosen]))
        assert trained.manifest.metrics["chosen"] == chosen.name
        classifier = Classifier(tmp_path / "model", threads=1)
        fresh = tiny.Squares(100, seed=5)
        right = classifier.probabilities(fresh.pixels(classifier.size_px)).argmax(1) == fresh.targets.argmax(1)
        judged = trained.held_out.mean(0).argmax(1) == squares.targets[trained.judged].argmax(1)
        assert abs(right.mean() - judged.mean()) < 0.25

    def test_the_same_data_give_the_same_bytes(self, tmp_path: Path, backbone: Backbone) -> None:
        for name in ("first", "second"):
            train(tmp_path / name, backbone, tiny.Squares(10), search())
        assert (tmp_path / "first/model.onnx").read_bytes() == (tmp_path / "second/model.onnx").read_bytes()

    def test_few_images_are_done_quickly(self, tmp_path: Path, backbone: Backbone) -> None:
        trained = train(tmp_path / "model", backbone, tiny.Squares(5), search())
        assert table(trained)["whole network"]["folds"] == 0
        assert table(trained)["two sizes, varied views"]["folds"] > 0

    def test_without_any_time_it_is_quicks_model(self, tmp_path: Path, backbone: Backbone) -> None:
        trained = train(tmp_path / "model", backbone, tiny.Squares(12), search(seconds=0))
        assert trained.manifest.metrics["chosen"] == "frozen"
        assert [row["folds"] for row in table(trained).values()][1:] == [0] * (len(table(trained)) - 1)

    def test_images_of_several_tags(self, tmp_path: Path, backbone: Backbone) -> None:
        squares = tiny.Squares(20, 3)
        squares.targets = squares.targets | np.roll(squares.targets, 1, axis=1) & (np.arange(60) % 2 == 0)[:, None]
        trained = train(tmp_path / "model", backbone, squares, search(), exclusive=False)
        assert trained.performance.overall.average_precision > 0.6


class TestResume:
    def test_what_was_kept_is_not_done_again_and_the_model_is_the_same(
        self, tmp_path: Path, backbone: Backbone
    ) -> None:
        squares, pieces = tiny.Squares(10), list[int]()
        train(tmp_path / "whole", backbone, squares, search(pause=lambda: pieces.append(1)))
        kept, resumed = Memory(), list[int]()

        def cut_off() -> None:
            resumed.append(1)
            if len(resumed) % 4 == 0:
                raise CutOffError

        for _ in range(len(pieces)):
            try:
                train(tmp_path / "again", backbone, squares, search(kept, pause=cut_off))
                break
            except CutOffError:
                continue
        cuts = len(resumed) // 4
        assert cuts > 0
        assert len(resumed) == len(pieces) + cuts
        assert (tmp_path / "again/model.onnx").read_bytes() == (tmp_path / "whole/model.onnx").read_bytes()

    def test_time_that_was_spent_before_counts(self, tmp_path: Path, backbone: Backbone) -> None:
        kept = Memory(spent=b"600.0")
        trained = train(tmp_path / "model", backbone, tiny.Squares(12), search(kept, seconds=600))
        assert trained.manifest.metrics["chosen"] == "frozen"


class TestBudget:
    def test_time_that_ends_within_a_training_ends_it(self, tmp_path: Path, backbone: Backbone) -> None:
        """The clock leaps when the first network is trained on: what was judged before is what can be chosen."""
        heard: list[Progress] = []
        now = iter(range(10**9))
        leaping = [0.0]

        def clock() -> float:
            return next(now) * 2.0 + leaping[0]  # more than a second from look to look

        def report(progress: Progress) -> None:
            heard.append(progress)
            if progress.candidate == "whole network":
                leaping[0] = 1e6

        how = replace(search(report=report), clock=clock)
        trained = train(tmp_path / "model", backbone, tiny.Squares(12), replace(how, budget_seconds=1e5))
        assert table(trained)["whole network"]["folds"] == 0
        assert trained.manifest.metrics["chosen"] in {each.name for each in FEW if each.schedule is None}


def test_head_scores_teach_with_views_but_judge_plain_images() -> None:
    rng = np.random.default_rng(0)
    targets = np.eye(2, dtype=bool)[np.arange(30) % 2]
    plain = (targets @ np.array([[1.0, 0, 0], [0, 1, 0]]) + rng.normal(0, 0.1, (30, 3))).astype(np.float32)
    held = np.arange(30) < 10
    lessons = np.stack([plain, np.where(held[:, None], -plain, plain)])
    alone = heads.scores(np.tile(plain[~held], (2, 1)), np.tile(targets[~held], (2, 1)), plain[held], exclusive=True)
    np.testing.assert_allclose(advanced.head_scores(lessons, targets, held, exclusive=True), alone)
