"""A stack of blank squares with the chance to fill them, and the arithmetic of fields that all drawing shares.

A field is a tensor (n, s, s), a number per picture is (n, 1, 1), and the corners of a picture are -1 and 1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional

Row = TypeVar("Row")


TABLE = 512  # entries of a random table, a power of two
FEWEST, FEWEST_ROWS = 6, 2  # pictures that a row of a table gets at least, roughly, and rows that a table gives


@dataclass(frozen=True)
class Sheet:
    """`count` squares of `size` pixels; all chance comes from `rng`, which lives on the CPU."""

    count: int
    size: int
    rng: torch.Generator
    device: torch.device

    @property
    def pixel(self) -> float:
        return 2 / self.size

    def of(self, count: int) -> "Sheet":
        return replace(self, count=count)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Draw (count, *shape) numbers."""
        made = torch.rand((self.count, *shape), generator=self.rng)
        return made.mul_(high - low).add_(low).to(self.device)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn((self.count, *shape), generator=self.rng).to(self.device)

    def number(self, low: float, high: float) -> Tensor:
        """Draw one number per picture, (count, 1, 1), to be combined with fields."""
        return self.uniform(low, high, 1, 1)

    def choice(self, values: Sequence[float], *shape: int) -> Tensor:
        """Pick one of the values (count, *shape) times; without a shape, one per picture as (count, 1, 1)."""
        index = torch.randint(len(values), (self.count, *(shape or (1, 1))), generator=self.rng)
        return torch.tensor(values)[index].to(self.device)

    def chance(self, share: float) -> Tensor:
        """Be true for a share of the pictures, (count, 1, 1)."""
        return self.number(0, 1) < share

    def table(self, low: float = 0, high: float = 1) -> Tensor:
        """Numbers for `lookup`, (count, TABLE)."""
        return self.uniform(low, high, TABLE)

    def grid(self) -> tuple[Tensor, Tensor]:
        """Coordinates of the centres of the pixels: x (1, 1, s) and y (1, s, 1)."""
        line = (torch.arange(self.size, device=self.device) + 0.5) * self.pixel - 1
        return line.view(1, 1, -1), line.view(1, -1, 1)

    def shares(self, table: Sequence[tuple[Row, float]]) -> Iterator[tuple[Row, Tensor]]:
        """Give each picture a row of the table by weight: the rows drawn, each with the places (k,) of its pictures.

        Few pictures share few of the rows, so that what is drawn together is worth its while.
        """
        weights = torch.tensor([weight for _, weight in table], dtype=torch.float32)
        kept = torch.multinomial(weights, min(len(table), max(FEWEST_ROWS, self.count // FEWEST)), generator=self.rng)
        odds = torch.zeros_like(weights).index_copy_(0, kept, weights[kept])
        drawn = torch.multinomial(odds, self.count, replacement=True, generator=self.rng)
        for index, (row, _) in enumerate(table):
            where = (drawn == index).nonzero().flatten()
            if len(where):
                yield row, where.to(self.device)


def lookup(table: Tensor, column: Tensor, row: Tensor) -> Tensor:
    """Read the random number that belongs to a cell of a lattice: fields of whole numbers to a field."""
    return read(table, cell_index(column, row))


def cell_index(column: Tensor, row: Tensor | float) -> Tensor:
    return (column * 73 + row * 157).long().bitwise_and_(TABLE - 1)


def read(table: Tensor, index: Tensor) -> Tensor:
    return table.gather(1, index.flatten(1)).view(index.shape)


def smooth(knots: Tensor, size: int) -> Tensor:
    """Blend a coarse grid of values (..., k, k) into a smooth field (..., size, size)."""
    weights = smoothing(knots.shape[-1], size, knots.device)
    return weights @ knots @ weights.T


def smoothing(knots: int, size: int, device: torch.device) -> Tensor:
    """Weights (size, knots) of a smooth curve through the knots' neighbourhoods."""
    places = torch.linspace(0, knots - 1, size, device=device)[:, None]
    weights = torch.exp(-1.5 * (places - torch.arange(knots, device=device)) ** 2)
    return weights / weights.sum(1, keepdim=True)


def blur(images: Tensor, deviation: Tensor, step: int = 1, shift: Tensor | None = None) -> Tensor:
    """Blur images (n, c, s, s), each with its own Gaussian: deviation (n,) in pixels.

    With a step the blur is computed on a coarser image, which shows where it is less than a step wide. A shift (n, 2)
    moves what was at a pixel p to p - shift.
    """
    size = images.shape[-1]
    coarse = functional.avg_pool2d(images, step, ceil_mode=True) if step > 1 else images
    middles = torch.arange(coarse.shape[-1], device=images.device) * step + (step - 1) / 2
    apart = torch.arange(size, device=images.device)[:, None] - middles
    narrow = -0.5 / deviation.clamp(min=0.3 * step).view(-1, 1, 1, 1) ** 2
    across, down = (apart, apart) if shift is None else (apart + each.view(-1, 1, 1, 1) for each in shift.unbind(1))
    along, over = (torch.softmax(narrow * each**2, -1) for each in (across, down))
    return over @ coarse @ along.mT


def sample(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Read images (n, c, h, w) at fields of coordinates, mirrored beyond the border: (n, c, s, s)."""
    places = torch.stack(torch.broadcast_tensors(x, y), -1)
    return functional.grid_sample(images, places, padding_mode="reflection", align_corners=False)


def cover(distance: Tensor, pixel: Tensor | float) -> Tensor:
    """Turn a signed distance, negative inside, into the covered share of each pixel."""
    return (0.5 - distance / pixel).clamp(0, 1)


def unit(field: Tensor) -> Tensor:
    """Stretch each field (n, s, s) to 0..1."""
    low, high = field.amin((1, 2), keepdim=True), field.amax((1, 2), keepdim=True)
    return (field - low) / (high - low + 1e-6)


def turned(x: Tensor, y: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    cos, sin = angle.cos(), angle.sin()
    return x * cos + y * sin, y * cos - x * sin


def fraction(values: Tensor) -> Tensor:
    return values - values.floor()
