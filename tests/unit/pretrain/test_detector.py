"""What finds things of any kind learns from drawn pictures, and can be interrupted."""

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the recipe needs torch")

import numpy as np  # noqa: E402
from pretrain import detector  # noqa: E402
from pretrain.detector import Recipe  # noqa: E402

from foveal.engine import backbones  # noqa: E402
from foveal.engine.detection import tune  # noqa: E402

CONFIGS = sorted((Path(detector.__file__).parent / "finders").glob("*.toml"))
SHORT = Recipe(backbone="foveal-xs", width=8, steps=6, pictures=20, picture_px=64, size_px=64, batch=4, warmup_steps=2)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_each_recipe_is_for_the_backbone_of_its_name(config: Path) -> None:
    recipe = detector.read_recipe(config)
    assert recipe.backbone == config.stem
    assert backbones.find(recipe.backbone).is_here
    assert sum(recipe.policy.tiles) == pytest.approx(1)


def test_pictures_are_drawn_once_and_kept(tmp_path: Path) -> None:
    first = detector.drawn(SHORT, tmp_path)
    assert len(first) == 20
    assert first[0].pixels.shape == (64, 64, 3)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = detector.drawn(SHORT, tmp_path)
    assert written == {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.boxes, other.boxes)


def test_a_resumed_run_gives_the_weights_of_an_uninterrupted_one(tmp_path: Path) -> None:
    scenes = detector.drawn(SHORT, tmp_path)
    whole = detector.start(SHORT)
    figures = list(detector.train(SHORT, whole, scenes))
    assert [each["step"] for each in figures] == [1, 2, 3, 4, 5, 6]
    first, path = detector.start(SHORT), tmp_path / detector.CHECKPOINT
    for _ in zip(range(3), detector.train(SHORT, first, scenes), strict=False):
        pass
    detector.save(first, SHORT, path)
    second = detector.start(SHORT)
    detector.resume(second, SHORT, path)
    list(detector.train(SHORT, second, scenes))
    for name, weight in whole.average.state_dict().items():
        assert torch.equal(weight, second.average.state_dict()[name]), name


def test_another_recipes_checkpoint_is_refused(tmp_path: Path) -> None:
    state, path = detector.start(SHORT), tmp_path / detector.CHECKPOINT
    detector.save(state, SHORT, path)
    with pytest.raises(ValueError, match="written by another recipe"):
        detector.resume(state, replace(SHORT, steps=7), path)


def test_its_weights_start_a_detector(tmp_path: Path) -> None:
    state, path = detector.start(SHORT), tmp_path / detector.CHECKPOINT
    detector.save(state, SHORT, path)
    kept = detector.averaged(path)
    assert all(values.dtype == np.float16 for values in kept.values())
    assert tune.for_tags(kept, 3).logits.weight.shape == (3, 8, 1, 1)
