"""Everything that a job's handler needs, and the steps that handlers share."""

import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from foveal.blobs import Blobs
from foveal.db.engine import Sessions
from foveal.engine.backbones import Backbone
from foveal.engine.features import Embedder
from foveal.outbound.mail import Smtp
from foveal.outbound.webhook import Webhook
from foveal.security import FetchPolicy
from foveal.services import jobs
from foveal.services.jobs import Claim
from foveal.services.models import Models

SCRATCH_KEPT = timedelta(days=3)
"""Longer than any job lasts: the age at which a folder is what a child that was stopped left behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """The parts of a child process; it has one for its whole life."""

    sessions: Sessions
    blobs: Blobs
    models: Models
    embedder: Callable[[Backbone], Embedder]
    clock: Callable[[], datetime]
    scratch: Path
    threads: int
    fetch_policy: FetchPolicy
    smtp: Smtp | None
    webhook: Webhook | None
    public_url: str
    retry_pauses_seconds: Sequence[float]
    """How long a channel that did not answer is left alone before each new try."""


def report(
    workshop: Workshop, claim: Claim, stage: str, progress: float, details: Mapping[str, Any] | None = None
) -> None:
    """Record how far the work has come, from 0 to 1."""
    with workshop.sessions.write.begin() as session:
        jobs.report(session, claim, stage=stage, progress=progress, details=details)


@contextmanager
def scratch(workshop: Workshop) -> Generator[Path]:
    """Give a folder that is gone afterwards."""
    workshop.scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=workshop.scratch) as folder:
        yield Path(folder)


def sweep_scratch(folder: Path, now: datetime) -> None:
    """Remove what jobs left behind that came to no end of their own."""
    for left in folder.glob("*"):
        if datetime.fromtimestamp(left.stat().st_mtime, UTC) < now - SCRATCH_KEPT:
            shutil.rmtree(left, ignore_errors=True)
