"""The recipes that made the shipped backbones can be read, and make what the table of backbones promises."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the recipe needs torch")

from pretrain import run  # noqa: E402
from pretrain.students import STUDENTS, Student  # noqa: E402

from foveal.engine import backbones  # noqa: E402

CONFIGS = sorted(Path(run.__file__).parent.glob("*.toml"))


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_each_recipe_makes_the_backbone_of_its_name(config: Path) -> None:
    recipe = run.read_recipe(config)
    assert recipe.student == config.stem
    assert Student(STUDENTS[recipe.student]).embedding_dimension == backbones.row(config.stem).dimension


def test_every_backbone_of_the_package_has_a_recipe() -> None:
    assert {each.name for each in backbones.BACKBONES if not each.source} == {path.stem for path in CONFIGS}
