"""Frozen networks that the student learns from; definitions come with the weights, from outside this repository."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

TEACHER_DEFINITIONS = "teachers.py"


class Teachers(nn.Module):
    """Several teachers as one: their maps side by side, (n, sum of channels, h, w), on the first's grid."""

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.requires_grad_(requires_grad=False)
        self.eval()

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        maps = [member(images).float() for member in self.members]
        grid = maps[0].shape[-2:]
        return torch.cat([nn.functional.adaptive_avg_pool2d(each, grid) for each in maps], 1)


def load(folders: Sequence[Path]) -> Teachers:
    """Load each teacher from its weights folder; `load(name)` is taken from the teachers.py beside that folder."""
    return Teachers([_definitions(folder.parent).load(folder.name) for folder in folders])


def _definitions(home: Path) -> ModuleType:
    source = home / TEACHER_DEFINITIONS
    spec = importlib.util.spec_from_file_location("teacher_definitions", source)
    if spec is None or spec.loader is None or not source.is_file():
        raise FileNotFoundError(f"{source}: a teacher's folder must lie beside a {TEACHER_DEFINITIONS} with load(name)")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
