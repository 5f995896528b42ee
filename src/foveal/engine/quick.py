"""Quick training: a head on the embeddings of a frozen backbone."""

from pathlib import Path

from foveal.engine import heads, taught, training
from foveal.engine.backbones import Backbone
from foveal.engine.training import SEED, Data, Model, Network, Task, Trained


def train(folder: Path, task: Task, data: Data, *, backbone: Backbone) -> Trained:
    """Fit a head, judge it on images that it had not seen, and write the bundle into the folder.

    Where a larger network gives lessons, its pupil is taken if it judges images better that neither had seen.
    """
    training.check(data)
    model = fitted(task, data, Network(backbone, backbone.size_px), training="Quick")
    pupil = _pupil(task, data, model)
    return training.finish(folder, task, data, pupil or model)


def fitted(task: Task, data: Data, network: Network, **evidence: str) -> Model:
    """Fit a head on the embeddings that this network gives."""
    folds, learned = data.folds(), data.learned
    embeddings, targets = data.embeddings[learned], data.targets[learned]
    head = heads.fit(embeddings, targets, exclusive=task.exclusive, seed=SEED, folds=folds)
    return Model(head, network, folds, evidence)


def _pupil(task: Task, data: Data, plain: Model) -> Model | None:
    """The model that a larger network taught, if that is better than the plain one."""
    pupils = data.pupils(exclusive=task.exclusive)
    if pupils is None:
        return None
    folds = data.folds(taught.FOLDS)
    head = taught.fit(pupils, folds)
    losses = [training.loss(task, data, each) for each in (head, plain.fitted)]
    evidence = {**plain.evidence, "taught": {"log_loss": losses[0], "log_loss_untaught": losses[1]}}
    return Model(head, plain.network, folds, evidence) if losses[0] < losses[1] else None
