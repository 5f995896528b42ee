"""Quick and Advanced training beside scikit-learn and a plain fine-tuning, on the same images in the same run.

Each set keeps two fifths of its images apart, always the same ones; from the others so many per tag are drawn. The
score is the mean accuracy over tags, or the mean average precision where an image may have several tags.

    .venv/bin/python -m benchmarks.classification ../shared/data/{flowers5,dtd10,neu_cls,sign_digits,cards_multilabel}
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from benchmarks.draws import drawn
from numpy.typing import NDArray
from pretrain import probe
from sklearn.linear_model import LogisticRegression
from torch.nn import functional

from foveal.bundle import TagEntry
from foveal.engine import advanced, augmentation, backbones, evaluate, finetune, quick
from foveal.engine.backbones import Backbone
from foveal.engine.features import Embedder, head_features
from foveal.engine.network import Network
from foveal.engine.search import Memory, Progress, Search
from foveal.engine.training import Data, Task
from foveal.inference.session import Classifier

PLAIN_EPOCHS = 15
PLAIN_RATE = 0.01
WAYS = ("scikit-learn", "plain fine-tuning", "Quick", "Advanced")


@dataclass(frozen=True)
class Cell:
    """A set, how many images per tag were drawn, and score and seconds of each way."""

    set: str
    shots: str
    images: int
    scores: dict[str, float]
    seconds: dict[str, float]
    chosen: str


class Photos:
    """A set's photos as squares, read once for each size."""

    def __init__(self, photos: probe.Photos) -> None:
        self._photos = photos
        self._sizes: dict[int, NDArray[np.uint8]] = {}

    def pixels(self, size_px: int) -> NDArray[np.uint8]:
        if size_px not in self._sizes:
            self._sizes[size_px] = self._photos.images(size_px)
        return self._sizes[size_px]


@dataclass(frozen=True)
class Part:
    """Some of a set's photos."""

    photos: Photos
    rows: NDArray[np.intp]

    def pixels(self, size_px: int) -> NDArray[np.uint8]:
        return self.photos.pixels(size_px)[self.rows]


@dataclass(frozen=True)
class Draw:
    """Some images of a set to learn from and others to be judged on."""

    photos: probe.Photos
    kept: Photos
    seen: NDArray[np.intp]
    test: NDArray[np.intp]

    @property
    def targets(self) -> NDArray[np.bool_]:
        return self.photos.targets[self.seen]


def main() -> None:
    """Print a JSON line for every cell, then the table."""
    options = _options()
    backbone = backbones.find(options.backbone)
    cells: list[Cell] = []
    for folder in options.folders:
        photos = probe.read(folder)
        kept = Photos(photos)
        test = np.isin(evaluate.folds(photos.targets, 5, np.random.default_rng(0)), (0, 1))
        for shots in options.shots:
            draw = Draw(photos, kept, drawn(photos.targets, ~test, shots), np.flatnonzero(test))
            if cells and cells[-1].set == photos.name and cells[-1].images == len(draw.seen):
                continue  # there are no more than the last time
            cells.append(_cell(draw, str(shots or "all"), backbone, options))
            print(json.dumps(cells[-1].__dict__), flush=True)
    _print(cells)


def _cell(draw: Draw, label: str, backbone: Backbone, options: argparse.Namespace) -> Cell:
    began = time.perf_counter()
    vectors = Embedder(backbone, threads=options.threads).embed(draw.kept.pixels(backbone.size_px)[draw.seen])
    looking = time.perf_counter() - began
    scores: dict[str, float] = {}
    seconds: dict[str, float] = {}
    chosen = ""
    for way in options.ways:
        began = time.perf_counter()
        if way == "scikit-learn":
            guess = _regression(draw, vectors, backbone, options)
        elif way == "plain fine-tuning":
            guess = _plain(draw, backbone)
        else:
            guess, chosen = _product(way, draw, vectors, backbone, options)
        seconds[way] = time.perf_counter() - began + (0 if way == "plain fine-tuning" else looking)
        scores[way] = _score(guess, draw.photos.targets[draw.test], exclusive=draw.photos.exclusive)
    return Cell(draw.photos.name, label, len(draw.seen), scores, seconds, chosen)


def _product(
    way: str, draw: Draw, vectors: NDArray[np.float32], backbone: Backbone, options: argparse.Namespace
) -> tuple[NDArray[np.float32], str]:
    """Train as the product does, and answer with the model's file."""
    task = Task(
        project="benchmark",
        iteration="1",
        domain="General",
        exclusive=draw.photos.exclusive,
        data_digest="",
        tags=[TagEntry(str(at), str(at), "Regular") for at in range(draw.targets.shape[1])],
        created_at=datetime.now(UTC),
    )
    data = Data(vectors, draw.targets)
    with tempfile.TemporaryDirectory() as folder:
        if way == "Quick":
            trained = quick.train(Path(folder), task, data, backbone=backbone)
        else:
            search = Search(
                budget_seconds=options.budget_minutes * 60,
                kept=Memory(),
                report=_ignored,
                pause=lambda: None,
                policy=options.policy,
                threads=options.threads,
            )
            part = Part(draw.kept, draw.seen)
            trained = advanced.train(Path(folder), task, data, part, backbone=backbone, search=search)
            for row in trained.manifest.metrics["candidates"]:
                print("   ", row, flush=True)
        classifier = Classifier(Path(folder), threads=options.threads)
        guess = classifier.probabilities(draw.kept.pixels(classifier.size_px)[draw.test])
    return guess, str(trained.manifest.metrics.get("chosen", "frozen"))


def _ignored(_: Progress) -> None:
    """Progress is for people who wait."""


def _regression(
    draw: Draw, vectors: NDArray[np.float32], backbone: Backbone, options: argparse.Namespace
) -> NDArray[np.floating]:
    """scikit-learn's logistic regression as it comes, on embeddings of length one brought to its usual scale."""
    unseen = Embedder(backbone, threads=options.threads).embed(draw.kept.pixels(backbone.size_px)[draw.test])
    scale = vectors.shape[1] ** 0.5
    seen, new = head_features(vectors) * scale, head_features(unseen) * scale
    if draw.photos.exclusive:
        return LogisticRegression(max_iter=1000).fit(seen, draw.targets.argmax(1)).predict_proba(new)
    fitted = [LogisticRegression(max_iter=1000).fit(seen, tag) for tag in draw.targets.T]
    return np.stack([each.predict_proba(new)[:, 1] for each in fitted], 1)


def _plain(draw: Draw, backbone: Backbone) -> NDArray[np.floating]:
    """The usual fine-tuning: a fresh linear layer, SGD with momentum at 0.01 and a cosine, random crops and flips."""
    seen, unseen, targets = Part(draw.kept, draw.seen), Part(draw.kept, draw.test), draw.targets
    exclusive = draw.photos.exclusive
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    network = Network(backbone.path).to(memory_format=torch.channels_last)
    last = torch.nn.Linear(backbone.dimension, targets.shape[1])
    weights = [*[each for each in network.parameters() if each.requires_grad], *last.parameters()]
    optimizer = torch.optim.SGD(weights, PLAIN_RATE, momentum=0.9, weight_decay=1e-4)
    pixels, wanted = seen.pixels(round(backbone.size_px * 8 / 7)), torch.tensor(targets, dtype=torch.float32)
    policy = augmentation.Policy(smallest_area=0.3, colour=0, light=0, mix=0)
    batches = list(range(0, len(pixels), 32))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, PLAIN_EPOCHS * len(batches))
    for _ in range(PLAIN_EPOCHS):
        order = torch.randperm(len(pixels), generator=generator)
        for at in batches:
            rows = order[at : at + 32]
            images = torch.from_numpy(pixels[rows.numpy()].transpose(0, 3, 1, 2).copy()).float()
            views = augmentation.augment(images, backbone.size_px, policy, generator)
            with torch.autocast("cpu", torch.bfloat16):
                vectors = network(views.contiguous(memory_format=torch.channels_last))
            scores = last(vectors.float())
            if exclusive:
                loss = functional.cross_entropy(scores, wanted[rows])
            else:
                loss = functional.binary_cross_entropy_with_logits(scores, wanted[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    with torch.no_grad():
        scores = last(torch.from_numpy(finetune.embed(network, unseen.pixels(backbone.size_px))))
    return torch.softmax(scores, 1).numpy() if exclusive else torch.sigmoid(scores).numpy()


def _score(guess: NDArray[np.floating], targets: NDArray[np.bool_], *, exclusive: bool) -> float:
    if not exclusive:
        return fmean(evaluate.average_precision(targets[:, tag], guess[:, tag]) for tag in range(targets.shape[1]))
    right = guess.argmax(1) == targets.argmax(1)
    return fmean(float(right[targets[:, tag]].mean()) for tag in range(targets.shape[1]))


def _print(cells: Sequence[Cell]) -> None:
    ways = list(cells[0].scores)
    print(f"\n| set | per tag | images | {' | '.join(ways)} | chosen |\n|{'--|' * (len(ways) + 4)}")
    for cell in cells:
        found = " | ".join(f"{cell.scores[way]:.3f} ({cell.seconds[way]:.0f} s)" for way in ways)
        print(f"| {cell.set} | {cell.shots} | {cell.images} | {found} | {cell.chosen} |")
    for shots in dict.fromkeys(cell.shots for cell in cells):
        rows = [cell for cell in cells if cell.shots == shots]
        found = " | ".join(f"{fmean(cell.scores[way] for cell in rows):.3f}" for way in ways)
        print(f"| mean of {len(rows)} | {shots} | | {found} | |")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--shots", type=int, nargs="+", default=[5, 20, 50, 0], help="images per tag; 0: all")
    parser.add_argument("--budget-minutes", type=float, default=60)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--policy", choices=sorted(augmentation.POLICIES), default="general")
    parser.add_argument("--backbone", default=backbones.DEFAULT)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
