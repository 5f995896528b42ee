"""Frozen networks that the student learns from; definitions come with the weights, from outside this repository."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

TEACHER_DEFINITIONS = "teachers.py"


@dataclass(frozen=True)
class Lesson:
    """What the teachers say of a batch: maps (n, c, h, w) and, where one has a classifier, its scores (n, k)."""

    maps: Tensor
    scores: tuple[Tensor, ...]


class Teachers(nn.Module):
    """Several teachers as one, without gradients."""

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.requires_grad_(requires_grad=False)
        self.eval()
        self.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - the stub lacks this overload

    @torch.no_grad()
    def forward(self, images: Tensor) -> Lesson:
        """RGB 0..1 (n, 3, s, s) -> the teachers' maps side by side, on the first one's grid, and their scores.

        A teacher with a classifier has `run(images)`, which gives its map and its scores at once.
        """
        said = [member.run(images) if hasattr(member, "run") else (member(images), None) for member in self.members]  # pyright: ignore[reportCallIssue]
        grid = said[0][0].shape[-2:]
        maps = torch.cat([nn.functional.adaptive_avg_pool2d(each.float(), grid) for each, _ in said], 1)
        return Lesson(maps, tuple(scores.float() for _, scores in said if scores is not None))


def load(folders: Sequence[Path], *, trained: bool = True) -> Teachers:
    """Load each teacher from its weights folder; `load(name)` is taken from the teachers.py beside that folder.

    Untrained, they are the same networks with fresh random weights (He et al. 2015): a yardstick.
    """
    members = [_definitions(folder.parent).load(folder.name) for folder in folders]
    if not trained:
        torch.manual_seed(0)
        for layer in (layer for member in members for layer in member.modules()):
            _forget(layer)
    return Teachers(members)


def _definitions(home: Path) -> ModuleType:
    source = home / TEACHER_DEFINITIONS
    spec = importlib.util.spec_from_file_location("teacher_definitions", source)
    if spec is None or spec.loader is None or not source.is_file():
        raise FileNotFoundError(f"{source}: a teacher's folder must lie beside a {TEACHER_DEFINITIONS} with load(name)")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _forget(layer: nn.Module) -> None:
    """Give one layer fresh random weights; a layer that holds others is left to them."""
    if isinstance(layer, nn.BatchNorm2d):
        layer.reset_parameters()
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
