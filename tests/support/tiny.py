"""A backbone small enough that a test can train it: 32 px, random weights."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pretrain import finish
from pretrain.students import STUDENTS, Student
from pretrain.to_onnx import export

from foveal.engine.backbones import Backbone

SIZE_PX = 32
COLOURS = ((200, 40, 40), (40, 170, 60), (50, 70, 200))


def backbone(folder: Path) -> Backbone:
    """Write a network as `pretrain` would and give its row."""
    torch.manual_seed(0)
    student = Student(STUDENTS["tiny"]).eval()
    images = torch.rand(64, 3, SIZE_PX, SIZE_PX, generator=torch.Generator().manual_seed(0))
    path = folder / "tiny.onnx"
    path.write_bytes(export(student, finish.measure(finish.pooled(student, [images])), SIZE_PX))
    return Backbone("tiny", str(path), SIZE_PX, student.embedding_dimension, "Apache-2.0", "1")


class Squares:
    """Noisy pictures of one colour each, and their tags (n, k)."""

    def __init__(self, per_tag: int, tags: int = 2, *, noise: float = 70.0, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        numbers = np.arange(per_tag * tags) % tags
        self.targets = np.eye(tags, dtype=bool)[numbers]
        self._colours = np.array(COLOURS)[numbers] + rng.normal(0, noise, (len(numbers), 3))
        self._seed = seed

    def pixels(self, size_px: int) -> NDArray[np.uint8]:
        """All of them, (n, size_px, size_px, 3)."""
        grain = np.random.default_rng(self._seed + 1).normal(0, 25, (len(self._colours), size_px, size_px, 1))
        return np.clip(self._colours[:, None, None] + grain, 0, 255).astype(np.uint8)
