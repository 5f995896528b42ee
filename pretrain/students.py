"""The students: plain residual 3x3 networks whose batch norms fuse away for serving."""

from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


SCALES = 3  # how many of the last stages the embedding looks at


@dataclass(frozen=True)
class Shape:
    """Widths and depths; every stage halves the resolution, and so does the stem."""

    stem: int
    widths: tuple[int, ...]
    blocks: tuple[int, ...]


STUDENTS = {
    "foveal-s": Shape(stem=16, widths=(32, 80, 192, 352), blocks=(1, 1, 2, 2)),
    "foveal-xs": Shape(stem=16, widths=(24, 48, 96, 176), blocks=(1, 1, 2, 2)),
    "tiny": Shape(stem=8, widths=(8, 16), blocks=(1, 1)),
}


class ConvNorm(nn.Module):
    """A convolution without bias and its batch norm: one fused convolution when served."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, maps: Tensor) -> Tensor:
        return self.norm(self.conv(maps))


class Block(nn.Module):
    """Two 3x3 convolutions around a shortcut, which averages before it projects where the resolution halves."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = ConvNorm(inputs, outputs, 3, stride)
        self.second = ConvNorm(outputs, outputs, 3)
        self.stride = stride
        self.shortcut = ConvNorm(inputs, outputs, 1) if stride > 1 or inputs != outputs else None
        nn.init.zeros_(self.second.norm.weight)

    def forward(self, maps: Tensor) -> Tensor:
        side = functional.avg_pool2d(maps, 2) if self.stride > 1 else maps
        side = side if self.shortcut is None else self.shortcut(side)
        return functional.relu(self.second(functional.relu(self.first(maps))) + side)


class Student(nn.Module):
    """RGB 0..1 (n, 3, s, s) -> the last feature map (n, d, s/32, s/32), after its ReLU."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1), persistent=False)
        self.widths = shape.widths
        self.stem = ConvNorm(3, shape.stem, 3, 2)
        self.blocks = nn.ModuleList(_blocks(shape))
        self.ends = tuple(accumulate(shape.blocks))[-SCALES:]
        self.dimension = shape.widths[-1]
        self.embedding_dimension = shape.widths[-1] + sum(shape.widths[-SCALES:])

    def forward(self, images: Tensor) -> Tensor:
        return self.stages(images)[-1]

    def stages(self, images: Tensor) -> list[Tensor]:
        """RGB 0..1 -> the maps (n, c, h, w) at the ends of the last stages, the finest first."""
        maps, found = functional.relu(self.stem((images - self.mean) / self.deviation)), list[Tensor]()
        for count, block in enumerate(self.blocks, start=1):
            maps = block(maps)
            if count in self.ends:
                found.append(maps)
        return found

    def pooled(self, images: Tensor) -> list[Tensor]:
        """RGB 0..1 -> the mean over the last map (n, d), then the spatial deviation of each map, the last one first.

        The mean tells what is there; the deviations tell that something small stands out, a scratch or a crack, which
        the mean drowns. Deviation in the sense of the population (divided by the number of places).
        """
        maps = self.stages(images)
        return [maps[-1].mean((2, 3)), *(each.std((2, 3), correction=0) for each in reversed(maps))]


def _blocks(shape: Shape) -> list[Block]:
    made: list[Block] = []
    inputs = shape.stem
    for width, count in zip(shape.widths, shape.blocks, strict=True):
        for index in range(count):
            made.append(Block(inputs, width, 2 if index == 0 else 1))
            inputs = width
    return made
