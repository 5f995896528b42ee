"""A whole export: the model in its format, what belongs beside it, and the proof that it answers like the service."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha1
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from numpy.typing import NDArray

from foveal.bundle import LABELS, Bundle
from foveal.domains import OBJECT_DETECTION
from foveal.errors import Invalid, NotFound, Unavailable
from foveal.exporters import interface, licences, material, parity, runners
from foveal.exporters.catalog import FORMATS, Format
from foveal.exporters.interface import ANCHORS, GRID, Interface
from foveal.exporters.order import SAFER, Order
from foveal.exporters.parity import Certificate, Photos

MANIFEST, PROPERTIES, CERTIFICATE = "cvexport.manifest", "metadata_properties.json", "parity.json"
EXPORTER_VERSION, SCHEMA_VERSION, METADATA_VERSION = "2.1", "1.0", "1.2"
SAMPLES = {"tflite": "kotlin", "coreml": "swift", "tfjs": "javascript"}
"""Programs in other languages, by the beginning of a format's name."""
ELSEWHERE = {
    "kotlin": " `kotlin/Predict.kt` asks it on Android.",
    "swift": " `swift/Predict.swift` asks it on iPhones and Macs.",
}
READING = {
    "probabilities": "a probability for each label, in the order of labels.txt",
    "grid": "a YOLO grid of 13 x 13 cells with 5 boxes each; predict.py, or predict.mjs, shows how to read it",
    "detected": "detected_boxes (left, top, right, bottom, relative to the image), detected_classes (lines of "
    "labels.txt, from 0) and detected_scores",
    "raw": "raw_boxes (middle and sides, relative to the image) and raw_probs (the first one: nothing); the choice "
    "among boxes that overlap is yours, python/predict.py shows one",
}
AMISS = 0.15
"""How far answers in 8 bits may be from the service's where the check is repeated on few photos."""
CALIBRATION = 64


@dataclass(frozen=True, slots=True)
class About:
    """What an export tells of itself."""

    iteration_id: str
    exported_at: datetime


def write(
    format: Format, bundle: Bundle, photos: NDArray[np.uint8], folder: Path, about: About, *, source: str
) -> Certificate:
    """Fill an empty folder with an export.

    Args:
        format: a row of the catalogue.
        bundle: the trained model.
        photos: (n, s, s, 3) in the model's size, those first that it was not trained on.
        folder: an empty one.
        about: what to tell.
        source: where the photos are from, in words, as `test images`.

    Raises:
        Unavailable: What the format needs is not installed; or the export answers otherwise than the service, and so
            does each safer way of writing it.
        Invalid: The model cannot be written in this format.
    """
    if not len(photos):
        raise Invalid("An export is compared with the service on photos: the iteration has none left.")
    most = parity.MOST_COMPARED if format.precision in SAFER else parity.GOLDEN
    golden = parity.golden(photos, source, most=most)
    expected = parity.served(bundle, golden)
    order = Order(bundle, format.precision, photos[:CALIBRATION])
    while True:
        certificate = _written(format, order, golden, expected, folder, about)
        if certificate.passed:
            break
        if order.precision not in SAFER:
            raise Unavailable(f"The {format.label} model answers otherwise than the service: {certificate.verdict}.")
        order = order.safer()
        _empty(folder)
    _write_golden(folder, golden, expected, certificate)
    _write_json(folder / CERTIFICATE, certificate.as_dict())
    return certificate


def opened(folder: Path) -> tuple[Any, bool]:
    """Open the model of an unpacked zip of any format; also tell whether it finds boxes.

    No program of the zip is run: ours reads its answers.

    Raises:
        NotFound: The folder holds no export.
        Invalid: It is damaged, or of a later version.
    """
    homes = [home for home in dict.fromkeys(format.home for format in FORMATS) if (folder / home / LABELS).is_file()]
    found = [folder / home for home in homes if (folder / home / MANIFEST).is_file()]
    if not found:
        raise NotFound(f"{folder} holds no export: {MANIFEST} and {LABELS} are not there.")
    try:
        manifest = json.loads((found[0] / MANIFEST).read_text(encoding="utf-8"))
        names = [manifest[key] for key in ("ModelFileName", "LabelFileName", "MetadataPropsFileName")]
        runtime, finds_boxes = manifest["FovealRuntime"], manifest["DomainType"] == OBJECT_DETECTION
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid(f"{found[0] / MANIFEST} is damaged or not written by Foveal: {error!r}.") from error
    outside = [name for name in names if Path(str(name)).name != name or not (found[0] / str(name)).exists()]
    if outside or runtime not in runners.RUNNERS:
        raise Invalid(f"{found[0] / MANIFEST} names {outside[0] if outside else runtime!r}, which is not there.")
    try:
        return runners.open_folder(found[0], runtime), finds_boxes
    except (ValueError, KeyError, TypeError, RuntimeError, OSError) as error:
        raise Invalid(f"The model in {found[0]} cannot be opened: {error}.") from error


def zipped(folder: Path, target: Path) -> None:
    """Pack a folder; whoever looks for the zip finds a whole one or none.

    Raises:
        OSError: The disk is full, or the folder cannot be read.
    """
    unfinished = target.with_name(f"{target.name}.partial")
    try:
        with ZipFile(unfinished, "w", ZIP_DEFLATED, compresslevel=6) as archive:
            for path in sorted(folder.rglob("*")):
                archive.write(path, path.relative_to(folder))
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _written(
    format: Format, order: Order, golden: Photos, expected: Sequence[Any], folder: Path, about: About
) -> Certificate:
    home = folder / format.home
    home.mkdir(exist_ok=True)
    seen = format.exporter()(order, folder)
    (home / LABELS).write_text("".join(f"{label}\n" for label in seen.labels), encoding="utf-8", newline="\n")
    _write_json(home / PROPERTIES, properties(seen))
    manifest = _manifest(format, order, home, about)
    for place in {folder, home}:
        _write_json(place / MANIFEST, manifest)
    _write_programs(format, folder)
    licences.write(order.bundle, format, folder / "licences")
    words = _words(format, order, seen)
    texts = ("docker/README.md" if format.home else "README.md", "CHECK.md")
    readme = "\n".join(material.text(name).format(**words) for name in texts)
    (folder / "README.md").write_text(readme, encoding="utf-8", newline="\n")
    told, milliseconds = parity.said(runners.open_folder(home, format.runtime), golden)
    runner = runners.RUNNERS[format.runtime]
    return Certificate(
        format=format.label,
        precision=order.precision,
        runtime=runner.told(),
        milliseconds=milliseconds if runner.at_hand else None,
        photos=len(golden.files),
        source=golden.source,
        model_sha256=parity.digest(home / format.file),
        service_sha256=parity.digest(order.bundle.graph),
        **parity.compare(expected, told, order.precision),
    )


def properties(seen: Interface) -> dict[str, str]:
    """How to feed the model and read its outputs, in Azure's words."""
    zero = dict.fromkeys(("CropHeight", "CropWidth", "MaxDimension", "MinDimension"), "0")
    scale = dict.fromkeys(("MaxScale", "MinScale"), "0.0")
    size = dict.fromkeys(("TargetHeight", "TargetWidth"), str(seen.size_px))
    plain = {"CropMethod": "NoCrop", "NormalizeMean": "[0.0, 0.0, 0.0]", "NormalizeStd": "[1.0, 1.0, 1.0]"}
    preprocessing = {**zero, **scale, **size, **plain, "ResizeMethod": "Stretch"}
    return {
        "CustomVision.Metadata.AdditionalModelInfo": "",
        "CustomVision.Metadata.Version": METADATA_VERSION,
        "CustomVision.Postprocess.Method": seen.method,
        **(_of_grid(seen) if seen.ending == GRID else {}),
        **{f"CustomVision.Preprocess.{name}": value for name, value in sorted(preprocessing.items())},
        "Image.BitmapPixelFormat": seen.pixel_format,
        "Image.ColorSpaceGamma": "SRGB",
        "Image.NominalPixelRange": seen.value_range,
    }


def _of_grid(seen: Interface) -> dict[str, str]:
    return {
        "CustomVision.Postprocess.Yolo.Biases": json.dumps([side for anchor in ANCHORS for side in anchor]),
        "CustomVision.Postprocess.Yolo.NmsThreshold": "0.45",
        "Foveal.Postprocess.Yolo.Offsets": "Logistic" if seen.logistic_offsets else "Linear",
    }


def _manifest(format: Format, order: Order, home: Path, about: About) -> dict[str, Any]:
    model = home / format.file
    files = [model] if model.is_file() else sorted(path for path in model.rglob("*") if path.is_file())
    return {
        "DomainType": "ObjectDetection" if order.interface.task == OBJECT_DETECTION else "Classification",
        "Platform": format.platform,
        "Flavor": format.flavor,
        "ExporterVersion": EXPORTER_VERSION,
        "ExportedDate": about.exported_at.isoformat(),
        "IterationId": about.iteration_id,
        "ModelFileName": format.file,
        "LabelFileName": LABELS,
        "MetadataPropsFileName": PROPERTIES,
        "ModelFileSHA1": sha1(b"".join(path.read_bytes() for path in files), usedforsecurity=False).hexdigest(),
        "SchemaVersion": SCHEMA_VERSION,
        "FovealRuntime": format.runtime,
    }


def _write_programs(format: Format, folder: Path) -> None:
    """The program for Python, the one that checks the model, and programs in other languages."""
    program = runners.RUNNERS[format.runtime].program
    if program:
        python = folder / (format.home or "python")
        python.mkdir(exist_ok=True)
        for name in ("predict.py", "check.py"):
            shutil.copyfile(material.PYTHON / name, python / name)
        shutil.copyfile(material.PYTHON / "runtimes" / f"{program}.py", python / "runtime.py")
    for language in _languages(format):
        shutil.copytree(material.FOLDER / "samples" / language, folder / language, dirs_exist_ok=True)


def _languages(format: Format) -> list[str]:
    return [language for beginning, language in SAMPLES.items() if format.name.startswith(beginning)]


def _write_golden(folder: Path, golden: Photos, expected: Sequence[Any], certificate: Certificate) -> None:
    """The photos that a user can repeat the comparison with."""
    place = folder / "golden"
    place.mkdir(exist_ok=True)
    names = [f"{at + 1:02}.jpg" for at in range(min(len(golden.files), parity.GOLDEN))]
    for name, file in zip(names, golden.files, strict=False):
        (place / name).write_bytes(file)
    exact = certificate.precision in parity.TOLERANCES
    told = {
        "tolerance": certificate.tolerance if exact else 1 - certificate.agreement + AMISS,
        "share": 1.0 if exact else certificate.agreement - AMISS,
        "photos": dict(zip(names, expected, strict=False)),
    }
    _write_json(place / "expected.json", told)


def _words(format: Format, order: Order, seen: Interface) -> dict[str, str]:
    manifest = order.bundle.manifest
    colours = "blue, green, red" if seen.pixel_format == "Bgr8" else "red, green, blue"
    reach = "0 to 255" if seen.value_range.endswith("255") else "0 to 1"
    return {
        "project": manifest.project,
        "iteration": manifest.iteration,
        "format": format.label,
        "model": format.path,
        "labels": ", ".join(seen.labels),
        "size": str(seen.size_px),
        "colours": colours,
        "range": reach,
        "reading": READING[seen.ending],
        "domain": interface.domain_of(order.bundle).name,
        **_trials(format),
    }


def _trials(format: Format) -> dict[str, str]:
    """How to ask the model and to check it, as commands."""
    if not runners.RUNNERS[format.runtime].program:
        return {
            "try_it": "cd javascript && npm install && node predict.mjs .. photo.jpg",
            "check_it": "node javascript/check.mjs",
            "needs": "It needs Node; in a browser, TensorFlow.js loads `model.json`.",
        }
    folder = format.home or "python"
    needs = f"`{folder}/runtime.py` begins with the package that it needs; besides, NumPy and Pillow."
    return {
        "try_it": f"python {folder}/predict.py photo.jpg",
        "check_it": f"python {folder}/check.py",
        "needs": needs + "".join(ELSEWHERE[each] for each in _languages(format)),
    }


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
