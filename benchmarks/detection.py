"""Quick training of detectors beside a fine-tuned YOLOX-Nano, on the same images in the same run.

Each set keeps two fifths of its images apart, always the same ones; from the others so many per tag are drawn. Figures
are mean average precision at an overlap of one half, on the images kept apart; "told" is what the training itself said
by cross-validation. YOLOX-Nano was trained on COCO, which knows forks, scissors, apples, bananas and oranges.

    .venv/bin/python -m benchmarks.detection ../shared/data/{azure_fork_scissors,mslearn_fruit_od,raccoon} \
        --yolox ../shared/weights/yolox_nano_coco/yolox_nano.onnx
"""

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks import yolox
from benchmarks.draws import drawn
from numpy.typing import NDArray

from foveal import imaging
from foveal.bundle import TagEntry
from foveal.engine import backbones, evaluate
from foveal.engine.detection import base, bench, recipes, scores, training
from foveal.engine.detection.answers import answers
from foveal.engine.detection.bench import Drawn
from foveal.engine.detection.scores import Truth
from foveal.engine.features import Embedder
from foveal.engine.search import Memory, Search
from foveal.engine.training import Data, Task
from foveal.geometry import Detections

OVERLAP = 0.5
KEPT_PX = 640  # photos are held in memory at this size


@dataclass(frozen=True)
class Set:
    """Photos as squares, and what is on them."""

    name: str
    tags: list[str]
    squares: NDArray[np.uint8]
    truth: list[Truth]

    @property
    def targets(self) -> NDArray[np.bool_]:
        return scores.borne(self.truth, len(self.tags))


class Part:
    """Some of a set's photos, at any size."""

    def __init__(self, photos: Set, rows: NDArray[np.intp]) -> None:
        self._photos = photos
        self._rows = rows
        self._sizes: dict[int, NDArray[np.uint8]] = {}

    def pixels(self, size_px: int) -> NDArray[np.uint8]:
        if size_px not in self._sizes:
            chosen = (imaging.Image.fromarray(self._photos.squares[row]) for row in self._rows)
            self._sizes[size_px] = np.stack([imaging.model_input(each, size_px) for each in chosen])
        return self._sizes[size_px]


@dataclass(frozen=True)
class Row:
    """What came of one way on one draw."""

    set: str
    shots: str
    images: int
    seed: int
    way: str
    found: float
    told: float | None
    seconds: float
    per_second: float
    megabytes: float


def main() -> None:
    """Print a JSON line for every cell, then the table."""
    options = _options()
    torch.set_num_threads(options.threads)
    rows: list[Row] = []
    for folder in options.folders:
        photos = _read(folder)
        apart = np.isin(evaluate.folds(photos.targets, 5, np.random.default_rng(0)), (0, 1))
        seen = -1
        for shots in options.shots:
            for seed in range(options.first_seed, options.first_seed + options.seeds):
                chosen = drawn(photos.targets, ~apart, shots, seed)
                if seed == options.first_seed and len(chosen) == seen:
                    break  # there are no more than the last time
                seen = len(chosen) if seed == options.first_seed else seen
                for row in _ways(photos, chosen, np.flatnonzero(apart), options):
                    rows.append(Row(photos.name, str(shots or "all"), len(chosen), seed, *row))
                    print(json.dumps(rows[-1].__dict__), flush=True)
    _print(rows)


def _ways(
    photos: Set, rows: NDArray[np.intp], test: NDArray[np.intp], options: argparse.Namespace
) -> list[tuple[str, float, float | None, float, float, float]]:
    made = [_product(photos, rows, test, options)]
    if options.yolox:
        made.append(_yolox(photos, rows, test, options))
    return made


def _product(
    photos: Set, rows: NDArray[np.intp], test: NDArray[np.intp], options: argparse.Namespace
) -> tuple[str, float, float | None, float, float, float]:
    """Train as the product does, and answer with the model's file."""
    began = time.perf_counter()
    start = base.find(options.backbone)
    way = recipes.quick(len(rows), options.size, "general")
    part = Part(photos, rows)
    vectors = Embedder(start.backbone, threads=options.threads).embed(part.pixels(start.backbone.size_px))
    drawn = Drawn(Data(vectors, photos.targets[rows]), [photos.truth[row] for row in rows.tolist()], part)
    search = Search(
        budget_seconds=3600,
        kept=Memory(),
        report=lambda _: None,
        pause=lambda: None,
        policy="general",
        threads=options.threads,
    )
    task = Task(
        project="benchmark",
        iteration="1",
        domain="General",
        exclusive=False,
        data_digest="",
        tags=[TagEntry(tag, tag, "Regular") for tag in photos.tags],
        created_at=datetime.now(UTC),
    )
    with tempfile.TemporaryDirectory() as folder:
        trained = training.train(Path(folder), task, drawn, base=start, ways=[way], search=search)
        seconds = time.perf_counter() - began
        content = trained.bundle.graph.read_bytes()
    pixels = Part(photos, test).pixels(way.course.size_px)
    began = time.perf_counter()
    found = answers(content, pixels, threads=options.threads)
    speed = len(test) / (time.perf_counter() - began)
    told = trained.performance.overall.average_precision
    return "Quick", _score(photos, test, found), told, seconds, speed, len(content) / 1e6


def _yolox(
    photos: Set, rows: NDArray[np.intp], test: NDArray[np.intp], options: argparse.Namespace
) -> tuple[str, float, float | None, float, float, float]:
    """The whole network trained on, with the views and the losses that the product has, and as many images."""
    began = time.perf_counter()
    course = recipes.quick(len(rows), yolox.SIZE_PX, "general").course
    pixels = Part(photos, rows).pixels(round(yolox.SIZE_PX * bench.MARGIN))
    scenes = [bench.scene(image, photos.truth[row]) for image, row in zip(pixels, rows.tolist(), strict=True)]
    network = yolox.tuned(options.yolox, scenes, len(photos.tags), course)
    seconds = time.perf_counter() - began
    shown = Part(photos, test).pixels(yolox.SIZE_PX)
    began = time.perf_counter()
    found = yolox.answers(network, shown)
    speed = len(test) / (time.perf_counter() - began)
    return "YOLOX-Nano", _score(photos, test, found), None, seconds, speed, options.yolox.stat().st_size / 1e6


def _score(photos: Set, test: NDArray[np.intp], found: Sequence[Detections]) -> float:
    truth = [photos.truth[row] for row in test.tolist()]
    said = scores.performance(found, truth, tags=len(photos.tags), threshold=0.5, overlap=OVERLAP)
    return said.overall.average_precision


def _read(folder: Path) -> Set:
    """Read a set in COCO's format; tags that no box bears are left out."""
    told: dict[str, Any] = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))
    drawn: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for each in told["annotations"]:
        drawn[each["image_id"]].append(each)
    used = sorted({each["category_id"] for each in told["annotations"]})
    names = {each["id"]: each["name"] for each in told["categories"]}
    squares, truth = list[NDArray[np.uint8]](), list[Truth]()
    for image in told["images"]:
        data = (folder / "images" / image["file_name"]).read_bytes()
        squares.append(imaging.model_input(imaging.decode(data, max_bytes=1 << 30), KEPT_PX))
        scale = np.array([image["width"], image["height"]] * 2)
        oblongs = np.array([each["bbox"] for each in drawn[image["id"]]], float).reshape(-1, 4)
        corners = np.hstack([oblongs[:, :2], oblongs[:, :2] + oblongs[:, 2:]]) / scale
        truth.append(Truth(corners, np.array([used.index(each["category_id"]) for each in drawn[image["id"]]], int)))
    return Set(folder.name, [names[each] for each in used], np.stack(squares), truth)


def _print(rows: Sequence[Row]) -> None:
    print("\n| set | per tag | images | way | mAP@50 | told | seconds | images/s | MB |\n|--|--|--|--|--|--|--|--|--|")
    cells: dict[tuple[str, str, int, str], list[Row]] = defaultdict(list)
    for row in rows:
        cells[row.set, row.shots, row.images, row.way].append(row)
    for (set_name, shots, images, way), found in cells.items():
        told = [row.told for row in found if row.told is not None]
        said = f"{np.mean(told):.3f}" if told else "-"
        mean = {name: np.mean([getattr(row, name) for row in found]) for name in ("found", "seconds", "per_second")}
        print(
            f"| {set_name} | {shots} | {images} | {way} | {mean['found']:.3f} | {said} | {mean['seconds']:.0f} | "
            f"{mean['per_second']:.0f} | {found[0].megabytes:.1f} |"
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="folders with images/ and annotations.json (COCO)")
    parser.add_argument("--shots", type=int, nargs="+", default=[10, 20, 0], help="images per tag; 0: all")
    parser.add_argument("--seeds", type=int, default=1, help="draws of each size")
    parser.add_argument("--first-seed", type=int, default=0, help="of the draws, for several runs side by side")
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--yolox", type=Path, help="the ONNX file of YOLOX-Nano to compare with")
    parser.add_argument("--backbone", default=backbones.DEFAULT)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    torch.set_flush_denormal(True)  # a setting of the whole process, hence not in main
    main()
