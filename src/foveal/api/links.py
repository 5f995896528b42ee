"""Links to blobs that open without a key until they expire, and the route that serves them."""

from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from foveal.api.deps import NowDep, PartsDep
from foveal.blobs import export_key, image_key, shown_key, thumbnail_key
from foveal.db.tables import Export, Image, Prediction
from foveal.security import UrlSigner

FILES = "/files/"
CONTENT_TYPES = {"thumbnails": "image/jpeg", "renditions": "image/jpeg", "exports": "application/zip"}
MAGIC = ((b"\xff\xd8", "image/jpeg"), (b"\x89PNG", "image/png"), (b"GIF8", "image/gif"), (b"BM", "image/bmp"))
HEADERS = {"Cache-Control": "private, max-age=86400, immutable", "X-Content-Type-Options": "nosniff"}

router = APIRouter(tags=["Files"])


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links on the address that the client used, or on the public one where it is set."""

    base: str
    signer: UrlSigner
    expires_at: datetime

    def original(self, image: Image | Prediction) -> str:
        return self._link(image_key(image.digest))

    def rendition(self, image: Image | Prediction) -> str:
        return self._link(shown_key(image.digest, rendered=image.rendered))

    def thumbnail(self, digest: str) -> str:
        return self._link(thumbnail_key(digest))

    def export(self, export: Export) -> str:
        return self._link(export_key(export.id))

    def to(self, path: str) -> str:
        return self.base + self.signer.sign(path, expires_at=self.expires_at)

    def _link(self, key: str) -> str:
        return self.to(FILES + key)


def links(request: Request, parts: PartsDep) -> Links:
    base = parts.public_url or str(request.base_url)
    return Links(base.rstrip("/"), parts.signer, parts.clock() + parts.link_lifetime)


LinksDep = Annotated[Links, Depends(links)]


@router.get(FILES + "{key:path}", operation_id="GetFile")
def get(key: str, parts: PartsDep, now: NowDep, se: str = "", sig: str = "") -> Response:
    parts.signer.verify(FILES + key, expires=se, signature=sig, now=now)
    chunks = parts.blobs.stream(key)
    first, second = next(chunks, b""), next(chunks, None)
    kind = _content_type(key, first)
    if second is None:  # a picture: in one piece it takes half the time
        return Response(first, media_type=kind, headers=HEADERS)
    return StreamingResponse(chain([first, second], chunks), media_type=kind, headers=HEADERS)


def _content_type(key: str, start: bytes) -> str:
    known = CONTENT_TYPES.get(key.split("/", 1)[0])
    return known or next((kind for magic, kind in MAGIC if start.startswith(magic)), "application/octet-stream")
