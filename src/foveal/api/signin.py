"""Signing in to the portal, with a key or with the link that the server prints, and out again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from foveal.api import cookies
from foveal.api.deps import Parts, PartsDep, json_body
from foveal.api.wire import Moment, Wire
from foveal.errors import Denied, Forbidden
from foveal.security import same
from foveal.services import resources

# Nobody is signed in, or out, by a page of another origin either.
router = APIRouter(prefix="/api/v1/session", tags=["Portal"], dependencies=[Depends(cookies.require_header)])


class SignIn(Wire):
    """What somebody signs in with: a key for training, or what follows `sign-in?` in the link of the server."""

    key: str = ""
    link: str = ""


class SignedIn(Wire):
    """Until when the session holds."""

    until: Moment


@router.post("", operation_id="SignIn")
def sign_in(
    request: Request, response: Response, parts: PartsDep, given: Annotated[SignIn, Depends(json_body(SignIn))]
) -> SignedIn:
    """Begin a session of the portal: its cookie comes with the answer."""
    digest = _by_link(parts, given.link) if given.link else _by_key(parts, given.key.strip())
    return SignedIn(until=cookies.give(response, request, parts, digest))


@router.delete("", operation_id="SignOut", status_code=204)
def sign_out(response: Response, parts: PartsDep) -> None:
    """End the session in this browser."""
    cookies.take(response, parts)


def _by_link(parts: Parts, link: str) -> str:
    try:
        parts.signer.verified(f"{cookies.LINK}?{link}", now=parts.clock())
    except Forbidden as error:
        raise Denied(f"{error} `foveal keys link` prints a new one.") from error
    return resources.digest(parts.keys.training)


def _by_key(parts: Parts, key: str) -> str:
    digest = resources.digest(key)
    if not same(key, parts.keys.training):
        with parts.sessions.read.begin() as session:
            if resources.authenticate(session, digest, api=resources.TRAINING) is None:
                raise Denied("This is no key for training of this server. `foveal keys show` prints the server's.")
    return digest
