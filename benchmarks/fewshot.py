"""The scoreboard: how well each backbone does from 1, 5 and 20 images per tag, with 95 % intervals over random draws.

A folder holds one folder of photos per tag, or `images/` with a `labels.json` where a photo may have several tags. The
score is the mean accuracy over tags on all photos that were not drawn, or the mean average precision over tags.

    .venv/bin/python -m benchmarks.fewshot ../shared/data/{flowers5,dtd10,neu_cls,sign_digits}
    .venv/bin/python -m benchmarks.fewshot FOLDER... --teachers ../shared/weights/mobilenetv2_torch_features
    .venv/bin/python -m benchmarks.fewshot FOLDER... --networks runs/new/foveal-s.onnx --views
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import torch
from PIL import Image
from pretrain import probe
from scipy.special import stdtrit

from foveal.engine.backbones import BACKBONES

CONFIDENCE = 0.95
Board = dict[tuple[str, str, int], list[float]]  # (network and views, set, shots) -> a score for each draw


def zoomed(images: probe.Images, part: float, at: tuple[float, float] = (0.5, 0.5)) -> probe.Images:
    """The part of the side that lies at (x, y) of the room there is, at full size again."""
    size = images.shape[1]
    left, top = ((1 - part) * size * place for place in at)
    box = (left, top, left + part * size, top + part * size)
    return np.stack([np.asarray(Image.fromarray(each).resize((size, size), 2, box=box)) for each in images])


def flipped(images: probe.Images) -> probe.Images:
    return images[:, :, ::-1]


def whole(images: probe.Images) -> probe.Images:
    return images


CORNERS = [partial(zoomed, part=0.75, at=(x, y)) for x in (0.0, 1.0) for y in (0.0, 1.0)]
MIDDLE = partial(zoomed, part=0.75)
VIEWS: dict[str, list[probe.View]] = {
    "one view": [whole],
    "flip": [whole, flipped],
    "two scales": [whole, MIDDLE],
    "flip, two scales": [whole, flipped, MIDDLE, lambda images: flipped(MIDDLE(images))],
    "five crops": [whole, MIDDLE, *CORNERS],
}


def measure(
    network: probe.Network, photos: probe.Photos, options: argparse.Namespace
) -> Iterator[tuple[str, int, list[float]]]:
    """Give (network and views, shots, scores) for each choice of views and number of shots."""
    images = photos.images(network.size_px)
    classify = probe.CLASSIFIERS[options.classifier]
    for name, views in VIEWS.items() if options.views else [("", [])]:
        began = time.perf_counter()
        vectors = probe.features(network, images, views)
        milliseconds = (time.perf_counter() - began) / len(images) * 1000
        for shots in options.shots:
            found = probe.scores(vectors, photos, shots, options.seeds, classify)
            if found:
                label = f"{network.name}, {name}" if name else network.name
                _say(
                    network=label, set=photos.name, shots=shots, **_summary(found), milliseconds=round(milliseconds, 1)
                )
                yield label, shots, found


def half_interval(found: Sequence[float]) -> float:
    """Half of Student's interval for the mean over draws."""
    if len(found) == 1:
        return float("nan")
    return float(stdtrit(len(found) - 1, (1 + CONFIDENCE) / 2)) * stdev(found) / len(found) ** 0.5


def table(board: Board, sets: Sequence[str], shots: int) -> str:
    """A Markdown table of one number of shots: networks down, sets across, and the mean over the sets."""
    kept = [name for name in sets if any((name, shots) == key[1:] for key in board)]
    lines = [f"| {shots} per tag | {' | '.join([*kept, 'mean'])} |", "|--" * (len(kept) + 2) + "|"]
    for network in dict.fromkeys(key[0] for key in board):
        rows = [board[network, name, shots] for name in kept]
        means = [fmean(draws) for draws in zip(*rows, strict=True)]  # a draw's mean over the sets
        lines.append(f"| {network} | {' | '.join(_cell(found) for found in [*rows, means])} |")
    return "\n".join(lines)


def networks(options: argparse.Namespace) -> list[probe.Network]:
    """The networks of the command line, and before them the baselines, the teachers and all backbones that are here."""
    extra = [probe.onnx_network(each, threads=options.threads) for each in options.networks]
    if options.only:
        return extra
    given = [
        probe.teacher_network(each, options.size, trained=kind) for each in options.teachers for kind in (False, True)
    ]
    here = [probe.onnx_network(each.path, each.name, options.threads) for each in BACKBONES if each.is_here]
    return [probe.pixel_network(), *given, *here, *extra]


def _summary(found: Sequence[float]) -> dict[str, float]:
    return {"score": round(fmean(found), 4), "half_interval": round(half_interval(found), 4)}


def _cell(found: Sequence[float]) -> str:
    return f"{fmean(found):.3f} ± {half_interval(found):.3f}"


def _say(**values: object) -> None:
    print(json.dumps(values), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--shots", type=int, nargs="+", default=[1, 5, 20])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--classifier", choices=sorted(probe.CLASSIFIERS), default="head")
    parser.add_argument("--teachers", type=Path, nargs="*", default=[], help="weights folders, for comparison")
    parser.add_argument("--size", type=int, default=160, help="of the images that teachers get")
    parser.add_argument("--networks", type=Path, nargs="*", default=[], help="backbone files of your own")
    parser.add_argument("--only", action="store_true", help="measure nothing but --networks")
    parser.add_argument("--views", action="store_true", help="compare views at test time")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    """Print a JSON line for every measurement, then the tables."""
    options = _options()
    torch.set_num_threads(options.threads)
    board: Board = {}
    contestants = networks(options)
    for photos in map(probe.read, options.folders):
        for network in contestants:
            for label, shots, found in measure(network, photos, options):
                board[label, photos.name, shots] = found
    for shots in options.shots:
        print(f"\n{table(board, [folder.name for folder in options.folders], shots)}")


if __name__ == "__main__":
    main()
