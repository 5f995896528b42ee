"""The cache of embeddings: what a backbone saw in a picture, kept under the picture's digest."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from foveal.db.engine import insert_into
from foveal.db.tables import Embedding
from foveal.engine.backbones import Backbone

Vectors = dict[str, NDArray[np.float32]]
CHUNK = 1_000


def find(session: Session, backbone: Backbone, digests: Sequence[str]) -> Vectors:
    """Return the cached vectors (dimension,) of those pictures that have one, by digest."""
    found: Vectors = {}
    for at in range(0, len(digests), CHUNK):
        rows = session.execute(
            select(Embedding.digest, Embedding.vector).where(
                Embedding.digest.in_(digests[at : at + CHUNK]),
                Embedding.backbone == backbone.fingerprint,
                Embedding.view == backbone.view,
            )
        )
        found.update({digest: np.frombuffer(vector, dtype="<f4") for digest, vector in rows})
    return found


def add(session: Session, backbone: Backbone, vectors: Mapping[str, NDArray[np.float32]]) -> None:
    """Keep vectors; one that is there already stays."""
    if not vectors:
        return
    rows = [
        {
            "digest": digest,
            "backbone": backbone.fingerprint,
            "view": backbone.view,
            "vector": vector.astype("<f4").tobytes(),
        }
        for digest, vector in vectors.items()
    ]
    session.execute(insert_into(session, Embedding).on_conflict_do_nothing(), rows)
