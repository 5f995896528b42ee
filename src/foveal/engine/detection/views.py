"""Random views of photos with boxes: parts of one to nine photos side by side, mirrored, in other light."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Boxes = NDArray[np.float32]  # (m, 4): x1, y1, x2, y2
SPARSE = 8  # one pixel in so many tells how bright a picture is
SMALLEST_PX = 3.0  # side of a box that is still shown as an object


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture (h, w, 3), RGB, with the boxes (m, 4) of its objects in pixels and their tags (m,)."""

    pixels: NDArray[np.uint8]
    boxes: Boxes
    tags: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Policy:
    """How far views are changed. Shares are 0..1."""

    tiles: tuple[float, ...] = (0.5, 0.4, 0.1)  # the chances of one photo, of two by two and of three by three
    smallest_area: float = 0.3  # of a photo that a view or tile still shows
    aspect: float = 0.75  # of the change of shape, at the least; at the most its inverse
    flip: bool = True
    turned: float = 0.0  # the chance of quarter turns
    light: float = 0.25  # of brightness and contrast
    colour: float = 0.25  # of saturation
    kept: float = 0.3  # of an object that must be seen for its box to stay


def view(scenes: Sequence[Scene], at: int, size_px: int, policy: Policy, rng: np.random.Generator) -> Scene:
    """Make a square view of a scene, and of random others where several stand side by side."""
    side = 1 + int(rng.choice(len(policy.tiles), p=policy.tiles))
    across, down = _lines(side, size_px, rng), _lines(side, size_px, rng)
    others = iter(rng.permutation([at, *rng.integers(len(scenes), size=side * side - 1).tolist()]).tolist())
    canvas = np.empty((size_px, size_px, 3), np.uint8)
    boxes, tags = list[Boxes](), list[NDArray[np.intp]]()
    for top, bottom in pairwise(down):
        for left, right in pairwise(across):
            part = _part(scenes[next(others)], right - left, bottom - top, policy, rng)
            canvas[top:bottom, left:right] = part.pixels
            boxes.append(part.boxes + np.array([left, top, left, top], np.float32))
            tags.append(part.tags)
    return Scene(_lit(canvas, policy, rng), np.concatenate(boxes), np.concatenate(tags))


def whole(scene: Scene, size_px: int) -> Scene:
    """The scene stretched to a square."""
    height, width = scene.pixels.shape[:2]
    pixels = Image.fromarray(scene.pixels).resize((size_px, size_px), Image.Resampling.BILINEAR, reducing_gap=2.0)
    scale = np.array([size_px / width, size_px / height] * 2, np.float32)
    return Scene(np.asarray(pixels), scene.boxes * scale, scene.tags)


def _lines(count: int, size_px: int, rng: np.random.Generator) -> list[int]:
    """Where tiles begin and end, none narrower than half of its share."""
    inner = (np.arange(1, count) + rng.uniform(-0.25, 0.25, count - 1)) * size_px / count
    return [0, *inner.round().astype(int).tolist(), size_px]


def _part(scene: Scene, width: int, height: int, policy: Policy, rng: np.random.Generator) -> Scene:
    """A random window of the scene, stretched to so many pixels."""
    quarters = int(rng.integers(1, 4)) if rng.random() < policy.turned else 0
    if quarters % 2:
        width, height = height, width
    full_height, full_width = scene.pixels.shape[:2]
    area, bend = rng.uniform(policy.smallest_area, 1), policy.aspect ** (rng.uniform(-1, 1) / 2)
    share_x, share_y = min(1.0, area**0.5 * bend), min(1.0, area**0.5 / bend)
    left, top = rng.uniform(0, 1 - share_x) * full_width, rng.uniform(0, 1 - share_y) * full_height
    window = (left, top, left + share_x * full_width, top + share_y * full_height)
    image = Image.fromarray(scene.pixels).resize((width, height), Image.Resampling.BILINEAR, window, 2.0)
    moved = (scene.boxes - np.array([left, top] * 2)) * ([width / (window[2] - left), height / (window[3] - top)] * 2)
    pixels = np.asarray(image)
    if policy.flip and rng.random() < 0.5:  # noqa: PLR2004  # every other one
        pixels, moved[:, [0, 2]] = pixels[:, ::-1], width - moved[:, [2, 0]]
    for _ in range(quarters):
        pixels, moved = _turned(pixels, moved)
    clipped = moved.clip(0, [pixels.shape[1], pixels.shape[0]] * 2)
    sides = clipped[:, 2:] - clipped[:, :2]
    seen = sides.prod(1) >= policy.kept * (moved[:, 2:] - moved[:, :2]).prod(1)
    stays = seen & (sides.min(1, initial=np.inf) >= SMALLEST_PX)
    return Scene(pixels, clipped[stays].astype(np.float32), scene.tags[stays])


def _turned(pixels: NDArray[np.uint8], boxes: Boxes) -> tuple[NDArray[np.uint8], Boxes]:
    """A quarter turn to the left."""
    width = pixels.shape[1]
    return np.rot90(pixels), np.stack([boxes[:, 1], width - boxes[:, 2], boxes[:, 3], width - boxes[:, 0]], 1)


def _lit(canvas: NDArray[np.uint8], policy: Policy, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The same in other light: colours towards or away from grey, then brightness and contrast by a table."""
    bright, contrast = 1 + policy.light * rng.uniform(-1, 1, 2)
    vivid = 1 + policy.colour * rng.uniform(-1, 1)
    image = Image.fromarray(canvas)
    coloured = Image.blend(image.convert("L").convert("RGB"), image, vivid)
    middle = float(canvas[::SPARSE, ::SPARSE].mean()) * bright
    levels = ((np.arange(256) * bright - middle) * contrast + middle).clip(0, 255).round().astype(int).tolist()
    return np.asarray(coloured.point(levels * 3))
