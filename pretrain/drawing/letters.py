"""Letters: an atlas drawn once with Pillow's own font, read through any coordinates."""

from functools import cache
from string import ascii_letters, digits

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from pretrain.drawing.forms import LIGHT, Form, Place, nothing
from pretrain.drawing.sheet import Sheet, cover, lookup, sample

CHARACTERS = ascii_letters + digits + "+-*/=?!&%$#@"
GLYPH_PX = 48
SIZES = (30, 40, 48)


def letter(sheet: Sheet, place: Place) -> Form:
    """One large letter, thin to bold, in most cases on a plate."""
    made = _plate(sheet, place)
    which = sheet.choice(range(len(CHARACTERS) * len(SIZES)))
    ink = _inked(place.x / 0.75, place.y / 0.75, which.expand_as(place.x), sheet)
    return made.under(ink, 1, 0.08 + 0.05 * ink)


def text(sheet: Sheet, place: Place) -> Form:
    """Lines of random letters, some of them blank, in most cases on a plate."""
    made = _plate(sheet, place)
    columns, rows = sheet.choice((2.0, 4.0, 6.0, 9.0)), sheet.choice((1.0, 2.0, 3.0, 5.0))
    x, y = (place.x / 0.72 + 1) / 2 * columns, (place.y / (1.1 * rows / columns).clamp(max=0.7) + 1) / 2 * rows
    column, row = x.floor(), y.floor()
    code = lookup(sheet.table(), column, row) / 0.85
    table = lookup(sheet.table(), 0 * column, row * sheet.choice((0.0, 1.0)))
    which = (code * len(CHARACTERS)).floor() + len(CHARACTERS) * (table * len(SIZES)).floor().clamp(max=len(SIZES) - 1)
    inside = (code < 1) & (x > 0) & (x < columns) & (y > 0) & (y < rows)
    ink = _inked((x - column) * 1.2 - 0.6, (y - row) * 2 - 1, which, sheet) * inside
    return made.under(ink, torch.where(sheet.chance(0.8), 1, 2), 0.06 + 0.04 * ink)


def _plate(sheet: Sheet, place: Place) -> Form:
    edge = torch.maximum(place.x.abs(), place.y.abs() * sheet.number(1, 1.8)) - 0.8
    rim = cover(edge.abs() - 0.05, place.pixel) * sheet.chance(0.4)
    made = nothing(place).under(
        cover(edge, place.pixel) * sheet.chance(0.65), 0, 0.05 - 0.2 * (edge + 0.05).clamp(min=0)
    )
    return made.under(rim * (made.alpha > 0), torch.where(sheet.chance(0.5), 2, LIGHT), 0.05 + 0 * edge)


def _inked(x: Tensor, y: Tensor, which: Tensor, sheet: Sheet) -> Tensor:
    """Coverage of the glyphs numbered `which` at places -1..1 of their squares."""
    atlas = _atlas().to(sheet.device)
    side = atlas.shape[-1] // GLYPH_PX
    across, down = torch.remainder(which, side), (which / side).floor()
    inside = torch.maximum(x.abs(), y.abs()) < 0.96  # noqa: PLR2004 - clear of the neighbours
    u, v = ((at + (p.clamp(-1, 1) + 1) / 2) / side * 2 - 1 for at, p in ((across, x), (down, y)))
    ink = sample(atlas.expand(sheet.count, 1, -1, -1), u, v)[:, 0] * inside
    return ((ink - sheet.number(0.35, 0.6)) * 3 + 0.5).clamp(0, 1)


@cache
def _atlas() -> Tensor:
    """All characters in all sizes, row by row in squares of GLYPH_PX, (1, 1, h, h)."""
    side = int(np.ceil(np.sqrt(len(CHARACTERS) * len(SIZES))))
    canvas = Image.new("L", (side * GLYPH_PX, side * GLYPH_PX))
    brush = ImageDraw.Draw(canvas)
    for number, (size, character) in enumerate((size, each) for size in SIZES for each in CHARACTERS):
        middle = ((number % side + 0.5) * GLYPH_PX, (number // side + 0.5) * GLYPH_PX)
        font = ImageFont.load_default(size)
        brush.text(middle, character, fill=255, font=font, anchor="mm", stroke_width=SIZES.index(size) % 2)
    return torch.from_numpy(np.asarray(canvas, np.float32) / 255)[None, None]
