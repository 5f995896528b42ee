"""Pictures on their way in: verified, rendered and stored as blobs before any row speaks of them.

Knows no database: what comes out is recorded by `images` (for training) or `predictions`.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from uuid import UUID

from foveal import imaging
from foveal.blobs import Blobs, image_key, rendition_key, thumbnail_key
from foveal.errors import ServiceError

OK = "OK"
STATUS_OF_CODE = {
    "BadRequestImageUrl": "ErrorSource",
    "BadRequestImageFormat": "ErrorImageFormat",
    "BadRequestImageSizeBytes": "ErrorImageSize",
    "BadRequestImageDimensions": "ErrorImageDimensions",
    "BadRequestImageAspectRatio": "ErrorImageDimensions",
}


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture as it came: its bytes, or the error that kept us from getting them."""

    source: str
    content: bytes | ServiceError
    tag_ids: tuple[UUID, ...] = ()


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

    source: str
    tag_ids: tuple[UUID, ...]
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


def _receive(blobs: Blobs, upload: Upload) -> Arrival:
    try:
        if isinstance(upload.content, ServiceError):
            raise upload.content
        picture = store(blobs, upload.content, max_bytes=imaging.TRAINING_BYTES)
    except ServiceError as error:
        status = STATUS_OF_CODE.get(error.code, "ErrorUnknown")
        return Arrival(upload.source, upload.tag_ids, status, None, str(error))
    except OSError as error:
        return Arrival(upload.source, upload.tag_ids, "ErrorStorage", None, str(error))
    return Arrival(upload.source, upload.tag_ids, OK, picture)
