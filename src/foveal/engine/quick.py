"""Quick training: from embeddings and targets to a bundle that predicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foveal import bundle
from foveal.bundle import BackboneEntry, Bundle, Manifest, Preprocessing, TagEntry
from foveal.domains import MULTICLASS, MULTILABEL
from foveal.engine import evaluate, heads
from foveal.engine.backbones import Backbone
from foveal.engine.evaluate import Performance
from foveal.engine.graph import classifier_graph

SEED = 0
THRESHOLD = 0.5
LIBRARIES = ("foveal", "numpy", "onnx", "onnxruntime", "scipy")


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


@dataclass(frozen=True, slots=True)
class Trained:
    """A model on disk, and what models that had not seen an image said of it: (images, tags) probabilities."""

    bundle: Bundle
    manifest: Manifest
    held_out: NDArray[np.float32]
    performance: Performance


@dataclass(frozen=True, slots=True)
class Data:
    """What a head is fitted on: embeddings (images, d) and which image has which tag (images, tags).

    The last `borrowed` images come from an earlier iteration: the head learns from them, but is judged on the others.
    """

    embeddings: NDArray[np.float32]
    targets: NDArray[np.bool_]
    borrowed: int = 0


def train(folder: Path, task: Task, data: Data, *, backbone: Backbone) -> Trained:
    """Fit a head, judge it on images that it had not seen, and write the bundle into the folder."""
    own = len(data.targets) - data.borrowed
    borrowed = np.arange(len(data.targets)) >= own
    fitted = heads.fit(data.embeddings, data.targets, exclusive=task.exclusive, seed=SEED, borrowed=borrowed)
    performance = evaluate.performance(data.targets[:own], fitted.held_out, THRESHOLD)
    labels = [tag.name for tag in task.tags]
    manifest = _manifest(task, backbone, fitted, performance, data)
    written = bundle.write(
        folder,
        graph=classifier_graph(backbone, fitted.head, labels),
        labels=labels,
        manifest=manifest,
        head={"weights": fitted.head.weights, "bias": fitted.head.bias},
    )
    return Trained(written, manifest, fitted.held_out, performance)


def _manifest(task: Task, backbone: Backbone, fitted: heads.Fitted, performance: Performance, data: Data) -> Manifest:
    overall = performance.overall
    return Manifest(
        project=task.project,
        iteration=task.iteration,
        domain=task.domain,
        classification_type=MULTICLASS if task.exclusive else MULTILABEL,
        tags=tuple(task.tags),
        backbone=BackboneEntry(backbone.name, backbone.license, backbone.fingerprint),
        preprocessing=Preprocessing(size=backbone.size_px),
        metrics={
            "head": fitted.method,
            "regularisation": fitted.regularisation,
            "threshold": performance.threshold,
            "precision": overall.precision,
            "recall": overall.recall,
            "average_precision": overall.average_precision,
            "evaluation": "cross-validation: each image judged by a model that had not seen it",
            "backbone": backbone.fingerprint,
            "borrowed_images": data.borrowed,
        },
        data_digest=task.data_digest,
        image_count=len(data.targets) - data.borrowed,
        seed=SEED,
        versions={name: version(name) for name in LIBRARIES},
        created_at=task.created_at.isoformat(),
    )
