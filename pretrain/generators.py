"""Procedural pictures that train a backbone: textured scenes with up to four painted objects, as a camera sees them.

All pictures of a batch are drawn at once, on any device; `pretrain.drawing` holds the parts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from pretrain.drawing import bodies, camera, colours, goods, letters, paint, plants, scenes
from pretrain.drawing.forms import FormMaker, Place, Spot, placed, spots
from pretrain.drawing.sheet import Sheet

BATCH = 64
CROWDS = (0, 0, 1, 1, 1, 1, 2, 2, 3, 4)  # objects in a picture, each as likely
FULL_CROWDS = (1, 1, 2, 3, 4, 6)  # those of a detector's pictures
CALM_SCENES = [row for row in scenes.SCENES if row[0] is not scenes.pile]
NDIMAGE: Any = ndimage  # its types do not tell what comes back for which arguments
SEEN = 0.3  # of an object, from which it has a box
SMALLEST_PX = 12  # side of a box
WINDOWS = (0.45, 0.7, 1.0)  # sides of the windows that objects are drawn in, as shares of the picture's
MARGIN = 1.2


@dataclass(frozen=True)
class Kind:
    """A kind of object: what draws it, how often, and the families of the colours of its parts."""

    name: str
    maker: FormMaker
    weight: float
    families: tuple[str, str, str, str]


@dataclass(frozen=True)
class Laid:
    """An object on a picture: the window's corner in pixels, its coverage (s, s), and whether it is repeated."""

    picture: int
    left: int
    top: int
    alpha: Tensor
    herd: bool


KINDS = (
    Kind("flower", plants.flower, 2.5, ("petal", "bloom", "pollen", "foliage")),
    Kind("leaf", plants.leaf, 2, ("foliage", "foliage", "earth", "earth")),
    Kind("fruit", plants.fruit, 2, ("fruit", "wood", "foliage", "foliage")),
    Kind("tree", plants.tree, 1.5, ("foliage", "bloom", "wood", "earth")),
    Kind("fractal", plants.fractal, 1, ("paint", "bloom", "sky", "petal")),
    Kind("animal", bodies.animal, 2.5, ("fur", "fur", "fur", "pollen")),
    Kind("person", bodies.person, 1.5, ("skin", "cloth", "paint", "fur")),
    Kind("hand", bodies.hand, 2, ("skin", "cloth", "skin", "skin")),
    Kind("tool", bodies.tool, 2, ("metal", "wood", "paint", "metal")),
    Kind("lump", bodies.lump, 1, ("stone", "earth", "fruit", "stone")),
    Kind("box", goods.box, 2, ("paint", "wood", "paper", "ink")),
    Kind("vessel", goods.vessel, 3, ("glass", "paper", "metal", "paint")),
    Kind("slab", goods.slab, 2, ("cloth", "paper", "paint", "metal")),
    Kind("wheel", goods.wheel, 2, ("metal", "rust", "paint", "fruit")),
    Kind("sign", goods.sign, 1.5, ("paint", "paper", "paint", "ink")),
    Kind("clothing", goods.clothing, 3, ("cloth", "paint", "cloth", "ink")),
    Kind("letter", letters.letter, 1, ("paper", "ink", "paint", "paint")),
    Kind("text", letters.text, 1.5, ("paper", "ink", "paint", "paint")),
)


def pool(count: int, size: int, seed: int, device: torch.device | str = "cpu") -> NDArray[np.uint8]:
    """Make `count` pictures (count, size, size, 3) in batches; batch i depends on the seed and i alone."""
    made = np.empty((count, size, size, 3), np.uint8)
    for index, first in enumerate(range(0, count, BATCH)):
        state = int(np.random.SeedSequence((seed, index)).generate_state(1, np.uint64)[0])
        batch = pictures(BATCH, size, torch.Generator().manual_seed(state >> 1), device)
        levels = batch.mul(255).round().byte().permute(0, 2, 3, 1)
        made[first : first + BATCH] = levels[: count - first].cpu().numpy()
    return made


@torch.no_grad()
def pictures(count: int, size: int, rng: torch.Generator, device: torch.device | str = "cpu") -> Tensor:
    """Draw pictures: RGB 0..1, (count, 3, size, size), a function of the generator's state and the device alone."""
    sheet = Sheet(count, size, rng, torch.device(device))
    return camera.develop(sheet, _composed(sheet, scenes.SCENES, CROWDS)[0])


@torch.no_grad()
def boxed(count: int, size: int, rng: torch.Generator) -> tuple[Tensor, list[NDArray[np.float32]]]:
    """Draw pictures for a detector: RGB 0..1, (count, 3, size, size), and the boxes (m, 4) of what was laid on each.

    Boxes are corners in pixels around what is seen of an object. What is mostly hidden has none, and the scenes are
    those that hold nothing else that one would take for an object.
    """
    sheet = Sheet(count, size, rng, torch.device("cpu"))
    made, laid = _composed(sheet, CALM_SCENES, FULL_CROWDS)
    shown = [boxes([each for each in laid if each.picture == at], size) for at in range(count)]
    return camera.develop(sheet, made, aslant=0), shown


def _composed(
    sheet: Sheet, backgrounds: Sequence[tuple[scenes.Scene, float]], crowds: Sequence[int]
) -> tuple[Tensor, list[Laid]]:
    made = torch.empty((sheet.count, 3, sheet.size, sheet.size), device=sheet.device)
    for scene, where in sheet.shares(backgrounds):
        made[where] = scene(sheet.of(len(where)))
    made = camera.defocus(sheet, made, 0.3, 3, 2)
    crowd, light = sheet.choice(crowds), paint.lights(sheet)
    owner = torch.arange(sheet.count, device=sheet.device).repeat_interleave(crowd.flatten())
    if not len(owner):
        return made, []
    return made, populate(sheet.of(len(owner)), made, owner, crowd[owner], light.rows(owner))


def populate(sheet: Sheet, made: Tensor, owner: Tensor, crowd: Tensor, light: paint.Light) -> list[Laid]:
    """Draw objects, each in the smallest window that holds it, and lay them on the pictures of their owners (n,)."""
    spot = spots(sheet, crowd)
    need = torch.where(spot.herd, 1, (spot.size * MARGIN).clamp(max=1)).flatten()
    layers: dict[int, tuple[paint.Layer, int]] = {}
    corners = torch.zeros(len(owner), 2, dtype=torch.long, device=sheet.device)
    for smaller, window in zip((0.0, *WINDOWS), WINDOWS, strict=False):
        where = ((need > smaller) & (need <= window)).nonzero().flatten()
        if len(where):
            part = replace(sheet, count=len(where), size=round(sheet.size * window))
            corners[where] = _corners(spot.rows(where), part.size, sheet.size)
            place = placed(part, spot.rows(where), corners[where], sheet.size)
            for layer, rows in objects(part, place, KINDS, light.rows(where)):
                layers |= {each: (layer, index) for index, each in enumerate(where[rows].tolist())}
    laid: list[Laid] = []
    for each, (picture, (left, top)) in enumerate(zip(owner.tolist(), corners.tolist(), strict=True)):
        layer, index = layers[each]
        side = layer.alpha.shape[-1]
        layer.paste(index, made[picture, :, top : top + side, left : left + side])
        laid.append(Laid(picture, left, top, layer.alpha[index], bool(spot.herd[each])))
    return laid


def objects(
    sheet: Sheet, place: Place, kinds: Sequence[Kind], light: paint.Light
) -> Iterator[tuple[paint.Layer, Tensor]]:
    """Draw one object per place, each of a random kind: layers, each with the numbers (k,) of its places."""
    worn = paint.skins(sheet)
    for kind, where in sheet.shares([(kind, kind.weight) for kind in kinds]):
        part, mine = sheet.of(len(where)), place.rows(where)
        stops = colours.of_families(part, (*kind.families, "ink", "paper"))
        yield paint.painted(part, mine, kind.maker(part, mine), stops, worn, light.rows(where)), where


def boxes(laid: Sequence[Laid], size: int) -> NDArray[np.float32]:
    """The boxes (m, 4) of what is seen of the objects of one picture, laid in this order."""
    top_most = np.zeros((size, size), np.intp)
    masks: list[NDArray[np.bool_]] = []
    for number, each in enumerate(laid, 1):
        mask = np.zeros((size, size), bool)
        covered = each.alpha.cpu().numpy() > 0.5  # noqa: PLR2004 - half of a pixel
        mask[each.top : each.top + len(covered), each.left : each.left + len(covered)] = covered
        top_most[mask] = number
        masks.append(mask)
    found: list[tuple[int, int, int, int]] = []
    for number, (each, mask) in enumerate(zip(laid, masks, strict=True), 1):
        pieces = NDIMAGE.label(mask)[0] if each.herd else mask.astype(np.intp)
        count = int(pieces.max())
        seen = np.where(top_most == number, pieces, 0)
        whole, left = (np.bincount(part.ravel(), minlength=count + 1) for part in (pieces, seen))
        for piece, window in enumerate(NDIMAGE.find_objects(seen, count), 1):
            if window is None or left[piece] < SEEN * whole[piece]:
                continue
            rows, columns = window
            if min(rows.stop - rows.start, columns.stop - columns.start) >= SMALLEST_PX:
                found.append((columns.start, rows.start, columns.stop, rows.stop))
    return np.array(found, np.float32).reshape(-1, 4)


def _corners(spot: Spot, side: int, size: int) -> Tensor:
    """Left and top (n, 2) of windows of `side` pixels around objects, pushed back into the picture."""
    middle = (torch.cat([spot.x, spot.y], 1).flatten(1) + 1) * (size / 2)
    return (middle - side / 2).round().long().clamp(0, size - side)
