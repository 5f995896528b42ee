"""Embeddings of pictures: those of the cache, and the missing ones made in durable steps."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from foveal.blobs import Blobs
from foveal.engine.backbones import Backbone
from foveal.jobs.workshop import Workshop
from foveal.services import embeddings, pictures

CHUNK = 256  # embeddings made between two durable steps


class Pictured(Protocol):
    """What has a picture: an image of the workspace, or one that an iteration was trained on."""

    @property
    def digest(self) -> str: ...
    @property
    def rendered(self) -> bool: ...


def embed(
    workshop: Workshop, backbone: Backbone, images: Sequence[Pictured], report: Callable[[float], None]
) -> NDArray[np.float32]:
    """Return the embeddings (n, d) of images; before each step `report` hears which share of them is there."""
    digests = [image.digest for image in images]
    with workshop.sessions.read.begin() as session:
        found = embeddings.find(session, backbone, digests)
    missing = [image for image in images if image.digest not in found]
    load = partial(pixels, workshop.blobs, backbone.size_px)
    for chunk in _chunks(missing):
        report(len(found) / len(digests))
        made = workshop.embedder(backbone).embed_each(chunk, load)
        fresh = {image.digest: vector for image, vector in zip(chunk, made, strict=True)}
        with workshop.sessions.write.begin() as session:
            embeddings.add(session, backbone, fresh)
        found.update(fresh)
    return np.stack([found[digest] for digest in digests])


def _chunks(images: Sequence[Pictured]) -> Iterator[Sequence[Pictured]]:
    for at in range(0, len(images), CHUNK):
        yield images[at : at + CHUNK]


def pixels(blobs: Blobs, size: int, image: Pictured) -> NDArray[np.uint8]:
    """The picture as a square (size, size, 3)."""
    return pictures.pixels(blobs, image.digest, rendered=image.rendered, size_px=size)
