"""Images per second of each backbone at its own size, on one and on two threads, beside a network of a known size.

The networks take turns in every round, so that a busy machine slows them alike; a ratio compares medians of one run. A
thread computes batches of its own, as the product does; the time for a single image on one thread is given as well.

    .venv/bin/python benchmarks/backbone_speed.py
    .venv/bin/python benchmarks/backbone_speed.py --beside ../shared/weights/mobilenetv2_torch_features
"""

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnxruntime
import torch
from pretrain import teachers

from foveal.engine.backbones import BACKBONES
from foveal.engine.features import BATCH

BATCHES = 8  # per thread and round
OPSET = 17


@dataclass
class Contestant:
    """A network and the times of its rounds: seconds per image alone, and per image on one thread and on two."""

    name: str
    session: Any
    size_px: int
    alone: list[float] = field(default_factory=list)
    times: dict[int, list[float]] = field(default_factory=dict)

    def round(self, threads: list[int]) -> None:
        shape = (BATCH, 3, self.size_px, self.size_px)
        batch = np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)
        self.alone.append(_seconds(lambda: self._run(batch[:1])))
        for count in threads:
            with ThreadPoolExecutor(count) as pool:
                taken = _seconds(lambda pool=pool, count=count: list(pool.map(self._run, [batch] * BATCHES * count)))
            self.times.setdefault(count, []).append(taken / (BATCH * BATCHES * count))

    def _run(self, batch: Any) -> None:
        self.session.run(None, {"image": batch})


def main() -> None:
    """Measure in turns and print a Markdown table."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        named = [(each.name, each.path, each.size_px) for each in BACKBONES if each.is_here]
        named += [(each.stem, each, options.size) for each in options.networks]
        named += [(each.name, _exported(each, Path(folder), options.size), options.size) for each in options.beside]
        contestants = [Contestant(name, _session(path), size) for name, path, size in named]
        for each in contestants:
            each.round([1])
            each.alone.clear()
            each.times.clear()
        for _ in range(options.rounds):
            for each in contestants:
                each.round(options.threads)
    _print(contestants, options.threads)


def _print(contestants: list[Contestant], threads: list[int]) -> None:
    yard = contestants[-1]
    heads = ["one image, one thread", *(f"images/s, {count} thread{'s' * (count > 1)}" for count in threads)]
    print(f"| network | {' | '.join(heads)} | against {yard.name} |\n{'|--' * (len(heads) + 2)}|")
    for each in contestants:
        speeds = [f"{1 / median(each.times[count]):.0f}" for count in threads]
        ratio = median(yard.times[threads[0]]) / median(each.times[threads[0]])
        print(f"| {each.name} | {median(each.alone) * 1000:.1f} ms | {' | '.join(speeds)} | {ratio:.2f} |")


def _exported(folder: Path, into: Path, size: int) -> Path:
    """A teacher as an ONNX file with the backbones' input, its map pooled."""
    network = teachers.load([folder]).members[0]

    class Pooled(torch.nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return network(image / 255).mean((2, 3))

    path = into / f"{folder.name}.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that needs no further package calls itself old
        torch.onnx.export(
            Pooled(), (torch.zeros(1, 3, size, size),), path, dynamo=False, opset_version=OPSET,
            input_names=["image"], output_names=["embedding"], dynamic_axes={"image": {0: "batch"}},
        )  # fmt: skip
    return path


def _session(path: Path) -> Any:
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beside", type=Path, nargs="*", default=[], help="weights folders; the last is the yardstick")
    parser.add_argument("--networks", type=Path, nargs="*", default=[], help="backbone files of your own")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=9)
    return parser.parse_args()


if __name__ == "__main__":
    main()
