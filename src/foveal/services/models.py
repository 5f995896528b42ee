"""Trained models at hand: fetched from the blobs once, kept warm for predictions."""

import shutil
from pathlib import Path
from tempfile import mkdtemp
from uuid import UUID

from foveal import bundle
from foveal.blobs import Blobs, model_prefix
from foveal.bundle import Bundle
from foveal.errors import NotFound, Unavailable
from foveal.inference.cache import SessionCache
from foveal.inference.session import Model, open_model


class Models:
    """The models of completed iterations, by iteration."""

    def __init__(self, blobs: Blobs, folder: Path, *, threads: int, capacity: int) -> None:
        self._blobs = blobs
        self._folder = folder
        self._threads = threads
        self._warm = SessionCache(self._load, capacity)

    def model(self, iteration_id: UUID) -> Model:
        """Return the warm model; the first call for an iteration loads it."""
        return self._warm.get(iteration_id)

    def bundle(self, iteration_id: UUID) -> Bundle:
        """Return the model's bundle on the local disk, fetched if it is not there yet."""
        folder = self._folder / str(iteration_id)
        if not folder.exists():
            self._fetch(iteration_id, folder)
        return bundle.read(folder)

    def discard(self, iteration_id: UUID) -> None:
        """Delete the model of an iteration that is gone."""
        self._warm.drop(iteration_id)
        shutil.rmtree(self._folder / str(iteration_id), ignore_errors=True)
        self._blobs.delete_prefix(model_prefix(iteration_id))

    def _load(self, iteration_id: UUID) -> Model:
        return open_model(self.bundle(iteration_id).folder, threads=self._threads)

    def _fetch(self, iteration_id: UUID, folder: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = Path(mkdtemp(dir=self._folder, prefix="partial-"))
        try:
            self._blobs.get_folder(model_prefix(iteration_id), partial)
        except NotFound as error:
            raise Unavailable(
                f"The model of iteration {iteration_id} is not in the blob store any more: train again, or restore it "
                "from a backup.",
                "ErrorPredictionModelNotFound",
            ) from error
        try:
            partial.rename(folder)  # whoever comes second finds a whole folder
        except OSError:
            shutil.rmtree(partial, ignore_errors=True)
