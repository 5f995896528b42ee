"""`foveal resources`: who may call the server, besides the holders of its own keys."""

import json
import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from foveal.cli.admin import AsJson, Data
from foveal.errors import Unavailable
from foveal.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from foveal.db.tables import Resource

resources = typer.Typer(
    help="List, make and delete resources: teams with projects and keys of their own.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="Name or id of the resource.")]


@resources.command("list")
def every(data: Data = None, *, as_json: AsJson = False) -> None:
    """List the resources."""
    from foveal.services import resources

    settings = Settings.load(os.environ, data=data)
    with transaction(settings) as session:
        found = [_described(resource, settings) for resource in resources.every(session)]
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for each in found:
        print(f"{each['name']:24}{each['kind']:12}{each['region']}")


@resources.command()
def create(
    name: Annotated[str, typer.Argument(help="2 to 64 letters, digits, dots, dashes and underscores.")],
    kind: Annotated[str, typer.Option(help="training, prediction or combined (opens both APIs).")],
    region: Annotated[str | None, typer.Option(help="Region; default: that of the server, FOVEAL_REGION.")] = None,
    data: Data = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Make a resource with two keys. They are printed this once."""
    from foveal.services import resources

    settings = Settings.load(os.environ, data=data)
    with transaction(settings) as session:
        made, keys = resources.create(session, name, kind, region or settings.region, now=datetime.now(UTC))
        described = _described(made, settings)
    if as_json:
        print(json.dumps({**described, "keys": keys}, indent=2))
        return
    _print_described(described)
    print_made(keys, as_json=False)


@resources.command()
def show(name: Name, data: Data = None, *, as_json: AsJson = False) -> None:
    """Show a resource: its endpoint, the id to publish to, and what is kept of its keys."""
    from foveal.services import resources

    settings = Settings.load(os.environ, data=data)
    with transaction(settings) as session:
        resource = resources.find(session, name)
        described, keys = _described(resource, settings), describe_keys(session, resource)
    if as_json:
        print(json.dumps({**described, "keys": keys}, indent=2))
        return
    _print_described(described)
    print_keys(keys, as_json=False)


@resources.command()
def delete(name: Name, data: Data = None, *, as_json: AsJson = False) -> None:
    """Delete a resource and its keys. Refused while it has projects or published names."""
    from foveal.services import resources

    with transaction(Settings.load(os.environ, data=data)) as session:
        resource = resources.find(session, name)
        resources.delete(session, resource)
    print(json.dumps({"deleted": resource.name}) if as_json else f"Deleted {resource.name}.")


@contextmanager
def transaction(settings: Settings) -> Generator["Session"]:
    """Open the server's database for one transaction; the server may run meanwhile."""
    from sqlalchemy import exc, make_url

    from foveal.app import open_database

    try:
        sessions = open_database(settings)
    except exc.OperationalError as error:
        url = make_url(settings.database).render_as_string(hide_password=True)
        raise Unavailable(f"The database {url} does not answer.") from error
    try:
        with sessions.write.begin() as session:
            yield session
    finally:
        sessions.engine.dispose()


def describe_keys(session: "Session", resource: "Resource") -> list[dict[str, str]]:
    """Return what may be told of the keys of a resource."""
    from foveal.services import resources

    return [
        {
            "label": key.label,
            "role": key.role,
            "ending": key.ending,
            "created": f"{key.created_at:%Y-%m-%dT%H:%M:%SZ}",
        }
        for key in resources.keys_of(session, resource)
    ]


def print_keys(keys: Sequence[Mapping[str, str]], *, as_json: bool) -> None:
    """Print what may be told of keys."""
    if as_json:
        print(json.dumps(keys, indent=2))
        return
    for key in keys:
        print(f"{key['label']:20}{key['role']:13}...{key['ending']}  {key['created']}")


def print_made(keys: Mapping[str, str], *, as_json: bool) -> None:
    """Print keys that were made just now."""
    if as_json:
        print(json.dumps(keys))
        return
    for label, key in keys.items():
        print(f"{label}: {key}")
    print("Shown this once: only a digest is kept.")


def _described(resource: "Resource", settings: Settings) -> dict[str, str]:
    from foveal.services import resources

    return {
        "name": resource.name,
        "kind": resource.kind,
        "region": resource.region,
        "endpoint": settings.public_url or f"http://{settings.host}:{settings.port}",
        "id": resources.resource_id(resource),
        "created": f"{resource.created_at:%Y-%m-%dT%H:%M:%SZ}",
    }


def _print_described(described: Mapping[str, str]) -> None:
    for name, value in described.items():
        print(f"{name + ':':10}{value}")
