"""What is thrown away in time: predictions and suggestions past their days, and blobs that nothing refers to.

A picture is stored before its row is written, so a blob without a row may be one that is just arriving. Hence only
blobs of some age are looked at, and each goes in three steps: doomed, in a transaction that sees all rows; its bytes
removed; the doom forgotten when no request that stored the same picture before can still be at work. Whoever writes
the row of a picture calls `hold` in the same transaction: it finds the doom, lifts it and stores the bytes again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, text, true, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from foveal.blobs import Blobs, image_key, rendition_key, thumbnail_key
from foveal.db.engine import Sessions
from foveal.db.tables import DoomedBlob, Export, Image, Iteration, Prediction, Suggestion, rowcount
from foveal.errors import Conflict
from foveal.services import iterations, pictures

GRACE = timedelta(days=1)
"""Longer than any request lasts: the age at which a blob without a row is nobody's, and how long a doom is kept."""
CHUNK = 1_000  # digests in one query
LOCK = 8351  # of PostgreSQL; SQLite has one writer at a time anyway


@dataclass(frozen=True, slots=True)
class Swept:
    """How much was thrown away."""

    predictions: int
    suggestions: int
    exports: int
    blobs: int


def sweep(sessions: Sessions, blobs: Blobs, *, now: datetime, prediction_days: int, export_days: int = 0) -> Swept:
    """Throw away what is past its time; safe beside requests, workers and other sweeps. 0 days keep exports forever."""
    oldest = now - timedelta(days=prediction_days)
    with sessions.write.begin() as session:
        predictions = rowcount(session.execute(delete(Prediction).where(Prediction.created_at < oldest)))
        suggestions = rowcount(session.execute(delete(Suggestion).where(Suggestion.created_at < oldest)))
        exports = _expired_exports(session, now - timedelta(days=export_days)) if export_days else 0
        session.execute(delete(DoomedBlob).where(DoomedBlob.doomed_at < now - GRACE))
    removed = _sweep_pictures(sessions, blobs, now)
    removed += _sweep_owned(sessions, blobs, "models", Iteration.id, now, Iteration.status != iterations.FAILED)
    removed += _sweep_owned(sessions, blobs, "exports", Export.id, now)
    removed += _sweep_owned(sessions, blobs, "work", Iteration.id, now, Iteration.status == iterations.TRAINING)
    return Swept(predictions, suggestions, exports, removed)


def _expired_exports(session: Session, oldest: datetime) -> int:
    """Forget exports that have ended before a moment; their files are nobody's then."""
    ended = Export.status != "Exporting"
    return rowcount(session.execute(delete(Export).where(Export.created_at < oldest, ended)))


def hold(session: Session, blobs: Blobs, digests: Sequence[str], content: Callable[[str], bytes]) -> None:
    """Keep the pictures whose rows this transaction writes; those swept away meanwhile are stored again.

    `content` gives the bytes of a picture by its digest.

    Raises:
        Conflict: A picture is being removed at this moment; trying again helps.
    """
    _lock(session, shared=True)
    for at in range(0, len(digests), CHUNK):
        doomed = select(DoomedBlob).where(DoomedBlob.digest.in_(digests[at : at + CHUNK])).with_for_update()
        for blob in session.scalars(doomed).all():
            if not blob.removed:
                raise Conflict("A picture of this request is being deleted at this very moment: send it again.")
            pictures.store(blobs, content(blob.digest), max_bytes=pictures.ANY_SIZE)
            session.delete(blob)
    session.flush()


def _sweep_pictures(sessions: Sessions, blobs: Blobs, now: datetime) -> int:
    removed = 0
    for page in blobs.pages("images"):
        old = {found.key.rsplit("/", 1)[-1] for found in page if found.modified_at < now - GRACE}
        with sessions.write.begin() as session:
            doomed = _doom(session, old, now)
        for digest in doomed:
            for key in (rendition_key(digest), thumbnail_key(digest), image_key(digest)):
                blobs.delete(key)
        with sessions.write.begin() as session:
            session.execute(update(DoomedBlob).where(DoomedBlob.digest.in_(doomed)).values(removed=True))
        removed += len(doomed)
    return removed


def _doom(session: Session, digests: set[str], now: datetime) -> list[str]:
    """Doom those of the pictures that no row speaks of; a doom that a killed sweep left behind is taken up again."""
    _lock(session, shared=False)
    needed = {*session.scalars(select(Image.digest).where(Image.digest.in_(digests)))}
    needed |= {*session.scalars(select(Prediction.digest).where(Prediction.digest.in_(digests)))}
    doomed = digests - needed
    session.execute(delete(DoomedBlob).where(DoomedBlob.digest.in_(doomed)))
    session.add_all(DoomedBlob(digest=digest, doomed_at=now) for digest in doomed)
    return sorted(doomed)


def _sweep_owned(  # a table row of the sweep
    sessions: Sessions,
    blobs: Blobs,
    prefix: str,
    owner: InstrumentedAttribute[UUID],
    now: datetime,
    needed: ColumnElement[bool] | None = None,
) -> int:
    """Remove what belongs to iterations or exports that are gone or need it no more; rows come before their blobs."""
    removed = 0
    for page in blobs.pages(prefix):
        old = {found.key: UUID(found.key.split("/")[1]) for found in page if found.modified_at < now - GRACE}
        with sessions.read.begin() as session:
            alive = {
                *session.scalars(select(owner).where(owner.in_(old.values()), true() if needed is None else needed))
            }
        gone = [key for key, id in old.items() if id not in alive]
        for key in gone:
            blobs.delete(key)
        removed += len(gone)
    return removed


def _lock(session: Session, *, shared: bool) -> None:
    """Let writers of rows pass side by side, but none beside a sweep that looks which rows there are."""
    if session.get_bind().dialect.name == "postgresql":
        name = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        session.execute(text(f"SELECT {name}({LOCK})"))  # two constants
