"""An export job: fetch the model and photos, write, compare with the service, store the zip."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from foveal import imaging, samples
from foveal.blobs import export_key
from foveal.bundle import Bundle
from foveal.errors import NotFound
from foveal.exporters import catalog, package
from foveal.exporters.parity import GOLDEN
from foveal.jobs.embedding import pixels
from foveal.jobs.workshop import Workshop, report, scratch
from foveal.services import exports, jobs
from foveal.services.jobs import Claim
from foveal.services.training_sets import TrainingImage

SEED = 0


def export(workshop: Workshop, claim: Claim, export_id: UUID) -> None:
    """Write an iteration's model in another format, prove that it answers like the service, and store it as a zip."""
    with workshop.sessions.read.begin() as session:
        row = exports.get(session, export_id)
        format, iteration_id = catalog.find(row.platform, row.flavor or None), row.iteration_id
        images = exports.photos(session, exports.iteration_of(session, row), most=package.CALIBRATION)
    report(workshop, claim, "fetching photos", 0.1)
    bundle = workshop.models.bundle(iteration_id)
    photos, source = _photos(workshop, bundle, images)
    report(workshop, claim, "writing and comparing", 0.3)
    with scratch(workshop) as folder:
        files = folder / "files"
        files.mkdir()
        about = package.About(str(iteration_id), workshop.clock())
        certificate = package.write(format, bundle, photos, files, about, source=source)
        archive = folder / "export.zip"
        package.zipped(files, archive)
        report(workshop, claim, "storing", 0.9)
        workshop.blobs.put(export_key(export_id), archive.read_bytes())
        size_bytes = archive.stat().st_size
    with workshop.sessions.write.begin() as session:
        jobs.finish(session, claim, now=workshop.clock())
        exports.finish(session, export_id, certificate=certificate.as_dict(), size_bytes=size_bytes)


def _photos(workshop: Workshop, bundle: Bundle, images: Sequence[TrainingImage]) -> tuple[NDArray[np.uint8], str]:
    """The photos (n, s, s, 3) that are still there, and where they are from, in words."""
    size_px = bundle.manifest.preprocessing.size
    found, tests = list[NDArray[np.uint8]](), 0
    for image in images:
        try:
            found.append(pixels(workshop.blobs, size_px, image))
        except NotFound:
            continue  # deleted since the training
        tests += image.test
    if not found:
        return drawn(size_px), "drawn pictures, since no photo of the training is left"
    return np.stack(found), _source(min(tests, GOLDEN), min(len(found), GOLDEN))


def _source(tests: int, count: int) -> str:
    if tests == count:
        return "photos of the test set"
    return f"photos of the training, {tests} of {count} of them of its test set" if tests else "photos of the training"


def drawn(size_px: int) -> NDArray[np.uint8]:
    """Pictures of our own, for a model without photos."""
    photos = [photo for own in samples.dataset(SEED, GOLDEN // 2).values() for photo in own]
    decoded = (imaging.decode(photo, max_bytes=imaging.TRAINING_BYTES) for photo in photos)
    return np.stack([imaging.model_input(image, size_px) for image in decoded])
