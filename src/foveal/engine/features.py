"""Images to embeddings, through ONNX Runtime."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from foveal.engine.backbones import Backbone
from foveal.errors import Invalid

BATCH = 8  # fastest or within noise of it from 4 to 32 images at 224 px on one and two threads
SMALLEST_NORM = 1e-12

RUNTIME: Any = onnxruntime  # it carries no types

Pixels = NDArray[np.uint8]  # (s, s, 3), RGB
Embeddings = NDArray[np.float32]  # (n, d)


class Embedder:
    """A backbone in memory; one call at a time uses all its threads."""

    def __init__(self, backbone: Backbone, *, threads: int) -> None:
        self.backbone = backbone
        options = RUNTIME.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = RUNTIME.InferenceSession(backbone.path, options, providers=["CPUExecutionProvider"])

    def embed(self, images: Iterable[Pixels]) -> Embeddings:
        """Embed a stream of RGB images (size_px, size_px, 3); the next batch is read while one is computed."""
        made: list[Future[Embeddings]] = []
        with ThreadPoolExecutor(1) as worker:
            for batch in _batches(images):
                tensor = self._tensor(batch)
                if made:
                    made[-1].result()  # at most one batch waits, whatever the length of the stream
                made.append(worker.submit(self._run, tensor))
        found = [each.result() for each in made]
        return np.concatenate(found) if found else np.empty((0, self.backbone.dimension), np.float32)

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


def _batches(images: Iterable[Pixels]) -> Iterator[list[Pixels]]:
    stream = iter(images)
    while batch := list(islice(stream, BATCH)):
        yield batch
