from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tests.unit.engine.test_advanced import task

from foveal.engine import backbones, evaluate, heads, quick, taught
from foveal.engine.taught import Class, Lessons
from foveal.engine.training import Data

Vectors = NDArray[np.float32]


def world(count: int, seed: int, *, dimension: int, blur: float) -> tuple[Vectors, Vectors, NDArray[np.bool_]]:
    """Three tags as a network with a sharp eye sees them, and as one with a blurred eye does; and the tags."""
    rng = np.random.default_rng(seed)
    tags = np.arange(count) % 3
    centres = np.random.default_rng(99).normal(0, 1, (3, 40))
    sharp = centres[tags] + rng.normal(0, 0.8, (count, 40))
    blurred = np.pad(sharp, ((0, 0), (0, dimension - 40))) + rng.normal(0, blur, (count, dimension))
    return (sharp + 3).astype(np.float32), (blurred + 3).astype(np.float32), np.eye(3, dtype=bool)[tags]


def lesson(untagged: int = 300, own: int = 18, dimension: int = 60) -> Class:
    sharp, blurred, targets = world(own, 0, dimension=dimension, blur=2)
    more_sharp, more_blurred, _ = world(untagged, 1, dimension=dimension, blur=2)
    return Class(blurred, targets, Lessons(sharp, more_sharp, more_blurred), exclusive=True)


def right(head: heads.Head) -> float:
    _, unseen, truth = world(600, 2, dimension=60, blur=2)
    return float((head.probabilities(unseen).argmax(1) == truth.argmax(1)).mean())


class TestTaught:
    def test_the_untagged_images_of_a_better_eye_help(self) -> None:
        pupils = lesson()
        folds = evaluate.plan(pupils.targets, 0, most_folds=taught.FOLDS)
        alone = heads.fit(pupils.vectors, pupils.targets, exclusive=True, seed=0).head
        assert right(taught.fit(pupils, folds).head) > right(alone) + 0.05

    def test_what_it_says_of_an_image_does_not_depend_on_that_images_tag(self) -> None:
        pupils = lesson()
        held = np.arange(18) < 6
        other = pupils.targets.copy()
        other[held] = np.roll(other[held], 1, axis=1)
        lied = Class(pupils.vectors, other, pupils.lessons, exclusive=True)
        np.testing.assert_array_equal(pupils.scores(held), lied.scores(held))

    def test_only_what_the_teacher_is_sure_of_is_taught(self) -> None:
        pupils = lesson()
        blind = Lessons(pupils.lessons.own * 0 + 1, pupils.lessons.untagged_by_teacher * 0 + 1, pupils.lessons.untagged)
        vectors, targets = Class(pupils.vectors, pupils.targets, blind, exclusive=True).taught(np.ones(18, bool))
        assert len(vectors) == len(targets) == 18

    def test_several_tags_are_taught_only_together(self) -> None:
        pupils = lesson()
        several = Class(pupils.vectors, pupils.targets, pupils.lessons, exclusive=False)
        vectors, targets = several.taught(np.ones(18, bool))
        assert 18 < len(vectors) == len(targets) <= 318


class TestQuick:
    def test_takes_the_pupil_only_where_it_is_better(self, tmp_path: Path) -> None:
        backbone = backbones.find("foveal-xs")
        sharp, blurred, targets = world(18, 0, dimension=backbone.dimension, blur=2)
        more_sharp, more_blurred, _ = world(300, 1, dimension=backbone.dimension, blur=2)
        wrong = Lessons(sharp, np.roll(more_sharp, 1, axis=0), more_blurred)  # it takes each image for the one before
        found: list[bool] = []
        for name, lessons in (("good", Lessons(sharp, more_sharp, more_blurred)), ("bad", wrong), ("none", None)):
            data = Data(blurred, targets, lessons=lessons)
            trained = quick.train(tmp_path / name, task(3), data, backbone=backbone)
            found.append("taught" in trained.manifest.metrics)
        assert found == [True, False, False]
