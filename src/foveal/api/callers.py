"""Who calls: the key or the session of a request, what it opens, what its role allows, and how often."""

from typing import Annotated, cast
from uuid import UUID

from fastapi import Depends, Request

from foveal.api import cookies, roles
from foveal.api.deps import Parts, PartsDep
from foveal.api.roles import NEEDED, Permission
from foveal.errors import Denied, TooManyRequests
from foveal.security import same
from foveal.services import projects, resources
from foveal.services.resources import Caller


def require_training_key(request: Request, parts: PartsDep) -> None:
    """Let in who has a key for training, to projects of its own resource."""
    caller = _admitted(request, parts, api=resources.TRAINING, server_key=parts.keys.training)
    if caller.resource_id is not None:
        _check_project(request, parts, caller)


def require_prediction_key(request: Request, parts: PartsDep) -> None:
    """Let in who has a key for predictions; which published names it may call is the route's question."""
    _admitted(request, parts, api=resources.PREDICTION, server_key=parts.keys.prediction)


def caller(request: Request) -> Caller:
    return cast("Caller", request.state.caller)


CallerDep = Annotated[Caller, Depends(caller)]


def _admitted(request: Request, parts: Parts, *, api: str, server_key: str) -> Caller:
    operation = cast("str", request.scope["route"].operation_id)
    caller = _authenticated(request, parts, api, server_key)
    _check_rate(parts, caller, operation)
    roles.check(caller.role, operation)
    request.state.caller = caller
    return caller


def _authenticated(request: Request, parts: Parts, api: str, server_key: str) -> Caller:
    header = f"{api.title()}-Key"
    given = request.headers.get(header) or request.headers.get("Ocp-Apim-Subscription-Key")
    digest = resources.digest(given) if given is not None else cookies.key_digest(request, parts)
    if digest is None:
        raise Denied(f"Access denied: send your key in the {header} header.")
    if same(digest, resources.digest(server_key)):
        return resources.server_caller(server_key)
    with parts.sessions.read.begin() as session:
        caller = resources.authenticate(session, digest, api=api)
    if caller is None:
        what = "your session is of" if given is None else f"the {header} header holds"
        raise Denied(
            f"Access denied due to invalid key: {what} no key for the {api} API of this server "
            "(`foveal keys show` prints one; resources have their own)."
        )
    return caller


def _check_rate(parts: Parts, caller: Caller, operation: str) -> None:
    kind = _kind(operation)
    seconds = parts.rates.take((caller.key_digest, kind))
    if seconds:
        raise TooManyRequests(
            f"{operation} was refused: this key may make {parts.rates.per_second} {kind} per second "
            f"(FOVEAL_RATE_LIMIT). Please retry after {seconds} second(s).",
            retry_after_seconds=seconds,
        )


def _kind(operation: str) -> str:
    if operation == "TrainProject":
        return "trainings"
    return "predictions" if NEEDED[operation] in {Permission.PREDICT, Permission.TEST} else "other calls"


def _check_project(request: Request, parts: Parts, caller: Caller) -> None:
    """Answer for another resource's project as for one that does not exist."""
    try:
        project_id = UUID(request.path_params["project_id"])
    except (KeyError, ValueError):
        return  # no project in the path, or no id: the route says so itself
    with parts.sessions.read.begin() as session:
        if projects.get(session, project_id).resource_id != caller.resource_id:
            raise projects.not_found(project_id)
