"""Exports without a server: writing them, and asking those that were written."""

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foveal.cli import photos
from foveal.errors import Invalid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from foveal.bundle import Bundle
    from foveal.geometry import Detections

MOST_BYTES = 4 * 1024**3  # of an unpacked zip
FORMATS = (
    "onnx, onnx-10, onnx-12, onnx-fp16, onnx-int8, tensorflow, saved-model, tfjs, tflite, tflite-fp16, tflite-int8, "
    "coreml, coreml-fp16, coreml-package, openvino, openvino-raw, openvino-fp16, docker-linux, docker-windows, "
    "docker-arm, bundle"
)


def export(
    model: Annotated[Path, typer.Argument(help="Folder of a model, or a zip of the format bundle.")],
    formats: Annotated[list[str], typer.Argument(help=f"Any of {FORMATS}.")],
    out: Annotated[Path, typer.Option(help="Folder to write the zips into.")] = Path(),
    photographs: Annotated[
        Path | None,
        typer.Option("--photos", help="Folder with photos to compare the exports on; default: drawn pictures."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a model in the formats of other platforms; each zip proves that it answers like the model.

    Example: foveal export model/ tflite coreml --photos photos/ --out exports/
    """
    from foveal import bundle

    with TemporaryDirectory() as scratch:
        opened = bundle.read(unpacked(model, Path(scratch)))
        size_px = opened.manifest.preprocessing.size
        chosen, source = pictures(size_px, list(photos.within(photographs)) if photographs else [])
        check(formats)
        for told in write(opened, formats, out, chosen, source=source):
            print(json.dumps(told, ensure_ascii=False) if as_json else _said(told))


def of_training(model: Path, formats: Sequence[str], paths: Sequence[Path], *, quiet: bool) -> None:
    """Write a model that was just trained on photos in other formats, beside its files."""
    from foveal import bundle

    opened = bundle.read(model)
    chosen, source = pictures(opened.manifest.preprocessing.size, paths)
    for told in write(opened, formats, model, chosen, source=source):
        print(_said(told), file=sys.stderr if quiet else sys.stdout)


def check(formats: Sequence[str]) -> None:
    """Raise `Invalid` for the name of a format that there is not."""
    from foveal.exporters import catalog

    for name in formats:
        catalog.named(name)


def pictures(size_px: int, paths: Sequence[Path]) -> "tuple[NDArray[np.uint8], str]":
    """Photos (n, s, s, 3) to compare exports on, spread over those that there are, and where they are from."""
    import numpy as np

    from foveal.exporters.package import CALIBRATION
    from foveal.jobs.export import drawn

    if not paths:
        return drawn(size_px), "drawn pictures"
    spread: list[int] = np.linspace(0, len(paths) - 1, min(len(paths), CALIBRATION)).round().astype(int).tolist()
    return np.stack([photos.pixels(size_px, paths[at]) for at in spread]), "photos of the training"


def write(
    bundle: "Bundle", formats: Sequence[str], out: Path, chosen: "NDArray[np.uint8]", *, source: str
) -> Iterator[dict[str, Any]]:
    """Write a zip for each format; tell of each where it is and how it compared."""
    from foveal.exporters import catalog, package

    rows = [catalog.named(name) for name in formats]
    out.mkdir(parents=True, exist_ok=True)
    for row in rows:
        with TemporaryDirectory() as scratch:
            about = package.About("local", datetime.now(UTC))
            certificate = package.write(row, bundle, chosen, Path(scratch), about, source=source)
            target = out / f"{row.name}.zip"
            package.zipped(Path(scratch), target)
        yield {"file": str(target), "size_bytes": target.stat().st_size, "parity": certificate.as_dict()}


def unpacked(model: Path, scratch: Path) -> Path:
    """Give the folder of a model, or of a zip that is unpacked into `scratch`.

    Raises:
        Invalid: It is neither, or the zip is damaged or far too large.
    """
    from zipfile import BadZipFile, ZipFile

    if model.is_dir():
        return model
    try:
        with ZipFile(model) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > MOST_BYTES:
                raise no_model(model, f"unpacked it would have {size} bytes, at most {MOST_BYTES} are taken")
            archive.extractall(scratch)
    except (BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        raise no_model(model, str(error)) from error
    return scratch


def no_model(path: Path, reason: str) -> Invalid:
    return Invalid(f"{path} is neither the folder of a model nor an exported zip: {reason}.")


class Exported:
    """The model of an unpacked zip, whatever its format."""

    def __init__(self, folder: Path) -> None:
        from foveal.exporters import package

        self._model, self.finds_boxes = package.opened(folder)
        self.labels: list[str] = self._model.labels

    def classify(self, path: Path) -> tuple[list[tuple[str, float]], float | None]:
        """Labels with their probabilities, the most probable first; how unlike all training it is, no export tells."""
        return [(each["tagName"], each["probability"]) for each in self._said(path)], None

    def detect(self, path: Path) -> "Detections":
        """What the model finds in a photo."""
        import numpy as np

        from foveal.geometry import Detections

        said = self._said(path)
        sides = np.array([[*each["boundingBox"].values()] for each in said], np.float32).reshape(-1, 4)
        return Detections(
            np.concatenate([sides[:, :2], sides[:, :2] + sides[:, 2:]], 1),
            np.array([self.labels.index(each["tagName"]) for each in said], np.intp),
            np.array([each["probability"] for each in said], np.float32),
        )

    def _said(self, path: Path) -> list[dict[str, Any]]:
        from PIL import Image

        return self._model.predict(Image.fromarray(photos.pixels(self._model.size, path)))


def _said(told: dict[str, Any]) -> str:
    parity, size = told["parity"], told["size_bytes"] / 1e6
    apart = max(parity["largest_difference"], parity["largest_box_difference"] or 0.0)
    return (
        f"{told['file']} ({size:.1f} MB, {parity['precision']}): {parity['agreement']:.0%} of the answers on "
        f"{parity['photos']} photos the same, largest difference {apart:.1g}"
        + (f", {parity['milliseconds']:.1f} ms a photo" if parity["milliseconds"] else "")
    )
