"""What lies behind the objects: textures, studios, rooms, landscapes, divided planes, piles of small things."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from pretrain.drawing import colours, textures
from pretrain.drawing.sheet import Sheet, cell_index, cover, lookup, read, turned

Scene = Callable[[Sheet], Tensor]

SPLITS = 6
PILE_SCALES = (7.0, 5.0, 3.5, 3.0, 2.0)
GLINT = 0.25


def texture(sheet: Sheet) -> Tensor:
    """A surface through the colours of one family, with relief lit from one side: RGB (n, 3, s, s)."""
    field = textures.mixed(sheet, *textures.surface(sheet))
    return relief(sheet, field, colours.ramp(field, colours.harmony(sheet, 4)))


def studio(sheet: Sheet) -> Tensor:
    """A plain table before a plain wall, the edge between them sharp or lost, lighter in one place."""
    _, y = sheet.grid()
    edge = sheet.number(-0.2, 1.4)
    floor = torch.sigmoid((y - edge) / sheet.choice((0.01, 0.05, 0.3, 1.0))).expand(-1, -1, sheet.size)
    grain = 0.01 * sheet.normal(1, sheet.size, sheet.size)
    stops = colours.harmony(sheet, 2)
    return colours.ramp(floor, stops) * (0.75 + 0.4 * _pool(sheet))[:, None] + grain


def room(sheet: Sheet) -> Tensor:
    """A textured floor that runs away to a textured wall."""
    x, y = sheet.grid()
    edge = sheet.number(-0.6, 0.5)
    u, v, depth = _floor(sheet, edge)
    wall = textures.mixed(
        sheet, *(each.contiguous() for each in torch.broadcast_tensors(x * 1.0 + 0 * edge, y + 0 * edge))
    )
    floor = textures.mixed(sheet, u, v)
    faded = 0.5 + (floor - 0.5) * depth.clamp(max=1)
    above, below = colours.ramp(wall, colours.harmony(sheet, 3)), colours.ramp(faded, colours.harmony(sheet, 3))
    skirting = 1 - 0.5 * cover((y - edge).abs() - sheet.number(0, 0.04), sheet.pixel)
    mask = cover(edge - y, sheet.pixel)[:, None]
    return (above + (below - above) * mask) * skirting[:, None]


def landscape(sheet: Sheet) -> Tensor:
    """A sky with clouds, two or three ridges that fade with distance, and ground or water that runs to the horizon."""
    _, y = sheet.grid()
    edge = sheet.number(-0.4, 0.6)
    sky = colours.of_families(sheet, ("sky", "snow"))
    dusk = colours.of_families(sheet, ("dusk", "night"))
    sky = torch.where(sheet.chance(0.25), dusk, sky)
    height = ((edge - y) / (1 + edge)).clamp(0, 1).expand(-1, -1, sheet.size)
    cloud = textures.unit(textures.noise(sheet, sheet.number(1.3, 1.9), 2.5))
    cover_share = ((cloud - sheet.number(0.35, 0.9)) * sheet.number(2, 6)).clamp(0, 1) * (0.3 + 0.7 * height)
    picture = colours.ramp((1 - height) * (1 - cover_share) + cover_share, sky)
    hills = colours.of_families(sheet, ("stone", "foliage", "foliage"))
    for ridge in range(3):
        top = edge - sheet.number(0, 0.6) * (1 - ridge / 3) + 0.12 * (ridge - 1)
        line = top - sheet.number(0.05, 0.5) * (_skyline(sheet, sheet.number(1, 5)) - 0.4)
        haze = torch.lerp(sky[:, 1], hills[:, ridge], (ridge + 1.5) / 4.5)[..., None, None]
        picture = torch.lerp(picture, haze, (cover(line - y, sheet.pixel) * sheet.chance(0.6))[:, None])
    u, v, depth = _floor(sheet, edge)
    field = 0.5 + (textures.mixed(sheet, u, v) - 0.5) * depth.clamp(max=1)
    ground = colours.ramp(field, colours.of_families(sheet, ("earth", "foliage", "earth")))
    water = colours.ramp(field, colours.of_families(sheet, ("water", "water", "sky")))
    ground = torch.where(sheet.chance(0.3)[:, None], water, ground)
    return torch.lerp(picture, ground, cover(edge - y, sheet.pixel)[:, None])


def divided(sheet: Sheet) -> Tensor:
    """Oblongs halved again and again: shelves, facades, pages, boards, patchwork."""
    x, y = (each.expand(sheet.count, sheet.size, sheet.size) for each in sheet.grid())
    x, y = turned(x, y, sheet.number(-0.3, 0.3) * sheet.chance(0.3))
    low, high = [torch.full_like(x, -1.3)] * 2, [torch.full_like(x, 1.3)] * 2
    node, cuts = torch.ones_like(x), sheet.table(0.2, 0.8)
    split = sheet.table()
    for step in range(SPLITS):
        axis = step % 2
        at = low[axis] + (high[axis] - low[axis]) * lookup(cuts, node, node * 0)
        live = lookup(split, node, node * 0) < 1.1 - 0.13 * step
        after = (y if axis else x) > at
        low[axis] = torch.where(live & after, at, low[axis])
        high[axis] = torch.where(live & ~after, at, high[axis])
        node = torch.where(live, node * 2 + after, node)
    shade = lookup(sheet.table(), node, node * 0 + 1)
    field = textures.mixed(sheet, x.contiguous(), y.contiguous())
    stops = colours.harmony(sheet, 6)
    flat = torch.lerp(shade, field, sheet.choice((0.0, 0.1, 0.3)))
    gap = torch.minimum(torch.minimum(x - low[0], high[0] - x), torch.minimum(y - low[1], high[1] - y))
    frame = cover(sheet.choice((0.0, 0.015, 0.03, 0.06)) - gap, sheet.pixel)[:, None]
    picture = relief(sheet, (gap * sheet.number(4, 12)).clamp(max=1), colours.ramp(flat, stops))
    return picture * frame + colours.harmony(sheet, 1)[..., None].mT.reshape(-1, 3, 1, 1) * (1 - frame)


def pile(sheet: Sheet) -> Tensor:
    """Many small rounded things upon each other, the nearer the larger: pebbles, leaves, sweets, crowds."""
    ground, stops = texture(sheet), colours.harmony(sheet, 5)
    square, slim = sheet.choice((-0.3, 0.0, 0.0, 0.7)), sheet.number(0.4, 1)
    x, y = sheet.grid()
    gloss, light = sheet.choice((0.0, 0.5)), sheet.normal(2, 1, 1)
    bare = torch.ones(sheet.count, sheet.size, sheet.size, device=sheet.device)
    lit, tint = bare, torch.zeros_like(bare)
    for scale in PILE_SCALES:
        many = scale * sheet.number(0.8, 1.2)
        u, v = turned(x * many, y * many, sheet.number(0, 7))
        u, v = u + sheet.number(0, 9), v + sheet.number(0, 9)
        column, row = u.floor(), v.floor()
        index = cell_index(column, row)
        radius, shade = read(sheet.table(-0.3, 0.48), index), read(sheet.table(), index)
        u, v = turned(u - column - 0.5, v - row - 0.5, shade * 40)
        v = v / slim
        distance = torch.hypot(u, v) * (1 - square) + square * 0.8 * (u.abs() + v.abs())
        far = distance / radius.clamp(min=1e-3)
        shine = 1 - 0.35 * far * far + 0.5 * (u * light[:, 0] + v * light[:, 1]) + gloss * (far < GLINT)
        inside = distance < radius
        shadow = 1 - 0.5 / (1 + 8 * (far - 1).clamp(min=0))
        lit = torch.where(inside, shine.clamp(min=0.1), lit * shadow)
        tint, bare = torch.where(inside, shade, tint), torch.where(inside, 0.0, bare)
    return torch.lerp(colours.ramp(tint, stops), ground, bare[:, None]) * lit[:, None]


def relief(sheet: Sheet, field: Tensor, picture: Tensor) -> Tensor:
    """Shade a picture as if the field stood out from it; on some pictures not at all."""
    strength = sheet.choice((0.0, 0.6, 1.5, 3.0)) * sheet.size / 128
    slope = torch.zeros_like(field)
    slope[:, 1:, 1:] = (field[:, 1:, 1:] - field[:, :-1, 1:]) + sheet.number(-1, 1) * (
        field[:, 1:, 1:] - field[:, 1:, :-1]
    )
    return picture * (1 + (strength * slope).clamp(-0.7, 0.7))[:, None]


SCENES: tuple[tuple[Scene, float], ...] = (
    (texture, 9),
    (studio, 4),
    (room, 2),
    (landscape, 3),
    (divided, 2),
    (pile, 3),
)


def _floor(sheet: Sheet, edge: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Coordinates on a plane below the horizon, and how near it is: 1 at one unit from the eye."""
    x, y = sheet.grid()
    depth = (y - edge).clamp(min=0.01) * sheet.number(1, 3)
    u, v = turned(x / depth, 1 / depth + 0 * x, sheet.number(0, math.pi))
    scale = sheet.number(0.2, 0.6)
    return u * scale, v * scale, (2 * depth).expand_as(u)


def _skyline(sheet: Sheet, roughness: Tensor) -> Tensor:
    """Heights 0..1 along x, from smooth hills to jagged ranges and roofs, (n, 1, s)."""
    x, _ = sheet.grid()
    rough = sum(textures.ripples(sheet, (x + 3) * roughness * 2**octave) / 2**octave for octave in range(4))
    blocks = textures.ripples(sheet, ((x + 3) * roughness * 2).floor())
    return torch.where(sheet.chance(0.25), blocks, torch.as_tensor(rough) / 1.9)


def _pool(sheet: Sheet) -> Tensor:
    """A soft pool of light, 0..1."""
    x, y = sheet.grid()
    far = (x - sheet.number(-0.8, 0.8)) ** 2 + (y - sheet.number(-0.8, 0.8)) ** 2
    return torch.exp(-far * sheet.number(0.2, 1.5))
