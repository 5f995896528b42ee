"""What the portal shows of the server and of who is signed in: role, limits, keys, resources and their use."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy.orm import Session

from foveal import __version__
from foveal.api.callers import CallerDep
from foveal.api.deps import PartsDep, ReadDep
from foveal.api.links import LinksDep
from foveal.api.roles import PERMISSIONS
from foveal.api.wire import Moment, Wire
from foveal.db.tables import Resource
from foveal.errors import Forbidden
from foveal.services import limits, resources
from foveal.services.resources import Caller

router = APIRouter(tags=["Foveal"])


class Limits(Wire):
    """The most of each kind, per server or per project; null: any number."""

    projects: int
    images: int
    tags: int
    iterations: int
    monthly_predictions: int | None


class Server(Wire):
    """The server as the caller sees it."""

    version: str
    endpoint: str
    region: str
    role: str
    permissions: list[str]
    resource: str | None
    """The name of the caller's resource; null: the server itself."""
    limits: Limits
    predictions_this_month: int
    trains_advanced: bool
    """Whether Advanced training and detectors can be trained where this process is: the extra `train` is there."""


class ServerKeys(Wire):
    """The server's own keys."""

    training_key: str
    prediction_key: str


class ResourceKey(Wire):
    """What may be told of a key of a resource."""

    label: str
    role: str
    ending: str
    created: Moment


class OwnResource(Wire):
    """A resource, what it holds and its keys."""

    name: str
    kind: str
    region: str
    resource_id: Annotated[str, Field(alias="resourceId")]
    projects: int
    published: int
    keys: list[ResourceKey]


@router.get("/server", operation_id="GetServer")
def server(links: LinksDep, parts: PartsDep, caller: CallerDep, session: ReadDep) -> Server:
    """The version, the limits and the use of the server, and what the caller's role may do."""
    own = resources.get(session, caller.resource_id) if caller.resource_id else None
    return Server(
        version=__version__,
        endpoint=links.base,
        region=own.region if own else parts.region,
        role=caller.role,
        permissions=sorted(PERMISSIONS[caller.role]),
        resource=own.name if own else None,
        limits=_limits(parts.limits),
        predictions_this_month=limits.predictions(session, now=parts.clock()),
        trains_advanced=parts.trains_advanced,
    )


@router.get("/keys", operation_id="GetServerKeys")
def keys(parts: PartsDep, caller: CallerDep) -> ServerKeys:
    """The server's own keys, for who came with one of them."""
    if caller.resource_id is not None:
        raise Forbidden(
            "The server's own keys are shown to their holders alone; keys of resources are kept as digests and cannot "
            "be shown again."
        )
    return ServerKeys(training_key=parts.keys.training, prediction_key=parts.keys.prediction)


@router.get("/resources", operation_id="GetResources")
def every(caller: CallerDep, session: ReadDep) -> list[OwnResource]:
    """All resources by name; with a resource's key, that one alone."""
    return [_shape(session, each) for each in _visible(session, caller)]


def _visible(session: Session, caller: Caller) -> list[Resource]:
    if caller.resource_id is None:
        return resources.every(session)
    own = resources.get(session, caller.resource_id)
    return [own] if own else []


def _shape(session: Session, resource: Resource) -> OwnResource:
    projects, published = resources.use(session, resource)
    return OwnResource(
        name=resource.name,
        kind=resource.kind,
        region=resource.region,
        resource_id=resources.resource_id(resource),
        projects=projects,
        published=published,
        keys=[
            ResourceKey(label=key.label, role=key.role, ending=key.ending, created=key.created_at)
            for key in resources.keys_of(session, resource)
        ],
    )


def _limits(of_server: limits.Limits) -> Limits:
    return Limits(**{name: getattr(of_server, name) for name in Limits.model_fields})
