"""Quick training: a head on the embeddings of a frozen backbone."""

from pathlib import Path

from foveal.engine import heads, training
from foveal.engine.backbones import Backbone
from foveal.engine.training import SEED, Data, Model, Network, Task, Trained


def train(folder: Path, task: Task, data: Data, *, backbone: Backbone) -> Trained:
    """Fit a head, judge it on images that it had not seen, and write the bundle into the folder."""
    training.check(data)
    model = fitted(task, data, Network(backbone, backbone.size_px), training="Quick")
    return training.finish(folder, task, data, model)


def fitted(task: Task, data: Data, network: Network, **evidence: str) -> Model:
    """Fit a head on the embeddings that this network gives."""
    folds, learned = data.folds(), data.learned
    embeddings, targets = data.embeddings[learned], data.targets[learned]
    head = heads.fit(embeddings, targets, exclusive=task.exclusive, seed=SEED, folds=folds)
    return Model(head, network, folds, evidence)
