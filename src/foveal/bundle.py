"""A trained model on disk: ONNX graph, labels, manifest and the head's weights."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal.errors import Invalid

FORMAT_VERSION = 1
GRAPH = "model.onnx"
LABELS = "labels.txt"
MANIFEST = "manifest.json"
HEAD = "head.npz"
FILES = (GRAPH, LABELS, MANIFEST, HEAD)


@dataclass(frozen=True, slots=True)
class TagEntry:
    """A tag as it was when the model was trained."""

    id: str
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class BackboneEntry:
    """Which network the head stands on; the fingerprint is the SHA-256 of its file."""

    name: str
    license: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How pixels become the graph's input, a square of `size`."""

    size: int
    resize: str = "stretch"
    pixel_format: str = "Rgb8"
    range: str = "NominalRange_0_255"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Where a model came from and how to feed it."""

    project: str
    iteration: str
    domain: str
    classification_type: str
    tags: tuple[TagEntry, ...]
    backbone: BackboneEntry
    preprocessing: Preprocessing
    metrics: Mapping[str, Any]
    data_digest: str
    image_count: int
    seed: int
    versions: Mapping[str, str]
    created_at: str  # ISO 8601, UTC
    format_version: int = FORMAT_VERSION

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """Read what `to_json` wrote; raises `Invalid` for anything else."""
        try:
            values: dict[str, Any] = json.loads(text)
            _check_version(values)
            entries: dict[str, Any] = {
                "tags": tuple(TagEntry(**tag) for tag in values["tags"]),
                "backbone": BackboneEntry(**values["backbone"]),
                "preprocessing": Preprocessing(**values["preprocessing"]),
            }
            return cls(**{**values, **entries})
        except (ValueError, TypeError, KeyError) as error:
            raise Invalid(f"{MANIFEST} cannot be read: {error!r}.") from error


@dataclass(frozen=True)
class Bundle:
    """A folder that training wrote and that serving and exporting read."""

    folder: Path

    @property
    def graph(self) -> Path:
        return self.folder / GRAPH

    @cached_property
    def labels(self) -> list[str]:
        return _text(self.folder / LABELS).splitlines()

    @cached_property
    def manifest(self) -> Manifest:
        return Manifest.from_json(_text(self.folder / MANIFEST))

    @cached_property
    def head(self) -> dict[str, NDArray[Any]]:
        """The head's arrays by name."""
        try:
            with np.load(self.folder / HEAD, allow_pickle=False) as arrays:
                return dict(arrays)
        except (OSError, ValueError, EOFError) as error:
            raise Invalid(f"{self.folder / HEAD} is missing or damaged: {error}.") from error


def write(
    folder: Path, *, graph: bytes, labels: Sequence[str], manifest: Manifest, head: Mapping[str, NDArray[Any]]
) -> Bundle:
    """Write a bundle into a folder, made if missing."""
    if any(len(label.splitlines()) != 1 for label in labels):
        raise Invalid("A label must be one line of text.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / GRAPH).write_bytes(graph)
    (folder / LABELS).write_text("".join(f"{label}\n" for label in labels), encoding="utf-8", newline="\n")
    (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8", newline="\n")
    with (folder / HEAD).open("wb") as file:
        np.savez(file, allow_pickle=False, **head)
    return Bundle(folder)


def read(folder: Path) -> Bundle:
    """Open a bundle and check that it is whole; raises `Invalid` naming what is wrong."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise Invalid(f"{folder} is not a model bundle: {', '.join(missing)} missing.")
    bundle = Bundle(folder)
    tags = [tag.name for tag in bundle.manifest.tags]
    if not bundle.labels or not set(bundle.labels) <= set(tags):
        raise Invalid(f"{folder}: {LABELS} does not agree with the tags of {MANIFEST}.")
    if not bundle.head or bundle.graph.stat().st_size == 0:
        raise Invalid(f"{folder}: {HEAD} or {GRAPH} is empty.")
    return bundle


def _check_version(values: Mapping[str, Any]) -> None:
    if values["format_version"] != FORMAT_VERSION:
        raise ValueError(f"format_version is {values['format_version']}, this release reads {FORMAT_VERSION}")
    known = {each.name for each in fields(Manifest)}
    if unknown := set(values) - known:
        raise ValueError(f"unknown fields {sorted(unknown)}")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} is missing or damaged: {error}.") from error
