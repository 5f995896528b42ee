"""Paths as clients write them, brought to the one form that the routes know.

Versions 3.0 to 3.4-preview (and 3.4) of the training API and 3.0 and 3.1 of the prediction API share their handlers;
letter case does not matter up to the ids and published names; doubled slashes count as one.
"""

import re
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

TRAINING = "/customvision/training"
PREDICTION = "/customvision/prediction"
NEWEST = {TRAINING: "/customvision/v3.4-preview/training", PREDICTION: "/customvision/v3.1/prediction"}

_TRAINING = re.compile(r"/customvision/v3\.(?P<minor>[0-3]|4|4-preview)/training(?P<rest>/.*|$)", re.IGNORECASE)
_PREDICTION = re.compile(
    r"/customvision/v3\.[01]/prediction/(?P<project>[^/]*)/(?P<verb>classify|detect)/iterations/(?P<name>[^/]*)"
    r"(?P<rest>/.*|$)",
    re.IGNORECASE,
)
# Clients older than 3.3 know only 200 where a batch succeeds in part.
FIRST_MULTI_STATUS = 3


class Paths:
    """Middleware that rewrites the path of a request before it is routed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, **rewritten(scope["path"])}
        await self.app(scope, receive, send)


def rewritten(path: str) -> dict[str, Any]:
    """Return the entries of the request's scope that change: the path, and what the version implies."""
    path = re.sub(r"/{2,}", "/", path)
    if match := _TRAINING.fullmatch(path):
        rest = match["rest"].lower().rstrip("/")
        minor = int(match["minor"][0])
        return {
            "path": TRAINING + rest,
            "foveal.multi_status": minor >= FIRST_MULTI_STATUS,
            "foveal.version": f"3.{minor}",
        }
    if match := _PREDICTION.fullmatch(path):
        project, verb, rest = (match[part].lower() for part in ("project", "verb", "rest"))
        return {"path": f"{PREDICTION}/{project}/{verb}/iterations/{match['name']}{rest.rstrip('/')}"}
    return {"path": path}
