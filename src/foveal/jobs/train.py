"""Training an iteration: embed what is not in the cache, fit and judge a model, store it with its figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from foveal import domains
from foveal.blobs import Blobs, model_prefix, work_prefix
from foveal.bundle import GRAPH, TagEntry
from foveal.db.tables import Iteration, Project
from foveal.domains import OBJECT_DETECTION, Domain
from foveal.engine import backbones, graph, quick
from foveal.engine.backbones import Backbone
from foveal.engine.search import Progress, Search
from foveal.engine.taught import Lessons
from foveal.engine.training import Data, Task, Trained
from foveal.errors import NotFound
from foveal.jobs.embedding import embed
from foveal.jobs.photos import StoredPhotos
from foveal.jobs.workshop import Workshop, report, scratch
from foveal.services import iterations, jobs, performance, training_sets
from foveal.services.jobs import Claim
from foveal.services.said import Boxes
from foveal.services.training_sets import TrainingImage, TrainingSet

LOOKING_SHARE = 0.9  # of the progress of a Quick training of a classifier
GLANCING_SHARE = 0.05  # of one that looks at the images again and again
SECONDS_PER_HOUR = 3600
MOST_UNTAGGED = 1_000
"""Untagged images that a larger network looks at for a smaller one: enough to help, and soon looked at."""


class MadeWay(Exception):  # nothing went wrong
    """The job is back in the queue, behind others that waited."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a training needs to know before it begins; the last `borrowed` of its images are an earlier iteration's."""

    iteration_id: UUID
    training_type: str
    budget_hours: int
    domain: Domain
    task: Task
    training_set: TrainingSet
    images: Sequence[TrainingImage]
    borrowed: int
    untagged: Sequence[TrainingImage]
    """Images of the workspace that a larger network may tag for a smaller one."""
    tuned_base_id: UUID | None
    """The iteration to continue from, where its network was trained on, and on none of these images."""

    @property
    def finds_boxes(self) -> bool:
        return self.domain.type == OBJECT_DETECTION

    @property
    def quick(self) -> bool:
        return self.training_type != iterations.ADVANCED

    @property
    def looking_share(self) -> float:
        """The share of embedding the images in the progress."""
        return LOOKING_SHARE if self.quick and not self.finds_boxes else GLANCING_SHARE

    @property
    def backbone(self) -> Backbone:
        return backbones.find(self.domain.backbone, self.domain.size_px)

    @property
    def data(self) -> Data:
        """What is known of the images, without their embeddings."""
        targets = np.zeros((len(self.images), len(self.training_set.tags)), dtype=bool)
        for row, image in enumerate(self.images):
            targets[row, list(image.positions)] = True
        test = np.array([image.test for image in self.images])
        return Data(np.empty((len(self.images), 0), np.float32), targets, self.borrowed, test)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a training gives besides its bundle: figures, and what was said of the images `judged` (rows), as kept."""

    metrics: Mapping[str, Any]
    judged: Sequence[int]
    held_out: Sequence[bytes]


class KeptWork:
    """What a search keeps between its attempts, as blobs; and that it counts as progress of the job."""

    def __init__(self, workshop: Workshop, claim: Claim, iteration_id: UUID) -> None:
        self._workshop = workshop
        self._claim = claim
        self._prefix = work_prefix(iteration_id)

    def get(self, name: str) -> bytes | None:
        try:
            return self._workshop.blobs.get(self._key(name))
        except NotFound:
            return None

    def put(self, name: str, content: bytes) -> None:
        self._workshop.blobs.put(self._key(name), content)
        with self._workshop.sessions.write.begin() as session:
            jobs.kept(session, self._claim)

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name.replace(' ', '-').replace(',', '')}"


def train(workshop: Workshop, claim: Claim, iteration_id: UUID) -> None:
    """Train an iteration to its end, or until it makes way for other jobs."""
    plan = _plan(workshop, iteration_id)
    looked = partial(_looked, workshop, claim, plan)
    vectors = embed(workshop, plan.backbone, plan.images, looked)
    data = replace(plan.data, embeddings=vectors, lessons=_lessons(workshop, plan, looked))
    report(workshop, claim, "learning", plan.looking_share)
    try:
        with scratch(workshop) as folder:
            outcome = _maker(plan)(workshop, claim, plan, data, folder)
            workshop.blobs.put_folder(model_prefix(iteration_id), folder / "model")
    except MadeWay:
        return
    _complete(workshop, claim, plan, outcome)


def _plan(workshop: Workshop, iteration_id: UUID) -> Plan:
    with workshop.sessions.read.begin() as session:
        iteration = session.get(Iteration, iteration_id)
        if iteration is None:
            raise NotFound(f"Iteration {iteration_id} was deleted.")
        training_set = training_sets.of_iteration(session, iteration)
        base = session.get(Iteration, iteration.base_iteration_id) if iteration.base_iteration_id else None
        earlier = training_sets.borrowed(session, training_set, base) if base else []
        known = {image.digest for image in training_sets.of_iteration(session, base).images} if base else set[str]()
        # A network that has seen an image cannot be asked in earnest how well it does on it.
        apart = known.isdisjoint(image.digest for image in training_set.images)
        project, domain = session.get_one(Project, iteration.project_id), domains.get(iteration.domain_id)
        borrowed = _learned(earlier, domain)
        return Plan(
            iteration_id=iteration_id,
            training_type=iteration.training_type,
            budget_hours=iteration.reserved_budget_hours,
            domain=domain,
            task=_task(iteration, project, training_set),
            training_set=training_set,
            images=[*_learned(training_set.images, domain), *borrowed],
            borrowed=len(borrowed),
            untagged=training_sets.untagged(session, project, most=MOST_UNTAGGED) if domain.teacher else [],
            tuned_base_id=base.id if base and apart and "share_of_tuned_weights" in base.metrics else None,
        )


def _learned(images: Sequence[TrainingImage], domain: Domain) -> Sequence[TrainingImage]:
    """The images to learn from: to a detector, one without boxes would tell that nothing is on it."""
    if domain.type != OBJECT_DETECTION:
        return images
    return [
        replace(image, positions=tuple(sorted({each.position for each in image.boxes})))
        for image in images
        if image.boxes
    ]


def _task(iteration: Iteration, project: Project, training_set: TrainingSet) -> Task:
    return Task(
        project=project.name,
        iteration=iteration.name,
        domain=domains.get(iteration.domain_id).name,
        exclusive=iteration.classification_type == domains.MULTICLASS,
        tags=[TagEntry(str(tag.id), tag.name, tag.type) for tag in training_set.tags],
        data_digest=training_set.digest,
        created_at=iteration.started_at,
    )


def _lessons(workshop: Workshop, plan: Plan, looked: Callable[[float], None]) -> Lessons | None:
    """What the domain's larger network knows of the images, where there are untagged ones to pass it on with."""
    if not plan.untagged:
        return None
    teacher = backbones.find(plan.domain.teacher, plan.domain.size_px)
    own, untagged = (embed(workshop, teacher, images, looked) for images in (plan.images, plan.untagged))
    return Lessons(own, untagged, embed(workshop, plan.backbone, plan.untagged, looked))


def _maker(plan: Plan) -> Callable[[Workshop, Claim, Plan, Data, Path], Outcome]:
    if plan.finds_boxes:
        return _detector
    return _quick if plan.quick else _advanced


def _quick(_workshop: Workshop, _claim: Claim, plan: Plan, data: Data, folder: Path) -> Outcome:
    return _outcome(quick.train(folder / "model", plan.task, data, backbone=plan.backbone))


def _advanced(workshop: Workshop, claim: Claim, plan: Plan, data: Data, folder: Path) -> Outcome:
    from foveal.engine import advanced  # noqa: PLC0415  # torch, an extra that Quick training does without

    search = _search(workshop, claim, plan, folder)
    photos = StoredPhotos(workshop.blobs, plan.images, folder, threads=workshop.threads)
    model = folder / "model"
    return _outcome(advanced.train(model, plan.task, data, photos, backbone=plan.backbone, search=search))


def _detector(workshop: Workshop, claim: Claim, plan: Plan, data: Data, folder: Path) -> Outcome:
    from foveal.engine.detection import base, bench, recipes, training  # noqa: PLC0415  # torch

    drawn = bench.Drawn(
        data,
        [training_sets.truth(image.boxes) for image in plan.images],
        StoredPhotos(workshop.blobs, plan.images, folder, threads=workshop.threads),
    )
    recipe = len(plan.images), plan.domain.detected_px, plan.domain.policy
    trained = training.train(
        folder / "model",
        plan.task,
        drawn,
        base=base.find(plan.domain.backbone),
        ways=[recipes.quick(*recipe)] if plan.quick else recipes.advanced(*recipe),
        search=_search(workshop, claim, plan, folder),
    )
    kept = [Boxes(found).to_bytes() for found in trained.held_out]
    return Outcome(trained.manifest.metrics, trained.judged.tolist(), kept)


def _outcome(trained: Trained) -> Outcome:
    return Outcome(trained.manifest.metrics, trained.judged.tolist(), performance.of_classifier(trained.held_out))


def _search(workshop: Workshop, claim: Claim, plan: Plan, folder: Path) -> Search:
    def tell(progress: Progress) -> None:
        details = {
            "candidate": progress.candidate,
            "fold": progress.fold,
            "bestScore": progress.best_score,
            "secondsLeft": round(progress.seconds_left),
        }
        share = plan.looking_share
        stage = f"trying: {progress.candidate}"
        report(workshop, claim, stage, share + (1 - share) * progress.share, details)

    return Search(
        budget_seconds=max(1, plan.budget_hours) * SECONDS_PER_HOUR,
        kept=KeptWork(workshop, claim, plan.iteration_id),
        report=tell,
        pause=partial(_make_way, workshop, claim),
        policy=plan.domain.policy,
        threads=workshop.threads,
        earlier=_earlier(workshop.blobs, plan, folder),
    )


def _earlier(blobs: Blobs, plan: Plan, folder: Path) -> Path | None:
    """The network inside the model of the iteration to continue from, where that was trained on."""
    if plan.tuned_base_id is None:
        return None
    model, network = folder / "base.onnx", folder / "earlier.onnx"
    model.write_bytes(blobs.get(f"{model_prefix(plan.tuned_base_id)}/{GRAPH}"))
    network.write_bytes(graph.embedding_part(model))
    return network


def _make_way(workshop: Workshop, claim: Claim) -> None:
    """Let others go first who wait; what was tried so far is kept."""
    with workshop.sessions.read.begin() as session:
        if not jobs.others_wait(session, claim, now=workshop.clock()):
            return
    with workshop.sessions.write.begin() as session:
        jobs.make_way(session, claim, now=workshop.clock())
    raise MadeWay


def _complete(workshop: Workshop, claim: Claim, plan: Plan, outcome: Outcome) -> None:
    with workshop.sessions.write.begin() as session:
        jobs.finish(session, claim, now=workshop.clock())
        iteration = session.get_one(Iteration, plan.iteration_id)
        judged = [plan.images[row].id for row in outcome.judged]
        performance.record(session, iteration, judged, outcome.held_out)
        iterations.complete(session, iteration, metrics=outcome.metrics, now=workshop.clock())
    workshop.blobs.delete_prefix(work_prefix(plan.iteration_id))


def _looked(workshop: Workshop, claim: Claim, plan: Plan, share: float) -> None:
    report(workshop, claim, "looking at the images", plan.looking_share * share)
