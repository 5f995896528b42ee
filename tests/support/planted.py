"""An iteration that is completed by hand: a server that never trains is given a model."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from foveal.app import open_database
from foveal.blobs import Blobs, model_prefix
from foveal.db.tables import Iteration
from foveal.services import iterations
from foveal.settings import Settings


def plant(data: Path, iteration_id: str, model: Path) -> None:
    """End the training of an iteration in the data folder of a server as if it had made this model."""
    settings = Settings(data=data)
    Blobs(settings.blobs).put_folder(model_prefix(UUID(iteration_id)), model)
    with open_database(settings).write.begin() as session:
        iteration = session.get_one(Iteration, UUID(iteration_id))
        iterations.complete(session, iteration, metrics={}, now=datetime.now(UTC))
