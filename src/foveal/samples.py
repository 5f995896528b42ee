"""Sample photos of machined metal parts, good and scratched, drawn here: for the demo and for tests.

The drawing knows little about optics, and just enough about workshops: a part lies on a bench, light falls from one
side, a hand-held camera looks down. Same seed, same pictures.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from typing import Any, Final, TypeVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Plane = NDArray[np.floating[Any]]
Path = list[tuple[float, float]]
T = TypeVar("T")

TAGS: Final = ("good", "scratched")
JPEG_QUALITY: Final = 90
SUPERSAMPLING: Final = 3
ON_METAL: Final = 0.8

WOODS: Final = ((1.0, 0.74, 0.5), (1.25, 1.0, 0.74), (0.7, 0.48, 0.34))
# Colour of steel, brass and blackened steel in linear-looking RGB.
METALS: Final = ((0.66, 0.68, 0.71), (0.64, 0.63, 0.62), (0.70, 0.61, 0.42), (0.42, 0.44, 0.47))


@dataclass(frozen=True, slots=True)
class View:
    """Where the camera stands: `x` and `y` are coordinates on the part, whose radius is 1; `pixel` is their step."""

    x: Plane
    y: Plane
    pixel: float
    to_image: NDArray[np.float64]

    @property
    def size(self) -> tuple[int, int]:
        return self.x.shape[1], self.x.shape[0]


@dataclass(frozen=True, slots=True)
class Light:
    """Where the light comes from (seen in the image) and its colour."""

    x: float
    y: float
    height: float
    colour: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Product:
    """What a line makes: parts of one shape, finish and metal. How they lie, are lit and photographed varies."""

    shape: Callable[[View, Generator], Plane]
    finish: Callable[[View, Light, Generator], Plane]
    metal: tuple[float, float, float]


def product(rng: Generator) -> Product:
    return Product(_pick(rng, SHAPES), _pick(rng, FINISHES), _pick(rng, METALS))


def draw(tag: str, rng: Generator, size: tuple[int, int] = (320, 240), *, part: Product | None = None) -> bytes:
    """Draw one photo of a part (any product where none is given), as JPEG; `size` is width and height."""
    if tag not in TAGS:
        raise ValueError(f"There are no sample photos of {tag!r}; expected one of {', '.join(TAGS)}.")
    part = part or product(rng)
    view, light = _view(rng, size), _light(rng)
    shape = part.shape(view, rng)
    metal = _metal(part, view, shape, light, rng)
    if tag == "scratched":
        metal = _scratched(metal, view, shape, light, rng)
    ground = _pick(rng, GROUNDS)(view.size, rng) * _shade(view, shape, light)[..., None]
    inside = _step(-shape / view.pixel)[..., None]
    return _photographed(ground * (1 - inside) + metal * inside, light, rng)


def dataset(seed: int, per_tag: int) -> dict[str, list[bytes]]:
    """Draw `per_tag` photos of one product for each tag, as an inspector would take them."""
    rng = np.random.default_rng(seed)
    part = product(rng)
    return {tag: [draw(tag, rng, part=part) for _ in range(per_tag)] for tag in TAGS}


def _pick(rng: Generator, choices: tuple[T, ...]) -> T:
    return choices[int(rng.integers(len(choices)))]


# Camera and light


def _view(rng: Generator, size: tuple[int, int]) -> View:
    """Look down at the part: turned, a little tilted, near or far, not quite in the middle."""
    width, height = size
    radius = min(size) * rng.uniform(0.38, 0.49)
    turn, lean, tilt = rng.uniform(0, 2 * math.pi), rng.uniform(0, math.pi), rng.uniform(0.82, 1.0)
    squash = _rotation(lean) @ np.diag([1.0, tilt]) @ _rotation(-lean)
    to_image = np.eye(3)
    to_image[:2, :2] = radius * squash @ _rotation(turn)
    room = np.maximum(np.array(size) / 2 - radius * 0.98, 0)
    to_image[:2, 2] = np.array(size) / 2 + room * rng.uniform(-1, 1, 2)
    back = np.linalg.inv(to_image).astype(np.float32)
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32) + 0.5, np.arange(height, dtype=np.float32) + 0.5)
    x = back[0, 0] * columns + back[0, 1] * rows + back[0, 2]
    y = back[1, 0] * columns + back[1, 1] * rows + back[1, 2]
    return View(x, y, float(1 / (radius * math.sqrt(tilt))), to_image)


def _rotation(angle: float) -> NDArray[np.float64]:
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def _light(rng: Generator) -> Light:
    angle, warmth = rng.uniform(0, 2 * math.pi), rng.uniform(-1, 1)
    colour = np.array([1 + 0.09 * warmth, 1.0, 1 - 0.12 * warmth]) * rng.uniform(0.82, 1.12)
    return Light(math.cos(angle), math.sin(angle), rng.uniform(0.7, 1.3), colour.astype(np.float32))


# Shapes: signed distance to the outline, negative in the metal


def _washer(view: View, rng: Generator) -> Plane:
    middle = np.hypot(view.x, view.y)
    return np.maximum(middle - 1, rng.uniform(0.34, 0.5) - middle)


def _flange(view: View, rng: Generator) -> Plane:
    outline = _washer(view, rng)
    count = int(rng.integers(4, 9))
    return np.maximum(outline, _bores(view, count, 0.75, rng.uniform(0.07, 0.1)))


def _gear(view: View, rng: Generator) -> Plane:
    middle = np.hypot(view.x, view.y)
    teeth = int(rng.integers(14, 25))
    wave = np.sin(teeth * np.arctan2(view.y, view.x)) * 2.2
    outline = middle - 0.95 - 0.05 * np.tanh(wave).astype(np.float32)
    return np.maximum(outline, rng.uniform(0.2, 0.32) - middle)


def _plate(view: View, rng: Generator) -> Plane:
    half, corner = 0.62, rng.uniform(0.08, 0.25)
    x, y = np.abs(view.x) - half, np.abs(view.y) - half * rng.uniform(0.8, 1.0)
    outline = np.hypot(np.maximum(x, 0), np.maximum(y, 0)) + np.minimum(np.maximum(x, y), 0) - corner
    hub = rng.uniform(0.16, 0.26) - np.hypot(view.x, view.y)
    return np.maximum(np.maximum(outline, hub), _bores(view, 4, 0.78, rng.uniform(0.07, 0.1), math.pi / 4))


def _bores(view: View, count: int, distance: float, radius: float, first: float = 0.0) -> Plane:
    """Round holes on a circle; only the nearest one matters, so the plane is folded onto it."""
    step = 2 * math.pi / count
    angle = (np.arctan2(view.y, view.x) - first + step / 2) % step - step / 2
    reach = np.hypot(view.x, view.y)
    return radius - np.hypot(reach * np.cos(angle) - distance, reach * np.sin(angle))


SHAPES: Final[tuple[Callable[[View, Generator], Plane], ...]] = (_washer, _flange, _gear, _plate)


# Surfaces


def _metal(part: Product, view: View, shape: Plane, light: Light, rng: Generator) -> Plane:
    """Shade a turned or brushed face with a chamfer along its edges."""
    face = part.finish(view, light, rng)
    tone = face + 0.05 * _cloud(view.size, 40, rng) + _chamfer(shape, view.pixel, light)
    return np.clip(tone, 0.05, 1.4)[..., None] * np.array(part.metal, np.float32)


def _turned(view: View, light: Light, rng: Generator) -> Plane:
    """Grooves around the middle throw the light into a bow tie."""
    angle, reach = np.arctan2(view.y, view.x), np.hypot(view.x, view.y)
    toward = np.linalg.solve(view.to_image[:2, :2], np.array([light.x, light.y]))
    glint = np.cos(angle - math.atan2(toward[1], toward[0])) ** 2
    grooves = np.interp(reach, np.linspace(0, 1.6, 160), rng.normal(0, 1, 160)).astype(np.float32)
    return 0.72 + 0.38 * glint**4 + (0.03 + 0.05 * glint) * grooves


def _brushed(view: View, light: Light, rng: Generator) -> Plane:
    """Straight strokes, and one soft reflection of a lamp across them."""
    strokes = _streaks(view.size, rng)
    middle = rng.uniform(-0.4, 0.4)
    along = view.x * light.x + view.y * light.y - middle
    return 0.78 + 0.28 * np.exp(-((along / 0.45) ** 2)) + 0.045 * strokes


FINISHES: Final = (_turned, _turned, _brushed)


def _chamfer(shape: Plane, pixel: float, light: Light) -> Plane:
    """Brighten edges that face the light, darken the others."""
    down, right = np.gradient(shape)
    steep = np.hypot(down, right) + 1e-6
    facing = (right * light.x + down * light.y) / steep
    return 0.45 * facing * np.exp(-(((shape / pixel + 2.5) / 1.8) ** 2))


def _scratched(metal: Plane, view: View, shape: Plane, light: Light, rng: Generator) -> Plane:
    """Cut two to five scratches: a dark groove, a bright burr on the side that catches the light."""
    for _ in range(int(rng.integers(2, 6))):
        groove = _groove(view, shape, rng)
        burr = np.roll(groove, (round(-1.6 * light.y), round(-1.6 * light.x)), (0, 1))
        depth = rng.uniform(0.5, 0.8)
        metal = metal * (1 - depth * groove)[..., None] + 0.75 * (np.clip(burr - groove, 0, 1))[..., None]
    return metal


def _groove(view: View, shape: Plane, rng: Generator) -> Plane:
    """Draw a scratch that lies on metal for most of its way."""
    face = shape < -2 * view.pixel
    best, best_share = np.zeros_like(shape), 0.0
    for _ in range(12):
        drawn = _drawn(_wander(rng), view, rng)
        share = float((drawn * face).sum() / (drawn.sum() + 1))
        if share > best_share:
            best, best_share = drawn * face, share
        if share > ON_METAL:
            break
    return best


def _wander(rng: Generator) -> Path:
    """Walk over the part: nearly straight, with a trembling hand."""
    reach, angle = math.sqrt(rng.uniform(0.15, 0.7)), rng.uniform(0, 2 * math.pi)
    at = np.array([reach * math.cos(angle), reach * math.sin(angle)])
    heading, bend = rng.uniform(0, 2 * math.pi), rng.normal(0, 0.07)
    path: Path = []
    for _ in range(int(rng.integers(10, 20))):
        path.append((float(at[0]), float(at[1])))
        heading += bend + rng.normal(0, 0.1)
        at = at + 0.06 * np.array([math.cos(heading), math.sin(heading)])
    return path


def _drawn(path: Path, view: View, rng: Generator) -> Plane:
    """Rasterise `path`, thin at both ends, thicker between, with a few gaps."""
    canvas = Image.new("L", (view.size[0] * SUPERSAMPLING, view.size[1] * SUPERSAMPLING))
    pen = ImageDraw.Draw(canvas)
    points = np.array([(x, y, 1.0) for x, y in path]) @ view.to_image.T * SUPERSAMPLING
    weight = rng.uniform(0.025, 0.05) / view.pixel * SUPERSAMPLING
    for number, (start, end) in enumerate(pairwise(points)):
        swell = math.sin(math.pi * (number + 1) / len(points)) ** 0.6
        ink = round(255 * rng.uniform(0.75, 1.0))
        pen.line(
            [start[0], start[1], end[0], end[1]], fill=ink, width=max(2, round(weight * swell * rng.uniform(0.7, 1.2)))
        )
    small = canvas.reduce(SUPERSAMPLING)
    return np.asarray(small, np.float32) / 255


# Grounds


def _wood(size: tuple[int, int], rng: Generator) -> Plane:
    grain = _streaks(size, rng)
    waves = np.sin(9 * _cloud(size, 90, rng) + 2 * grain)
    tone = 0.52 + 0.06 * grain + 0.035 * waves + 0.05 * _cloud(size, 60, rng)
    return tone[..., None] * np.array(_pick(rng, WOODS), np.float32)


def _cloth(size: tuple[int, int], rng: Generator) -> Plane:
    columns, rows = np.meshgrid(np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32))
    thread = rng.uniform(1.3, 1.9)
    weave = np.sin(columns * thread) * np.sin(rows * thread) + 0.4 * rng.standard_normal(columns.shape, np.float32)
    tone = 0.42 + 0.035 * weave + 0.045 * _cloud(size, 110, rng)
    dye = _pick(rng, ((0.55, 0.72, 1.0), (0.75, 0.95, 0.8), (1.0, 0.95, 0.86), (0.95, 0.6, 0.55)))
    return tone[..., None] * np.array(dye, np.float32)


def _conveyor(size: tuple[int, int], rng: Generator) -> Plane:
    columns, rows = np.meshgrid(np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32))
    angle = rng.uniform(0, math.pi)
    across = columns * math.cos(angle) + rows * math.sin(angle)
    pitch, phase = rng.uniform(26, 44), rng.uniform(0, 40)
    ribs = np.exp(-((((across + phase) % pitch - pitch / 2) / 2.2) ** 2))
    dust = rng.standard_normal((size[1], size[0]), np.float32)
    tone = 0.2 + 0.09 * ribs + 0.025 * dust + 0.03 * _cloud(size, 50, rng)
    return tone[..., None] * np.array([0.95, 1.0, 1.03], np.float32)


GROUNDS: Final[tuple[Callable[[tuple[int, int], Generator], Plane], ...]] = (_wood, _cloth, _conveyor)


def _shade(view: View, shape: Plane, light: Light) -> Plane:
    """Darken the ground where the part keeps the light away: a cast shadow, and a soft one all around."""
    solid = Image.fromarray((255 * _step(-shape / view.pixel)).astype(np.uint8))
    reach = 0.09 / view.pixel / light.height
    moved = solid.transform(
        solid.size, Image.Transform.AFFINE, (1, 0, light.x * reach, 0, 1, light.y * reach), Image.Resampling.BILINEAR
    )
    cast = np.asarray(moved.filter(ImageFilter.GaussianBlur(reach / 3)), np.float32) / 255
    near = np.asarray(solid.filter(ImageFilter.GaussianBlur(5)), np.float32) / 255
    return (1 - 0.5 * cast) * (1 - 0.3 * near)


# The photograph


def _photographed(scene: Plane, light: Light, rng: Generator) -> bytes:
    """Add what lamp, lens and sensor add, and save."""
    height, width = scene.shape[:2]
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    falloff = 1 + 0.16 * (columns * light.x + rows * light.y) - 0.09 * (columns**2 + rows**2)
    exposed = np.clip(scene * falloff[..., None] * light.colour, 0, None)
    exposed = exposed / (1 + 0.22 * exposed**3)
    image = Image.fromarray((255 * np.clip(exposed, 0, 1)).astype(np.uint8))
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(rng.uniform(0.35, 0.8))), np.float32)
    noisy = soft + rng.uniform(1.5, 4) * rng.standard_normal(soft.shape, np.float32)
    out = BytesIO()
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()


# Noise


def _cloud(size: tuple[int, int], cell: int, rng: Generator) -> Plane:
    """Soft blotches of about `cell` pixels."""
    coarse = rng.standard_normal((size[1] // cell + 3, size[0] // cell + 3), np.float32)
    return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))


def _streaks(size: tuple[int, int], rng: Generator) -> Plane:
    """Long fine lines, side by side, at any angle."""
    side = math.ceil(math.hypot(*size))
    coarse = rng.standard_normal((side, side // 50 + 3), np.float32)
    lines = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
    turned = np.asarray(lines.rotate(rng.uniform(0, 180), Image.Resampling.BILINEAR))
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    return turned[top : top + size[1], left : left + size[0]]


def _step(pixels: Plane) -> Plane:
    """Turn a distance in pixels into coverage, smooth over one pixel."""
    return np.clip(pixels + 0.5, 0, 1)
