"""Every export format we offer: one row each. The web process reads this table; what a row writes runs in a worker.

To add a format: write `exporters/to_<name>.py` with a function `export(order, folder)` that gives the interface which
programs see, and add its row here. `tests/contract/test_exporters.py` then tests it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from foveal.errors import Invalid
from foveal.exporters.interface import Interface
from foveal.exporters.order import FLOAT16, FLOAT32, INT8, Order

Writer = Callable[[Order, Path], Interface]
FIRST, NEWEST = "3.0", "3.4"
VERSION = 1
"""Of what the writers make. A new one lets clients export an iteration again, see `newerVersionAvailable`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A platform and flavour as Azure names them, what writes it, and what runs it."""

    name: str
    """Ours, for the command line."""
    platform: str
    flavor: str | None = None
    writer: str
    """Module beside this one and its function, such as `to_onnx:export`."""
    file: str
    """The model's file or folder in the zip."""
    runtime: str
    """A row of `runners.RUNNERS`: what is used to prove that it answers like the service."""
    precision: str = FLOAT32
    extra: str = ""
    """The optional dependencies of ours that it needs."""
    since: str = FIRST
    """The first version of Azure's training API that knows the platform."""
    own: bool = False
    """Whether it is none of Azure's: it is offered under /api/v1 alone."""
    home: str = ""
    """The folder in the zip that holds the model and what belongs to it."""

    @property
    def label(self) -> str:
        return self.platform if self.flavor is None else f"{self.platform} {self.flavor}"

    @property
    def path(self) -> str:
        """Where the model lies in the zip."""
        return f"{self.home}/{self.file}" if self.home else self.file

    def exporter(self) -> Writer:
        """Import the writer; only now are its dependencies needed."""
        module, _, function = self.writer.partition(":")
        return getattr(import_module(f"foveal.exporters.{module}"), function)


def _onnx(name: str, flavor: str | None = None, writer: str = "to_onnx:export", **more: object) -> Format:
    return _row(name, "ONNX", flavor, writer, "model.onnx", "onnx", **more)


def _tflite(name: str, flavor: str, **more: object) -> Format:
    return _row(name, "TensorFlow", flavor, "to_tflite:export", "model.tflite", "tflite", extra="tflite", **more)


def _tensorflow(name: str, flavor: str | None, writer: str, file: str, runtime: str = "tensorflow") -> Format:
    return _row(name, "TensorFlow", flavor, f"to_tensorflow:{writer}", file, runtime)


def _coreml(
    name: str, flavor: str | None, writer: str = "export", file: str = "model.mlmodel", **more: object
) -> Format:
    return _row(name, "CoreML", flavor, f"to_coreml:{writer}", file, "coreml", extra="coreml", **more)


def _openvino(name: str, flavor: str | None, writer: str = "export", **more: object) -> Format:
    own = {"extra": "openvino", "since": NEWEST, **more}
    return _row(name, "OpenVino", flavor, f"to_openvino:{writer}", "model.xml", "openvino", **own)


def _docker(name: str, flavor: str | None, writer: str) -> Format:
    return _row(name, "DockerFile", flavor, f"to_docker:{writer}", "model.onnx", "onnx", home="app")


def _row(  # the columns that all rows have
    name: str, platform: str, flavor: str | None, writer: str, file: str, runtime: str, **more: object
) -> Format:
    return Format(name=name, platform=platform, flavor=flavor, writer=writer, file=file, runtime=runtime, **more)  # pyright: ignore[reportArgumentType]  # columns of the table


FORMATS = (
    _onnx("onnx"),
    _onnx("onnx-10", "ONNX10", "to_onnx:export_10"),
    _onnx("onnx-12", "ONNX12", "to_onnx:export_12"),
    _onnx("onnx-fp16", "OnnxFloat16", precision=FLOAT16),
    _onnx("onnx-int8", "OnnxInt8", precision=INT8, own=True),
    _tensorflow("tensorflow", None, "export_frozen", "model.pb"),
    _tensorflow("tensorflow-normal", "TensorFlowNormal", "export_frozen", "model.pb"),
    _tflite("tflite", "TensorFlowLite"),
    _tflite("tflite-fp16", "TensorFlowLiteFloat16", precision=FLOAT16),
    _tflite("tflite-int8", "TensorFlowLiteInt8", precision=INT8, own=True),
    _tensorflow("saved-model", "TensorFlowSavedModel", "export_saved_model", "saved_model.pb"),
    _tensorflow("tfjs", "TensorFlowJs", "export_tfjs", "model.json", "tfjs"),
    _coreml("coreml", None),
    _coreml("coreml-fp16", "CoreMLFloat16", precision=FLOAT16),
    _coreml("coreml-package", "CoreMLPackage", "export_package", "model.mlpackage", precision=FLOAT16, own=True),
    _openvino("openvino", None),
    _openvino("openvino-raw", "NoPostProcess", "export_raw"),
    _openvino("openvino-fp16", "OpenVinoFloat16", precision=FLOAT16, own=True),
    _docker("docker", None, "export_linux"),
    _docker("docker-linux", "Linux", "export_linux"),
    _docker("docker-windows", "Windows", "export_windows"),
    _docker("docker-arm", "ARM", "export_arm"),
    _row("bundle", "Foveal", None, "to_bundle:export", "model.onnx", "onnx", own=True),
)
PLATFORMS = tuple(sorted({format.platform for format in FORMATS if not format.own}))
REFUSED = {
    "vaidk": "the Vision AI Dev Kit is no longer made, and its converter was never published: use TensorFlow with the "
    "flavor TensorFlowLiteFloat16, or OpenVino",
    "ivs": "it is a format of Azure's Intelligent Video Services, which ended: use ONNX or OpenVino",
}


def find(platform: str, flavor: str | None = None) -> Format:
    """Return the format by Azure's words, in any casing; raise `Invalid` when we do not offer it."""
    wanted = (platform.strip().lower(), (flavor or "").strip().lower())
    for format in FORMATS:
        if (format.platform.lower(), (format.flavor or "").lower()) == wanted:
            return format
    if wanted[0] in REFUSED:
        raise Invalid(f"Export to platform {platform} is not offered: {REFUSED[wanted[0]]}.", *_CODE)
    flavors = [str(format.flavor or "none") for format in FORMATS if format.platform.lower() == wanted[0]]
    if flavors:
        offered = ", ".join(flavors)
        raise Invalid(f"Platform {platform} has no flavor {flavor!r}: expected one of {offered}.", *_CODE)
    raise Invalid(f"There is no export platform {platform!r}: expected one of {', '.join(PLATFORMS)}.", *_CODE)


def named(name: str) -> Format:
    """Return the format by our name for it, such as `tflite-int8`; raise `Invalid` when there is none."""
    for format in FORMATS:
        if format.name == name.strip().lower():
            return format
    raise Invalid(f"There is no export format {name!r}: expected one of {', '.join(each.name for each in FORMATS)}.")


def platforms(version: str = NEWEST) -> list[str]:
    """Azure's names of the platforms that a version of its training API, such as 3.2, knows."""
    return sorted({format.platform for format in FORMATS if not format.own and format.since <= version})


_CODE = ("BadRequestExportValidationFailed",)
