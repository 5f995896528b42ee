"""Random changes to training images that leave their tags true; one row a policy."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

WHITE = 255.0
HALF = 0.5  # the chance of a mirror image, and of a covered square


@dataclass(frozen=True, slots=True)
class Policy:
    """How far images are changed. Shares are 0..1 of the value itself."""

    smallest_area: float = 0.5  # of the image that a view still shows
    aspect: float = 0.75  # of the view, at the least; at the most its inverse
    flip: bool = True
    colour: float = 0.2  # of saturation
    light: float = 0.2  # of brightness and contrast
    perspective: float = 0.0  # how much nearer one edge may be
    erase: float = 0.0  # side of a square that is covered, in sides of the image
    mix: float = 0.3  # of the beta distribution that mixes pairs of images (Zhang et al. 2018, "mixup"); 0: none


POLICIES: Mapping[str, Policy] = {
    "general": Policy(),
    "upright": Policy(flip=False),  # left and right mean something: letters, hands, dials
    "colour-safe": Policy(colour=0.0, light=0.15),  # ripeness and doneness are colours
    "viewpoint": Policy(perspective=0.25, erase=0.3),  # a landmark from another side, behind a tree
    "background": Policy(smallest_area=0.35, erase=0.25),  # goods among other goods
}


def augment(images: Tensor, size_px: int, policy: Policy, generator: torch.Generator) -> Tensor:
    """Give a random view of each image: RGB 0..255 (n, 3, s, s) float32 -> (n, 3, size_px, size_px)."""
    views = functional.grid_sample(
        images, _grid(len(images), size_px, policy, generator), padding_mode="reflection", align_corners=False
    )
    changed = _coloured(views, policy, generator)
    return _erased(changed, policy, generator) if policy.erase else changed


def mix(images: Tensor, targets: Tensor, policy: Policy, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Blend each image, and its targets (n, k), with another one of the batch."""
    if not policy.mix:
        return images, targets
    share = _beta(policy.mix, generator)
    others = torch.randperm(len(images), generator=generator)
    return share * images + (1 - share) * images[others], share * targets + (1 - share) * targets[others]


def _grid(count: int, size_px: int, policy: Policy, generator: torch.Generator) -> Tensor:
    """Where each pixel of the views comes from, (n, size, size, 2), in -1..1."""
    area = _uniform(count, policy.smallest_area, 1.0, generator)
    aspect = torch.exp(_uniform(count, -1.0, 1.0, generator) * -torch.tensor(policy.aspect).log()).sqrt()
    width, height = (area.sqrt() * aspect).clamp(max=1), (area.sqrt() / aspect).clamp(max=1)
    right = _uniform(count, -1.0, 1.0, generator) * (1 - width)
    down = _uniform(count, -1.0, 1.0, generator) * (1 - height)
    turned = 1 - 2 * (torch.rand(count, generator=generator) < HALF).float() * policy.flip
    matrix = torch.zeros(count, 2, 3)
    matrix[:, 0, 0], matrix[:, 1, 1] = width * turned, height
    matrix[:, 0, 2], matrix[:, 1, 2] = right, down
    grid = functional.affine_grid(matrix, [count, 3, size_px, size_px], align_corners=False)
    if policy.perspective:
        tilt = _uniform(count * 2, -policy.perspective, policy.perspective, generator).view(count, 1, 1, 2)
        grid = grid / (1 + (grid * tilt).sum(3, keepdim=True))
    return grid


def _coloured(images: Tensor, policy: Policy, generator: torch.Generator) -> Tensor:
    def factor(spread: float) -> Tensor:
        return _uniform(len(images), 1 - spread, 1 + spread, generator).view(-1, 1, 1, 1)

    bright = images * factor(policy.light)
    middle = bright.mean((1, 2, 3), keepdim=True)
    contrasted = (bright - middle) * factor(policy.light) + middle
    grey = contrasted.mean(1, keepdim=True)
    return ((contrasted - grey) * factor(policy.colour) + grey).clamp(0, WHITE)


def _erased(images: Tensor, policy: Policy, generator: torch.Generator) -> Tensor:
    """Cover a square of the image's mean colour in half of the images."""
    count, _, height, width = images.shape
    side = _uniform(count, 0.1, policy.erase, generator) * (torch.rand(count, generator=generator) < HALF)
    left, top = (torch.rand(count, generator=generator) * (1 - side) for _ in range(2))
    across = torch.linspace(0, 1, width).view(1, 1, 1, -1)
    down = torch.linspace(0, 1, height).view(1, 1, -1, 1)
    left, top, side = (each.view(-1, 1, 1, 1) for each in (left, top, side))
    covered = (across >= left) & (across < left + side) & (down >= top) & (down < top + side)
    return torch.where(covered, images.mean((2, 3), keepdim=True), images)


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator) * (high - low) + low


def _beta(parameter: float, generator: torch.Generator) -> float:
    """One draw from a symmetric beta distribution, by two gamma draws of Jöhnk's method."""
    while True:
        first, second = (torch.rand(2, generator=generator).double() ** (1 / parameter)).tolist()
        if 0 < first + second <= 1:
            return first / (first + second)
