"""What takes long by the front door is put straight into the data folder of a server, which may run meanwhile."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
from sqlalchemy import insert, text
from sqlalchemy.orm import Session
from tests.support.pictures import picture

from foveal import domains
from foveal.app import open_database
from foveal.blobs import Blobs, model_prefix, thumbnail_key
from foveal.db.tables import Image, Iteration, IterationTag, Prediction, Project, Tag, name_key
from foveal.services import iterations, resources
from foveal.services.said import Probabilities
from foveal.settings import Settings

BEGAN = datetime(2026, 1, 2, tzinfo=UTC)
ANSWERED = "a" * 64
ALIKE = text("""
    WITH RECURSIVE place(at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM place WHERE at + 1 < :count)
    INSERT INTO image (id, project_id, digest, width, height, rendered, attributes, created_at)
    SELECT lower(hex(randomblob(16))), project_id, printf('%064d', at), width, height, rendered, attributes,
        strftime('%Y-%m-%d %H:%M:%f000', created_at, at || ' seconds')
    FROM image, place WHERE project_id = :project
""")
"""Takes a second where rows made here take twenty."""
SEEN = 80  # images at either end of a large project whose thumbnails are there


def plant(data: Path, iteration_id: str, model: Path) -> None:
    """End the training of an iteration in the data folder of a server as if it had made this model."""
    settings = Settings(data=data)
    Blobs(settings.blobs).put_folder(model_prefix(UUID(iteration_id)), model)
    with open_database(settings).write.begin() as session:
        iteration = session.get_one(Iteration, UUID(iteration_id))
        iterations.complete(session, iteration, metrics={}, now=datetime.now(UTC))


def trained(
    data: Path, project_id: str, tags: Sequence[str], *, name: str = "Planted", model: Path | None = None
) -> str:
    """Give a project an iteration that nobody trained, its tags in the order of the model's outputs; return its id."""
    id, now = uuid4(), datetime.now(UTC)
    if model:
        Blobs(Settings(data=data).blobs).put_folder(model_prefix(id), model)
    with writing(data) as session:
        project = session.get_one(Project, UUID(project_id))
        session.add(
            Iteration(
                id=id,
                project_id=project.id,
                name=name,
                name_key=name_key(name),
                status=iterations.COMPLETED,
                created_at=now,
                started_at=now,
                last_modified_at=now,
                trained_at=now,
                domain_id=project.domain_id,
                classification_type=project.classification_type,
                training_type="Regular",
                data_digest="0" * 64,
            )
        )
        session.flush()
        for at, tag in enumerate(session.get_one(Tag, UUID(tag)) for tag in tags):
            values = {"name": tag.name, "type": tag.type, "image_count": 5}
            session.add(IterationTag(iteration_id=id, position=at, tag_id=tag.id, **values))
    return str(id)


def answered(data: Path, project_id: str, iteration_id: str, answers: Mapping[timedelta, Sequence[float]]) -> None:
    """Keep what an iteration said of a picture so long ago: a probability for each of its tags."""
    now, owners = datetime.now(UTC), {"project_id": UUID(project_id), "iteration_id": UUID(iteration_id)}
    Blobs(Settings(data=data).blobs).put(thumbnail_key(ANSWERED), picture(2, format="JPEG"))
    with writing(data) as session:
        for ago, values in answers.items():
            said = Probabilities(np.array(values, np.float32))
            kept = {"probabilities": said.to_bytes(), "uncertainty": said.uncertainty, "created_at": now - ago}
            session.add(Prediction(id=uuid4(), digest=ANSWERED, width=64, height=48, rendered=False, **owners, **kept))


def project(data: Path, name: str, count: int, *, thumbnail: bytes = b"") -> str:
    """Make a project of images, a second between each and the next, of which only thumbnails are there; give its id."""
    blobs, thumbnail = Blobs(Settings(data=data).blobs), thumbnail or picture(1, format="JPEG")
    for at in (*range(SEEN), *range(count - SEEN, count)):
        blobs.put(thumbnail_key(f"{at:064d}"), thumbnail)
    id, moments = uuid4(), {"created_at": BEGAN, "last_modified_at": BEGAN, "workspace_created_at": BEGAN}
    values = {"name": name, "name_key": str(id), "domain_id": domains.DEFAULT.id, **moments}
    with writing(data) as session:
        session.add(Project(id=id, classification_type="Multiclass", **values))
        session.flush()
        first = {"project_id": id, "digest": f"{0:064d}", "width": 64, "height": 48, "created_at": BEGAN}
        session.execute(insert(Image).values(rendered=False, attributes={}, **first))
        session.execute(ALIKE, {"project": id.hex, "count": count})
    return str(id)


def key(data: Path, resource: str, role: str) -> str:
    """Give a resource, which is made where there is none, a key of a role."""
    now = datetime.now(UTC)
    with writing(data) as session:
        named = [each for each in resources.every(session) if each.name == resource]
        owner = named[0] if named else resources.create(session, resource, resources.COMBINED, "local", now=now)[0]
        return resources.add_key(session, owner, role, role, now=now)


@contextmanager
def writing(data: Path) -> Generator[Session]:
    """Open the database of a data folder for one transaction."""
    sessions = open_database(Settings(data=data))
    try:
        with sessions.write.begin() as session:
            yield session
    finally:
        sessions.engine.dispose()
