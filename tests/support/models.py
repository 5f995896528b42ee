"""Trained models of each kind, with photos, and their exports; each is made once in a test run, for all processes."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from numpy.typing import NDArray
from tests.support.tiny import Squares as ColouredSquares

from foveal import bundle
from foveal.bundle import Bundle, TagEntry
from foveal.engine import backbones, quick
from foveal.engine.detection import base, training
from foveal.engine.detection.bench import Drawn, Way
from foveal.engine.detection.scores import Truth
from foveal.engine.detection.tune import Course, Schedule
from foveal.engine.detection.views import Policy
from foveal.engine.features import Embedder
from foveal.engine.search import Memory, Search
from foveal.engine.training import Data, Task
from foveal.exporters import catalog, package
from foveal.exporters.catalog import Format
from foveal.exporters.parity import Certificate

ABOUT = package.About("3f2d3c4e-0000-0000-0000-000000000000", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
DETECTED_PX = 128
COLOURS = ((220, 40, 40), (40, 60, 220))
CLASSIFIER_TAGS = ("red", "green", "blue")
DETECTOR_TAGS = ("red", "blue")


@dataclass(frozen=True)
class Trained:
    """A bundle and photos (n, s, s, 3) in its size."""

    bundle: Bundle
    photos: NDArray[np.uint8]


def made(kind: str, shared: Path) -> Trained:
    """Give a model of a kind; `shared` is a folder that processes of one test run have in common."""
    folder = shared / kind.replace(" ", "-")
    with FileLock(f"{folder}.lock"):
        if not (folder / "photos.npy").exists():
            KINDS[kind](folder)
    return Trained(bundle.read(folder), np.load(folder / "photos.npy"))


@dataclass(frozen=True)
class Exported:
    """An export in a folder that many tests read: who changes it takes a copy."""

    trained: Trained
    format: Format
    folder: Path

    @property
    def home(self) -> Path:
        """The folder that holds the model."""
        return self.folder / self.format.home

    @property
    def certificate(self) -> Certificate:
        return Certificate(**json.loads((self.folder / package.CERTIFICATE).read_text(encoding="utf-8")))


def exported(kind: str, name: str, shared: Path) -> Exported:
    """Give the export of a model of a kind in the format of this name."""
    trained, format = made(kind, shared), catalog.named(name)
    folder = shared / f"{kind}-{name}".replace(" ", "-")
    with FileLock(f"{folder}.lock"):
        if not (folder / package.CERTIFICATE).exists():
            shutil.rmtree(folder, ignore_errors=True)  # another process may have failed
            folder.mkdir()
            package.write(format, trained.bundle, trained.photos, folder, ABOUT, source="photos")
    return Exported(trained, format, folder)


def _classifier(folder: Path, *, domain: str, backbone: str, exclusive: bool) -> None:
    row = backbones.find(backbone)
    squares = ColouredSquares(12, len(CLASSIFIER_TAGS), noise=30.0)
    photos = squares.pixels(row.size_px)
    targets = squares.targets.copy()
    if not exclusive:  # halves of two colours bear both tags
        photos[::4, :, : row.size_px // 2] = photos[1::4, :, : row.size_px // 2]
        targets[::4] |= targets[1::4]
    vectors = Embedder(row, threads=1).embed_each(list(range(len(photos))), photos.__getitem__)
    quick.train(folder, _task(domain, CLASSIFIER_TAGS, exclusive=exclusive), Data(vectors, targets), backbone=row)
    np.save(folder / "photos.npy", photos)


def _detector(folder: Path) -> None:
    torch.manual_seed(0)
    scenes = Scenes(18)
    targets = np.zeros((18, 2), bool)
    targets[np.arange(18), [each.tags[0] for each in scenes.truth]] = True
    vectors = np.random.default_rng(0).normal(size=(18, 8)).astype(np.float32)
    schedule = Schedule(steps=16, rate=3e-3, backbone_rate=0)
    course = Course(size_px=DETECTED_PX, policy=Policy(tiles=(1.0,)), schedule=schedule, seed=0)
    search = Search(
        budget_seconds=3600, kept=Memory(), report=[].append, pause=lambda: None, policy="general", threads=1
    )
    task = _task("General (compact)", DETECTOR_TAGS, exclusive=False)
    drawn = Drawn(Data(vectors, targets), scenes.truth, scenes)
    training.train(folder, task, drawn, base=base.find("foveal-xs"), ways=[Way("quick", course)], search=search)
    np.save(folder / "photos.npy", scenes.pixels(DETECTED_PX))


def _of_general_domain(folder: Path) -> None:
    """The same detector, told to be of the domain General: its exports follow other conventions."""
    compact = made("detection compact", folder.parent)
    manifest = replace(compact.bundle.manifest, domain="General")
    graph = compact.bundle.graph.read_bytes()
    bundle.write(folder, graph=graph, labels=compact.bundle.labels, manifest=manifest, head=compact.bundle.head)
    np.save(folder / "photos.npy", compact.photos)


class Scenes:
    """Grey noise with a coloured square, and sometimes a second one; boxes are relative."""

    def __init__(self, count: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self._noise = rng.integers(90, 160, (count, 32, 32, 3))
        self.truth: list[Truth] = []
        for at in range(count):
            side, place = rng.uniform(0.25, 0.35), rng.uniform(0.02, 0.12, 2)
            boxes = [[*place, *(place + side)]]
            if at % 3 == 0:
                boxes.append([*(place + 0.45), *(place + 0.45 + side)])
            self.truth.append(Truth(np.array(boxes), np.array([at % 2, (at + 1) % 2][: len(boxes)])))

    def pixels(self, size_px: int) -> NDArray[np.uint8]:
        """All of them, (n, size_px, size_px, 3)."""
        times = size_px // 32 + 1
        every = self._noise.repeat(times, 1).repeat(times, 2)[:, :size_px, :size_px].copy()
        for image, truth in zip(every, self.truth, strict=True):
            for box, tag in zip((truth.boxes * size_px).round().astype(int).tolist(), truth.tags, strict=True):
                image[box[1] : box[3], box[0] : box[2]] = COLOURS[tag]
        return every.astype(np.uint8)


def _task(domain: str, tags: tuple[str, ...], *, exclusive: bool) -> Task:
    return Task(
        project="shapes",
        iteration="Iteration 1",
        domain=domain,
        exclusive=exclusive,
        tags=[TagEntry(name, name, "Regular") for name in tags],
        data_digest="drawn",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


KINDS: Mapping[str, Callable[[Path], None]] = {
    "multiclass compact": partial(_classifier, domain="General (compact)", backbone="foveal-xs", exclusive=True),
    "multilabel general": partial(_classifier, domain="General", backbone="foveal-s", exclusive=False),
    "detection compact": _detector,
    "detection general": _of_general_domain,
}
"""The conventions of compact domains and those of all others, for both tasks."""
