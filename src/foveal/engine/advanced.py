"""Advanced training: several ways to a model compete within a budget of time, and the best by cross-validation is kept.

Quick training's model is one of them, so that the others must beat it on images that none of them had seen. The others
look at larger images, or train the backbone on (`finetune`). They are judged fold by fold, and after each fold the
worse half is out (successive halving, Jamieson & Talwalkar 2016). What a fold brought is kept, so that a training which
is cut off goes on where it was.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from foveal.engine import backbones, finetune, heads, taught, training
from foveal.engine.augmentation import POLICIES, augment
from foveal.engine.backbones import Backbone
from foveal.engine.candidates import CANDIDATES, Candidate
from foveal.engine.evaluate import NEVER_HELD
from foveal.engine.features import Embedder
from foveal.engine.finetune import Lesson
from foveal.engine.network import Network
from foveal.engine.resizing import at_size
from foveal.engine.search import Budget, OutOfTime, Photos, Progress, Search
from foveal.engine.training import SEED, Data, Model, Task, Trained
from foveal.engine.two_sizes import FACTOR, in_two_sizes

FOLDS = 3
MARGIN = 8 / 7  # of the pictures that views are cut from, over the network's input
MIXED = (1.0, 0.5)  # the shares of the tuned weights, the rest being those that the backbone came with
FEWEST_PER_TAG = 8  # with fewer images than this a tuned network only learns them by heart
RESERVE = 1.3  # a training may take so much longer than the one that was timed
AT_ONCE = 32  # images that are varied at once
TELL_SECONDS = 1.0  # between two reports of progress
HOPELESS = 1.1  # so many times the loss of the best whose network stays as it is


class _Bench:
    """The images that are learned from, the folds, and what each candidate said of the images of each fold."""

    def __init__(self, task: Task, data: Data, photos: Photos, backbone: Backbone, search: Search) -> None:
        self.task = task
        self.data = data
        self.photos = photos
        self.backbone = backbone
        self.search = search
        self.rows = data.learned
        self.targets = data.targets[self.rows]
        self.pupils = data.pupils(exclusive=task.exclusive)
        self.folds = data.folds(FOLDS)
        self.rounds = range(int(self.folds.max()) + 1)
        self.said: dict[tuple[str, int], dict[float, NDArray[np.floating]]] = {}
        self.seconds: dict[str, float] = {}
        self._embeddings = {CANDIDATES[0].looks: data.embeddings}
        self._lessons: dict[str, NDArray[np.float32]] = {}
        self.budget = Budget(search)
        self._done = 0
        self._told = -np.inf
        self._losses: dict[tuple[str, int], list[tuple[float, float]]] = {}

    @property
    def candidates(self) -> list[Candidate]:
        earlier, lessons = self.search.earlier is not None, self.pupils is not None
        return [each for each in self.search.candidates if earlier >= each.earlier and lessons >= each.taught]

    def size(self, candidate: Candidate) -> int:
        return self.backbone.size_px * (FACTOR if candidate.two_sizes else 1)

    def file(self, candidate: Candidate) -> Path:
        """The network that the candidate starts from."""
        return self.search.earlier if candidate.earlier and self.search.earlier else self.backbone.path

    def network(self, candidate: Candidate) -> bytes:
        """The same network for the images that the candidate looks at."""
        size = self.backbone.size_px
        return in_two_sizes(self.file(candidate), size) if candidate.two_sizes else at_size(self.file(candidate), size)

    def embeddings(self, candidate: Candidate) -> NDArray[np.float32]:
        """Raw embeddings (n, d) of all images by the network that the candidate starts from."""
        if candidate.looks not in self._embeddings:
            self._embeddings[candidate.looks] = self._embedder(candidate).embed(
                self.photos.pixels(self.size(candidate))
            )
        return self._embeddings[candidate.looks]

    def lessons(self, candidate: Candidate) -> NDArray[np.float32]:
        """Embeddings (1 + views, m, d) of the images that are learned from: themselves first, then their views."""
        if candidate.name not in self._lessons:
            found = [self.embeddings(candidate)[self.rows]]
            found += [self._viewed(candidate, view) for view in range(candidate.views)]
            self._lessons = {candidate.name: np.stack(found)}  # the last ones only: they are large
        return self._lessons[candidate.name]

    def _viewed(self, candidate: Candidate, view: int) -> NDArray[np.float32]:
        """Embeddings (m, d) of a random view of each image that is learned from.

        Raises:
            OutOfTime: The budget ended.
        """
        size, policy = self.size(candidate), POLICIES[candidate.policy or self.search.policy]
        pixels = self.photos.pixels(size)
        generator = torch.Generator().manual_seed(SEED + view)
        embedder, made = self._embedder(candidate), list[NDArray[np.float32]]()
        for at in range(0, len(self.rows), AT_ONCE):
            if self.budget.left <= 0:
                raise OutOfTime
            self._tell(candidate, 0, 0.0)
            views = augment(finetune.tensor(pixels[self.rows[at : at + AT_ONCE]]), size, policy, generator)
            made.append(embedder.embed(views.round().byte().permute(0, 2, 3, 1).numpy()))
        return np.concatenate(made)

    def _embedder(self, candidate: Candidate) -> Embedder:
        backbone = backbones.enlarged(self.backbone, self.size(candidate))
        return Embedder(backbone, threads=self.search.threads, file=self.network(candidate))

    def judge(self, candidate: Candidate, fold: int) -> None:
        """Have the candidate, fitted without the fold, judge its images; what was kept of it is read back."""
        key = f"{candidate.name}-{fold}"
        content = self.search.kept.get(key)
        if content is None:
            self.search.pause()
            began = self.search.clock()
            self.said[candidate.name, fold] = self._scores(candidate, fold)
            self.seconds.setdefault(candidate.name, self.search.clock() - began)
            self.search.kept.put(key, _packed(self.said[candidate.name, fold], self.seconds[candidate.name]))
            self.budget.keep()
        else:
            self.said[candidate.name, fold], self.seconds[candidate.name] = _unpacked(content)
        self._done += 1

    def tuned(self, candidate: Candidate, rows: NDArray[np.intp], fold: int) -> Network:
        """Train the candidate's network on, from these rows of the data alone.

        Raises:
            OutOfTime: The budget ended.
        """
        assert candidate.schedule is not None
        size, targets = self.backbone.size_px, self.data.targets[rows]
        head = heads.fit(self.embeddings(candidate)[rows], targets, exclusive=self.task.exclusive, seed=SEED).head
        network = Network(self.file(candidate))
        lesson = Lesson(self.photos.pixels(round(size * MARGIN)), rows, targets, self.task.exclusive, size)

        def report(share: float) -> None:
            if self.budget.left <= 0:
                raise OutOfTime
            self._tell(candidate, fold, share)

        policy = POLICIES[candidate.policy or self.search.policy]
        course = finetune.Course(policy, candidate.schedule, seed=SEED + fold)
        finetune.tune(network, head, lesson, course, report=report)
        return network

    def mixed(self, tuned: Network, candidate: Candidate, share: float) -> Network:
        """The network between the tuned one and where it came from (Wortsman et al. 2022, "Robust fine-tuning")."""
        mixed = Network(self.file(candidate))
        first, second = tuned.state_dict(), mixed.state_dict()
        mixed.load_state_dict({name: share * first[name] + (1 - share) * second[name] for name in first})
        mixed.round_()
        return mixed

    def losses(self, candidate: Candidate, folds: int) -> list[tuple[float, float]]:
        """Pairs (log loss, share of tuned weights) of a candidate that was judged on the first so many folds."""
        key = candidate.name, folds
        if key not in self._losses:
            targets, exclusive = self.targets[self.order(folds)], self.task.exclusive
            self._losses[key] = [
                (heads.log_loss(self.scores(candidate, folds, share), targets, exclusive=exclusive), share)
                for share in self.said[candidate.name, 0]
            ]
        return self._losses[key]

    def loss(self, candidate: Candidate, folds: int) -> float:
        return min(loss for loss, _ in self.losses(candidate, folds))

    def scores(self, candidate: Candidate, folds: int, share: float) -> NDArray[np.floating]:
        """The candidate's scores (c, m, k) of the images of the first so many folds, in their `order`."""
        return np.concatenate([self.said[candidate.name, fold][share] for fold in range(folds)], axis=1)

    def order(self, folds: int) -> NDArray[np.intp]:
        """The judged images of the first so many folds, fold by fold: (m,)."""
        return np.concatenate([np.flatnonzero(self.folds[0] == fold) for fold in range(folds)])

    def table(self) -> list[dict[str, Any]]:
        """What became of each candidate, for the manifest."""
        return [self._row(candidate) for candidate in self.candidates]

    def _row(self, candidate: Candidate) -> dict[str, Any]:
        folds = sum((candidate.name, fold) in self.said for fold in self.rounds)
        row: dict[str, Any] = {"name": candidate.name, "folds": folds}
        if folds:
            loss, share = min(self.losses(candidate, folds))
            row |= {"log_loss": loss, "share_of_tuned_weights": share, "seconds_per_fold": self.seconds[candidate.name]}
        return row

    def _scores(self, candidate: Candidate, fold: int) -> dict[float, NDArray[np.floating]]:
        """Scores (c, m, k) of the fold's images, for each share of tuned weights."""
        held = self.folds[0] == fold
        if candidate.taught and self.pupils is not None:
            return {1.0: self.pupils.scores(held)}
        if candidate.schedule is None:
            return {1.0: head_scores(self.lessons(candidate), self.targets, held, exclusive=self.task.exclusive)}
        tuned = self.tuned(candidate, self.rows[~held], fold)
        pixels, found = self.photos.pixels(self.backbone.size_px), dict[float, NDArray[np.floating]]()
        for share in MIXED:
            vectors = finetune.embed(self.mixed(tuned, candidate, share), pixels, self.rows)
            found[share] = head_scores(vectors[None], self.targets, held, exclusive=self.task.exclusive)
        return found

    def _tell(self, candidate: Candidate, fold: int, share: float) -> None:
        if self.search.clock() - self._told < TELL_SECONDS:
            return
        self._told = self.search.clock()
        frozen = [each for each in self.candidates if each.schedule is None]
        competing, planned = len(self.candidates) - len(frozen), len(frozen) * len(self.rounds) + 1
        for _ in self.rounds:
            planned, competing = planned + competing, (competing + 1) // 2
        judged = [each for each in frozen if (each.name, self.rounds[-1]) in self.said]
        best = min((self.loss(each, len(self.rounds)) for each in judged), default=None)
        done = min((self._done + share) / planned, 1.0)
        self.search.report(Progress(candidate.name, fold, done, best, max(self.budget.left, 0.0)))


def train(folder: Path, task: Task, data: Data, photos: Photos, *, backbone: Backbone, search: Search) -> Trained:
    """Find the best model that the budget allows, judge it and write its bundle into the folder.

    Args:
        folder: for the bundle.
        task: what the model is for.
        data: with the embeddings of the untrained backbone, one row for each photo.
        photos: the images themselves.
        backbone: of the domain.
        search: the budget, and what else the search needs.
    """
    training.check(data)
    torch.set_num_threads(search.threads)
    bench = _Bench(task, data, photos, backbone, search)
    finalists = _frozen(bench)
    if int(bench.targets.sum(0).min()) >= FEWEST_PER_TAG:
        finalists += _halved(bench)
    ranked = sorted(finalists, key=lambda candidate: bench.loss(candidate, len(bench.rounds)))
    for candidate in ranked:
        try:
            model, embeddings = _made(bench, candidate)
        except OutOfTime:
            continue  # the next best; the frozen ones need no time to speak of
        evidence = {"training": "Advanced", "chosen": candidate.name, "policy": search.policy}
        final = replace(model, evidence={**model.evidence, **evidence, "candidates": bench.table()})
        return training.finish(folder, task, replace(data, embeddings=embeddings), final)
    raise AssertionError("one candidate is always made")


def _frozen(bench: _Bench) -> list[Candidate]:
    """Judge the candidates whose network stays as it is; they cost little more than looking at the images."""
    judged: list[Candidate] = []
    for candidate in bench.candidates:
        if candidate.schedule is not None or (judged and not _affordable(bench, candidate, folds=2)):
            continue  # twice: to judge it, and to make it
        try:
            for fold in bench.rounds:
                bench.judge(candidate, fold)
        except OutOfTime:
            break
        judged.append(candidate)
    return judged


def _halved(bench: _Bench) -> list[Candidate]:
    """Judge the others fold by fold, the better half going on; give those that came through, if any."""
    alive = [candidate for candidate in bench.candidates if candidate.schedule is not None]
    for fold in bench.rounds:
        judged: list[Candidate] = []
        for candidate in alive:
            if not _affordable(bench, candidate, folds=len(bench.rounds) - fold + 1):
                continue
            try:
                bench.judge(candidate, fold)
            except OutOfTime:
                break
            judged.append(candidate)
            if not _hopeful(bench, judged, fold + 1):
                return []  # what harms the network so much harms it in each variant
        alive = _better_half(bench, judged, fold + 1)
    return alive


def _better_half(bench: _Bench, judged: Sequence[Candidate], folds: int) -> list[Candidate]:
    ordered = sorted(judged, key=lambda candidate: bench.loss(candidate, folds))
    return ordered[: (len(ordered) + 1) // 2]


def _hopeful(bench: _Bench, judged: Sequence[Candidate], folds: int) -> bool:
    """Tell whether one of the tuned candidates comes near the best of those whose network stays as it is."""
    frozen = [each for each in bench.candidates if (each.name, 0) in bench.said and each.schedule is None]
    limit = HOPELESS * min((bench.loss(each, folds) for each in frozen), default=np.inf)
    return min(bench.loss(each, folds) for each in judged) <= limit


def _affordable(bench: _Bench, candidate: Candidate, *, folds: int) -> bool:
    """Tell whether there is time for so many pieces of the candidate's work, by what another one took."""
    timed = [each for each in bench.candidates if each.name in bench.seconds]
    alike = [each for each in timed if (each.schedule is None) == (candidate.schedule is None)]
    if not alike:
        return bench.budget.left > 0
    seconds = max(bench.seconds[each.name] / each.work for each in alike) * candidate.work
    return RESERVE * bench.seconds.get(candidate.name, seconds) * folds <= bench.budget.left


def _made(bench: _Bench, best: Candidate) -> tuple[Model, NDArray[np.float32]]:
    """Make the chosen model from all images that are learned from: it, and its network's embeddings (n, d)."""
    if best.schedule is None:
        return _made_frozen(bench, best)
    size, folds = bench.backbone.size_px, len(bench.rounds)
    _, share = min(bench.losses(best, folds))
    tuned = bench.mixed(bench.tuned(best, bench.rows, folds), best, share)
    vectors = finetune.embed(tuned, bench.photos.pixels(size))
    order = bench.order(folds)
    said = bench.scores(best, folds, share)[:, np.argsort(order)]
    fitted = heads.assemble(
        vectors[bench.rows], bench.targets, said[:, None], np.sort(order), exclusive=bench.task.exclusive
    )
    network = training.Network(bench.backbone, size, at_size(tuned.to_bytes(), size))
    return Model(fitted, network, bench.folds, {"share_of_tuned_weights": share}), vectors


def _made_frozen(bench: _Bench, best: Candidate) -> tuple[Model, NDArray[np.float32]]:
    """Make it as Quick training does, judged by more folds than it was chosen by."""
    if best.taught and bench.pupils is not None:
        folds = bench.data.folds(taught.FOLDS)
        network = training.Network(bench.backbone, bench.backbone.size_px)
        return Model(taught.fit(bench.pupils, folds), network, folds, {}), bench.data.embeddings
    vectors, lessons = bench.embeddings(best), bench.lessons(best)
    exclusive, targets = bench.task.exclusive, bench.targets
    folds = replace(bench.data, embeddings=vectors).folds()
    said = heads.out_of_fold(folds, lambda held: head_scores(lessons, targets, held, exclusive=exclusive))
    judged = np.flatnonzero(folds[0] != NEVER_HELD)
    every = np.tile(targets, (len(lessons), 1))
    flat = lessons.reshape(len(every), -1)
    fitted = heads.assemble(flat, every, said, judged, exclusive=exclusive)
    network = training.Network(bench.backbone, bench.size(best), bench.network(best))
    return Model(fitted, network, folds, {}), vectors


def head_scores(
    lessons: NDArray[np.float32], targets: NDArray[np.bool_], held: NDArray[np.bool_], *, exclusive: bool
) -> NDArray[np.floating]:
    """What heads fitted on the other images and their views (v, m, d) say of the images held out: (c, held, k)."""
    seen = lessons[:, ~held]
    every = np.tile(targets[~held], (len(lessons), 1))
    return heads.scores(seen.reshape(len(every), -1), every, lessons[0, held], exclusive=exclusive)


def _packed(said: Mapping[float, NDArray[np.floating]], seconds: float) -> bytes:
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, seconds=seconds, **{str(share): scores for share, scores in said.items()})
    return out.getvalue()


def _unpacked(content: bytes) -> tuple[dict[float, NDArray[np.floating]], float]:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {float(name): arrays[name] for name in arrays if name != "seconds"}, float(arrays["seconds"])
