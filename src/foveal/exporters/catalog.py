"""Every export format we offer: one row each, and one file beside this one.

To add a format: write `exporters/to_<name>.py` with `export(bundle, folder)`, add its row here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from foveal.bundle import Bundle
from foveal.errors import Invalid

Exporter = Callable[[Bundle, Path], None]


@dataclass(frozen=True, slots=True)
class Format:
    """A platform and flavour as Azure names them, and the module that writes it."""

    platform: str
    flavor: str | None
    module: str

    @property
    def label(self) -> str:
        return self.platform if self.flavor is None else f"{self.platform} {self.flavor}"

    def exporter(self) -> Exporter:
        """Import the writer; only now are its heavy dependencies needed."""
        return import_module(f"foveal.exporters.{self.module}").export


FORMATS = (Format("ONNX", None, "to_onnx"),)
PLATFORMS = tuple(dict.fromkeys(format.platform for format in FORMATS))


def find(platform: str, flavor: str | None = None) -> Format:
    """Return the format, or raise `Invalid` when we do not offer it."""
    wanted = (platform.lower(), (flavor or "").lower())
    for format in FORMATS:
        if (format.platform.lower(), (format.flavor or "").lower()) == wanted:
            return format
    offered = ", ".join(format.label for format in FORMATS)
    raise Invalid(
        f"Export to platform {platform!r}, flavor {flavor!r} is not offered: expected one of {offered}.",
        "BadRequestExportValidationFailed",
    )
