"""The model as Foveal keeps it, to be served or exported by another Foveal: `foveal predict`, `foveal export`."""

import shutil
from dataclasses import replace
from pathlib import Path

from foveal.bundle import FILES, LABELS
from foveal.exporters.interface import DETECTED, Interface
from foveal.exporters.interface import plain as in_rgb
from foveal.exporters.order import Order


def export(order: Order, folder: Path) -> Interface:
    """Copy the files of the bundle."""
    for name in FILES:
        if name != LABELS:  # every zip has them
            shutil.copyfile(order.bundle.folder / name, folder / name)
    seen = in_rgb(order.interface)
    return replace(seen, input_name="image", ending=DETECTED if seen.finds_boxes else seen.ending)
