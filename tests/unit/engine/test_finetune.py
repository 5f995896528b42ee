from pathlib import Path

import numpy as np
import pytest
import torch
from tests.support import tiny

from foveal.engine import finetune, heads
from foveal.engine.augmentation import POLICIES, Policy, augment, mix
from foveal.engine.features import Embedder
from foveal.engine.finetune import Course, Lesson, Schedule
from foveal.engine.network import Network

SHORT = Schedule(epochs=4, fewest_steps=20)


def pictures(count: int = 4, size: int = 40) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1)) * 255


def tuned(folder: Path, schedule: Schedule = SHORT, seed: int = 0) -> tuple[Network, list[float]]:
    backbone, squares, heard = tiny.backbone(folder), tiny.Squares(12), list[float]()
    vectors = Embedder(backbone, threads=1).embed(squares.pixels(tiny.SIZE_PX))
    head = heads.fit(vectors, squares.targets, exclusive=True, seed=0).head
    network = Network(backbone.path)
    lesson = Lesson(squares.pixels(36), np.arange(24), squares.targets, exclusive=True, size_px=tiny.SIZE_PX)
    course = Course(POLICIES["general"], schedule, seed)
    finetune.tune(network, head, lesson, course, report=heard.append)
    return network, heard


class TestAugment:
    @pytest.mark.parametrize("name", sorted(POLICIES))
    def test_gives_pictures_of_the_size_and_range(self, name: str) -> None:
        made = augment(pictures(), 32, POLICIES[name], torch.Generator().manual_seed(0))
        assert made.shape == (4, 3, 32, 32)
        assert torch.isfinite(made).all()
        assert 0 <= float(made.min()) <= float(made.max()) <= 255

    @pytest.mark.parametrize("name", sorted(POLICIES))
    def test_is_the_same_for_the_same_seed_and_differs_for_another(self, name: str) -> None:
        made = [augment(pictures(), 32, POLICIES[name], torch.Generator().manual_seed(seed)) for seed in (5, 5, 6)]
        assert torch.equal(made[0], made[1])
        assert not torch.equal(made[0], made[2])

    def test_upright_never_mirrors(self) -> None:
        still = Policy(smallest_area=1, aspect=1, flip=False, colour=0, light=0)
        made = augment(pictures(16, 32), 32, still, torch.Generator().manual_seed(0))
        torch.testing.assert_close(made, pictures(16, 32), atol=1e-2, rtol=0)

    def test_mirrors_about_half_otherwise(self) -> None:
        still = Policy(smallest_area=1, aspect=1, colour=0, light=0)
        given = pictures(64, 32)
        made = augment(given, 32, still, torch.Generator().manual_seed(0))
        same = sum(torch.allclose(a, b, atol=1e-2) for a, b in zip(made, given, strict=True))
        mirrored = sum(torch.allclose(a, b.flip(2), atol=1e-2) for a, b in zip(made, given, strict=True))
        assert same + mirrored == 64
        assert 16 < mirrored < 48

    def test_colour_safe_keeps_the_relation_of_channels(self) -> None:
        grey = pictures()[:, :1].expand(-1, 3, -1, -1) * torch.tensor([1.0, 0.5, 0.25]).view(1, 3, 1, 1)
        made = augment(grey * 0.5, 32, Policy(colour=0, light=0), torch.Generator().manual_seed(0))
        torch.testing.assert_close(made[:, 0] / 4, made[:, 2], atol=1e-2, rtol=1e-3)

    def test_mixing_keeps_the_sum_of_targets(self) -> None:
        targets = torch.eye(4)
        _, mixed = mix(pictures(), targets, POLICIES["general"], torch.Generator().manual_seed(0))
        torch.testing.assert_close(mixed.sum(1), torch.ones(4))


class TestTune:
    def test_is_the_same_for_the_same_seed(self, tmp_path: Path) -> None:
        assert tuned(tmp_path)[0].to_bytes() == tuned(tmp_path)[0].to_bytes()

    def test_differs_for_another_seed(self, tmp_path: Path) -> None:
        assert tuned(tmp_path)[0].to_bytes() != tuned(tmp_path, seed=1)[0].to_bytes()

    def test_tells_how_far_it_is(self, tmp_path: Path) -> None:
        heard = tuned(tmp_path)[1]
        assert heard == pytest.approx(np.arange(len(heard)) / len(heard))
        assert len(heard) == SHORT.steps(24)

    def test_brings_the_tags_apart(self, tmp_path: Path) -> None:
        """Fitted anew on the tuned embeddings, a head finds it easier than before on pictures never seen."""
        network, _ = tuned(tmp_path, Schedule(epochs=30, fewest_steps=60))
        seen, fresh = tiny.Squares(12), tiny.Squares(100, seed=7)
        right: list[float] = []
        for each in (Network(tiny.backbone(tmp_path).path), network):
            vectors = [finetune.embed(each, squares.pixels(tiny.SIZE_PX)) for squares in (seen, fresh)]
            head = heads.fit(vectors[0], seen.targets, exclusive=True, seed=0).head
            right.append(float((head.probabilities(vectors[1]).argmax(1) == fresh.targets.argmax(1)).mean()))
        assert right[1] >= right[0] - 0.02
        assert right[1] > 0.8

    def test_leaves_the_first_layers_alone_where_told(self, tmp_path: Path) -> None:
        network, _ = tuned(tmp_path, Schedule(epochs=4, fewest_steps=20, trained_share=0.5))
        before = Network(tiny.backbone(tmp_path).path)
        same = [
            all(torch.equal(a, b) for a, b in zip(now, then, strict=True))
            for now, then in zip(network.layers(), before.layers(), strict=True)
        ]
        half = round(len(same) / 2)
        assert all(same[:half])
        assert not any(same[half:-8])  # behind them stand the centres and bases of the embedding's four parts

    def test_sees_so_many_images_and_no_more(self) -> None:
        schedule = Schedule(epochs=10, fewest_steps=5, most_images=3200)
        assert schedule.steps(64) == 20
        assert schedule.steps(10_000) == 100
        assert schedule.steps(8) == 10
