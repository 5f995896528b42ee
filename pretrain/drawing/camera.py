"""What a camera does to a scene: focus, lens, exposure, colour cast, noise and compression."""

import math

import torch
from torch import Tensor

from pretrain.drawing.sheet import Sheet, blur, sample

BLOCK = 8


def defocus(sheet: Sheet, pictures: Tensor, share: float, most: float, step: int = 1) -> Tensor:
    """Blur a share of the pictures (n, 3, s, s) by up to `most` pixels of 128, in steps of so many pixels."""
    where = sheet.chance(share).flatten().nonzero().flatten()
    deviation = sheet.uniform(0.4, 1)[where] * most * sheet.size / 128
    if len(where):
        pictures[where] = blur(pictures[where], deviation, step)
    return pictures


def develop(sheet: Sheet, pictures: Tensor, aslant: float = 0.15) -> Tensor:
    """Bend a share of the pictures (n, 3, s, s), RGB 0..1; expose, tint and degrade all of them."""
    pictures = defocus(sheet, pictures, 0.12, 1.2)
    pictures = _aslant(sheet, pictures, aslant)
    x, y = sheet.grid()
    vignette = 1 - sheet.choice((0.0, 0.0, 0.15, 0.35)) * (x * x + y * y) / 2
    gain = sheet.uniform(0.85, 1.2, 1, 1, 1) * (1 + sheet.choice((0.02, 0.08), 1, 1, 1) * sheet.normal(3, 1, 1))
    middle = pictures.mean((1, 2, 3), keepdim=True)
    contrast = sheet.uniform(0.8, 1.3, 1, 1, 1)
    pictures.mul_(contrast).add_(middle.clamp(0.15, 0.8) - middle * contrast).mul_(gain).mul_(vignette[:, None])
    return _compressed(sheet, _noisy(sheet, pictures, 0.3), 0.1).clamp(0, 1)


def _aslant(sheet: Sheet, pictures: Tensor, share: float) -> Tensor:
    """See a share of the pictures turned and in perspective."""
    where = sheet.chance(share).flatten().nonzero().flatten()
    part = sheet.of(len(where))
    x, y = part.grid()
    depth = 1.1 + part.number(-0.2, 0.2) * x + part.number(-0.2, 0.2) * y
    turn = part.number(-0.3, 0.3)
    if len(where):
        u, v = (x * turn.cos() + y * turn.sin()) / depth, (y * turn.cos() - x * turn.sin()) / depth
        pictures[where] = sample(pictures[where], u, v)
    return pictures


def _noisy(sheet: Sheet, pictures: Tensor, share: float) -> Tensor:
    where = sheet.chance(share).flatten().nonzero().flatten()
    part = sheet.of(len(where))
    grain = part.normal(3, sheet.size, sheet.size) * part.uniform(0.005, 0.05, 1, 1, 1)
    pictures[where] += grain
    return pictures


def _compressed(sheet: Sheet, pictures: Tensor, share: float) -> Tensor:
    """Round the cosine waves of blocks of 8 by 8 pixels, as JPEG does; what is left of whole blocks stays."""
    where = sheet.chance(share).flatten().nonzero().flatten()
    whole = sheet.size // BLOCK * BLOCK
    part = sheet.of(len(where))
    step = part.uniform(0.03, 0.2, 1, 1, 1, 1, 1)
    if whole == 0 or len(where) == 0:
        return pictures
    line = torch.arange(BLOCK, device=pictures.device)
    waves = torch.cos(math.pi / BLOCK * (line + 0.5) * line[:, None]) * (2 / BLOCK) ** 0.5
    waves[0] /= 2**0.5
    blocks = pictures[where, :, :whole, :whole].unflatten(3, (-1, BLOCK)).unflatten(2, (-1, BLOCK)).transpose(3, 4)
    coarse = step * (0.3 + (line + line[:, None]) / BLOCK)
    rounded = waves.T @ ((waves @ blocks @ waves.T / coarse).round() * coarse) @ waves
    pictures[where, :, :whole, :whole] = rounded.transpose(3, 4).flatten(4, 5).flatten(2, 3)
    return pictures
