"""A small server for a container: ONNX Runtime, Pillow, and Azure's routes."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

from foveal.exporters import client_graph, material
from foveal.exporters.interface import DETECTED, PROBABILITIES, Interface, plain
from foveal.exporters.onnx_files import opsets, precision
from foveal.exporters.order import Order

MODEL = "model.onnx"


def export(order: Order, folder: Path, *, system: str) -> Interface:
    """Write the Dockerfile of a system and the folder `app` with the server and its model."""
    seen = plain(order.interface)
    seen = replace(seen, ending=DETECTED if seen.finds_boxes else PROBABILITIES)
    source = material.FOLDER / "docker"
    shutil.copytree(source / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    shutil.copyfile(source / f"Dockerfile.{system}", folder / "Dockerfile")
    shutil.copyfile(source / ".dockerignore", folder / ".dockerignore")
    model = opsets.at_opset(client_graph.adapted(order.bundle, seen), max(opsets.IR_VERSIONS))
    precision.keep_halves(model)
    (folder / "app" / MODEL).write_bytes(model.SerializeToString(deterministic=True))
    return seen


export_linux = partial(export, system="linux")
export_windows = partial(export, system="windows")
export_arm = partial(export, system="arm")
