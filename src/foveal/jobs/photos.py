"""The pictures of a training as squares in files on disk: a network that is trained on looks at them many times."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foveal.blobs import Blobs
from foveal.jobs.embedding import Pictured, pixels

CHUNK = 64  # pictures decoded between two writes


class StoredPhotos:
    """Pictures of the blob store, decoded once for each size; the files lie in a scratch folder."""

    def __init__(self, blobs: Blobs, images: Sequence[Pictured], folder: Path, *, threads: int) -> None:
        self._blobs = blobs
        self._images = images
        self._folder = folder
        self._threads = threads

    def pixels(self, size_px: int) -> NDArray[np.uint8]:
        """All of them in their order, (n, size_px, size_px, 3), mapped from a file."""
        path = self._folder / f"{size_px}.npy"
        if not path.exists():
            self._write(path, size_px)
        return np.load(path, mmap_mode="r")

    def _write(self, path: Path, size_px: int) -> None:
        load = partial(pixels, self._blobs, size_px)
        unfinished = path.with_suffix(".partial")
        shape = (len(self._images), size_px, size_px, 3)
        squares = np.lib.format.open_memmap(unfinished, "w+", np.uint8, shape)
        with ThreadPoolExecutor(self._threads) as pool:
            for at in range(0, len(self._images), CHUNK):
                squares[at : at + CHUNK] = list(pool.map(load, self._images[at : at + CHUNK]))
        squares.flush()
        unfinished.rename(path)
