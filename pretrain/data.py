"""Where the images come from, and the random views that training sees.

Benchmark images are refused: nothing here is ever trained on a set that the scoreboard measures.
"""

import hashlib
import io
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
BENCHMARK_SETS = frozenset(
    {"azure_trees", "mslearn_fruit", "sign_digits", "flowers5", "dtd10", "neu_cls", "cards_multilabel"}
    | {"fruit_multilabel", "azure_fork_scissors", "mslearn_fruit_od", "raccoon"}
)


class Refused(ValueError):
    """The path holds benchmark images."""


@dataclass(frozen=True)
class Augmentation:
    """How far a view may stray from its picture."""

    area: tuple[float, float] = (0.25, 1.0)
    aspect: float = 4 / 3
    contrast: float = 0.35
    brightness: float = 0.2
    colour: float = 0.2
    mixup: float = 0.5  # share of the batches
    mosaic: float = 0.0  # share of the views, cut from four pictures side by side


def refuse_benchmarks(path: Path) -> None:
    """Raise `Refused` where the path lies in, or holds, a benchmark set."""
    holds = {each.name for each in path.iterdir()} if path.is_dir() else set[str]()
    found = BENCHMARK_SETS & {*path.resolve().parts, *holds}
    if found:
        raise Refused(f"{path}: holds benchmark images ({', '.join(sorted(found))}), which are never trained on.")


def photos(paths: Sequence[Path], size: int) -> NDArray[np.uint8]:
    """Read all images of the folders and .tar files, in the order of their names: (n, size, size, 3)."""
    for path in paths:
        refuse_benchmarks(path)
    read = [_square(data, size) for path in paths for data in _files(path)]
    return np.stack(read) if read else np.empty((0, size, size, 3), np.uint8)


def digest(images: NDArray[np.uint8]) -> str:
    """Name a pool in logs and checkpoints."""
    return hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()[:16]


def draw(pool: Tensor, count: int, size: int, how: Augmentation, rng: torch.Generator) -> Tensor:
    """Draw random views from a uint8 pool (n, s, s, 3): RGB 0..1, (count, 3, size, size)."""
    tiled = round(count * how.mosaic)
    whole = pool[torch.randint(len(pool), (count - tiled,), generator=rng).to(pool.device)]
    parts = [whole, _mosaic(pool, tiled, rng)]
    return torch.cat([_crop(part, size, how, rng) for part in parts if len(part)])


def _mosaic(pool: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """Four pictures in one, twice as wide and high: small photos stay sharp, and things lie beside one another."""
    side = pool.shape[1]
    tiles = pool[torch.randint(len(pool), (count * 4,), generator=rng).to(pool.device)]
    rows = tiles.view(count, 2, 2, side, side, 3).permute(0, 1, 3, 2, 4, 5)
    return rows.reshape(count, 2 * side, 2 * side, 3)


def _crop(images: Tensor, size: int, how: Augmentation, rng: torch.Generator) -> Tensor:
    count = len(images)
    pictures = images.permute(0, 3, 1, 2).float().div_(255)
    crops = _crops(count, how, rng).to(images.device)
    grid = functional.affine_grid(crops, [count, 3, size, size], align_corners=False)
    return functional.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


def recolour(images: Tensor, how: Augmentation, rng: torch.Generator) -> Tensor:
    """Change contrast, brightness and the balance of colours of each image."""
    count, device = len(images), images.device
    gain = 1 + _spread(how.contrast, (count, 1, 1, 1), rng).to(device)
    tint = 1 + _spread(how.colour, (count, 3, 1, 1), rng).to(device)
    lift = _spread(how.brightness, (count, 1, 1, 1), rng).to(device)
    middle = images.mean((1, 2, 3), keepdim=True)
    return (((images - middle) * gain + middle + lift) * tint).clamp_(0, 1)


def mixup(images: Tensor, share: float, rng: torch.Generator) -> Tensor:
    """In a share of the batches, blend each image with another of the batch."""
    if torch.rand((), generator=rng) >= share:
        return images
    weight = torch.rand((len(images), 1, 1, 1), generator=rng).to(images.device)
    other = torch.randperm(len(images), generator=rng).to(images.device)
    return torch.lerp(images[other], images, weight)


def _crops(count: int, how: Augmentation, rng: torch.Generator) -> Tensor:
    """Affine matrices (count, 2, 3) of random crops: area and aspect within limits, flipped every other time."""
    low, high = how.area
    area = low + (high - low) * torch.rand(count, generator=rng)
    aspect = how.aspect ** _spread(0.5, (count,), rng)
    width, height = (area.sqrt() * aspect).clamp(max=1), (area.sqrt() / aspect).clamp(max=1)
    flip = torch.randint(2, (count,), generator=rng) * 2.0 - 1
    matrix = torch.zeros(count, 2, 3)
    matrix[:, 0, 0], matrix[:, 1, 1] = width * flip, height
    matrix[:, 0, 2] = (1 - width) * _spread(1, (count,), rng)
    matrix[:, 1, 2] = (1 - height) * _spread(1, (count,), rng)
    return matrix


def _spread(limit: float, shape: Sequence[int], rng: torch.Generator) -> Tensor:
    return (torch.rand(shape, generator=rng) * 2 - 1) * limit


def _files(path: Path) -> Iterator[bytes]:
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in SUFFIXES:
                refuse_benchmarks(file.parent)
                yield file.read_bytes()
        return
    with tarfile.open(path) as archive:
        for member in sorted(archive.getmembers(), key=lambda each: each.name):
            refuse_benchmarks(Path(member.name))
            content = archive.extractfile(member) if Path(member.name).suffix.lower() in SUFFIXES else None
            if content is not None:
                yield content.read()


def _square(data: bytes, size: int) -> NDArray[np.uint8]:
    """Decode the central square at the given size."""
    with Image.open(io.BytesIO(data)) as opened:
        image = opened.convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    return np.asarray(image.resize((size, size), Image.Resampling.BICUBIC, box=box))
