"""Commands for the one who runs a server: doctor; and what such commands have in common."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from foveal.access import Keys
from foveal.errors import ServiceError
from foveal.settings import Settings

Data = Annotated[Path | None, typer.Option(help="Data folder of the server (default ./foveal-data).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FREE_BYTES = 1 << 30


def doctor(data: Data = None, *, as_json: AsJson = False) -> None:
    """Check this installation and say what is missing. Exit code 1 when something that `foveal serve` needs is."""
    settings = Settings.load(os.environ, data=data)
    findings = [_finding(name, needed, check, settings) for name, needed, check in CHECKS]
    if as_json:
        print(json.dumps(findings, indent=2))
    else:
        for finding in findings:
            mark = "ok " if finding["ok"] else "MISSING" if finding["needed"] else "-  "
            print(f"{mark:8}{finding['name']:34}{finding['detail']}")
    if any(finding["needed"] and not finding["ok"] for finding in findings):
        raise typer.Exit(1)


def load_keys(settings: Settings) -> tuple[Keys, bool]:
    """Return the keys of the server that the settings describe, and whether one for an API was made just now."""
    return Keys.load(
        settings.data,
        training=settings.training_key,
        prediction=settings.prediction_key,
        signing=settings.signing_secret,
    )


def sign_in_link(keys: Keys, address: str) -> str:
    """Return the address of the portal with which one is signed in, for a day."""
    from datetime import UTC, datetime

    from foveal.api.cookies import LINK, LINK_LIFETIME
    from foveal.security import UrlSigner

    link = UrlSigner(keys.signing.encode()).sign(LINK, expires_at=datetime.now(UTC) + LINK_LIFETIME)
    return f"{address.rstrip('/')}/#{link}"


def _finding(name: str, needed: bool, check: Callable[[Settings], str], settings: Settings) -> dict[str, object]:  # noqa: FBT001
    try:
        return {"name": name, "needed": needed, "ok": True, "detail": check(settings)}
    except (ServiceError, ImportError, OSError, RuntimeError, ValueError) as error:
        return {"name": name, "needed": needed, "ok": False, "detail": str(error)}


def _python(_: Settings) -> str:
    return sys.version.split()[0]


def _backbone(settings: Settings) -> str:
    import numpy as np

    from foveal.engine import backbones
    from foveal.engine.features import Embedder

    backbone = backbones.find()
    grey = np.full((backbone.size_px, backbone.size_px, 3), 128, np.uint8)
    Embedder(backbone, threads=settings.threads).embed([grey])
    return f"{backbone.name} {backbone.version}, {backbone.path.stat().st_size / 1e6:.1f} MB"


def _data(settings: Settings) -> str:
    settings.data.mkdir(parents=True, exist_ok=True)
    probe = settings.data / f".probe-{os.getpid()}"
    probe.touch()
    probe.unlink()
    free = shutil.disk_usage(settings.data).free
    if free < FREE_BYTES:
        raise RuntimeError(f"{settings.data.absolute()} has {free / 1e9:.1f} GB free; at least 1 GB is wanted")
    return f"{settings.data.absolute()}, {free / 1e9:.0f} GB free"


def _database(settings: Settings) -> str:
    from sqlalchemy import exc, text

    from foveal.db.engine import connect

    try:
        engine = connect(settings.database)
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except exc.SQLAlchemyError as error:
        raise RuntimeError(f"{settings.database.split('@')[-1]}: {error}") from error
    return engine.dialect.name


def _torch(_: Settings) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"torch {version('torch')}"
    except PackageNotFoundError as error:
        wanted_by = "only foveal backbones pull and the recipe in pretrain/ need it"
        raise ImportError(f"{wanted_by}: pip install 'foveal[hub]'") from error


def _extra(extra: str, package: str) -> Callable[[Settings], str]:
    """Look for what writes a format of export."""

    def check(_: Settings) -> str:
        from importlib.metadata import PackageNotFoundError, version

        try:
            return f"{package} {version(package)}"
        except PackageNotFoundError as error:
            raise ImportError(f"only exports to it need it: pip install 'foveal[{extra}]'") from error

    return check


CHECKS: tuple[tuple[str, bool, Callable[[Settings], str]], ...] = (
    ("Python", True, _python),
    ("Data folder", True, _data),
    ("Database", True, _database),
    ("Embedded backbone", True, _backbone),
    ("torch (extras: hub, train)", False, _torch),
    ("TensorFlow Lite (extra: tflite)", False, _extra("tflite", "ai-edge-litert")),
    ("Core ML (extra: coreml)", False, _extra("coreml", "coremltools")),
    ("OpenVINO (extra: openvino)", False, _extra("openvino", "openvino")),
)
