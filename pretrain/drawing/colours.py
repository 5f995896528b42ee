"""Colours that belong together: families as nature and trade have them, and wild ones."""

from collections.abc import Sequence

import torch
from torch import Tensor

from pretrain.drawing.sheet import Sheet

FAMILIES: dict[str, tuple[int, int, int, int]] = {
    "earth": (0x3B2A1E, 0x7A5A3A, 0xB08D5B, 0xD9C4A0),
    "foliage": (0x1E3A16, 0x3F6B25, 0x7A9B3A, 0xB5BF5A),
    "skin": (0x4A2C20, 0x8D5A3C, 0xC98F6B, 0xF0C8A8),
    "sky": (0x2F5F9E, 0x6FA3D6, 0xB7D3EA, 0xEFF3F5),
    "metal": (0x3A3D42, 0x767B82, 0xA9ADB2, 0xDDDFE0),
    "rust": (0x3A1D12, 0x7D3A1C, 0xB5622B, 0x8C8177),
    "wood": (0x4B2E19, 0x86552C, 0xB98248, 0xE0BD85),
    "stone": (0x45423E, 0x7C776F, 0xA8A297, 0xCFC9BD),
    "bloom": (0xC2185B, 0xF2C230, 0xF6EEF0, 0x8E4FC4),
    "petal": (0xE8467C, 0xF57F17, 0xE53935, 0xF8BBD0),
    "pollen": (0x5A3A10, 0xC98A12, 0xF2C81E, 0xF7E27A),
    "fruit": (0xC62828, 0xF39C12, 0x8BC34A, 0x6A1B4D),
    "fur": (0x1F1A17, 0x7B5234, 0xC9A26B, 0xEDE6DA),
    "cloth": (0x1F2A44, 0x8C2F39, 0x5B6B6F, 0xE9E4D8),
    "paint": (0xD32F2F, 0x1565C0, 0x2E9E4F, 0xFDD835),
    "paper": (0xE8E2D0, 0xF7F5EF, 0xD9D4C7, 0xFFFFFF),
    "water": (0x0D3B4F, 0x1F6F78, 0x5FB0A8, 0xCDE7E2),
    "night": (0x0B0D14, 0x1D2233, 0x3C3A55, 0x6B5B73),
    "ink": (0x08080A, 0x15151A, 0x24222A, 0x33272A),
    "snow": (0xCBD5DE, 0xE4EAEE, 0xF4F6F7, 0xFFFFFF),
    "dusk": (0x3B2B52, 0xA1496A, 0xEE8A5B, 0xFBD08A),
    "glass": (0x2E5D3A, 0x7B4A1E, 0xBFD8D2, 0x3E6FA3),
}
NAMES = tuple(FAMILIES)
WILD = 0.1  # share of the pictures whose colours follow no family


def of_families(sheet: Sheet, names: Sequence[str]) -> Tensor:
    """Draw one colour of each family named, (n, len(names), 3)."""
    index = torch.tensor([NAMES.index(name) for name in names], device=sheet.device)
    return _drawn(sheet, index.expand(sheet.count, -1))


def harmony(sheet: Sheet, count: int) -> Tensor:
    """Draw `count` colours of one random family or of two, (n, count, 3)."""
    family = sheet.choice(range(len(NAMES)), 2)
    index = torch.where(sheet.uniform(0, 1, count) < sheet.choice((0.0, 0.0, 0.35), 1), family[:, 1:], family[:, :1])
    return _drawn(sheet, index)


def ramp(field: Tensor, stops: Tensor) -> Tensor:
    """Map a field (n, s, s) of 0..1 through colours (n, k, 3): RGB (n, 3, s, s)."""
    knots = stops.shape[1]
    place = torch.linspace(0, knots - 1, 256, device=field.device)[:, None]
    weights = (1 - (place - torch.arange(knots, device=field.device)).abs()).clamp(min=0)
    return painted((field * 255).long().clamp(0, 255), weights @ stops)


def painted(index: Tensor, colours: Tensor) -> Tensor:
    """Colour a field (n, s, s) of numbers of colours (n, k, 3): RGB (n, 3, s, s)."""
    flat = index.flatten(1)[:, None].expand(-1, 3, -1)
    return colours.mT.gather(2, flat).view(-1, 3, *index.shape[1:])


def _drawn(sheet: Sheet, family: Tensor) -> Tensor:
    """Blend the four colours of each family (n, k) at random, or forget the family: (n, k, 3)."""
    count = family.shape[1]
    weights = sheet.uniform(0, 1, count, 4, 1) ** 4
    made = (_anchors(sheet.device)[family] * weights).sum(2) / weights.sum(2)
    made = made * sheet.uniform(0.75, 1.2, count, 1) + 0.03 * sheet.normal(count, 3)
    return torch.where(sheet.chance(WILD), sheet.uniform(0, 1, count, 3), made).clamp(0, 1)


def _anchors(device: torch.device) -> Tensor:
    """RGB of the families, (f, 4, 3)."""
    codes = torch.tensor(list(FAMILIES.values()), device=device)
    return torch.stack([codes >> 16, codes >> 8 & 255, codes & 255], -1) / 255
