"""Photos on disk as commands take them: found, decoded, embedded."""

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from foveal import datasets
from foveal.errors import Invalid
from foveal.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from foveal.domains import Domain
    from foveal.engine.backbones import Backbone
    from foveal.engine.search import Progress, Search
    from foveal.engine.training import Task

LARGEST = 1 << 30  # bytes of a photo


class Files:
    """Photos as squares, decoded once for each size."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._squares: dict[int, NDArray[np.uint8]] = {}

    def pixels(self, size_px: int) -> "NDArray[np.uint8]":
        import numpy as np

        if size_px not in self._squares:
            self._squares[size_px] = np.stack([pixels(size_px, path) for path in self._paths])
        return self._squares[size_px]


def within(path: Path) -> Iterator[Path]:
    """The photo itself, or all photos in a folder."""
    if not path.exists():
        raise Invalid(f"{path} does not exist.")
    return datasets.photos(path) if path.is_dir() else iter([path])


def pixels(size: int, path: Path) -> "NDArray[np.uint8]":
    """A photo stretched to a square, RGB (size, size, 3)."""
    from foveal import imaging

    try:
        return imaging.model_input(imaging.decode(path.read_bytes(), max_bytes=LARGEST, shrink_to=size), size)
    except (imaging.ImageRefused, OSError) as error:
        raise Invalid(f"{path}: {error}") from error


def embeddings(paths: Sequence[Path], backbone: "Backbone", *, quiet: bool) -> "NDArray[np.float32]":
    """Embeddings (n, d) of photos, with a bar on stderr."""
    from rich.console import Console
    from rich.progress import Progress

    from foveal.engine.features import Embedder

    with Progress(console=Console(stderr=True, quiet=quiet)) as progress:
        bar = progress.add_task("Looking at the photos", total=len(paths))

        def load(path: Path) -> "NDArray[np.uint8]":
            progress.advance(bar)
            return pixels(backbone.size_px, path)

        return Embedder(backbone, threads=threads()).embed_each(paths, load)


def task(folder: Path, domain: "Domain", tags: Sequence[str], paths: Sequence[Path], *, exclusive: bool) -> "Task":
    """What a model is made for: the tags of these photos in a folder."""
    from foveal.bundle import TagEntry
    from foveal.engine.training import Task

    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.parent.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return Task(
        project=folder.resolve().name,
        iteration="local",
        domain=domain.name,
        exclusive=exclusive,
        tags=[TagEntry(name, name, "Regular") for name in tags],
        data_digest=digest.hexdigest(),
        created_at=datetime.now(UTC),
    )


def search(seconds: float, policy: str, *, quiet: bool) -> "Search":
    """A search that keeps nothing and tells on stderr how far it is.

    Raises:
        Invalid: torch is not installed.
    """
    from foveal.engine.search import Memory, Search

    if find_spec("torch") is None:
        raise Invalid('This training needs torch: pip install "foveal[train]".')

    told: list[str] = []

    def report(progress: "Progress") -> None:
        line = f"  {progress.share:.0%}  {progress.candidate}"
        if not quiet and line not in told[-1:]:  # a detector tells each of its steps
            print(line, file=sys.stderr)
            told.append(line)

    return Search(
        budget_seconds=seconds,
        kept=Memory(),
        report=report,
        pause=lambda: None,
        policy=policy,
        threads=threads(),
    )


def threads() -> int:
    return Settings.load(os.environ).threads
