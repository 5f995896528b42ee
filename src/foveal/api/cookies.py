"""The session of the portal: a signed cookie that names the key somebody signed in with.

Nothing of it is kept: it ends when it expires, when the key is renewed, or when the cookie is deleted. The name of the
cookie is another one on each server, since browsers share cookies between the ports of a host.
"""

from datetime import datetime, timedelta
from hashlib import sha256

from fastapi import Request, Response

from foveal.api.deps import Parts
from foveal.errors import Denied, ServiceError

LIFETIME = timedelta(days=7)
LINK_LIFETIME = timedelta(hours=24)
HEADER = "X-Foveal-Portal"
"""Sent by the portal with each call: pages of other origins cannot send it, so that they cannot use the cookie."""
SESSION = "/session/"
LINK = "/sign-in"


def require_header(request: Request) -> None:
    """Raise `Denied` for a request that a page of another origin may have made."""
    if HEADER not in request.headers:
        raise Denied(f"Access denied: a session is for the portal alone, which sends the header {HEADER}.")


def name(parts: Parts) -> str:
    return "foveal-" + sha256(b"cookie" + parts.signer.secret).hexdigest()[:8]


def give(response: Response, request: Request, parts: Parts, key_digest: str) -> datetime:
    """Set the cookie; return until when it holds."""
    until = parts.clock() + LIFETIME
    response.set_cookie(
        name(parts),
        parts.signer.sign(SESSION + key_digest, expires_at=until),
        max_age=round(LIFETIME.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return until


def take(response: Response, parts: Parts) -> None:
    """Have the browser forget the cookie."""
    response.delete_cookie(name(parts), httponly=True, samesite="strict")


def key_digest(request: Request, parts: Parts) -> str | None:
    """Return the digest of the key that the request's cookie was given for; None: it carries no cookie.

    Raises:
        Denied: The cookie is not one of ours, has expired, or came without the portal's header.
    """
    cookie = request.cookies.get(name(parts))
    if cookie is None:
        return None
    require_header(request)
    try:
        return parts.signer.verified(cookie, now=parts.clock()).removeprefix(SESSION)
    except ServiceError as error:
        raise Denied(f"Your session has ended: sign in again. {error}") from error
