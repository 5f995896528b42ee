"""How well region proposals find the boxes that people drew, beside boxes that never look at the picture.

Recall counts the drawn boxes that one of the best 1, 5 or 10 proposals overlaps by half (intersection over union); the
mean overlap is that with the closest of the best 1 or 10. The yardsticks, ten boxes each: some about the centre, the
most useful sizes first; and the whole picture with nine tiles of half its sides. Times are medians, maps and boxes
without decoding; the maps take one thread, and OMP_NUM_THREADS=1 holds numpy to one as well.

    .venv/bin/python benchmarks/region_proposals.py ../shared/data/{azure_fork_scissors,mslearn_fruit_od,raccoon}
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal import imaging
from foveal.engine.detection import base
from foveal.engine.proposals import SIZE_PX, Proposer
from foveal.geometry import Box, intersection_over_union

BEST = (1, 5, 10)
ENOUGH = 0.5  # overlap of a box that counts as found
CENTRE_SIDES = (
    (0.7, 0.7), (0.5, 0.5), (0.9, 0.9), (0.9, 0.5), (0.5, 0.9),
    (0.35, 0.35), (0.7, 0.35), (0.35, 0.7), (0.25, 0.5), (1, 1),
)  # fmt: skip

Propose = Callable[[NDArray[np.uint8]], Sequence[Box]]


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture as the proposer takes it, and the boxes that people drew."""

    pixels: NDArray[np.uint8]
    drawn: list[Box]


def main() -> None:
    """Measure every contestant on every set and print a Markdown table."""
    options = _options()
    contestants = {"centre boxes": _centre, "grid": _grid}
    for name in options.backbones:
        contestants[name] = _of(Proposer(base.find(name), threads=1))
    columns = [f"recall@{count}" for count in BEST] + [f"mean overlap@{count}" for count in (BEST[0], BEST[-1])]
    print(f"| set | boxes | {' | '.join(columns)} | ms per image |\n{'|--' * (len(columns) + 3)}|")
    for folder in options.sets:
        photos = _photos(folder)
        for name, propose in contestants.items():
            print(f"| {folder.name} | {name} | {_row(photos, propose)} |", flush=True)


def _row(photos: list[Photo], propose: Propose) -> str:
    overlaps: dict[int, list[float]] = defaultdict(list)
    seconds: list[float] = []
    for photo in photos:
        began = time.perf_counter()
        boxes = propose(photo.pixels)
        seconds.append(time.perf_counter() - began)
        for count in BEST:
            overlaps[count] += [_closest(box, boxes[:count]) for box in photo.drawn]
    recalls = [f"{mean(overlap >= ENOUGH for overlap in overlaps[count]):.2f}" for count in BEST]
    means = [f"{mean(overlaps[count]):.2f}" for count in (BEST[0], BEST[-1])]
    return " | ".join([*recalls, *means, f"{median(seconds) * 1000:.0f}"])


def _closest(drawn: Box, boxes: Sequence[Box]) -> float:
    return max((intersection_over_union(drawn, box) for box in boxes), default=0.0)


def _of(proposer: Proposer) -> Propose:
    return lambda pixels: [proposal.box for proposal in proposer.propose(pixels)]


def _centre(_pixels: NDArray[np.uint8]) -> list[Box]:
    return [Box((1 - width) / 2, (1 - height) / 2, width, height) for width, height in CENTRE_SIDES]


def _grid(_pixels: NDArray[np.uint8]) -> list[Box]:
    return [Box(0, 0, 1, 1), *(Box(left / 4, top / 4, 0.5, 0.5) for top in range(3) for left in range(3))]


def _photos(folder: Path) -> list[Photo]:
    """The photos of a COCO set with at least one box."""
    told = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))
    drawn: dict[int, list[list[float]]] = defaultdict(list)
    for each in told["annotations"]:
        drawn[each["image_id"]].append(each["bbox"])
    return [_photo(folder / "images", image, drawn[image["id"]]) for image in told["images"] if drawn[image["id"]]]


def _photo(folder: Path, image: dict[str, Any], drawn: list[list[float]]) -> Photo:
    data = (folder / image["file_name"]).read_bytes()
    pixels = imaging.model_input(imaging.decode(data, max_bytes=imaging.TRAINING_BYTES), SIZE_PX)
    width, height = image["width"], image["height"]
    boxes = [Box.from_corners(x / width, y / height, (x + w) / width, (y + h) / height) for x, y, w, h in drawn]
    return Photo(pixels, boxes)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+", help="folders with images/ and annotations.json (COCO)")
    parser.add_argument("--backbones", nargs="+", default=["foveal-s", "foveal-xs"])
    return parser.parse_args()


if __name__ == "__main__":
    main()
