"""Procedural images: textures, cells, patterns, fractals, shaded solids, drawn shapes, text and layouts.

`image(rng, size)` composes one picture; every choice comes from the generator it is given.
"""

from collections.abc import Callable, Sequence
from string import ascii_letters, digits
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

Field = NDArray[np.float32]  # (s, s), about 0..1
Picture = NDArray[np.float32]  # (s, s, 3), 0..1
Maker = TypeVar("Maker")

OFTEN, SELDOM, RARELY = 0.5, 0.25, 0.2
CHARACTERS = ascii_letters + digits + "+-*/=?!&%$#@"
FRACTAL_POINTS = 400
FRACTAL_STEPS = 60


def pool(count: int, size: int, seed: int) -> NDArray[np.uint8]:
    """Make `count` pictures (count, size, size, 3); picture i depends on the seed and i alone."""
    made = np.empty((count, size, size, 3), np.uint8)
    for index in range(count):
        made[index] = np.clip(image(np.random.default_rng((seed, index)), size) * 255, 0, 255).astype(np.uint8)
    return made


def image(rng: np.random.Generator, size: int) -> Picture:
    """One picture: a background, and in most cases objects upon it, now and then slightly out of focus."""
    picture = coloured(rng, _pick(rng, FIELDS)(rng, size))
    for _ in range(int(rng.choice([0, 1, 1, 2, 3]))):
        picture = _pick(rng, OVERLAYS)(rng, picture)
    if rng.random() < RARELY:
        picture = ndimage.gaussian_filter(picture, (rng.uniform(0.5, 1.5),) * 2 + (0,))
    return np.clip(picture, 0, 1).astype(np.float32)


def coloured(rng: np.random.Generator, field: Field) -> Picture:
    """Map a field through a random palette of two to five colours, with a little independent grain."""
    stops = int(rng.integers(2, 6))
    base, spread = rng.uniform(0, 1, 3), rng.choice([0.25, 0.6, 1.0])
    colours = np.clip(base + spread * (rng.uniform(0, 1, (stops, 3)) - 0.5), 0, 1)
    places = np.sort(rng.uniform(0, 1, stops))
    channels = [np.interp(field, places, colours[:, channel]) for channel in range(3)]
    grain = rng.normal(0, rng.choice([0, 0.01, 0.04]), field.shape)
    return (np.stack(channels, -1) + grain[..., None]).astype(np.float32)


def clouds(rng: np.random.Generator, size: int) -> Field:
    """Noise with a power-law spectrum, stretched along one direction, now and then folded or cut into levels."""
    y, x = np.meshgrid(np.fft.fftfreq(size), np.fft.rfftfreq(size), indexing="ij")
    angle, stretch = rng.uniform(0, np.pi), rng.choice([1.0, 1.0, 2.0, 6.0])
    across, along = x * np.cos(angle) + y * np.sin(angle), (y * np.cos(angle) - x * np.sin(angle)) * stretch
    power = np.maximum(np.hypot(across, along), 1 / size) ** -rng.uniform(0.5, 2.2)
    noise = np.fft.irfft2(power * np.fft.rfft2(rng.normal(size=(size, size))), (size, size))
    field = _unit(noise)
    if rng.random() < SELDOM:
        field = np.abs(2 * field - 1)
    if rng.random() < SELDOM:
        field = np.floor(field * rng.integers(2, 6)) / 4
    return field.astype(np.float32)


def waves(rng: np.random.Generator, size: int) -> Field:
    """Stripes, checks, dots or rings, bent by smooth noise."""
    x, y = _warped_grid(rng, size)
    frequency = rng.uniform(3, 24) * np.pi
    first, second = np.sin(frequency * x), np.sin(frequency * rng.choice([1.0, 1.0, 0.5, 2.0]) * y)
    radius = np.hypot(x - rng.uniform(-0.5, 0.5), y - rng.uniform(-0.5, 0.5))
    field = [first, first * second, first + second, np.sin(frequency * radius)][int(rng.integers(4))]
    if rng.random() < OFTEN:
        field = np.tanh(field * rng.uniform(2, 20))
    return _unit(field)


def cells(rng: np.random.Generator, size: int) -> Field:
    """Voronoi cells: their distance, border or flat shade; scales, cracks and cobbles come out of it."""
    x, y = _warped_grid(rng, size)
    count = int(rng.integers(6, 60))
    centres = rng.uniform(-1, 1, (count, 2)).astype(np.float32)
    distance = np.hypot(x[..., None] - centres[:, 0], y[..., None] - centres[:, 1])
    nearest = np.partition(distance, 1, axis=-1)[..., :2]
    kind = rng.integers(3)
    if kind == 0:
        return _unit(nearest[..., 0])
    if kind == 1:
        return np.clip((nearest[..., 1] - nearest[..., 0]) * rng.uniform(3, 20), 0, 1).astype(np.float32)
    return rng.uniform(0, 1, count).astype(np.float32)[distance.argmin(-1)]


def gradient(rng: np.random.Generator, size: int) -> Field:
    """A smooth ramp or a few soft blobs."""
    x, y = _grid(size)
    if rng.random() < OFTEN:
        return _unit(x * rng.normal() + y * rng.normal() + rng.normal() * 0.5 * x * y)
    spots = rng.uniform(-1, 1, (int(rng.integers(1, 6)), 2))
    return _unit(sum(np.exp(-((x - a) ** 2 + (y - b) ** 2) / rng.uniform(0.02, 0.5)) for a, b in spots) + 0 * x)


def fractal(rng: np.random.Generator, size: int) -> Field:
    """The attractor of a few random contractions (after FractalDB, Kataoka et al. 2020), by the chaos game."""
    count = int(rng.integers(2, 6))
    maps = rng.uniform(-1, 1, (count, 2, 2))
    maps *= (rng.uniform(0.4, 0.9, count) / np.linalg.norm(maps, 2, axis=(1, 2)))[:, None, None]
    shifts = rng.uniform(-1, 1, (count, 2))
    points, seen = np.zeros((FRACTAL_POINTS, 2)), []
    for _ in range(FRACTAL_STEPS):
        chosen = rng.integers(count, size=FRACTAL_POINTS)
        points = np.einsum("nij,nj->ni", maps[chosen], points) + shifts[chosen]
        seen.append(points)
    cloud = np.concatenate(seen[5:])
    low, high = np.percentile(cloud, [1, 99], axis=0)
    spot = np.clip((cloud - low) / (high - low + 1e-6) * (size - 1), 0, size - 1).astype(int)
    density = np.bincount(spot[:, 1] * size + spot[:, 0], minlength=size * size).reshape(size, size)
    return _unit(np.log1p(ndimage.gaussian_filter(density.astype(np.float32), 0.6) * 4))


def solid(rng: np.random.Generator, picture: Picture) -> Picture:
    """One to five textured ellipsoids, joined, lit from one side, with a soft shadow under them."""
    size = len(picture)
    height = np.full((size, size), -1.0, np.float32)
    centre = rng.uniform(-0.4, 0.4, 2)
    for _ in range(int(rng.integers(1, 6))):
        u, v = _turned(rng, size, centre + rng.normal(0, 0.25, 2))
        a, b = rng.uniform(0.12, 0.6, 2)
        power = rng.choice([2.0, 2.0, 4.0])
        lift = 1 - np.abs(u / a) ** power - np.abs(v / b) ** power
        height = np.maximum(height, np.sqrt(np.clip(lift, 0, None)) * min(a, b) - (lift < 0))
    mask = height > 0
    skin = coloured(rng, _pick(rng, FIELDS)(rng, size)) * _light(rng, height, mask)[..., None]
    shade = ndimage.gaussian_filter(np.roll(mask, tuple(rng.integers(1, 9, 2)), (0, 1)).astype(np.float32), 4)
    dim = (1 - rng.uniform(0, 0.7) * shade)[..., None]
    return _over((picture * dim).astype(np.float32), skin, mask)


def shapes(rng: np.random.Generator, picture: Picture) -> Picture:
    """Polygons, discs, stars and bars, each filled with its own texture."""
    size = len(picture)
    for _ in range(int(rng.integers(1, 5))):
        corners = int(rng.choice([3, 4, 5, 6, 8, 12, 40]))
        turn = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.uniform(0, np.pi)
        radius = rng.uniform(0.08, 0.45) * np.where(np.arange(corners) % 2, rng.uniform(0.4, 1), 1)
        aspect = rng.uniform(0.2, 1)
        spot = rng.uniform(0.15, 0.85, 2)
        points = np.stack([spot[0] + radius * np.cos(turn), spot[1] + aspect * radius * np.sin(turn)], -1) * size
        mask = _drawn(size, lambda pen, points=points: pen.polygon([tuple(p) for p in points.tolist()], fill=255))
        picture = _over(picture, coloured(rng, _pick(rng, FIELDS)(rng, size)), mask)
    return picture


def strokes(rng: np.random.Generator, picture: Picture) -> Picture:
    """Random walks drawn as lines: branches, wires, scratches, hair."""
    size = len(picture)
    count, width, bend = int(rng.integers(1, 25)), int(rng.integers(1, 6)), rng.uniform(0, 0.6)

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for _ in range(count):
            turns = np.cumsum(rng.normal(0, bend, 16)) + rng.uniform(0, 2 * np.pi)
            steps = np.stack([np.cos(turns), np.sin(turns)], -1) * rng.uniform(1, 10)
            path = rng.uniform(0, size, 2) + np.cumsum(steps, 0)
            pen.line([tuple(p) for p in path.tolist()], fill=255, width=width)

    return _over(picture, coloured(rng, clouds(rng, size)), _drawn(size, draw))


def text(rng: np.random.Generator, picture: Picture) -> Picture:
    """One large character or lines of small ones."""
    size = len(picture)
    height = int(rng.choice([rng.integers(9, 20), rng.integers(size // 3, size)]))
    length = max(1, int(size / height * rng.uniform(0.5, 2)))
    lines = ["".join(rng.choice(list(CHARACTERS), length)) for _ in range(max(1, int(size / height * rng.random())))]
    place = tuple(rng.uniform(0, size * 0.4, 2).tolist())
    font = ImageFont.load_default(height)
    mask = _drawn(size, lambda pen: pen.multiline_text(place, "\n".join(lines), fill=255, font=font))
    return _over(picture, coloured(rng, gradient(rng, size)), mask)


def layout(rng: np.random.Generator, picture: Picture) -> Picture:
    """Recursively split rectangles: facades, shelves, pages, boards."""
    size = len(picture)
    picture = picture.copy()
    boxes = [(0, 0, size, size)]
    for _ in range(int(rng.integers(2, 30))):
        x0, y0, x1, y1 = boxes.pop(int(rng.integers(len(boxes))))
        if rng.random() < OFTEN:
            cut = int(x0 + (x1 - x0) * rng.uniform(0.2, 0.8))
            boxes += [(x0, y0, cut, y1), (cut, y0, x1, y1)]
        else:
            cut = int(y0 + (y1 - y0) * rng.uniform(0.2, 0.8))
            boxes += [(x0, y0, x1, cut), (x0, cut, x1, y1)]
    margin, strength = int(rng.integers(0, 4)), rng.uniform(0.3, 1)
    for x0, y0, x1, y1 in boxes:
        area = picture[y0 + margin : y1 - margin, x0 + margin : x1 - margin]
        area *= 1 - strength
        area += strength * rng.uniform(0, 1, 3).astype(np.float32)
    return picture


FIELDS: tuple[Callable[[np.random.Generator, int], Field], ...] = (clouds, clouds, waves, cells, gradient, fractal)
OVERLAYS: tuple[Callable[[np.random.Generator, Picture], Picture], ...] = (
    *(solid, solid, solid, shapes, shapes),
    *(strokes, text, layout),
)


def _pick(rng: np.random.Generator, table: Sequence[Maker]) -> Maker:
    return table[int(rng.integers(len(table)))]


def _grid(size: int) -> tuple[Field, Field]:
    line = np.linspace(-1, 1, size, dtype=np.float32)
    x, y = np.meshgrid(line, line)
    return x, y


def _warped_grid(rng: np.random.Generator, size: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    x, y = _grid(size)
    angle, bend = rng.uniform(0, np.pi), rng.choice([0.0, 0.0, 0.05, 0.2])
    if bend:
        coarse = rng.normal(0, bend, (2, 6, 6))
        push = np.asarray(ndimage.zoom(coarse, (1, size / 6, size / 6), order=1), np.float64)
        x, y = x + push[0], y + push[1]
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def _turned(rng: np.random.Generator, size: int, centre: NDArray[np.float64]) -> tuple[Field, Field]:
    x, y = _grid(size)
    angle = rng.uniform(0, np.pi)
    x, y = x - centre[0], y - centre[1]
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def _light(rng: np.random.Generator, height: Field, mask: NDArray[np.bool_]) -> Field:
    """Lambert shading with an ambient part and, on some, a highlight."""
    gy, gx = np.gradient(ndimage.gaussian_filter(np.where(mask, height, 0), 1.0) * len(height) / 2)
    normal = np.stack([-gx, -gy, np.ones_like(gx)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    direction = np.append(rng.normal(0, 0.7, 2), 1.0)
    shine = np.clip(normal @ (direction / np.linalg.norm(direction)), 0, 1)
    ambient = rng.uniform(0.1, 0.5)
    return (ambient + (1 - ambient) * shine + rng.choice([0, 0, 0.8]) * shine**30).astype(np.float32)


def _drawn(size: int, draw: Callable[[ImageDraw.ImageDraw], None]) -> NDArray[np.bool_]:
    canvas = Image.new("L", (size, size))
    draw(ImageDraw.Draw(canvas))
    return np.asarray(canvas) > 127  # noqa: PLR2004 - half of the pixel's range


def _over(picture: Picture, top: Picture, mask: NDArray[np.bool_]) -> Picture:
    return np.where(mask[..., None], top, picture).astype(np.float32)


def _unit(field: NDArray[np.floating]) -> Field:
    low, high = float(field.min()), float(field.max())
    return ((field - low) / (high - low + 1e-6)).astype(np.float32)
