"""Core ML's files: a model alone (.mlmodel), or a folder with the model, its weights and a list of both (.mlpackage).

Written here and not by coremltools, so that the same model gives the same bytes.
"""

import json
import uuid
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from foveal.errors import Invalid
from foveal.exporters.coreml.library import specification

PACKAGE = ".mlpackage"
AUTHOR = "com.apple.CoreML"
DATA = Path("Data")
SPEC, WEIGHTS = Path(AUTHOR, "model.mlmodel"), Path(AUTHOR, "weights")
WEIGHTS_FILE = "weight.bin"
ITEMS = {SPEC: "CoreML Model Specification", WEIGHTS: "CoreML Model Weights"}
MANIFEST = "Manifest.json"


def save(path: Path, spec: Any, weights: bytes) -> None:
    """Write a specification, to a file or to a folder, as the name says; only a folder has room for weights."""
    encoded = spec.SerializeToString(deterministic=True)
    if path.suffix != PACKAGE:
        path.write_bytes(encoded)
        return
    (path / DATA / WEIGHTS).mkdir(parents=True)
    (path / DATA / SPEC).write_bytes(encoded)
    (path / DATA / WEIGHTS / WEIGHTS_FILE).write_bytes(weights)
    (path / MANIFEST).write_text(json.dumps(_manifest(), indent=4, sort_keys=True) + "\n", "utf-8")


def load(path: Path) -> tuple[Any, Path]:
    """Give the specification at a path, and the folder of its weights.

    Raises:
        Invalid: It cannot be read.
    """
    file = path / DATA / _root(path) if path.suffix == PACKAGE else path
    try:
        spec = specification().FromString(file.read_bytes())
    except (OSError, DecodeError) as error:
        raise Invalid(f"{path.name} is no Core ML model: {error}.") from error
    if spec.WhichOneof("Type") is None:
        raise Invalid(f"{path.name} is no Core ML model: it is empty.")
    return spec, file.parent / WEIGHTS.name


def _manifest() -> dict[str, Any]:
    """The identifiers are any, and of these files always the same."""
    entries = {
        str(uuid.uuid5(uuid.NAMESPACE_URL, item.as_posix())).upper(): {
            "author": AUTHOR,
            "description": description,
            "name": item.name,
            "path": item.as_posix(),
        }
        for item, description in ITEMS.items()
    }
    root = next(key for key, entry in entries.items() if entry["path"] == SPEC.as_posix())
    return {"fileFormatVersion": "1.0.0", "itemInfoEntries": entries, "rootModelIdentifier": root}


def _root(path: Path) -> str:
    """Where the list says that the model is."""
    try:
        manifest = json.loads((path / MANIFEST).read_text("utf-8"))
        return manifest["itemInfoEntries"][manifest["rootModelIdentifier"]]["path"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Invalid(f"{path.name} is no Core ML package: its {MANIFEST} cannot be read.") from error
