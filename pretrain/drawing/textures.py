"""Textures: fields of about 0..1 on coordinates that may be turned, bent or seen in perspective."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from pretrain.drawing.sheet import TABLE, Sheet, cell_index, cover, fraction, lookup, read, sample, smooth, turned, unit

Texture = Callable[[Sheet, Tensor, Tensor], Tensor]

STROKE_DOUBLINGS = 4
SCALE_RADIUS = 0.62


def mixed(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """Fill each picture with a texture of its own kind, (n, s, s)."""
    made = torch.empty((sheet.count, sheet.size, sheet.size), device=sheet.device)
    for maker, where in sheet.shares(TEXTURES):
        made[where] = maker(sheet.of(len(where)), x[where], y[where]).clamp(0, 1)
    return made


def surface(sheet: Sheet) -> tuple[Tensor, Tensor]:
    """Coordinates (n, s, s) of surfaces that are turned, and often tilted or bent."""
    x, y = sheet.grid()
    depth = 1 + sheet.chance(0.3) * (sheet.number(-0.5, 0.5) * x + sheet.number(-0.5, 0.5) * y)
    x, y = turned(x / depth, y / depth, sheet.number(0, math.pi) * sheet.chance(0.7))
    bend = sheet.choice((0.0, 0.0, 0.04, 0.1, 0.25))
    knots = sheet.normal(2, 7, 7) * bend[..., None]
    push = smooth(knots, sheet.size)
    return x + push[:, 0], y + push[:, 1]


def noise(sheet: Sheet, power: Tensor, stretch: float = 1) -> Tensor:
    """Noise whose amplitude falls with the given power (n, 1, 1) of the frequency; mean 0, deviation 1."""
    size = sheet.size
    across = torch.fft.rfftfreq(size, device=sheet.device) * stretch
    along = torch.fft.fftfreq(size, device=sheet.device)[:, None]
    frequency = torch.hypot(across, along).clamp(min=1 / size)
    return _spectral(sheet, torch.exp(-power * frequency.log()))


def ripples(sheet: Sheet, along: Tensor) -> Tensor:
    """Smooth noise of one dimension: a field of 0..1 that changes once per unit of `along`."""
    table, place = sheet.table(), along.floor()
    index = cell_index(place, 0)
    first, second = read(table, index), read(table.roll(-73, 1), index)
    part = along - place
    return first + (second - first) * part * part * (3 - 2 * part)


def plain(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """A ramp with a breath of grain."""
    ramp = 0.5 + 0.25 * (sheet.number(-1, 1) * x + sheet.number(-1, 1) * y + sheet.number(-1, 1) * x * y)
    return ramp + sheet.choice((0.0, 0.03, 0.1)) * sheet.normal(sheet.size, sheet.size)


def clouds(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """Noise with a power-law spectrum, now and then folded or cut into levels."""
    field = unit(sample(noise(sheet, sheet.number(0.6, 2.4))[:, None], x, y)[:, 0])
    field = torch.where(sheet.chance(0.25), (2 * field - 1).abs(), field)
    levels = sheet.choice((2.0, 3.0, 5.0))
    return torch.where(sheet.chance(0.2), (field * levels).floor() / (levels - 1), field)


def spots(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """Noise of one scale, cut sharply: the coats of animals, corals, labyrinths, rust."""
    across = torch.fft.rfftfreq(sheet.size, device=sheet.device)
    along = torch.fft.fftfreq(sheet.size, device=sheet.device)[:, None]
    middle = sheet.number(3, 14) / sheet.size
    ring = torch.exp(-0.5 * ((torch.hypot(across, along * sheet.choice((1.0, 1.0, 2.5))) / middle - 1) * 4) ** 2)
    field = sample(_spectral(sheet, ring)[:, None], x, y)[:, 0]
    return 0.5 + 0.5 * torch.tanh(sheet.number(1.5, 10) * (field - sheet.number(-0.8, 0.8)))


def stripes(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """Straight stripes or rings, soft or hard."""
    radius = torch.hypot(x - sheet.number(-1, 1), y - sheet.number(-1, 1))
    along = torch.where(sheet.chance(0.35), radius, x)
    wave = torch.sin(sheet.number(6, 60) * along) + sheet.number(-0.7, 0.7)
    return 0.5 + 0.5 * torch.tanh(wave * sheet.number(0.7, 8))


def plaid(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """Bands of random shades crossing bands of random shades."""
    scale = sheet.number(3, 14)
    bands = [_band(sheet, x * scale), _band(sheet, y * scale)]
    thread = 0.1 * torch.sin((x + y) * scale * sheet.number(8, 16))
    return (bands[0] + bands[1]) / 2 + thread


def checks(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    scale = sheet.number(5, 30)
    return 0.5 + 0.5 * torch.tanh(torch.sin(scale * x) * torch.sin(scale * y) * sheet.number(1, 20))


def dots(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """Dots on a lattice of straight or shifted rows, equal or of random sizes."""
    column, row, u, v = _lattice(x, y, sheet.number(2, 9), sheet.choice((0.0, 0.5)))
    spread = sheet.choice((0.0, 0.0, 0.25))
    radius = sheet.number(0.15, 0.4) + spread * (lookup(sheet.table(), column, row) - 0.6)
    return cover(torch.hypot(u, v) - radius, sheet.number(0.05, 0.3))


def cells(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """Voronoi cells as domes, borders, flat shades or cracks: cobbles, skin, mosaics, dried mud."""
    scale, jitter = sheet.number(1.5, 9), sheet.number(0.3, 1)
    nearest, second, owner = _voronoi(sheet, x * scale, y * scale, jitter)
    shade = read(sheet.table(), owner)
    border = ((second - nearest) * sheet.number(4, 25)).clamp(0, 1)
    kinds = (1 - nearest, border, shade, border * (0.5 + 0.5 * shade), (border * (1.2 - nearest)))
    which = sheet.choice(range(5))
    return torch.stack([kind * (which == index) for index, kind in enumerate(kinds)]).sum(0)


def weave(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """Threads that pass over and under each other: linen, twill, baskets."""
    scale = sheet.number(5, 24)
    x, y = x * scale, y * scale
    period = sheet.choice((2.0, 2.0, 3.0, 4.0))
    over = torch.remainder(x.floor() + y.floor(), period) < period / 2
    warp, weft = (math.pi * x).sin().abs(), (math.pi * y).sin().abs()
    height = torch.where(over, warp * (0.6 + 0.4 * weft), weft * (0.6 + 0.4 * warp))
    return height * (0.8 + 0.2 * over) * (0.75 + 0.25 * ripples(sheet, torch.where(over, x, y).floor() * 3))


def knit(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """Columns of stitches, each a leaning pair of loops, with now and then a band of another shade."""
    scale = sheet.number(3, 10)
    x, y = x * scale, y * scale
    side = (fraction(x) - 0.5).abs()
    stitch = fraction(y * 1.4 - side * sheet.number(0.8, 2))
    loop = (math.pi * stitch).sin() * (2 * math.pi * side).sin().clamp(min=0) ** 0.6
    band = _band(sheet, y * 0.4).round() * sheet.choice((0.0, 0.0, 0.4))
    return loop * (0.9 - band) + band


def wood(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """Year rings seen along the trunk, across it, or on planks, with fine fibres."""
    plank = (x * sheet.number(1, 3)).floor() * sheet.chance(0.5)
    shift = plank * 0.37
    flat = sheet.choice((0.05, 0.12, 1.0))
    radius = torch.hypot(x + shift + sheet.number(-0.5, 0.5), (y + shift * 2) * flat + sheet.number(-0.3, 0.3))
    ring = fraction(radius * sheet.number(4, 14) + 0.5 * ripples(sheet, y * 2))
    fibre = ripples(sheet, x * sheet.number(40, 90) + ripples(sheet, y * 3))
    return 0.65 * ring**2 + 0.3 * fibre + 0.1 * fraction(plank * 0.61)


def marble(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """Veins along the zeros of warped noise."""
    rough = sample(noise(sheet, sheet.number(1.5, 2.1))[:, None], x, y)[:, 0]
    vein = torch.sin(sheet.number(1, 8) * x + sheet.number(0.8, 3) * rough).abs()
    return vein ** sheet.number(0.3, 1.2) * (0.85 + 0.15 * torch.tanh(rough))


def metal(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """A brushed or rolled sheet, with scratches, pits or inclusions on it."""
    brushed = ripples(sheet, x * sheet.number(30, 120) + 0.5 * ripples(sheet, y * 3))
    field = 0.55 + sheet.number(0.05, 0.4) * (brushed - 0.5) + 0.1 * y
    rough = noise(sheet, sheet.number(0.6, 1.6), 1)
    pit = torch.tanh((rough - sheet.number(1.2, 2.6)).clamp(min=0) * 3) * sheet.choice((0.0, 0.5, -0.5))
    for _ in range(4):
        along, across = turned(x - sheet.number(-1, 1), y - sheet.number(-1, 1), sheet.number(0, math.pi))
        line = cover(across.abs() - 0.006, sheet.pixel) * (along.abs() < sheet.number(0, 1))
        field = field + line * sheet.choice((0.0, 0.4, -0.4))
    return field + pit


def fur(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """Noise drawn out along a flow: fur, hair, grass, straw, brush strokes."""
    x_grid, y_grid = sheet.grid()
    flow = sheet.number(0, 2 * math.pi) + smooth(sheet.normal(6, 6), sheet.size) * sheet.number(0.1, 2)
    step = sheet.number(0.4, 1.6) * sheet.pixel
    across, along = flow.cos() * step, flow.sin() * step
    grain = sheet.normal(1, sheet.size, sheet.size)
    for doubling in range(STROKE_DOUBLINGS):
        grain = grain + sample(grain, x_grid + across * 2**doubling, y_grid + along * 2**doubling)
    tuft = smooth(sheet.normal(9, 9), sheet.size) * sheet.number(0, 0.4)
    strokes = grain[:, 0] * sheet.number(0.08, 0.16) + tuft + 0.5
    return torch.where(sheet.chance(0.5), strokes, sample(strokes[:, None], x, y)[:, 0])


def bubbles(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """Round drops of several sizes, each with a rim and a glint."""
    field = 0.25 + 0.1 * ripples(sheet, x * 3)
    for scale in (2.0, 4.5, 9.0):
        column, row, u, v = _lattice(x, y, scale * sheet.number(0.7, 1.3), sheet.number(0, 1))
        radius = 0.48 * lookup(sheet.table(-0.4, 1), column, row).clamp(min=0)
        u, v = u + (0.5 - radius) * 0.7, v - (0.5 - radius) * 0.6
        r = torch.hypot(u, v)
        glint = (torch.hypot(u + radius * 0.35, v + radius * 0.35) < radius * 0.2) * 0.6
        drop = 0.3 + 0.5 * (r / (radius + 1e-3)) ** 4 + glint
        field = torch.where(r < radius, drop, field)
    return field


def bricks(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """Bricks, tiles, boards or windows: shaded oblongs in joints."""
    long = sheet.choice((1.0, 2.0, 3.0, 0.5))
    scale = sheet.number(2, 8)
    column, row, u, v = _lattice(x / long, y, scale, sheet.choice((0.0, 0.5, 0.33)))
    joint = sheet.number(0.02, 0.12)
    edge = torch.minimum((0.5 - u.abs()) * long, 0.5 - v.abs())
    body = 0.45 + 0.5 * lookup(sheet.table(), column, row) * sheet.choice((0.2, 0.6, 1.0))
    rough = sheet.choice((0.0, 0.1)) * noise(sheet, sheet.number(0.6, 1.2))
    return (body + rough) * ((edge - joint) / sheet.number(0.03, 0.2) + 0.5).clamp(0, 1)


def scales(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """Rows of overlapping arcs: fish, roofs, feathers."""
    scale = sheet.number(3, 9)
    x, y = x * scale, y * scale * 2
    field = torch.zeros_like(x)
    table = sheet.table()
    for above in (0, 1):
        row = y.floor() - above
        shifted = x + 0.5 * row
        radius = torch.hypot(fraction(shifted) - 0.5, (y - row) * 0.5)
        shade = 0.2 + 0.35 * lookup(table, shifted.floor(), row)
        field = torch.where(radius < SCALE_RADIUS, shade + radius**2, field)
    return field


def petals(sheet: Sheet, x: Tensor, y: Tensor) -> Tensor:
    """Rays and spirals around a centre: shells, blossoms, fans, whirls."""
    x, y = x - sheet.number(-0.6, 0.6), y - sheet.number(-0.6, 0.6)
    radius = torch.hypot(x, y)
    rays = sheet.choice((3, 5, 8, 13, 21, 34)) * torch.atan2(y, x)
    twist = sheet.choice((0.0, 4.0, 9.0, 20.0)) * (radius + 0.05).log()
    other = torch.sin(rays - twist * sheet.number(0.5, 2)) * sheet.chance(0.4)
    return 0.5 + 0.5 * torch.tanh((torch.sin(rays + twist) + other) * sheet.number(0.6, 6))


TEXTURES: tuple[tuple[Texture, float], ...] = (
    *((plain, 3), (clouds, 2), (spots, 1), (stripes, 1), (plaid, 1), (checks, 1), (dots, 1), (cells, 2), (weave, 1)),
    *((knit, 1), (wood, 1), (marble, 1), (metal, 2), (fur, 2), (bubbles, 1), (bricks, 1), (scales, 1), (petals, 1)),
)


def _spectral(sheet: Sheet, amplitude: Tensor) -> Tensor:
    """Noise (n, s, s) of a given amplitude (n, s, s // 2 + 1) over frequency; mean 0, deviation 1."""
    size = sheet.size
    waves = torch.view_as_complex(sheet.normal(size, size // 2 + 1, 2)) * amplitude
    field = torch.fft.irfft2(waves, (size, size))
    few = field[:, ::3, ::3]
    return (field - few.mean((1, 2), keepdim=True)) / (few.std((1, 2), keepdim=True) + 1e-9)


def _lattice(x: Tensor, y: Tensor, scale: Tensor, shift: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Column, row and place within the cell, -0.5..0.5, where each row is shifted against the last one."""
    y = y * scale
    row = y.floor()
    x = x * scale + shift * row
    column = x.floor()
    return column, row, x - column - 0.5, y - row - 0.5


def _voronoi(sheet: Sheet, x: Tensor, y: Tensor, jitter: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Distances to the nearest and the second nearest of jittered lattice points, and the nearest one's number."""
    across, down = (sheet.table(-0.5, 0.5) * jitter[..., 0] for _ in range(2))
    column, row = x.floor(), y.floor()
    base, x, y = cell_index(column, row), x - column - 0.5, y - row - 0.5
    nearest = second = torch.full_like(x, 9.0)
    owner = torch.zeros_like(x, dtype=torch.long)
    for step in range(9):
        i, j = step % 3 - 1, step // 3 - 1
        index = (base + (i * 73 + j * 157)).bitwise_and_(TABLE - 1)
        dx, dy = read(across, index) - x + i, read(down, index) - y + j
        distance = dx * dx + dy * dy
        closer = distance < nearest
        second = torch.where(closer, nearest, torch.minimum(second, distance))
        owner = torch.where(closer, index, owner)
        nearest = torch.minimum(nearest, distance)
    return nearest.sqrt(), second.sqrt(), owner


def _band(sheet: Sheet, along: Tensor) -> Tensor:
    return lookup(sheet.table(), along.floor(), torch.zeros_like(along))
