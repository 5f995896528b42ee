"""How much a frozen network knows from a few images per tag; `benchmarks/fewshot.py` prints it as a scoreboard.

On top of the network comes a plain logistic regression, a common yardstick for networks, or the product's own head,
which is what users get. The score is measured on all images that the classifier was not fitted on: the mean accuracy
over tags, and where an image may have several tags, the mean average precision over tags.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.optimize import minimize
from scipy.special import log_softmax

from foveal.engine import heads
from foveal.engine.evaluate import average_precision
from foveal.engine.features import head_features
from pretrain import teachers
from pretrain.data import SUFFIXES

Features = NDArray[np.float32]  # (n, d)
Targets = NDArray[np.bool_]  # (n, k): which tags an image has
Images = NDArray[np.uint8]  # (n, s, s, 3), RGB
Embed = Callable[[Images], Features]
View = Callable[[Images], Images]

STRENGTH = 10.0  # of the data against the weights, as the C of the usual logistic regressions
BATCH = 8
PIXELS = 12  # side of the smallest baseline's pictures


class Classify(Protocol):
    """Fit on the seen, give scores (m, k) of the unseen."""

    def __call__(
        self, seen: Features, targets: Targets, unseen: Features, *, exclusive: bool
    ) -> NDArray[np.floating]: ...


@dataclass(frozen=True)
class Photos:
    """A set to be measured on."""

    name: str
    files: tuple[Path, ...]
    targets: Targets
    exclusive: bool

    def images(self, size: int) -> Images:
        """All images stretched to (n, size, size, 3), as the product looks at them."""
        return np.stack([_stretched(file, size) for file in self.files])


@dataclass(frozen=True)
class Network:
    """Something that embeds images of `size_px`."""

    name: str
    size_px: int
    embed: Embed


def read(folder: Path) -> Photos:
    """Read a folder of class folders (names with an underscore in front are left out), or `images` and `labels.json`.

    Raises:
        ValueError: The folder is neither.
    """
    listed = folder / "labels.json"
    if listed.is_file():
        content = json.loads(listed.read_text(encoding="utf-8"))
        rows = [[tag in tags for tag in content["tags"]] for tags in content["images"].values()]
        return Photos(
            folder.name, tuple(folder / "images" / name for name in content["images"]), np.array(rows), exclusive=False
        )
    classes = sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("_"))
    found = [(f, i) for i, each in enumerate(classes) for f in sorted(each.iterdir()) if f.suffix.lower() in SUFFIXES]
    if not found:
        raise ValueError(f"{folder}: expected a folder of photos for each tag, or images/ and labels.json.")
    targets = np.eye(len(classes), dtype=bool)[[number for _, number in found]]
    return Photos(folder.name, tuple(file for file, _ in found), targets, exclusive=True)


def onnx_network(path: Path, name: str = "", threads: int = 1) -> Network:
    """A backbone's file: `image` float32 (n, 3, s, s), RGB 0..255 -> `embedding`."""
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def embed(images: Images) -> Features:
        tensor = np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32)
        return np.asarray(session.run(["embedding"], {"image": tensor})[0])

    return Network(name or path.stem, int(session.get_inputs()[0].shape[2]), embed)


def teacher_network(folder: Path, size: int, *, trained: bool = True) -> Network:
    """A teacher's pooled map; untrained, the same network with fresh random weights."""
    teacher = teachers.load([folder], trained=trained)

    def embed(images: Images) -> Features:
        return teacher(torch.from_numpy(images.transpose(0, 3, 1, 2) / np.float32(255))).maps.mean((2, 3)).numpy()

    return Network(f"{folder.name}{'' if trained else ', random'} at {size}", size, embed)


def pixel_network() -> Network:
    """The pixels of a tiny picture, each image at zero mean."""

    def embed(images: Images) -> Features:
        flat = images.reshape(len(images), -1).astype(np.float32)
        return flat - flat.mean(1, keepdims=True)

    return Network(f"raw {PIXELS}x{PIXELS} pixels", PIXELS, embed)


def features(network: Network, images: Images, views: Sequence[View] = ()) -> Features:
    """L2-normalised embeddings of all images, or the mean of those of their views."""
    seen = [view(images) for view in views] or [images]
    return head_features(np.mean([head_features(_embedded(network, each)) for each in seen], axis=0))


def scores(vectors: Features, photos: Photos, shots: int, seeds: int, classify: Classify) -> list[float]:
    """The score for each draw of so many images per tag; empty where a tag has no more than that."""
    if photos.targets.sum(0).min() <= shots:
        return []
    return [_score(vectors, photos, draw(photos, shots, seed), classify) for seed in range(seeds)]


def draw(photos: Photos, shots: int, seed: int) -> NDArray[np.bool_]:
    """Which images are seen: shuffled, then taken for as long as one of their tags has fewer than `shots`."""
    wanted = np.full(photos.targets.shape[1], shots)
    chosen = np.zeros(len(photos.targets), bool)
    for index in np.random.default_rng(seed).permutation(len(chosen)):
        if (wanted[photos.targets[index]] > 0).any():
            chosen[index] = True
            wanted -= photos.targets[index]
    return chosen


def logistic(seen: Features, targets: Targets, unseen: Features, *, exclusive: bool) -> NDArray[np.floating]:
    """Scores of a logistic regression with one fixed strength of regularisation; several tags: one against the rest."""
    if not exclusive:
        pairs = [np.stack([~column, column], 1) for column in targets.T]
        each = [logistic(seen, pair, unseen, exclusive=True) for pair in pairs]
        return np.stack([found[:, 1] - found[:, 0] for found in each], 1)
    return _with_one(unseen) @ _logistic(seen.astype(np.float64), targets)


def head(seen: Features, targets: Targets, unseen: Features, *, exclusive: bool) -> NDArray[np.floating]:
    """Probabilities of the head of quick training; from fewer images than it needs, scores of the regression."""
    if targets.sum(0).min() < heads.FEWEST_FOLDS:
        return logistic(seen, targets, unseen, exclusive=exclusive)
    return heads.fit(seen, targets, exclusive=exclusive, seed=0).head.probabilities(unseen)


CLASSIFIERS: dict[str, Classify] = {"logistic": logistic, "head": head}


def _stretched(file: Path, size: int) -> Images:
    with Image.open(file) as opened:
        return np.asarray(opened.convert("RGB").resize((size, size), Image.Resampling.BILINEAR))


def _embedded(network: Network, images: Images) -> Features:
    return np.concatenate(list(_batches(network, images)))


def _batches(network: Network, images: Images) -> Iterator[Features]:
    for at in range(0, len(images), BATCH):
        yield network.embed(images[at : at + BATCH])


def _score(vectors: Features, photos: Photos, chosen: NDArray[np.bool_], classify: Classify) -> float:
    unseen = photos.targets[~chosen]
    found = classify(vectors[chosen], photos.targets[chosen], vectors[~chosen], exclusive=photos.exclusive)
    if not photos.exclusive:
        return float(np.mean([average_precision(*columns) for columns in zip(unseen.T, found.T, strict=True)]))
    right = unseen[np.arange(len(unseen)), found.argmax(1)]
    return float(np.mean([right[column].mean() for column in unseen.T]))


def _logistic(vectors: NDArray[np.float64], targets: Targets) -> NDArray[np.float64]:
    inputs = _with_one(vectors)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(inputs.shape[1], -1)
        held = np.concatenate([weights[:-1], np.zeros_like(weights[-1:])])
        logged = log_softmax(inputs @ weights, 1)
        value = 0.5 * (held**2).sum() - STRENGTH * (logged * targets).sum()
        return value, (held + STRENGTH * inputs.T @ (np.exp(logged) - targets)).ravel()

    begin = np.zeros(inputs.shape[1] * targets.shape[1])
    return minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x.reshape(inputs.shape[1], -1)


def _with_one(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.hstack([vectors, np.ones((len(vectors), 1))]).astype(np.float64)
