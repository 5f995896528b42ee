"""Commands for backbones: which there are, and fetching one that is not part of the package."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foveal.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from foveal.engine.backbones import Backbone

backbones = typer.Typer(help="List the backbones that photos are looked at with; fetch one.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@backbones.command("list")
def show(*, as_json: AsJson = False) -> None:
    """List the backbones and say which are on this machine. Nothing is fetched."""
    from foveal.engine.backbones import BACKBONES

    if as_json:
        print(json.dumps([_described(backbone) for backbone in BACKBONES], indent=2))
        return
    print(f"{'name':12}{'numbers':>8}  {'input':11}{'licence':13}{'size':>9}  here")
    for each in BACKBONES:
        size = f"{each.path.stat().st_size / 1e6:.1f} MB" if each.is_here else "-"
        here = "yes" if each.is_here else f"no: foveal backbones pull {each.name}"
        side = f"{each.size_px} x {each.size_px}"
        print(f"{each.name:12}{each.dimension:>8}  {side:11}{each.license:13}{size:>9}  {here}")


@backbones.command()
def pull(
    name: Annotated[str, typer.Argument(help="A name that foveal backbones list shows.")],
    folder: Annotated[
        Path | None, typer.Option("--from", help="Folder with the model as transformers saves it; nothing is fetched.")
    ] = None,
    revision: Annotated[str, typer.Option(help="Branch, tag or commit to fetch.")] = "main",
) -> None:
    """Fetch a backbone from the model hub, turn it into ONNX, check it, and keep it for use without a network.

    Example: foveal backbones pull dinov2-s   then   foveal embed --backbone dinov2-s photos/ --out vectors.npz
    """
    from foveal.engine.backbones import row

    wanted = row(name)
    if not wanted.source:
        raise Invalid(f"The backbone {name} is part of the package: there is nothing to pull.")
    try:
        from foveal.engine import hub
    except ImportError as error:
        raise Unavailable(f"Pulling a backbone needs more packages ({error}): pip install 'foveal[hub]'") from error
    source = hub.fetch(wanted, revision) if folder is None else hub.Source(folder, str(folder.resolve()))
    installed = hub.install(wanted, source, now=datetime.now(UTC))
    print(f"{name} is here, {installed.path.stat().st_size / 1e6:.1f} MB: {installed.path}")


def _described(backbone: "Backbone") -> dict[str, str | int | bool]:
    return {
        "name": backbone.name,
        "dimension": backbone.dimension,
        "size_px": backbone.size_px,
        "license": backbone.license,
        "source": backbone.source,
        "here": backbone.is_here,
        "size_bytes": backbone.path.stat().st_size if backbone.is_here else 0,
        "path": str(backbone.path),
    }
