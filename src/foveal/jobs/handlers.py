"""What each kind of job does: fetch inputs, call the pure engine, store what came out."""

import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from foveal import domains
from foveal.blobs import Blobs, export_key, model_prefix
from foveal.bundle import TagEntry
from foveal.db.tables import Iteration, Job, Project
from foveal.engine import backbones, quick
from foveal.engine.backbones import Backbone
from foveal.errors import NotFound
from foveal.exporters import catalog
from foveal.jobs.notify import notify
from foveal.jobs.workshop import Workshop
from foveal.services import embeddings, exports, imports, iterations, jobs, performance, pictures, training_sets
from foveal.services.jobs import Claim
from foveal.services.training_sets import TrainingImage, TrainingSet

CHUNK = 128  # embeddings made between two durable steps
EMBEDDING_SHARE = 0.9  # of the progress of a training


def run(workshop: Workshop, claim: Claim) -> None:
    """Do a claimed job to its end.

    Raises:
        Conflict: The claim was lost to another worker; nothing was written.
    """
    with workshop.sessions.write.begin() as session:
        job = jobs.hold(session, claim)
        kind, subject_id = job.kind, job.subject_id
    HANDLERS[kind](workshop, claim, subject_id)


def train(workshop: Workshop, claim: Claim, iteration_id: UUID) -> None:
    """Train an iteration: embed what is not in the cache, fit and judge a head, store the model and its figures."""
    with workshop.sessions.read.begin() as session:
        iteration = session.get(Iteration, iteration_id)
        if iteration is None:
            raise NotFound(f"Iteration {iteration_id} was deleted.")
        training_set = training_sets.of_iteration(session, iteration)
        base = session.get(Iteration, iteration.base_iteration_id) if iteration.base_iteration_id else None
        borrowed = training_sets.borrowed(session, training_set, base) if base else []
        task = _task(iteration, session.get_one(Project, iteration.project_id), training_set)
        backbone = backbones.find(domains.get(iteration.domain_id).backbone)
    images = [*training_set.images, *borrowed]
    vectors = _embed(workshop, claim, backbone, images)
    _report(workshop, claim, "choosing the classifier", EMBEDDING_SHARE)
    with _scratch(workshop) as folder:
        training = quick.Data(vectors, _targets(images, tags=len(training_set.tags)), borrowed=len(borrowed))
        trained = quick.train(folder, task, training, backbone=backbone)
        workshop.blobs.put_folder(model_prefix(iteration_id), folder)
    with workshop.sessions.write.begin() as session:
        jobs.finish(session, claim, now=workshop.clock())
        iteration = session.get_one(Iteration, iteration_id)
        performance.record(session, iteration, [image.id for image in training_set.images], trained.held_out)
        iterations.complete(session, iteration, metrics=trained.manifest.metrics, now=workshop.clock())


def export(workshop: Workshop, claim: Claim, export_id: UUID) -> None:
    """Write an iteration's model in another format and store it as a zip file."""
    with workshop.sessions.read.begin() as session:
        row = exports.get(session, export_id)
        format, iteration_id = catalog.find(row.platform, row.flavor or None), row.iteration_id
    with _scratch(workshop) as folder:
        files = folder / "files"
        files.mkdir()
        format.exporter()(workshop.models.bundle(iteration_id), files)
        archive = Path(shutil.make_archive(str(folder / "export"), "zip", files))
        workshop.blobs.put(export_key(export_id), archive.read_bytes())
    with workshop.sessions.write.begin() as session:
        jobs.finish(session, claim, now=workshop.clock())
        exports.get(session, export_id).status = exports.DONE


def import_project(workshop: Workshop, claim: Claim, project_id: UUID) -> None:
    """Fill a project with what another server, or this one, sends of the original.

    Raises:
        Invalid: A link cannot be followed, or what lies there is not what a server of this version sends.
    """
    with workshop.sessions.read.begin() as session:
        payload = session.get_one(Job, claim.job_id).payload
    token = payload["token"]
    here = imports.here(workshop.sessions, workshop.blobs)
    patient = replace(workshop.fetch_policy, timeout_seconds=imports.SECONDS_PER_PIECE)
    read = here if payload["own"] else imports.elsewhere(token, patient)
    with imports.understood(), _scratch(workshop) as folder:
        report = partial(_report, workshop, claim, "fetching images and models")
        arrived = imports.collect(read, token, workshop.blobs, folder, report)
    with imports.understood(), workshop.sessions.write.begin() as session:
        jobs.finish(session, claim, now=workshop.clock())
        project = session.get_one(Project, project_id)
        imports.record(session, workshop.blobs, project, arrived, read, now=workshop.clock())


HANDLERS = {jobs.TRAIN: train, jobs.EXPORT: export, jobs.IMPORT: import_project, jobs.NOTIFY: notify}


def _task(iteration: Iteration, project: Project, training_set: TrainingSet) -> quick.Task:
    return quick.Task(
        project=project.name,
        iteration=iteration.name,
        domain=domains.get(iteration.domain_id).name,
        exclusive=iteration.classification_type == domains.MULTICLASS,
        tags=[TagEntry(str(tag.id), tag.name, tag.type) for tag in training_set.tags],
        data_digest=training_set.digest,
        created_at=iteration.started_at,
    )


def _embed(
    workshop: Workshop, claim: Claim, backbone: Backbone, images: Sequence[TrainingImage]
) -> NDArray[np.float32]:
    digests = [image.digest for image in images]
    with workshop.sessions.read.begin() as session:
        found = embeddings.find(session, backbone, digests)
    missing = [image for image in images if image.digest not in found]
    load = partial(_pixels, workshop.blobs, backbone.size_px)
    for at in range(0, len(missing), CHUNK):
        _report(workshop, claim, "looking at the images", EMBEDDING_SHARE * len(found) / len(digests))
        chunk = missing[at : at + CHUNK]
        made = workshop.embedder(backbone).embed_each(chunk, load)
        fresh = {image.digest: vector for image, vector in zip(chunk, made, strict=True)}
        with workshop.sessions.write.begin() as session:
            embeddings.add(session, backbone, fresh)
        found.update(fresh)
    return np.stack([found[digest] for digest in digests])


def _pixels(blobs: Blobs, size: int, image: TrainingImage) -> NDArray[np.uint8]:
    return pictures.pixels(blobs, image.digest, rendered=image.rendered, size_px=size)


def _targets(images: Sequence[TrainingImage], *, tags: int) -> NDArray[np.bool_]:
    targets = np.zeros((len(images), tags), dtype=bool)
    for row, image in enumerate(images):
        targets[row, list(image.positions)] = True
    return targets


def _report(workshop: Workshop, claim: Claim, stage: str, progress: float) -> None:
    with workshop.sessions.write.begin() as session:
        jobs.report(session, claim, stage=stage, progress=progress)


@contextmanager
def _scratch(workshop: Workshop) -> Generator[Path]:
    workshop.scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=workshop.scratch) as folder:
        yield Path(folder)
