"""`foveal keys`: the server's own pair, and the keys of resources."""

import json
import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from foveal.access import Keys
from foveal.cli.admin import AsJson, Data, load_keys, sign_in_link
from foveal.cli.resources import describe_keys, print_keys, print_made, transaction
from foveal.errors import Invalid
from foveal.settings import Settings

keys = typer.Typer(help="Show or renew the keys that open the API, and add keys to resources.", no_args_is_help=True)

AnyResource = Annotated[str | None, typer.Option(help="Name or id of a resource; without it: the server's own keys.")]
Resource = Annotated[str, typer.Option(help="Name or id of the resource.")]
LABEL_HELP = "key1, key2 or the name of an added key."


@keys.command()
def show(resource: AnyResource = None, data: Data = None, *, as_json: AsJson = False) -> None:
    """Print the server's keys, made first if there are none; or what is kept of a resource's keys."""
    settings = Settings.load(os.environ, data=data)
    if resource is None:
        _print_pair(load_keys(settings)[0], as_json=as_json)
        return
    from foveal.services import resources

    with transaction(settings) as session:
        found = describe_keys(session, resources.find(session, resource))
    print_keys(found, as_json=as_json)


@keys.command()
def link(
    address: Annotated[str | None, typer.Option(help="Address of the server, as browsers reach it.")] = None,
    data: Data = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Print a link that signs in to the portal with all rights, for a day. `foveal serve` prints one too."""
    settings = Settings.load(os.environ, data=data)
    made = sign_in_link(
        load_keys(settings)[0], address or settings.public_url or f"http://{settings.host}:{settings.port}"
    )
    print(json.dumps({"link": made}) if as_json else made)


@keys.command()
def rotate(
    resource: AnyResource = None,
    key: Annotated[str | None, typer.Option(help=f"Of a resource: {LABEL_HELP}")] = None,
    data: Data = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Make new keys for both APIs, then restart the server; or one of a resource, which holds at once.

    Programs need the new key from then on.
    """
    settings = Settings.load(os.environ, data=data)
    if resource is None and key is None:
        _rotate_pair(settings, as_json=as_json)
        return
    if resource is None or key is None:
        raise Invalid("--resource and --key go together: `foveal keys rotate --resource NAME --key key1`.")
    from foveal.services import resources

    with transaction(settings) as session:
        made = resources.rotate(session, resources.find(session, resource), key, now=datetime.now(UTC))
    print_made({key: made}, as_json=as_json)


@keys.command()
def add(
    resource: Resource,
    name: Annotated[str, typer.Option(help="What to call the key.")],
    role: Annotated[str, typer.Option(help="Reader, Labeler, Trainer, Deployment or Contributor.")],
    data: Data = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Add a key of a role to a resource. It is printed this once."""
    from foveal.services import resources

    with transaction(Settings.load(os.environ, data=data)) as session:
        made = resources.add_key(session, resources.find(session, resource), name, role, now=datetime.now(UTC))
    print_made({name: made}, as_json=as_json)


@keys.command()
def remove(
    resource: Resource,
    key: Annotated[str, typer.Option(help="The name of an added key.")],
    data: Data = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Remove an added key from a resource. It opens nothing from then on."""
    from foveal.services import resources

    with transaction(Settings.load(os.environ, data=data)) as session:
        resources.remove_key(session, resources.find(session, resource), key)
    print(json.dumps({"removed": key}) if as_json else f"Removed {key} of {resource}.")


def _rotate_pair(settings: Settings, *, as_json: bool) -> None:
    if settings.training_key or settings.prediction_key:
        print("FOVEAL_TRAINING_KEY and FOVEAL_PREDICTION_KEY fix the keys: change them there.", file=sys.stderr)
        raise typer.Exit(1)
    _print_pair(Keys.rotate(settings.data), as_json=as_json)


def _print_pair(found: Keys, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"training": found.training, "prediction": found.prediction}))
    else:
        print(f"Training-Key:   {found.training}\nPrediction-Key: {found.prediction}")
