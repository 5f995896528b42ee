"""Everything that a job's handler needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from foveal.blobs import Blobs
from foveal.db.engine import Sessions
from foveal.engine.backbones import Backbone
from foveal.engine.features import Embedder
from foveal.outbound.mail import Smtp
from foveal.outbound.webhook import Webhook
from foveal.security import FetchPolicy
from foveal.services.models import Models


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
