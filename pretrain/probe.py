"""How much a frozen network knows from a few images per class: `python -m pretrain.probe MODEL FOLDER...`.

MODEL is an ONNX backbone, or a teacher's weights folder. A FOLDER holds one folder per class; names that start with an
underscore are left out. On top comes a plain logistic regression, a common yardstick for networks, or with
`--classifier head` the product's own head, which is what users get. The score is the mean accuracy over classes on all
other images of the folder.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.optimize import minimize
from scipy.special import log_softmax

from foveal.engine import heads
from pretrain import teachers
from pretrain.data import SUFFIXES

Features = NDArray[np.float32]  # (n, d)
Labels = NDArray[np.intp]  # (n,)
Embed = Callable[[NDArray[np.uint8]], Features]  # (n, s, s, 3) -> (n, d)

Guess = Callable[[Features, Labels, Features], Labels]  # seen (n, d), their classes, unseen (m, d) -> classes (m,)

STRENGTH = 10.0  # of the data against the weights, as the C of the usual logistic regressions
BATCH = 16


def read(folder: Path, size: int) -> tuple[NDArray[np.uint8], Labels]:
    """All images of a folder of class folders, stretched to (n, size, size, 3), and the numbers of their classes."""
    classes = sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("_"))
    files = [(f, i) for i, each in enumerate(classes) for f in sorted(each.iterdir()) if f.suffix.lower() in SUFFIXES]
    images = [np.asarray(Image.open(file).convert("RGB").resize((size, size), 2)) for file, _ in files]
    return np.stack(images), np.array([number for _, number in files])


def onnx_embedder(path: Path, threads: int) -> tuple[Embed, int]:
    """The network's embedding and the size of the images it takes."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def embed(images: NDArray[np.uint8]) -> Features:
        tensor = np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32)
        return np.asarray(session.run(None, {"image": tensor})[0])

    return embed, int(session.get_inputs()[0].shape[2])


def teacher_embedder(folder: Path, threads: int) -> Embed:
    """A teacher's pooled map."""
    torch.set_num_threads(threads)
    teacher = teachers.load([folder])

    def embed(images: NDArray[np.uint8]) -> Features:
        return teacher(torch.from_numpy(images.transpose(0, 3, 1, 2) / np.float32(255))).mean((2, 3)).numpy()

    return embed


def features(embed: Embed, images: NDArray[np.uint8]) -> Features:
    """L2-normalised embeddings of all images."""
    made = np.concatenate([embed(images[at : at + BATCH]) for at in range(0, len(images), BATCH)])
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def scores(vectors: Features, labels: Labels, shots: int, seeds: int, guess: Guess | None = None) -> list[float]:
    """Mean class accuracy for each draw of so many images per class; empty where a class is too small."""
    guess = guess or logistic
    if np.bincount(labels).min() <= shots:
        return []
    return [_score(vectors, labels, _draw(labels, shots, np.random.default_rng(seed)), guess) for seed in range(seeds)]


def logistic(seen: Features, labels: Labels, unseen: Features) -> Labels:
    """Guess by a logistic regression, with one fixed strength of regularisation."""
    return (_with_one(unseen) @ _logistic(seen.astype(np.float64), labels)).argmax(1)


def head(seen: Features, labels: Labels, unseen: Features) -> Labels:
    """Guess by the head that quick training would make."""
    fitted = heads.fit(seen, np.eye(labels.max() + 1, dtype=bool)[labels], exclusive=True, seed=0)
    return fitted.head.probabilities(unseen).argmax(1)


GUESSES: dict[str, Guess] = {"logistic": logistic, "head": head}


def report(embed: Embed, size: int, folders: Sequence[Path], guess: Guess, shots: Sequence[int], seeds: int) -> None:
    """Print one JSON line per folder and number of shots, and the mean of each number over the folders."""
    means: dict[int, list[float]] = {count: [] for count in shots}
    for folder in folders:
        images, labels = read(folder, size)
        vectors = features(embed, images)
        for count in shots:
            found = scores(vectors, labels, count, seeds, guess)
            if not found:
                continue
            means[count].append(float(np.mean(found)))
            spread = round(1.96 * float(np.std(found, ddof=1)) / seeds**0.5, 4) if seeds > 1 else None
            _say(set=folder.name, shots=count, accuracy=round(means[count][-1], 4), half_interval=spread)
    for count, values in means.items():
        _say(set=f"mean of {len(values)}", shots=count, accuracy=round(float(np.mean(values)), 4) if values else None)


def _draw(labels: Labels, shots: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    chosen = np.zeros(len(labels), bool)
    for number in range(labels.max() + 1):
        chosen[rng.permutation(np.flatnonzero(labels == number))[:shots]] = True
    return chosen


def _score(vectors: Features, labels: Labels, chosen: NDArray[np.bool_], guess: Guess) -> float:
    right = guess(vectors[chosen], labels[chosen], vectors[~chosen]) == labels[~chosen]
    return float(np.mean([right[labels[~chosen] == number].mean() for number in range(labels.max() + 1)]))


def _logistic(vectors: NDArray[np.float64], labels: Labels) -> NDArray[np.float64]:
    inputs, targets = _with_one(vectors), np.eye(labels.max() + 1)[labels]

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


def _say(**values: object) -> None:
    print(json.dumps(values), flush=True)


def main() -> None:
    """Probe a backbone or a teacher on folders of class folders."""
    parser = argparse.ArgumentParser(description="Probe a frozen network with a few images per class.")
    parser.add_argument("model", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--shots", type=int, nargs="+", default=[5, 20])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--size", type=int, default=160, help="of the images, for a teacher")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--classifier", choices=sorted(GUESSES), default="logistic")
    given = parser.parse_args()
    if given.model.is_dir():
        embed, size = teacher_embedder(given.model, given.threads), given.size
    else:
        embed, size = onnx_embedder(given.model, given.threads)
    report(embed, size, given.folders, GUESSES[given.classifier], given.shots, given.seeds)


if __name__ == "__main__":
    main()
