"""The command line: `foveal --help`."""

import os
import sys

import typer

from foveal import __version__
from foveal.cli import admin, backbones, demo, exports, keys, local, resources, server
from foveal.errors import ServiceError
from foveal.settings import NUMERIC_ENVIRONMENT

for name, value in NUMERIC_ENVIRONMENT.items():
    os.environ.setdefault(name, value)  # before any numeric library loads

HELP = """Train, judge and serve your own image classifiers, on your own machine.

Start with `foveal demo`: it shows the whole story on sample photos in under a minute. Then `foveal serve`.
"""

app = typer.Typer(help=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command()(server.serve)
app.command()(server.worker)
app.command()(demo.demo)
app.command()(local.train)
app.command()(exports.export)
app.command()(local.predict)
app.command()(local.embed)
app.add_typer(backbones.backbones, name="backbones")
app.add_typer(resources.resources, name="resources")
app.add_typer(keys.keys, name="keys")
app.command()(admin.doctor)
app.command("run-job", hidden=True)(server.run_job)


@app.callback(invoke_without_command=True)
def version(*, version: bool = typer.Option(False, "--version", help="Print the version and end.")) -> None:  # noqa: FBT003
    if version:
        print(f"foveal {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; an error of ours is one line and exit code 1, not a traceback."""
    try:
        app()
    except ServiceError as error:
        print(f"foveal: {error}", file=sys.stderr)
        sys.exit(1)
