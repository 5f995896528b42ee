"""The torch module of a detector: from a backbone's feature maps to a box and the score of each tag at every place.

One stage and no anchors (as FCOS, Tian et al. 2019; coordinates of boxes as YOLOX, Ge et al. 2021): the maps at strides
8, 16 and 32 meet from coarse to fine, then the same few convolutions look at each of them. Plain convolutions and ReLU
alone: every platform takes them, and a training with few images has no statistics to keep.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from foveal.engine.detection import graph
from foveal.engine.detection.graph import LARGEST, STRIDES

RARE = 0.01  # the score of everything before anything was learned
TYPICAL = 1.4  # logarithm of a side in strides before anything was learned: four strides


@dataclass(frozen=True, slots=True)
class Places:
    """The middles (a, 2), x and y, and the strides (a,), in pixels, of all places of a square picture."""

    middles: Tensor
    strides: Tensor

    @classmethod
    def of(cls, size_px: int) -> Self:
        return cls(*map(torch.from_numpy, graph.places(size_px)))


@dataclass(frozen=True, slots=True)
class Found:
    """What is said at each place of all levels: boxes (n, a, 4), x1, y1, x2, y2 in pixels, and logits (n, a, k)."""

    boxes: Tensor
    logits: Tensor
    places: Places


class Finder(nn.Module):
    """Maps (n, c, s/stride, s/stride) of each stride -> what is `Found`."""

    def __init__(self, channels: Sequence[int], width: int, tags: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(each, width, 1) for each in channels)
        self.smooth = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in channels)
        self.scoring = _tower(width)
        self.boxing = _tower(width)
        self.logits = nn.Conv2d(width, tags, 1)
        self.sides = nn.Conv2d(width, 4, 1)
        self.kinds = nn.ModuleList(nn.Conv2d(each, tags, 1, bias=False) for each in channels)
        for name, weight in self.named_parameters():
            if name.endswith("bias") or name.startswith("kinds"):
                nn.init.zeros_(weight)
            elif name.startswith(("logits", "sides")):
                nn.init.normal_(weight, std=0.01)
            else:
                nn.init.kaiming_normal_(weight, nonlinearity="relu")
        self.logits.bias = nn.Parameter(torch.full((tags,), math.log(RARE / (1 - RARE))))
        self.sides.bias = nn.Parameter(torch.tensor([0.0, 0.0, TYPICAL, TYPICAL]))

    def forward(self, maps: Sequence[Tensor]) -> Found:
        fused = self._fused(maps)
        scored = [self.logits(self.scoring(each)) for each in fused]
        # What the backbone knows of the tags takes the short way: few photos do not teach the long one.
        told = [scores + kind(each) for scores, kind, each in zip(scored, self.kinds, maps, strict=True)]
        logits = torch.cat([_flat(each) for each in told], 1).float()
        sides = torch.cat([_flat(self.sides(self.boxing(each))) for each in fused], 1).float()
        places = Places.of(fused[0].shape[2] * STRIDES[0])
        return Found(_boxes(sides, places), logits, places)

    def _fused(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """The maps at one width, each with what the coarser ones know."""
        known: list[Tensor] = []
        above: Tensor | None = None
        for lateral, smooth, each in zip(
            reversed(self.lateral), reversed(self.smooth), reversed(list(maps)), strict=True
        ):
            here = lateral(each)
            if above is not None:
                here = here + functional.interpolate(above, scale_factor=2.0, mode="nearest")
            above = functional.relu(here)
            known.append(functional.relu(smooth(above)))
        return known[::-1]


def _tower(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU()
    )


def _flat(maps: Tensor) -> Tensor:
    """(n, c, h, w) -> (n, h * w, c)."""
    return maps.flatten(2).transpose(1, 2)


def _boxes(sides: Tensor, places: Places) -> Tensor:
    """Offsets of the middle in strides and logarithms of the sides in strides -> corners in pixels."""
    strides = places.strides[:, None]
    middle = places.middles + sides[..., :2] * strides
    half = sides[..., 2:].clamp(max=LARGEST).exp() * (strides / 2)
    return torch.cat([middle - half, middle + half], -1)
