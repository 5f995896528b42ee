"""From embeddings to a judged model on disk, without pictures."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from foveal.bundle import TagEntry
from foveal.engine import backbones, quick, report, unknown
from foveal.engine.evaluate import NEVER_HELD
from foveal.engine.report import Judgements
from foveal.engine.training import Data, Task, Trained
from foveal.errors import Invalid

BACKBONE = backbones.find("foveal-xs")
NAMES = ("red", "green", "blue")
TASK = Task(
    project="fruit",
    iteration="Iteration 1",
    domain="General (compact)",
    exclusive=True,
    tags=[TagEntry(name, name, "Regular") for name in NAMES],
    data_digest="0",
    created_at=datetime(2026, 1, 2, tzinfo=UTC),
)
WITH_NEGATIVE = replace(TASK, tags=[*TASK.tags[:2], TagEntry("blue", "blue", "Negative")])

Train = Callable[..., Trained]


def data(count: int, *, spread: float = 1.0, seed: int = 0) -> Data:
    """Embeddings around a centre for each of three tags."""
    centres = np.random.default_rng(9).normal(1, 1, (3, BACKBONE.dimension))
    tags = np.arange(count) % 3
    vectors = centres[tags] + np.random.default_rng(seed).normal(0, spread, (count, BACKBONE.dimension))
    return Data(vectors.astype(np.float32), np.eye(3, dtype=bool)[tags])


@pytest.fixture
def train(tmp_path: Path) -> Train:
    """Train into a new folder each time."""

    def train(made: Data, task: Task = TASK) -> Trained:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        return quick.train(folder, task, made, backbone=BACKBONE)

    return train


def with_test(made: Data, test: NDArray[np.bool_]) -> Data:
    return replace(made, test=test)


class TestTrain:
    def test_two_trainings_give_the_same_files(self, train: Train) -> None:
        first, second = (train(data(45)) for _ in range(2))
        assert first.bundle.graph.read_bytes() == second.bundle.graph.read_bytes()
        assert first.manifest == second.manifest
        np.testing.assert_array_equal(first.held_out, second.held_out)

    def test_other_data_give_another_model(self, train: Train) -> None:
        assert train(data(45)).bundle.graph.read_bytes() != train(data(45, seed=1)).bundle.graph.read_bytes()

    def test_the_manifest_tells_how_it_was_judged(self, train: Train) -> None:
        told = train(data(45)).manifest.metrics
        assert told["evaluation"].startswith("cross-validation")
        assert (told["folds"], told["repeats"], told["test_images"], told["borrowed_images"]) == (10, 3, 0, 0)
        assert told["design_effect"] == pytest.approx(1 + 10 * 4.5 / 40.5)
        assert 0 <= told["calibration_error"] < 0.2

    def test_calibration_is_better_than_before(self, train: Train) -> None:
        told = train(data(60, spread=6.0)).manifest.metrics
        assert told["calibration_error"] < told["calibration_error_before"]

    def test_borrowed_images_are_not_judged(self, train: Train) -> None:
        found = train(replace(data(45), borrowed=15))
        assert found.judged.tolist() == list(range(30))
        assert found.manifest.metrics["borrowed_images"] == 15

    def test_borrowed_images_do_not_make_it_a_hold_out(self, train: Train) -> None:
        found = train(replace(data(45), borrowed=15))
        assert found.manifest.metrics["evaluation"].startswith("cross-validation")

    def test_copies_share_a_fold(self) -> None:
        made = data(60)
        made.embeddings[30:40] = made.embeddings[:10]
        folds = made.folds()
        np.testing.assert_array_equal(folds[:, 30:40], folds[:, :10])


class TestTestSet:
    TEST = np.arange(60) % 4 == 0

    def test_nothing_is_learned_from_it(self, train: Train) -> None:
        made = data(60)
        without = Data(made.embeddings[~self.TEST], made.targets[~self.TEST])
        found, alone = train(with_test(made, self.TEST)), train(without)
        assert found.bundle.graph.read_bytes() == alone.bundle.graph.read_bytes()
        assert found.bundle.graph.read_bytes() != train(made).bundle.graph.read_bytes()
        np.testing.assert_array_equal(found.held_out[:, : (~self.TEST).sum()], alone.held_out)

    def test_its_images_are_judged_by_the_final_model(self, train: Train) -> None:
        made = data(60)
        found = train(with_test(made, self.TEST))
        at = np.flatnonzero(np.isin(found.judged, np.flatnonzero(self.TEST)))
        vectors = made.embeddings[found.judged[at]]
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        scores = np.exp(vectors @ found.bundle.head["weights"] + found.bundle.head["bias"])
        expected = scores / scores.sum(1, keepdims=True)
        assert len(at) == 15
        for repeat in found.held_out:
            np.testing.assert_allclose(repeat[at], expected, atol=1e-5)

    def test_the_figures_are_its_own(self, train: Train) -> None:
        made = data(60, spread=5.0)
        wrong = made.targets[self.TEST][:, [1, 2, 0]]
        made.targets[self.TEST] = wrong
        found = train(with_test(made, self.TEST))
        assert found.performance.overall.recall < 0.4
        told = found.manifest.metrics
        assert (told["test_images"], told["design_effect"]) == (15, 1.0)
        assert told["evaluation"].startswith("test set")
        assert told["recall"] == found.performance.overall.recall

    def test_an_empty_one_changes_nothing(self, train: Train) -> None:
        made = data(45)
        first, second = train(made), train(with_test(made, np.zeros(45, bool)))
        assert first.bundle.graph.read_bytes() == second.bundle.graph.read_bytes()
        assert first.manifest.metrics == second.manifest.metrics

    def test_too_few_to_learn_from_are_refused(self, train: Train) -> None:
        made = data(15)
        with pytest.raises(Invalid, match="The test set leaves a tag with fewer than 2 images"):
            train(with_test(made, made.targets[:, 0] & (np.arange(15) > 0)))


class TestNegative:
    def test_is_judged_with_what_is_unknown(self, train: Train) -> None:
        plain, mixed = train(data(60, spread=4.0)), train(data(60, spread=4.0), WITH_NEGATIVE)
        assert (mixed.held_out[..., 2] >= plain.held_out[..., 2] - 1e-6).all()
        assert (mixed.held_out[..., 2] > plain.held_out[..., 2] + 1e-3).any()
        np.testing.assert_allclose(mixed.held_out.sum(2), 1, atol=1e-5)

    def test_its_pictures_do_not_make_others_known(self, train: Train) -> None:
        import onnx  # noqa: PLC0415
        from onnx import numpy_helper  # noqa: PLC0415

        made = data(60)
        found = train(made, WITH_NEGATIVE)
        model = onnx.load(found.bundle.graph)
        centre = next(numpy_helper.to_array(each) for each in model.graph.initializer if each.name == "unknown_centre")
        expected = unknown.fit(made.embeddings[~made.targets[:, 2]], seed=0).centre
        np.testing.assert_allclose(centre, expected)


class TestIntervals:
    """What cross-validation promises, against the truth: many more images of the same kind."""

    @pytest.mark.slow
    def test_hold_the_accuracy_of_the_served_model_nine_times_in_ten(self, train: Train) -> None:
        held = 0
        fresh = data(3000, spread=5.0, seed=1)
        for seed in range(25):
            made = data(45, spread=5.0, seed=100 + seed)
            found = train(made)
            effect = found.manifest.metrics["design_effect"]
            said = Judgements(made.targets[found.judged], found.held_out, exclusive=True, design_effect=effect)
            recall = report.report(said, 0.5, promise=1).overall.recall
            vectors = fresh.embeddings / np.linalg.norm(fresh.embeddings, axis=1, keepdims=True)
            scores = np.exp(vectors @ found.bundle.head["weights"] + found.bundle.head["bias"])
            predicted = scores / scores.sum(1, keepdims=True) >= 0.5
            held += recall.low <= float((predicted & fresh.targets).sum() / len(fresh.targets)) <= recall.high
        assert held >= 21


class TestFolds:
    def test_many_images_are_judged_by_a_part_held_out(self) -> None:
        made = replace(data(6000), embeddings=np.zeros((6000, 4), np.float32))
        folds = made.folds()
        assert (folds == NEVER_HELD).sum() == 4800
        assert report.design_effect(folds) == pytest.approx(1.25)
