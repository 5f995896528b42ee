"""Images to embeddings, through ONNX Runtime."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from foveal.engine.backbones import Backbone
from foveal.engine.resizing import at_size
from foveal.errors import Invalid
from foveal.runtime import open_session

BATCH = 4  # fastest of 1, 4 and 8 images at 224 px, two threads with a batch each
SMALLEST_NORM = 1e-12

Pixels = NDArray[np.uint8]  # (s, s, 3), RGB
Embeddings = NDArray[np.float32]  # (n, d)
Item = TypeVar("Item")


class Embedder:
    """A backbone in memory; one call at a time uses all its threads.

    Each thread loads and computes batches of its own, one inside the session: threads that share a batch wait for one
    another at every layer, the more so where decoding competes for the same cores.
    """

    def __init__(self, backbone: Backbone, *, threads: int, file: Path | bytes | None = None) -> None:
        """Load the backbone, or another network for images of its size: a file or the bytes of one."""
        self.backbone = backbone
        self._threads = threads
        content = file or backbone.path
        self._session = open_session(content, threads=1)
        if self._session.get_inputs()[0].shape[2] != backbone.size_px:
            content = at_size(content, backbone.size_px)
            self._session = open_session(content, threads=1)

    def embed(self, images: Iterable[Pixels]) -> Embeddings:
        """Embed RGB images (size_px, size_px, 3)."""
        return self.embed_each(images, _itself)

    def embed_each(self, items: Iterable[Item], load: Callable[[Item], Pixels]) -> Embeddings:
        """Embed what `load` makes of each item, in their order; loading goes on in the same threads."""
        with ThreadPoolExecutor(self._threads) as pool:
            made = list(pool.map(partial(self._batch, load), _batches(items)))
        return np.concatenate(made) if made else np.empty((0, self.backbone.dimension), np.float32)

    def _batch(self, load: Callable[[Item], Pixels], items: list[Item]) -> Embeddings:
        return self._run(self._tensor([load(item) for item in items]))

    def _tensor(self, batch: list[Pixels]) -> NDArray[np.float32]:
        size = self.backbone.size_px
        wrong = next((image.shape for image in batch if image.shape != (size, size, 3)), None)
        if wrong is not None:
            raise Invalid(f"{self.backbone.name} takes images of shape {(size, size, 3)}, not {wrong}.")
        return np.ascontiguousarray(np.stack(batch).transpose(0, 3, 1, 2), np.float32)

    def _run(self, tensor: NDArray[np.float32]) -> Embeddings:
        return self._session.run(["embedding"], {"image": tensor})[0]


def head_features(embeddings: Embeddings) -> Embeddings:
    """What heads act on: embeddings (n, d) at length one."""
    length = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return (embeddings / np.maximum(length, SMALLEST_NORM)).astype(np.float32)


def _itself(image: Pixels) -> Pixels:
    return image


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    stream = iter(items)
    while batch := list(islice(stream, BATCH)):
        yield batch
