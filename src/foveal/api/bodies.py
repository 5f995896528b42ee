"""Pictures in request bodies: multipart parts named imageData, or the raw bytes."""

from typing import Annotated

from fastapi import Depends, Request

from foveal.api import multipart
from foveal.api.deps import BodyDep
from foveal.errors import Invalid

PART = "imageData"
REFUSED_TYPES = ("application/json", "text/", "application/xml", "application/x-www-form-urlencoded")
Named = tuple[str, bytes]


def named_pictures(request: Request, body: BodyDep) -> list[Named]:
    """Return the pictures of the body with the file names they came with, empty where there was none."""
    content_type = request.headers.get("content-type", "")
    kind = content_type.split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        found = [part for part in multipart.parts(body, content_type) if part.name.lower() == PART.lower()]
        return [(part.filename or "", part.data) for part in found]
    if kind.startswith(REFUSED_TYPES):
        raise Invalid(
            f"Content-Type {kind!r} is not taken here: send multipart/form-data with a part named {PART}, "
            "or the picture's bytes as application/octet-stream.",
            "UnsupportedMediaType",
        )
    return [("", body)] if body else []


NamedPicturesDep = Annotated[list[Named], Depends(named_pictures)]


def one_picture(pictures: NamedPicturesDep) -> bytes:
    """Return the one picture of the body."""
    if len(pictures) != 1:
        raise Invalid(
            f"Expected one picture, as a multipart part named {PART} or as the raw body; got {len(pictures)}.",
            "BadRequestImageBatch",
        )
    return pictures[0][1]


OnePictureDep = Annotated[bytes, Depends(one_picture)]
