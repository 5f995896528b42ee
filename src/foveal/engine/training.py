"""What every training is given and gives back: the task, the data, the judged model on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal import bundle
from foveal.bundle import BackboneEntry, Bundle, Manifest, Preprocessing, TagEntry
from foveal.domains import MULTICLASS, MULTILABEL
from foveal.engine import evaluate, report, unknown
from foveal.engine.backbones import Backbone
from foveal.engine.evaluate import NEVER_HELD, Folds, Performance
from foveal.engine.features import head_features
from foveal.engine.graph import classifier_graph
from foveal.engine.heads import Fitted
from foveal.engine.labelling.duplicates import near_duplicates
from foveal.engine.report import Judgements
from foveal.engine.resizing import at_size
from foveal.engine.taught import Class, Lessons
from foveal.errors import Invalid

SEED = 0
MOST_COMPARED = 1_000  # images among which near-duplicates are kept on one side; among more, one hardly matters
THRESHOLD = 0.5
NEGATIVE = "Negative"
SMALLEST_CHANCE = 1e-9
LIBRARIES = ("foveal", "numpy", "onnx", "onnxruntime", "scipy", "torch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a model is for: its tags in the order of its outputs, and where the data came from."""

    project: str
    iteration: str
    domain: str
    exclusive: bool
    tags: Sequence[TagEntry]
    data_digest: str
    created_at: datetime

    @property
    def negative(self) -> int | None:
        """The column of the tag that means "none of these", if there is one."""
        return next((at for at, tag in enumerate(self.tags) if tag.type == NEGATIVE), None)


@dataclass(frozen=True, slots=True)
class Data:
    """What a model is made of: embeddings (n, d) of images and which image has which tag (n, k).

    The last `borrowed` images come from an earlier iteration: they are learned from, and nobody asks to judge them.
    Those in `test` (n,) were set aside by the user: they judge the model, and it learns nothing from them.
    """

    embeddings: NDArray[np.float32]
    targets: NDArray[np.bool_]
    borrowed: int = 0
    test: NDArray[np.bool_] | None = None
    lessons: Lessons | None = None
    """What a larger network knows of these and of untagged images, for a small one to learn from."""

    @property
    def learned(self) -> NDArray[np.intp]:
        """The images that are learned from."""
        return np.arange(len(self.targets)) if self.test is None else np.flatnonzero(~self.test)

    @property
    def own(self) -> NDArray[np.bool_]:
        """Of all images (n,), which are the project's own."""
        return np.arange(len(self.targets)) < len(self.targets) - self.borrowed

    def folds(self, most: int | None = None) -> Folds:
        """The folds (repeats, m) of the images that are learned from, at most so many; near-duplicates share one."""
        learned = self.learned
        groups = _groups(self.embeddings[learned]) if len(learned) <= MOST_COMPARED else None
        return evaluate.plan(self.targets[learned], SEED, own=self.own[learned], groups=groups, most_folds=most)

    def pupils(self, *, exclusive: bool) -> Class | None:
        """The images that are learned from, with a larger network's lessons where there are some."""
        if self.lessons is None or not len(self.lessons.untagged):
            return None
        learned = self.learned
        lessons = replace(self.lessons, own=self.lessons.own[learned])
        return Class(self.embeddings[learned], self.targets[learned], lessons, exclusive)


@dataclass(frozen=True, slots=True)
class Network:
    """A trained or untrained network inside a model: its file, or the bytes of one, and how it looks at images."""

    backbone: Backbone
    size_px: int
    content: bytes | None = None
    """None: the backbone's own."""

    @property
    def source(self) -> Path | bytes:
        return at_size(self.backbone.path, self.size_px) if self.content is None else self.content


@dataclass(frozen=True, slots=True)
class Model:
    """A head on a network, fitted to the images that are learned from, and the folds (repeats, m) that judged them.

    `evidence` is what else the manifest shall tell of how it was chosen.
    """

    fitted: Fitted
    network: Network
    folds: Folds
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trained:
    """A model on disk, and what models that had not seen an image said of it.

    `held_out` (repeats, m, k) are probabilities for the images `judged` (m,).
    """

    bundle: Bundle
    manifest: Manifest
    judged: NDArray[np.intp]
    held_out: NDArray[np.float32]
    performance: Performance


def finish(folder: Path, task: Task, data: Data, model: Model) -> Trained:
    """Judge a model and write its bundle into the folder; the data are those with the embeddings of its network."""
    fitted, folds, network = model.fitted, model.folds, model.network
    strange, own = _strangeness(task, data)
    judged, held_out = data.learned[fitted.judged], fitted.held_out
    if task.negative is not None:
        held_out = unknown.shared(held_out, own[judged], task.negative)
    effect = report.design_effect(folds)
    shown = Judgements(data.targets[judged], held_out, task.exclusive, effect)
    if data.test is not None and data.test.any():
        tested = np.flatnonzero(data.test)
        answers = fitted.head.probabilities(data.embeddings[tested])
        if task.negative is not None:
            answers = unknown.shared(answers, own[tested], task.negative)
        effect, shown = 1.0, Judgements(data.targets[tested], answers[None], task.exclusive)
        judged = np.concatenate([judged, tested])
        held_out = np.concatenate([held_out, np.repeat(answers[None], len(held_out), 0)], axis=1)
    performance = evaluate.performance(shown.repeated, shown.stacked, THRESHOLD)
    before = Judgements(data.targets[data.learned[fitted.judged]], fitted.uncalibrated, task.exclusive)
    metrics = {
        **_figures(fitted, performance),
        "calibration_error_before": report.reliability(before).error,
        "calibration_error": report.reliability(shown).error,
        "design_effect": effect,
        "folds": int(folds.max()) + 1,
        "repeats": len(folds),
        "evaluation": evaluation(folds, data),
        "test_images": 0 if data.test is None else int(data.test.sum()),
        "borrowed_images": data.borrowed,
        "untagged_images": 0 if data.lessons is None else len(data.lessons.untagged),
        "backbone": network.backbone.fingerprint,
        "size_px": network.size_px,
        **model.evidence,
    }
    labels = [tag.name for tag in task.tags]
    told = manifest(task, data, network, metrics)
    written = bundle.write(
        folder,
        graph=classifier_graph(network.source, fitted.head, labels, unknown=strange, negative=task.negative),
        labels=labels,
        manifest=told,
        head={"weights": fitted.head.weights, "bias": fitted.head.bias},
    )
    return Trained(written, told, judged, held_out, performance)


def loss(task: Task, data: Data, fitted: Fitted) -> float:
    """Log loss, in nats per image or decision, of what was said of the judged images, as a mean over repeats."""
    targets = data.targets[data.learned][fitted.judged]
    said = np.clip(fitted.held_out.astype(np.float64), SMALLEST_CHANCE, 1 - SMALLEST_CHANCE)
    if task.exclusive:
        return float(-np.log(said[:, targets]).mean())
    return float(-np.log(np.where(targets, said, 1 - said)).mean())


def check(data: Data) -> None:
    """Raise `Invalid` where the images that were set aside leave too few to learn from."""
    if data.test is not None and int(data.targets[data.learned].sum(0).min()) < evaluate.FEWEST_FOLDS:
        raise Invalid(
            f"The test set leaves a tag with fewer than {evaluate.FEWEST_FOLDS} images to learn from: take some images "
            "of that tag out of the test set, or add more."
        )


def _groups(embeddings: NDArray[np.float32]) -> NDArray[np.intp]:
    """The number of the group of near-duplicates that each image (n,) is in."""
    groups = np.arange(len(embeddings))
    for group in near_duplicates(head_features(embeddings)):
        groups[list(group.members)] = group.members[0]
    return groups


def _strangeness(task: Task, data: Data) -> tuple[unknown.Unknown, NDArray[np.float32]]:
    """The unknown score of what the tags mean, and that of each image (n,) by a plane made without it."""
    known = data.learned
    if task.negative is not None and not data.targets[known, task.negative].all():
        known = known[~data.targets[known, task.negative]]
    made, scores = unknown.fit_and_judge(data.embeddings[known], seed=SEED)
    every = made.scores(data.embeddings)
    every[known] = scores
    return made, every


def _figures(fitted: Fitted, performance: Performance) -> dict[str, Any]:
    overall = performance.overall
    return {
        "head": fitted.method,
        "regularisation": fitted.regularisation,
        "heads": [
            {
                "method": each.method,
                "regularisation": each.regularisation,
                "log_loss": each.log_loss,
                "weight": each.weight,
            }
            for each in fitted.candidates
        ],
        "threshold": performance.threshold,
        "precision": overall.precision,
        "recall": overall.recall,
        "average_precision": overall.average_precision,
    }


def evaluation(folds: Folds, data: Data) -> str:
    """Tell in words how a model was judged."""
    if data.test is not None and data.test.any():
        return "test set: each image set aside judged by the model, which learned nothing from it"
    if (folds[0] == NEVER_HELD).sum() > data.borrowed:
        return "hold-out: a stratified part judged by a model that had not seen it"
    return "cross-validation: each image judged by a model that had not seen it"


def manifest(task: Task, data: Data, network: Network, metrics: Mapping[str, Any]) -> Manifest:
    """Tell where a model came from and how to feed it."""
    backbone = network.backbone
    return Manifest(
        project=task.project,
        iteration=task.iteration,
        domain=task.domain,
        classification_type=MULTICLASS if task.exclusive else MULTILABEL,
        tags=tuple(task.tags),
        backbone=BackboneEntry(backbone.name, backbone.license, backbone.fingerprint),
        preprocessing=Preprocessing(size=network.size_px),
        metrics=metrics,
        data_digest=task.data_digest,
        image_count=len(data.targets) - data.borrowed,
        seed=SEED,
        versions={name: found for name in LIBRARIES if (found := _version(name))},
        created_at=task.created_at.isoformat(),
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None  # torch is needed for Advanced training alone
