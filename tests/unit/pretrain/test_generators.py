"""Generated pictures: a function of their seed, all different, none of them empty."""

from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch", reason="the recipe needs torch")

import numpy as np  # noqa: E402
from pretrain import generators  # noqa: E402
from pretrain.drawing import colours, paint, scenes, textures  # noqa: E402
from pretrain.drawing.forms import placed, spots  # noqa: E402
from pretrain.drawing.sheet import Sheet  # noqa: E402

SIZE = 48


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Thousands of small operations: on a busy machine, threads that wait for each other take ten times as long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def sheet() -> Sheet:
    return Sheet(8, SIZE, torch.Generator().manual_seed(3), torch.device("cpu"))


def made(seed: int, count: int = 12, size: int = SIZE) -> torch.Tensor:
    return generators.pictures(count, size, torch.Generator().manual_seed(seed))


class TestPictures:
    @pytest.mark.parametrize("size", [24, 37, SIZE])
    def test_are_colours_of_the_size_asked_for(self, size: int) -> None:
        pictures = made(0, size=size)
        assert pictures.shape == (12, 3, size, size)
        assert pictures.dtype == torch.float32
        assert 0 <= pictures.min() <= pictures.max() <= 1

    def test_are_a_function_of_the_seed(self) -> None:
        torch.testing.assert_close(made(1), made(1), rtol=0, atol=0)
        assert (made(1) != made(2)).any()

    def test_go_on_where_the_generator_stands(self) -> None:
        rng = torch.Generator().manual_seed(0)
        assert (generators.pictures(2, SIZE, rng) != generators.pictures(2, SIZE, rng)).any()

    def test_differ_within_a_batch(self) -> None:
        assert len({each.numpy().tobytes() for each in made(0, 40)}) == 40

    @pytest.mark.parametrize("seed", range(4))
    def test_are_hardly_ever_empty(self, seed: int) -> None:
        assert (made(seed, 40).std((2, 3)).amax(1) > 0.02).float().mean() > 0.9

    @pytest.mark.parametrize("count", [1, 2, 5])
    def test_may_be_few(self, count: int) -> None:
        assert all(len(made(seed, count)) == count for seed in range(5))


class TestPool:
    def test_batches_depend_on_the_seed_and_their_number_alone(self) -> None:
        few, more = generators.pool(70, 24, 5), generators.pool(generators.BATCH * 2, 24, 5)
        np.testing.assert_array_equal(few, more[:70])
        assert (few != generators.pool(70, 24, 6)).any()
        assert (more[: generators.BATCH] != more[generators.BATCH :]).any()

    def test_holds_bytes(self) -> None:
        pool = generators.pool(3, SIZE, 0)
        assert pool.shape == (3, SIZE, SIZE, 3)
        assert pool.dtype == np.uint8

    def test_may_be_empty(self) -> None:
        assert generators.pool(0, SIZE, 0).shape == (0, SIZE, SIZE, 3)


class TestKinds:
    @pytest.mark.parametrize("kind", generators.KINDS, ids=lambda kind: kind.name)
    def test_stand_out_from_the_ground(self, sheet: Sheet, kind: generators.Kind) -> None:
        place = placed(sheet, spots(sheet, torch.ones(8, 1, 1)), torch.zeros(8, 2), SIZE)
        [(layer, _)] = generators.objects(sheet, place, [kind], paint.lights(sheet))
        assert layer.colour.isfinite().all()
        assert 0 <= layer.alpha.min() <= layer.alpha.max() <= 1
        assert 0 <= layer.shadow.min() <= layer.shadow.max() <= 1
        assert (layer.alpha.amax((1, 2)) > 0.2).float().mean() > 0.7
        assert (layer.alpha.mean((1, 2)) < 0.95).all()

    def test_have_colours_that_exist(self) -> None:
        assert {family for kind in generators.KINDS for family in kind.families} <= set(colours.FAMILIES)

    @pytest.mark.parametrize("scene", [scene for scene, _ in scenes.SCENES], ids=lambda scene: scene.__name__)
    def test_scenes_vary(self, sheet: Sheet, scene: scenes.Scene) -> None:
        pictures = scene(sheet)
        assert pictures.shape == (8, 3, SIZE, SIZE)
        assert pictures.isfinite().all()
        assert (pictures.std((2, 3)).amax(1) > 0.005).float().mean() > 0.7

    @pytest.mark.parametrize("texture", [maker for maker, _ in textures.TEXTURES], ids=lambda maker: maker.__name__)
    def test_textures_vary(self, sheet: Sheet, texture: textures.Texture) -> None:
        field = texture(sheet, *textures.surface(sheet)).clamp(0, 1)
        assert field.shape == (8, SIZE, SIZE)
        assert field.isfinite().all()
        assert (field.std((1, 2)) > 0.01).float().mean() > 0.7


class TestBoxed:
    def test_lie_in_their_pictures_and_are_no_specks(self) -> None:
        pictures, boxes = generators.boxed(24, 96, torch.Generator().manual_seed(5))
        assert pictures.shape == (24, 3, 96, 96)
        assert len(boxes) == 24
        every = np.concatenate(boxes)
        assert len(every) >= 24
        assert every.min() >= 0
        assert every.max() <= 96
        assert (every[:, 2:] - every[:, :2]).min() >= generators.SMALLEST_PX

    def test_are_a_function_of_the_seed(self) -> None:
        first, second = (generators.boxed(8, 64, torch.Generator().manual_seed(5)) for _ in range(2))
        torch.testing.assert_close(first[0], second[0], rtol=0, atol=0)
        assert all((one == other).all() for one, other in zip(first[1], second[1], strict=True))

    def test_box_what_is_seen_of_an_object(self) -> None:
        under, over = torch.zeros(60, 60), torch.zeros(60, 60)
        under[2:40, 10:40] = 1
        over[20:55, 5:50] = 1  # hides all but 18 rows
        low, high = (generators.Laid(0, 0, 0, alpha, herd=False) for alpha in (under, over))
        assert generators.boxes([low, high], 60).tolist() == [[10, 2, 40, 20], [5, 20, 50, 55]]
        hidden = torch.zeros(60, 60)
        hidden[21:36, 10:25] = 1
        covered = generators.Laid(0, 0, 0, hidden, herd=False)
        assert generators.boxes([covered, high], 60).tolist() == [[5, 20, 50, 55]]

    def test_box_each_of_a_herd(self) -> None:
        herd = torch.zeros(40, 40)
        herd[2:18, 2:18] = 1
        herd[22:38, 20:36] = 1
        herd[0:3, 30:33] = 1  # a speck
        laid = generators.Laid(0, 10, 5, herd, herd=True)
        assert generators.boxes([laid], 60).tolist() == [[12, 7, 28, 23], [30, 27, 46, 43]]
