"""The licences of what an export is made of: the lineage of its weights, and the runtime that it needs."""

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from foveal.bundle import Bundle
from foveal.exporters.catalog import Format

OURS = "foveal"
NOTICE = "NOTICE.txt"


@dataclass(frozen=True, slots=True)
class Part:
    """A work of others: its package, its licence as SPDX writes it, where it is from."""

    package: str
    name: str
    license: str
    home: str


PARTS = {
    "onnx": (
        Part("onnxruntime", "ONNX Runtime", "MIT", "https://github.com/microsoft/onnxruntime"),
        Part("numpy", "NumPy", "BSD-3-Clause", "https://github.com/numpy/numpy"),
        Part("pillow", "Pillow", "MIT-CMU", "https://github.com/python-pillow/Pillow"),
    ),
    "tflite": (Part("ai-edge-litert", "LiteRT", "Apache-2.0", "https://github.com/google-ai-edge/LiteRT"),),
    "openvino": (Part("openvino", "OpenVINO", "Apache-2.0", "https://github.com/openvinotoolkit/openvino"),),
    "tensorflow": (Part("tensorflow", "TensorFlow", "Apache-2.0", "https://github.com/tensorflow/tensorflow"),),
    "tfjs": (Part("tfjs", "TensorFlow.js", "Apache-2.0", "https://github.com/tensorflow/tfjs"),),
    "coreml": (Part("coremltools", "coremltools", "BSD-3-Clause", "https://github.com/apple/coremltools"),),
}
"""What runs a format, by its runtime. None of it is in the zip; it is named so that nobody has to look for it."""


def write(bundle: Bundle, format: Format, folder: Path) -> None:
    """Write a notice, and the licences in full as far as they are installed here."""
    folder.mkdir(exist_ok=True)
    backbone = bundle.manifest.backbone
    parts = PARTS[format.runtime]
    lines = [
        f"This model was trained with Foveal on the photos of the project {bundle.manifest.project!r}.",
        "What it learned from those photos belongs to whoever they belong to.",
        "",
        "The weights that it began with",
        f"  {backbone.name}: {backbone.license} (SHA-256 {backbone.fingerprint})",
        "",
        "The programs in this zip are part of Foveal: Apache-2.0, see foveal.txt.",
        "",
        "What runs the model (not in this zip)",
        *(f"  {part.name}: {part.license}, {part.home}" for part in parts),
        "",
    ]
    (folder / NOTICE).write_text("\n".join(lines), encoding="utf-8", newline="\n")
    for package in (OURS, *(part.package for part in parts)):
        text = _text(package)
        if text:
            (folder / f"{package}.txt").write_text(text, encoding="utf-8", newline="\n")


def _text(package: str) -> str:
    """The licence of an installed package; empty where it is not installed or has none."""
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        return ""
    found = [file for file in files if file.name.upper().split(".")[0] in {"LICENSE", "LICENCE", "COPYING"}]
    named = sorted(found, key=lambda file: (len(file.parts), str(file)))
    return "\n\n".join(file.read_text(encoding="utf-8") for file in named[:1])
