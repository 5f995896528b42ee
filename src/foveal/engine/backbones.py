"""The backbones: frozen networks that turn an image into an embedding. One row each.

A row with a source is not part of the package: `foveal backbones pull` fetches it once and turns it into a file of the
same kind (`hub.py`); from then on nothing tells the two apart.
"""

import hashlib
import os
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path

from foveal.errors import Invalid, NotFound, Unavailable

DEFAULT = "foveal-s"
PULLED = "FOVEAL_BACKBONES"  # variable of the environment: the folder of the pulled ones
PULLED_DEFAULT = "~/.cache/foveal/backbones"


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network in a file: `image` float32 (n, 3, s, s), RGB 0..255 -> `embedding` float32 (n, dimension)."""

    name: str
    file: str
    size_px: int
    dimension: int
    license: str  # SPDX
    version: str
    view: str = "stretch"  # how an image becomes size_px x size_px
    source: str = ""  # repository on the model hub; empty: the file is in the package

    @property
    def path(self) -> Path:
        if self.source:
            return pulled_folder() / self.name / self.file
        return Path(str(resources.files("foveal.engine") / "weights" / self.file))

    @property
    def is_here(self) -> bool:
        return self.path.is_file()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the file; what is cached under it stays true when the weights change."""
        return _digest(self.path, self.path.stat().st_mtime_ns)


# The version of a row with a source is that of our conversion: another one gives other numbers.
BACKBONES = (
    Backbone(
        name="foveal-s", file="foveal-s.onnx", size_px=224, dimension=976, license="Apache-2.0", version="2026.11.2"
    ),
    Backbone(
        name="foveal-xs", file="foveal-xs.onnx", size_px=224, dimension=496, license="Apache-2.0", version="2026.11.2"
    ),
    Backbone(
        name="dinov2-s",
        file="dinov2-s.onnx",
        size_px=224,
        dimension=768,
        license="Apache-2.0",
        version="1",
        source="facebook/dinov2-with-registers-small",
    ),
    Backbone(
        name="dinov2-b",
        file="dinov2-b.onnx",
        size_px=224,
        dimension=1536,
        license="Apache-2.0",
        version="1",
        source="facebook/dinov2-with-registers-base",
    ),
)


def find(name: str = DEFAULT, size_px: int | None = None) -> Backbone:
    """Look up a backbone that is ready for use, without ever fetching one; with `size_px` it takes images of that size.

    Raises:
        NotFound: There is no such row.
        Unavailable: The backbone was not pulled yet.
    """
    backbone = row(name)
    if backbone.source and not backbone.is_here:
        raise Unavailable(f"The backbone {name} is not on this machine; fetch it with: foveal backbones pull {name}")
    return backbone if size_px in (None, backbone.size_px) else enlarged(backbone, size_px)


def enlarged(backbone: Backbone, size_px: int) -> Backbone:
    """The same fully convolutional network for images of another size: another view of them."""
    return replace(backbone, size_px=size_px, view=f"stretch-{size_px}")


def row(name: str) -> Backbone:
    """Look a backbone up by its name, on this machine or not."""
    for backbone in BACKBONES:
        if backbone.name == name:
            return backbone
    known = ", ".join(backbone.name for backbone in BACKBONES)
    raise NotFound(f"There is no backbone {name!r}; known ones: {known}.", code="NotFoundDomain")


def pulled_folder() -> Path:
    """Return the folder of the pulled backbones. Child processes find the same one, since they inherit the variable."""
    try:
        return Path(os.environ.get(PULLED) or PULLED_DEFAULT).expanduser()
    except RuntimeError as error:
        raise Invalid(f"There is no home folder for pulled backbones: set {PULLED} to a folder.") from error


@cache
def _digest(path: Path, _written_ns: int) -> str:
    """Hash a file once for each time it was written."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
