"""The child process: waits for one job on its standard input, does it, ends."""

import os
from io import FileIO
from threading import Thread
from uuid import UUID

import structlog

from foveal.engine import backbones
from foveal.errors import Conflict, ServiceError
from foveal.jobs import handlers
from foveal.jobs.workshop import Workshop
from foveal.services import jobs
from foveal.services.jobs import Claim

STANDARD_INPUT = 0

log = structlog.get_logger(__name__)


def main(workshop: Workshop) -> int:
    """Read a line `job attempt`, do the job; return the exit code. An empty line or an end means there is none."""
    workshop.embedder(backbones.find())  # loaded while nobody waits
    # Unbuffered: a thread that waits in a buffered read cannot be left behind when the interpreter ends.
    requests = FileIO(STANDARD_INPUT, closefd=False)
    words = requests.readline().split()
    if not words:
        return 0
    Thread(target=_end_with_parent, args=(requests,), daemon=True).start()
    claim = Claim(UUID(words[0].decode()), int(words[1]))
    structlog.contextvars.bind_contextvars(job=str(claim.job_id))
    return perform(workshop, claim)


def perform(workshop: Workshop, claim: Claim) -> int:
    """Do a claimed job and record how it ended."""
    try:
        handlers.run(workshop, claim)
    except Conflict as error:
        log.warning("job given up", reason=str(error))
    except ServiceError as error:
        _fail(workshop, claim, str(error))
    except Exception as error:  # the outermost loop of a job: whatever happened is logged and stored
        log.exception("job failed")
        _fail(
            workshop, claim, f"The work failed unexpectedly ({type(error).__name__}: {error}). The log has the details."
        )
    return 0


def _fail(workshop: Workshop, claim: Claim, error: str) -> None:
    try:
        with workshop.sessions.write.begin() as session:
            jobs.fail(session, claim, now=workshop.clock(), error=error)
    except Conflict as lost:
        log.warning("job given up", reason=str(lost))


def _end_with_parent(requests: FileIO) -> None:
    """End at once when the parent is gone: another worker takes the job over."""
    while requests.read(1):
        pass
    os._exit(1)
