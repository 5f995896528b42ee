"""Resources and their keys: who may call which API, in which region and in which role."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from foveal.access import new_key
from foveal.db.tables import Iteration, Project, Resource, ResourceKey, name_key
from foveal.errors import Invalid, NotFound

TRAINING = "training"
PREDICTION = "prediction"
COMBINED = "combined"
KINDS = (TRAINING, PREDICTION, COMBINED)

READER = "Reader"
LABELER = "Labeler"
TRAINER = "Trainer"
DEPLOYMENT = "Deployment"
CONTRIBUTOR = "Contributor"
ROLES = (READER, LABELER, TRAINER, DEPLOYMENT, CONTRIBUTOR)

SERVER = "foveal"
"""The name by which one publishes for the server's own prediction key."""
PAIR = ("key1", "key2")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,63}")
REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
ENDING = 4


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the key's resource (None: the server itself), its role, and the digest of the key."""

    resource_id: UUID | None
    role: str
    key_digest: str


def server_caller(key: str) -> Caller:
    """Return the caller that one of the server's own keys stands for."""
    return Caller(None, CONTRIBUTOR, digest(key))


def digest(key: str) -> str:
    """Return the SHA-256 of a key, by which it is known."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def authenticate(session: Session, key_digest: str, *, api: str) -> Caller | None:
    """Return whose key has this digest, if it opens the API: TRAINING or PREDICTION."""
    row = session.execute(
        select(ResourceKey.resource_id, ResourceKey.role, ResourceKey.digest)
        .join(Resource, Resource.id == ResourceKey.resource_id)
        .where(ResourceKey.digest == key_digest, Resource.kind.in_((api, COMBINED)))
    ).one_or_none()
    return None if row is None else Caller(row.resource_id, row.role, row.digest)


def create(session: Session, name: str, kind: str, region: str, *, now: datetime) -> tuple[Resource, dict[str, str]]:
    """Add a resource with two keys; return them in plain, which is the only time they can be seen."""
    resource = Resource(
        name=_name(name),
        name_key=name_key(name),
        kind=_choice("Kind", kind, KINDS),
        region=region_name(region),
        created_at=now,
    )
    if session.scalar(select(Resource.id).where(Resource.name_key == resource.name_key)):
        raise _name_taken(name)
    session.add(resource)
    try:
        session.flush()
    except IntegrityError as error:
        raise _name_taken(name) from error
    return resource, {label: add_key(session, resource, label, CONTRIBUTOR, now=now) for label in PAIR}


def every(session: Session) -> list[Resource]:
    """Return all resources by name."""
    return list(session.scalars(select(Resource).order_by(Resource.name_key)))


def find(session: Session, text: str) -> Resource:
    """Return the resource of this name or id, or raise `NotFound`."""
    resource = session.scalar(select(Resource).where(Resource.name_key == _named(text)))
    if resource is None:
        raise NotFound(f"There is no resource {text!r}: `foveal resources list` shows those there are.")
    return resource


def get(session: Session, id: UUID) -> Resource | None:
    """Return the resource with this id, if there is one."""
    return session.get(Resource, id)


def use(session: Session, resource: Resource) -> tuple[int, int]:
    """Return how many projects belong to the resource and how many iterations are published to it."""
    projects = select(func.count()).select_from(Project).where(Project.resource_id == resource.id)
    published = select(func.count()).select_from(Iteration).where(Iteration.published_to == resource.id)
    return session.scalar(projects) or 0, session.scalar(published) or 0


def delete(session: Session, resource: Resource) -> None:
    """Delete the resource with its keys; refused while something belongs to it."""
    counts = use(session, resource)
    if any(counts):
        raise Invalid(
            f"Resource {resource.name!r} is in use (projects: {counts[0]}, published names: {counts[1]}): "
            "delete the projects and unpublish the names first."
        )
    session.delete(resource)
    session.flush()


def keys_of(session: Session, resource: Resource) -> list[ResourceKey]:
    """Return what is known of the resource's keys, by label."""
    keys = select(ResourceKey).where(ResourceKey.resource_id == resource.id)
    return list(session.scalars(keys.order_by(ResourceKey.label)))


def add_key(session: Session, resource: Resource, label: str, role: str, *, now: datetime) -> str:
    """Add a key under a label of its own; return it in plain, this once."""
    if LABEL.fullmatch(label) is None:
        raise Invalid(f"A key is named by 1 to 64 letters, digits, dots, dashes and underscores; got {label!r}.")
    if label in {key.label for key in keys_of(session, resource)}:
        raise Invalid(f"Resource {resource.name!r} already has a key {label!r}: rotate it, or choose another name.")
    row = ResourceKey(resource_id=resource.id, label=label, role=_choice("Role", role, ROLES))
    key = _renew(row, now)
    session.add(row)
    session.flush()
    return key


def rotate(session: Session, resource: Resource, label: str, *, now: datetime) -> str:
    """Put a new key in the place of the one with this label; return it in plain, this once."""
    key = _renew(_key(session, resource, label), now)
    session.flush()
    return key


def remove_key(session: Session, resource: Resource, label: str) -> None:
    """Remove an added key; it opens nothing from now on."""
    if label in PAIR:
        raise Invalid(f"{label} is one of the two keys that every resource has: rotate it instead.")
    session.delete(_key(session, resource, label))
    session.flush()


def resource_id(resource: Resource) -> str:
    """Return the id by which clients publish to the resource, in the form of Azure's."""
    provider = "Microsoft.CognitiveServices"
    return f"/subscriptions/foveal/resourceGroups/{resource.region}/providers/{provider}/accounts/{resource.name}"


def publish_target(session: Session, project: Project, prediction_id: str, *, server_region: str) -> UUID | None:
    """Return the resource whose keys may call what is published to this id; None: the server's own key.

    Without resources for predictions any id stands for the server. With some, the id names one of them, or `foveal`
    for the server, in the region of the project.
    """
    if not prediction_id.strip():
        raise _no_target("predictionId is empty: name a prediction resource.")
    targets = [resource for resource in every(session) if resource.kind != TRAINING]
    if not targets:
        return None
    owner = session.get(Resource, project.resource_id) if project.resource_id else None
    region = owner.region if owner else server_region
    near: dict[str, UUID | None] = {each.name_key: each.id for each in targets if each.region == region}
    if region == server_region:
        near[SERVER] = None
    name = _named(prediction_id)
    if name not in near:
        raise _no_target(
            f"predictionId {prediction_id!r:.300} is no prediction resource in the project's region {region!r}: "
            f"expected the name of one, or an id that ends in /accounts/ and its name: {_listed(sorted(near))}."
        )
    return near[name]


def region_name(text: str) -> str:
    """Return the name of a region as it is compared, or raise `Invalid`."""
    region = text.strip().lower()
    if REGION.fullmatch(region) is None:
        raise Invalid(f"A region is named by up to 64 letters, digits and dashes; got {text!r}.")
    return region


def _name(text: str) -> str:
    name = text.strip()
    if NAME.fullmatch(name) is None or name_key(name) == SERVER:
        raise Invalid(
            "A resource is named by 2 to 64 letters, digits, dots, dashes and underscores, "
            f"and {SERVER!r} stands for the server itself; got {text!r}."
        )
    return name


def _name_taken(name: str) -> Invalid:
    return Invalid(f"There is a resource {name!r} already; letter case does not count.")


def _named(text: str) -> str:
    """Return the name in `.../accounts/<name>`, or the whole text, as names are compared."""
    return name_key(text).rstrip("/").rpartition("/accounts/")[2]


def _choice(what: str, text: str, choices: Sequence[str]) -> str:
    for known in choices:
        if text.lower() == known.lower():
            return known
    raise Invalid(f"{what} {text!r} is unknown: expected {_listed(choices)}.")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "there is none"


def _key(session: Session, resource: Resource, label: str) -> ResourceKey:
    keys = keys_of(session, resource)
    for key in keys:
        if key.label == label:
            return key
    raise NotFound(f"Resource {resource.name!r} has no key {label!r}; it has {_listed([key.label for key in keys])}.")


def _renew(row: ResourceKey, now: datetime) -> str:
    key = new_key()
    row.digest, row.ending, row.created_at = digest(key), key[-ENDING:], now
    return key


def _no_target(message: str) -> Invalid:
    return Invalid(message, "BadRequestInvalidPublishTarget")
