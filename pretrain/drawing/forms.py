"""What an object is before it is painted: where it lies, which part covers each pixel, how far that part stands out."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pretrain.drawing.sheet import Sheet, cell_index, cover, fraction, read, turned

DARK, LIGHT = 4, 5  # parts that are black and white on every object: pupils, holes, glints
PARTS = 6
HERDS = 0.1  # share of the objects that are repeated


@dataclass(frozen=True)
class Place:
    """Coordinates (n, s, s) in which the object fills the unit circle, y pointing down."""

    x: Tensor
    y: Tensor
    pixel: Tensor  # what a pixel measures in these coordinates
    tone: Tensor  # -1..1, sets repeated objects apart

    def rows(self, where: Tensor) -> "Place":
        return Place(self.x[where], self.y[where], self.pixel[where], self.tone[where])

    def moved(self, x: Tensor | float, y: Tensor | float, scale: Tensor | float = 1) -> "Place":
        return Place((self.x - x) / scale, (self.y - y) / scale, self.pixel / scale, self.tone)


@dataclass(frozen=True)
class Form:
    """Fields (n, s, s): coverage 0..1, number of the part, height in the place's units, coordinates of the skin."""

    alpha: Tensor
    part: Tensor
    height: Tensor
    skin: tuple[Tensor, Tensor]

    def under(self, alpha: Tensor, part: Tensor | int, height: Tensor) -> "Form":
        """Put another part on top."""
        inside = alpha > 0.5  # noqa: PLR2004 - half of a pixel
        return Form(
            torch.maximum(self.alpha, alpha),
            torch.where(inside, part, self.part),
            torch.where(inside, height, self.height),
            self.skin,
        )

    def cut(self, alpha: Tensor) -> "Form":
        """Cut a hole."""
        return Form(self.alpha * (1 - alpha), self.part, self.height, self.skin)


@dataclass(frozen=True)
class Spot:
    """Where objects' middles lie, how far they reach, and which ones are repeated; all (n, 1, 1)."""

    x: Tensor
    y: Tensor
    size: Tensor
    herd: Tensor

    def rows(self, where: Tensor) -> "Spot":
        return Spot(self.x[where], self.y[where], self.size[where], self.herd[where])


FormMaker = Callable[[Sheet, Place], Form]


def nothing(place: Place) -> Form:
    zero = torch.zeros_like(place.x)
    return Form(zero, torch.zeros_like(place.x, dtype=torch.long), zero, (place.x, place.y))


def spots(sheet: Sheet, crowd: Tensor) -> Spot:
    """Choose where objects lie, the smaller the larger their crowd (n, 1, 1)."""
    size = sheet.number(0.42, 0.97) / crowd.sqrt()
    reach = (1.15 - size).clamp(min=0.1)
    return Spot(sheet.number(-1, 1) * reach, sheet.number(-1, 1) * reach, size, sheet.chance(HERDS))


def placed(sheet: Sheet, spot: Spot, corner: Tensor, full: int) -> Place:
    """Coordinates of objects in windows that begin at pixels (left, top), (n, 2), of pictures of `full` pixels."""
    left, top = corner.unbind(1)
    line = (torch.arange(sheet.size, device=sheet.device) + 0.5) * (2 / full) - 1
    x = (line.view(1, 1, -1) + left.view(-1, 1, 1) * (2 / full) - spot.x) / spot.size
    y = (line.view(1, -1, 1) + top.view(-1, 1, 1) * (2 / full) - spot.y) / spot.size
    depth = 1 + sheet.number(-0.15, 0.15) * x + sheet.number(-0.15, 0.15) * y
    depth = depth.clamp(min=0.3)
    angle = torch.where(sheet.chance(0.6), 0.2 * sheet.normal(1, 1), sheet.number(-math.pi, math.pi))
    x, y = turned(x / depth, y / depth, angle)
    x, y = x * sheet.number(0.9, 1.2), y * sheet.number(0.95, 1.1)
    place = Place(x, y, 2 / full / (depth * spot.size), torch.zeros_like(x))
    where = spot.herd.flatten().nonzero().flatten()
    if len(where):
        herd = _herd(sheet.of(len(where)), place.rows(where))
        for whole, part in zip(vars(place).values(), vars(herd).values(), strict=True):
            whole[where] = part
    return place


def flipped(sheet: Sheet, place: Place) -> Place:
    """Mirror every other object."""
    return Place(place.x * sheet.choice((-1.0, 1.0)), place.y, place.pixel, place.tone)


def capsule(place: Place, start: tuple[Tensor, Tensor], end: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Distance to a line from start to end, and how far along it the nearest point lies, 0..1."""
    ax, ay = end[0] - start[0], end[1] - start[1]
    px, py = place.x - start[0], place.y - start[1]
    along = ((px * ax + py * ay) / (ax * ax + ay * ay + 1e-6)).clamp(0, 1)
    return torch.hypot(px - ax * along, py - ay * along), along


def dome(radius: Tensor, distance: Tensor) -> Tensor:
    """Height of a ball of the given radius at a distance from its middle."""
    return (radius * radius - distance * distance).clamp(min=0).sqrt()


def disc(place: Place, radius: Tensor | float) -> tuple[Tensor, Tensor]:
    """Coverage of a disc around the middle, and the distance from the middle."""
    distance = torch.hypot(place.x, place.y)
    return cover(distance - radius, place.pixel), distance


def _herd(sheet: Sheet, place: Place) -> Place:
    """Repeat objects over the cells of a lattice, each turned and sized by itself."""
    scale = sheet.number(1.2, 3)
    row = (place.y * scale).floor()
    x = place.x * scale + 0.5 * row
    index = cell_index(x.floor(), row)
    shift, zoom, tone = (
        read(sheet.table(-0.15, 0.15), index),
        read(sheet.table(2.5, 4.5), index),
        read(sheet.table(-1), index),
    )
    u, v = (fraction(x) - 0.5 + shift) * zoom, (place.y * scale - row - 0.5 - shift) * zoom
    u, v = turned(u, v, tone * sheet.choice((0.2, math.pi)))
    return Place(u, v, place.pixel * scale * zoom, tone)
