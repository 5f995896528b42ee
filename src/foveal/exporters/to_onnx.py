"""ONNX: the graph as trained, with its labels and the manifest that tells how to feed it."""

import shutil
from pathlib import Path

from foveal.bundle import Bundle


def export(bundle: Bundle, folder: Path) -> None:
    """Write model.onnx, labels.txt and manifest.json into the folder."""
    for name in ("model.onnx", "labels.txt", "manifest.json"):
        shutil.copy(bundle.folder / name, folder / name)
