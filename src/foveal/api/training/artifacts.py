"""Files of a project by path, for clients that may not open links: GetArtifact."""

import re
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from foveal.api.deps import NowDep, PartsDep, ReadDep
from foveal.api.links import FILES
from foveal.blobs import image_key, shown_key, thumbnail_key
from foveal.db.tables import Project
from foveal.errors import Invalid
from foveal.services import images, projects

router = APIRouter(prefix="/projects/{project_id}/artifacts", tags=["Artifacts"])

ID = "[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}"
# i-<project>/i-<image> is the picture as it is shown, t- its thumbnail, o- the bytes as they were uploaded.
RELATIVE = re.compile(rf"/?i-(?P<project>{ID})/(?P<kind>[ito])-(?P<image>{ID})", re.IGNORECASE)


@router.get("", operation_id="GetArtifact", response_class=StreamingResponse)
def get(
    project_id: UUID, path: Annotated[str, Query(min_length=1)], session: ReadDep, parts: PartsDep, now: NowDep
) -> StreamingResponse:
    """By path, for clients that may not open links.

    `path` is `i-<project>/i-<image>` for a picture as it is shown, `t-` for its thumbnail, `o-` for the bytes as they
    came, or a link that this server gave.
    """
    project = projects.get(session, project_id)
    if urlsplit(path).path.startswith(FILES):
        key = parts.signer.verified(path, now=now).removeprefix(FILES)
    else:
        key = _key(session, project, path)
    return StreamingResponse(parts.blobs.stream(key), media_type="application/octet-stream")


def _key(session: Session, project: Project, path: str) -> str:
    match = RELATIVE.fullmatch(path)
    if match is None or UUID(match["project"]) != project.id:
        raise Invalid(
            f"path {path!r:.200} is no artifact of project {project.id}: expected i-<project>/i-<image>, "
            "i-<project>/t-<image> for the thumbnail, or a link that this server gave.",
            "BadRequestInvalidArtifactUri",
        )
    image = images.get(session, project, UUID(match["image"]))
    keys = {
        "i": shown_key(image.digest, rendered=image.rendered),
        "t": thumbnail_key(image.digest),
        "o": image_key(image.digest),
    }
    return keys[match["kind"].lower()]
