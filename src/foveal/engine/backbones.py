"""The backbones: frozen networks that turn an image into an embedding. One row each."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from foveal.errors import NotFound

DEFAULT = "foveal-s"


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network in the package: `image` float32 (n, 3, s, s), RGB 0..255 -> `embedding` float32 (n, dimension)."""

    name: str
    file: str
    size_px: int
    dimension: int
    license: str  # SPDX
    version: str
    view: str = "stretch"  # how an image becomes size_px x size_px

    @property
    def path(self) -> Path:
        return Path(str(resources.files("foveal.engine") / "weights" / self.file))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the file; what is cached under it stays true when the weights change."""
        return _digest(self.path)


BACKBONES = (
    Backbone(
        name="foveal-s", file="foveal-s.onnx", size_px=224, dimension=992, license="Apache-2.0", version="2026.11"
    ),
)


def find(name: str = DEFAULT) -> Backbone:
    """Look a backbone up by its name."""
    for backbone in BACKBONES:
        if backbone.name == name:
            return backbone
    known = ", ".join(backbone.name for backbone in BACKBONES)
    raise NotFound(f"There is no backbone {name!r}; known ones: {known}.", code="NotFoundDomain")


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
