"""TensorFlow: a frozen graph, a SavedModel, and TensorFlow.js; written without TensorFlow."""

from dataclasses import replace
from pathlib import Path

from foveal.exporters import forms
from foveal.exporters.interface import Interface
from foveal.exporters.order import Order
from foveal.exporters.tensorflow import files

FROZEN = "model.pb"


def export_frozen(order: Order, folder: Path) -> Interface:
    """Write model.pb."""
    seen = forms.seen_by_programs(order)
    files.write_frozen(forms.form(order, seen), folder / FROZEN)
    return seen


def export_saved_model(order: Order, folder: Path) -> Interface:
    """Write saved_model.pb and the folder of its variables, which it has none of."""
    seen = forms.seen_by_programs(order)
    files.write_saved_model(forms.form(order, seen), folder)
    return seen


def export_tfjs(order: Order, folder: Path) -> Interface:
    """Write model.json and its shards, for browsers and Node."""
    seen = replace(forms.seen_by_programs(order), logistic_offsets=True)  # as Microsoft's library reads such models
    about = {"Image.BitmapPixelFormat": seen.pixel_format, "Image.NominalPixelRange": seen.value_range}
    files.write_tfjs(forms.form(order, seen), folder, about)
    return seen
