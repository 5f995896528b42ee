"""The web portal's built files: its page, and assets that are named by their content.

The portal routes within the page (after `#`), so that one page at any address, below any path, is all of it.
"""

import mimetypes
import secrets
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.exceptions import HTTPException

from foveal.api import welcome

DIST = Path(__file__).parents[1] / "portal_dist"
NONCE = "__CSP_NONCE__"
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src 'self' blob:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {"Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"}
FOR_EVER = "public, max-age=31536000, immutable"
LICENCES = "third-party-licenses.md"


def router(dist: Path = DIST) -> APIRouter:
    """Return the routes of the portal in the folder; where it was not built, the page that says how to call us."""
    index = dist / "index.html"
    if not index.is_file():
        return welcome.router
    page = index.read_text(encoding="utf-8")
    # A megabyte, kept: an answer from memory is there before a thread would have opened the file.
    assets = {path.name: path.read_bytes() for path in (dist / "assets").iterdir()}
    made = APIRouter(include_in_schema=False)

    @made.get("/")
    async def portal() -> HTMLResponse:
        """Give the page, with a nonce of its own in the policy of what may run in it."""
        nonce = secrets.token_urlsafe(16)
        policy = {"Content-Security-Policy": POLICY.format(nonce=nonce), "Cache-Control": "no-store"}
        return HTMLResponse(page.replace(NONCE, nonce), headers={**HEADERS, **policy})

    @made.get(f"/{LICENCES}")
    def licences() -> FileResponse:
        return FileResponse(dist / LICENCES, media_type="text/plain; charset=utf-8", headers=HEADERS)

    @made.get("/assets/{name}")
    async def asset(name: str, request: Request) -> Response:
        if name not in assets:
            raise HTTPException(404, "it is no file of this version of the portal")
        headers = {**HEADERS, "Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
        content = assets[name]
        if f"{name}.gz" in assets and "gzip" in request.headers.get("accept-encoding", ""):
            content, headers["Content-Encoding"] = assets[f"{name}.gz"], "gzip"
        return Response(content, media_type=mimetypes.guess_type(name)[0], headers=headers)

    return made
