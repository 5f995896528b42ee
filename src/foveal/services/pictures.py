"""Pictures on their way in: verified, rendered and stored as blobs before any row speaks of them.

Knows no database: what comes out is recorded by `images` (for training) or `predictions`.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from foveal import imaging
from foveal.blobs import Blobs, image_key, rendition_key, shown_key, thumbnail_key
from foveal.errors import ServiceError, Unavailable
from foveal.services.regions import Placed

OK = "OK"
# Renditions are ours and may be larger than an upload ever was.
ANY_SIZE = 1 << 40
STATUS_OF_CODE = {
    "BadRequestImageUrl": "ErrorSource",
    "BadRequestImageFormat": "ErrorImageFormat",
    "BadRequestImageSizeBytes": "ErrorImageSize",
    "BadRequestImageDimensions": "ErrorImageDimensions",
    "BadRequestImageAspectRatio": "ErrorImageDimensions",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a batch: where its picture comes from, and the tags and regions that it shall have."""

    source: str
    tag_ids: tuple[UUID, ...] = ()
    """Each once; those of the regions are among them."""
    regions: tuple[Placed, ...] = ()


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture as it came: its bytes, or the error that kept us from getting them."""

    entry: Entry
    content: bytes | ServiceError


@dataclass(frozen=True, slots=True)
class Picture:
    """A verified picture, durable under its digest (SHA-256 of the bytes as they came)."""

    digest: str
    width: int
    height: int
    rendered: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of one upload: a stored picture, or the status that tells why not."""

    entry: Entry
    status: str
    picture: Picture | None
    reason: str = ""


def receive(blobs: Blobs, uploads: Sequence[Upload], pool: Executor) -> list[Arrival]:
    """Verify, render and store each upload, in parallel; the order stays."""
    return list(pool.map(partial(_receive, blobs), uploads))


def store(blobs: Blobs, data: bytes, *, max_bytes: int) -> Picture:
    """Store the original, a rendition when the original does not serve as one, and a thumbnail.

    Raises:
        ImageRefused: The bytes are no acceptable picture.
    """
    renditions = imaging.renditions(data, max_bytes=max_bytes)
    digest = sha256(data).hexdigest()
    rendered = renditions.image != data
    if rendered:
        blobs.put(rendition_key(digest), renditions.image)
    blobs.put(thumbnail_key(digest), renditions.thumbnail)
    blobs.put(image_key(digest), data)
    return Picture(digest, renditions.width, renditions.height, rendered)


def pixels(blobs: Blobs, digest: str, *, rendered: bool, size_px: int) -> NDArray[np.uint8]:
    """Return a stored picture as a network sees it: RGB (size_px, size_px, 3)."""
    data = blobs.get(shown_key(digest, rendered=rendered))
    return imaging.model_input(imaging.decode(data, max_bytes=ANY_SIZE, shrink_to=size_px), size_px)


def _receive(blobs: Blobs, upload: Upload) -> Arrival:
    try:
        if isinstance(upload.content, ServiceError):
            raise upload.content
        picture = store(blobs, upload.content, max_bytes=imaging.TRAINING_BYTES)
    except Unavailable as error:
        return Arrival(upload.entry, "ErrorStorage", None, str(error))
    except ServiceError as error:
        status = STATUS_OF_CODE.get(error.code, "ErrorUnknown")
        return Arrival(upload.entry, status, None, str(error))
    return Arrival(upload.entry, OK, picture)
