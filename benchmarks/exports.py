"""What exports weigh, how long they take, how fast they answer and how close they are: a row for each format.

    python -m benchmarks.exports MODEL PHOTOS [FORMAT ...]

MODEL is the folder of a trained model, PHOTOS one with photos. Latency is the median over calls for one image with the
runtime itself, on one thread where it can be told; TensorFlow is asked in `.venv/peers`, where it is installed. Core ML
runs on Apple's devices alone, and TensorFlow.js in browsers: they have none here.
"""

import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from foveal import bundle, imaging
from foveal.datasets import SUFFIXES
from foveal.exporters import catalog, package
from foveal.exporters.catalog import Format

CALLS = 30
TENSORFLOW = Path(sys.prefix) / "peers" / "tensorflow" / "bin" / "python"
PROGRAM = """
import sys, time
from pathlib import Path
from statistics import median
import numpy as np
sys.path.insert(0, str(Path(sys.argv[1]) / "python"))
import predict
model = predict.Model(Path(sys.argv[1]))
image = np.zeros((1, model.size, model.size, 3), np.float32)
times = []
for _ in range(30):
    began = time.perf_counter()
    model._runtime.run(image)
    times.append(time.perf_counter() - began)
print(1000 * median(times))
"""


@dataclass(frozen=True)
class Row:
    """What was measured of one export."""

    name: str
    megabytes: float
    seconds: float
    milliseconds: float | None
    certificate: package.Certificate


def photos(folder: Path, size_px: int) -> Any:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    decoded = (imaging.decode(path.read_bytes(), max_bytes=1 << 30, shrink_to=size_px) for path in paths)
    return np.stack([imaging.model_input(image, size_px) for image in decoded])


def measure(format: Format, model: bundle.Bundle, pixels: Any, scratch: Path) -> Row:
    folder, target = scratch / "files", scratch / "export.zip"
    folder.mkdir()
    began = time.perf_counter()
    about = package.About("local", datetime.now(UTC))
    certificate = package.write(format, model, pixels, folder, about, source="photos")
    package.zipped(folder, target)
    seconds = time.perf_counter() - began
    return Row(format.name, target.stat().st_size / 1e6, seconds, latency(format, folder), certificate)


def latency(format: Format, folder: Path) -> float | None:
    """Milliseconds for one image; None where what runs the format is not here."""
    if format.runtime == "tensorflow":
        if not TENSORFLOW.exists():
            return None
        ended = subprocess.run(  # noqa: S603  # our own program
            [str(TENSORFLOW), "-W", "ignore", "-c", PROGRAM, str(folder)], capture_output=True, text=True, check=False
        )
        return float(ended.stdout.splitlines()[-1]) if ended.returncode == 0 else None
    if format.runtime in {"coreml", "tfjs"}:
        return None
    model, _ = package.opened(folder)
    image = np.zeros((1, model.size, model.size, 3), np.float32)
    times: list[float] = []
    for _ in range(CALLS):
        began = time.perf_counter()
        model._runtime.run(image)  # noqa: SLF001  # without the preparation of the photo, which is the same for all
        times.append(time.perf_counter() - began)
    return 1000 * median(times)


def tell(row: Row) -> None:
    found = row.certificate
    boxes = "" if found.largest_box_difference is None else f"{found.largest_box_difference:.1e}"
    speed = "" if row.milliseconds is None else f"{row.milliseconds:.1f}"
    print(
        f"| {row.name} | {row.megabytes:.1f} | {row.seconds:.1f} | {speed} | {found.precision} | {found.agreement:.3f} "
        f"| {found.largest_difference:.1e} | {found.mean_difference:.1e} | {boxes} |",
        flush=True,
    )


def main(model_folder: str, photo_folder: str, *names: str) -> None:
    model = bundle.read(Path(model_folder))
    pixels = photos(Path(photo_folder), model.manifest.preprocessing.size)
    print("| format | zip MB | seconds | ms | precision | agreement | largest dp | mean dp | largest box |")
    print("|--|--|--|--|--|--|--|--|--|")
    for format in catalog.FORMATS:
        if not names or format.name in names:
            with TemporaryDirectory() as scratch:
                tell(measure(format, model, pixels, Path(scratch)))


if __name__ == "__main__":
    main(*sys.argv[1:])
