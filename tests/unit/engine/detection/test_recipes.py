"""What detectors begin with is in the package."""

import pytest

from foveal.engine.detection import recipes, tune
from foveal.errors import NotFound


def test_a_backbone_brings_what_finds_things() -> None:
    base = recipes.base("foveal-s")
    assert base.backbone.name == "foveal-s"
    assert tune.for_tags(base.finder, 3).logits.out_channels == 3


def test_a_backbone_without_it_is_told() -> None:
    with pytest.raises(NotFound, match="not made on the backbone foveal-xs"):
        recipes.base("foveal-xs")


def test_more_images_take_longer_but_not_in_proportion() -> None:
    steps = [recipes.quick(images, 320).schedule.steps for images in (20, 40, 160, 10_000)]
    assert steps == [100, 100, 200, 400]
