"""Things that grow: flowers, leaves, fruit, trees; and the attractors of random contractions, which look grown."""

import math

import torch
from torch import Tensor

from pretrain.drawing.forms import Form, Place, capsule, dome, nothing
from pretrain.drawing.sheet import Sheet, cover, fraction, sample

BRANCHINGS = 6
TRUNK_POINTS = 1600
FRACTAL_DEPTH = 7


def flower(sheet: Sheet, place: Place) -> Form:
    """One to three rings of petals around a disc, seen from above or aslant, now and then on a stalk."""
    stalk = sheet.chance(0.4)
    made = _stalk(sheet, place, stalk)
    place = place.moved(0.0, torch.where(stalk, -0.35, 0.0), torch.where(stalk, 0.62, 1.0))
    place = Place(place.x, place.y / sheet.number(0.5, 1), place.pixel, place.tone)
    radius, angle = torch.hypot(place.x, place.y), torch.atan2(place.y, place.x)
    petals = sheet.choice((3, 4, 5, 5, 6, 8, 8, 12, 16, 21))
    sharp, blunt = sheet.choice((1.5, 2.0, 4.0)), sheet.number(0.3, 1)
    joined, rings, bulge = sheet.number(0.05, 0.6), sheet.choice((1, 1, 2, 3)), sheet.number(0.1, 0.6)
    for ring, size in enumerate((1.0, 0.72, 0.48)):
        turn = angle * petals / (2 * math.pi) + 0.5 * ring + sheet.number(0, 1)
        across = 2 * fraction(turn) - 1
        length = size * (0.95 + 0.08 * torch.cos(turn.floor() * (6 * math.pi) / petals + ring))
        outline = (1 - across.abs() ** sharp).clamp(min=0) ** blunt
        limit = length * (joined + (1 - joined) * outline)
        alpha = cover((radius - limit) * 0.7, place.pixel) * (ring < rings)
        groove = 0.03 * torch.sin(across * 9) * radius
        height = (1 - across * across) * bulge * 0.4 * radius + 0.3 * ring + groove - bulge * 0.3 * radius**2
        made = made.under(alpha, ring % 2, height)
    middle = sheet.number(0.08, 0.35)
    return made.under(cover(radius - middle, place.pixel), 2, 0.9 + dome(middle, radius))


def leaf(sheet: Sheet, place: Place) -> Form:
    """A blade with a midrib and side veins: lens, egg or spear shaped, smooth, toothed or lobed."""
    x, y = place.x, place.y + sheet.number(-0.3, 0.3) * (place.x**2 - 0.3)
    width = sheet.number(0.2, 0.6) * (1 - sheet.number(0, 0.8) * x)
    body = (1 - x * x).clamp(min=0) ** sheet.number(0.5, 1.3)
    count, depth = sheet.choice((3.0, 5.0, 9.0, 16.0)), sheet.choice((0.0, 0.0, 0.15, 0.5))
    edge = width * body * (1 - depth * (1 - torch.sin(count * math.pi * x).abs()))
    made = nothing(place)
    stem, _ = capsule(
        place, (sheet.number(0.8, 0.9), x.new_zeros(1)), (sheet.number(1.1, 1.4), sheet.number(-0.2, 0.2))
    )
    made = made.under(cover(stem - 0.035, place.pixel), 2, 0.1 - stem)
    rise = 0.35 * y.abs() * sheet.choice((-1.0, 1.0))
    slant, veins = sheet.number(0.4, 1.4), sheet.number(3, 9)
    beside = (fraction((x + y.abs() * slant) * veins) - 0.5).abs() / veins
    rib = torch.minimum(beside * 0.8 + 0.01, y.abs())
    swell = 0.12 * (beside * veins * 2).clamp(max=1) / veins
    made = made.under(cover(y.abs() - edge, place.pixel), 0, rise + swell)
    thin = sheet.number(0.01, 0.03) * (1.2 - x)
    vein = cover(rib - thin, place.pixel) * (made.alpha > 0.5) * (y.abs() < edge)  # noqa: PLR2004 - half of a pixel
    return made.under(vein, 1, rise + 0.02)


def fruit(sheet: Sheet, place: Place) -> Form:
    """A round, pear-like or lumpy body with a dent, a stalk and in most cases a leaf."""
    angle = torch.atan2(place.x, -place.y)
    pear, lumps = sheet.choice((0.0, 0.0, 0.25, -0.15)), sheet.choice((0.0, 0.0, 0.03, 0.06))
    lobes = sheet.choice((3, 5, 8))
    outline = 0.78 * (1 - pear * angle.cos() - lumps * (lobes * angle).cos()) * sheet.number(0.85, 1)
    radius = torch.hypot(place.x * sheet.number(0.8, 1.25), place.y)
    dent = 0.25 * torch.exp(-((place.x / 0.18) ** 2) - ((place.y + outline * 0.62) / 0.14) ** 2) * sheet.chance(0.6)
    made = nothing(place)
    side = sheet.choice((-1.0, 1.0))
    twig, _ = capsule(place, (place.x.new_zeros(1), -0.5 * outline), (0.15 * side, place.x.new_full((1,), -1.0)))
    body = dome(outline, radius) - dent
    made = made.under(cover(radius - outline, place.pixel), 0, body)
    made = made.under(cover(twig - 0.045, place.pixel) * sheet.chance(0.8), 1, 0.7 - twig)
    u, v = place.x - 0.4 * side, place.y + 0.85
    lens = (u * u + 6 * (v + 0.4 * u * side) ** 2).sqrt()
    return made.under(cover((lens - 0.33) * 0.5, place.pixel) * sheet.chance(0.5), 2, 0.9 - 0.5 * v.abs())


def tree(sheet: Sheet, place: Place) -> Form:
    """A branching stem, bare or in leaf: trees, shrubs, corals, roots, river networks."""
    start = torch.stack([sheet.uniform(-0.1, 0.1, 1), sheet.uniform(0.8, 1, 1)], -1)
    angle, length = sheet.uniform(-0.2, 0.2, 1) - math.pi / 2, sheet.uniform(0.4, 0.65, 1)
    width, spread = sheet.uniform(0.02, 0.09, 1), sheet.uniform(0.2, 0.8, 1)
    wood: list[Tensor] = []
    for level in range(BRANCHINGS):
        twin = sheet.uniform(0.6, 1.1, 2**level)
        end = start + torch.stack([angle.cos(), angle.sin()], -1) * (length * twin)[..., None]
        wood.append(_along(sheet, start, end, width, TRUNK_POINTS >> level))
        start = end.repeat_interleave(2, 1)
        side = torch.tensor([-1.0, 1.0], device=sheet.device).repeat(2**level)
        angle = angle.repeat_interleave(2, 1) + side * spread * sheet.uniform(0.3, 1.4, 2 << level)
        length, width = length * 0.75, width * 0.68
    leaves = start[:, :, None] + sheet.normal(start.shape[1], 40, 2) * sheet.uniform(0.02, 0.09, 1, 1, 1)
    bark, crown = (
        _splat(points, 2 * sheet.size, torch.ones_like(points[..., 0]))
        for points in (torch.cat(wood, 1), leaves.flatten(1, 2))
    )
    x, y = place.x / 1.15, place.y / 1.15
    seen = sample(torch.stack([bark.clamp(max=1), crown.clamp(max=2)], 1), x, y)
    near = torch.maximum(x.abs(), y.abs()) < 1
    made = nothing(place).under(seen[:, 0] * near, 2, 0.08 * seen[:, 0])
    leafy = (seen[:, 1] * 1.5).clamp(max=1) * near * sheet.chance(0.6)
    return made.under(leafy, 0, 0.1 + 0.1 * seen[:, 1])


def fractal(sheet: Sheet, place: Place) -> Form:
    """The attractor of four random contractions (after Kataoka et al. 2020), coloured by their last map."""
    size, shifts = sheet.uniform(0.4, 0.8, 4, 1, 1), sheet.uniform(-1, 1, 4, 2)
    squash = torch.cat([torch.ones_like(size), sheet.uniform(0.25, 1, 4, 1, 1)], -1)
    maps = _rotations(sheet, 4) * (size * squash) @ _rotations(sheet, 4)
    points = torch.zeros(sheet.count, 1, 2, device=sheet.device)
    for _ in range(FRACTAL_DEPTH):
        points = (points[:, None] @ maps.mT + shifts[:, :, None]).flatten(1, 2)
    points = (points - points.mean(1, keepdim=True)) / (points.std(1, keepdim=True) + 1e-3) * 0.45
    owner = torch.arange(4, device=sheet.device).repeat_interleave(points.shape[1] // 4).expand(sheet.count, -1)
    density = _splat(points, sheet.size, torch.ones_like(owner))
    part = (_splat(points, sheet.size, owner) / density.clamp(min=1)).round()
    seen = sample(torch.stack([density.clamp(max=2), part], 1), place.x, place.y)
    near = torch.maximum(place.x.abs(), place.y.abs()) < 1
    return Form((seen[:, 0] * near).clamp(max=1), seen[:, 1].round().long(), 0.05 * seen[:, 0], (place.x, place.y))


def _stalk(sheet: Sheet, place: Place, shown: Tensor) -> Form:
    bend = sheet.number(-0.3, 0.3)
    x = place.x - bend * (place.y + 0.35) ** 2
    stem = torch.maximum(x.abs() - sheet.number(0.02, 0.05), torch.maximum(-0.35 - place.y, place.y - 1))
    made = nothing(place).under(cover(stem, place.pixel) * shown, 3, dome(x.new_tensor(0.05), x))
    for side in (-1.0, 1.0):
        u, v = x * side, place.y - sheet.number(0.3, 0.7) + 0.5 * x * side
        blade = torch.maximum(v.abs() - 0.22 * torch.sin((u * 5).clamp(0, math.pi)), u - 0.62)
        made = made.under(cover(blade, place.pixel) * (u > 0) * shown * sheet.chance(0.7), 3, 0.05 - v.abs() * 0.3)
    return made


def _along(sheet: Sheet, start: Tensor, end: Tensor, width: Tensor, count: int) -> Tensor:
    """Points (n, b * count, 2) spread over b tapered branches (n, b, 2)."""
    t = sheet.uniform(0, 1, start.shape[1], count, 1)
    w = sheet.uniform(-1, 1, start.shape[1], count, 1) * width[:, :, None, None] * (1 - 0.32 * t)
    step = (end - start)[:, :, None]
    normal = torch.stack([-step[..., 1], step[..., 0]], -1) / (step.norm(dim=-1, keepdim=True) + 1e-6)
    return (start[:, :, None] + step * t + normal * w).flatten(1, 2)


def _rotations(sheet: Sheet, count: int) -> Tensor:
    angle = sheet.uniform(-math.pi, math.pi, count)
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos, -sin, sin, cos], -1).unflatten(-1, (2, 2))


def _splat(points: Tensor, side: int, values: Tensor) -> Tensor:
    """Add whole numbers (n, k) up at points (n, k, 2) of a canvas of -1..1, (n, side, side); the rest falls off."""
    place = ((points + 1) * (side / 2)).floor()
    inside = ((place >= 0) & (place < side)).all(-1)
    index = torch.where(inside, place[..., 1] * side + place[..., 0], side * side).long()
    canvas = torch.zeros((len(points), side * side + 1), dtype=torch.int32, device=points.device)
    canvas.scatter_add_(1, index, values.to(torch.int32))
    return canvas[:, :-1].view(-1, side, side).float()
