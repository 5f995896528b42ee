"""Views keep the boxes around what they were drawn around."""

import numpy as np
from numpy.typing import NDArray

from foveal.engine.detection import views
from foveal.engine.detection.views import Policy, Scene

RED, BLUE = (255, 0, 0), (0, 0, 255)
PLAIN = Policy(light=0, colour=0)
SIZE_PX = 96


def scene(colour: tuple[int, int, int], tag: int, box: tuple[int, int, int, int] = (40, 30, 100, 80)) -> Scene:
    """A coloured oblong on white, in a picture of 160 by 120 pixels."""
    pixels = np.full((120, 160, 3), 255, np.uint8)
    left, top, right, bottom = box
    pixels[top:bottom, left:right] = colour
    return Scene(pixels, np.array([box], np.float32), np.array([tag]))


def covered(pixels: NDArray[np.uint8], channel: int) -> NDArray[np.bool_]:
    """Where the oblong of that colour is: its channel stays, the other one is dark."""
    return (pixels[..., channel] > 128) & (pixels[..., 2 - channel] < 128)


class TestView:
    def test_boxes_what_is_seen_of_each_object(self) -> None:
        scenes = [scene(RED, 0), scene(BLUE, 1)]
        rng = np.random.default_rng(0)
        seen = 0
        for _ in range(60):
            shown = views.view(scenes, int(rng.integers(2)), SIZE_PX, PLAIN, rng)
            assert shown.pixels.shape == (SIZE_PX, SIZE_PX, 3)
            for box, tag in zip(shown.boxes.round().astype(int).tolist(), shown.tags.tolist(), strict=True):
                left, top, right, bottom = box
                assert 0 <= left < right <= SIZE_PX
                assert 0 <= top < bottom <= SIZE_PX
                mine = covered(shown.pixels, 2 * tag)
                inner = mine[top + 2 : bottom - 2, left + 2 : right - 2]
                assert inner.all()
                seen += 1
        assert seen > 60

    def test_is_the_same_for_the_same_seed(self) -> None:
        made = [views.view([scene(RED, 0)], 0, SIZE_PX, Policy(), np.random.default_rng(3)) for _ in range(2)]
        np.testing.assert_array_equal(made[0].pixels, made[1].pixels)
        np.testing.assert_array_equal(made[0].boxes, made[1].boxes)

    def test_drops_boxes_of_which_little_is_seen(self) -> None:
        rng = np.random.default_rng(0)
        strict = Policy(tiles=(1.0,), smallest_area=0.2, kept=0.9)
        loose = Policy(tiles=(1.0,), smallest_area=0.2, kept=0.1)
        kept = [
            sum(len(views.view([scene(RED, 0)], 0, SIZE_PX, policy, rng).tags) for _ in range(50))
            for policy in (strict, loose)
        ]
        assert kept[0] < kept[1]

    def test_takes_scenes_without_objects(self) -> None:
        empty = Scene(np.zeros((50, 50, 3), np.uint8), np.empty((0, 4), np.float32), np.empty(0, np.intp))
        shown = views.view([empty], 0, SIZE_PX, Policy(), np.random.default_rng(0))
        assert shown.boxes.shape == (0, 4)

    def test_leaves_the_photo_as_it_was(self) -> None:
        photo = scene(RED, 0)
        before = photo.boxes.copy()
        for seed in range(10):
            views.view([photo], 0, SIZE_PX, PLAIN, np.random.default_rng(seed))
        np.testing.assert_array_equal(photo.boxes, before)


class TestWhole:
    def test_stretches_picture_and_boxes(self) -> None:
        shown = views.whole(scene(RED, 0, (0, 0, 80, 60)), SIZE_PX)
        assert shown.boxes.tolist() == [[0, 0, 48, 48]]
        assert covered(shown.pixels, 0)[:46, :46].all()
        assert not covered(shown.pixels, 0)[50:, :].any()
