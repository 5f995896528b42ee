"""The child process: waits for one job on its standard input, does it, ends."""

import os
from io import FileIO
from threading import Thread
from uuid import UUID

import structlog

from foveal.engine import backbones
from foveal.errors import Conflict, ServiceError
from foveal.jobs import handlers, remedies
from foveal.jobs.workshop import Workshop
from foveal.services import jobs
from foveal.services.jobs import Claim

STANDARD_INPUT = 0

log = structlog.get_logger(__name__)


def main(workshop: Workshop) -> int:
    """Read a line `job claim`, do the job; return the exit code. An empty line or an end means there is none."""
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
    reason = _attempt(workshop, claim)
    if reason is not None:
        _fail(workshop, claim, reason)
    return 0


def limit_memory(size_bytes: int) -> None:
    """Have this process fail to allocate more than so much data, with an error that can be named."""
    try:
        import resource  # noqa: PLC0415  # POSIX only
    except ModuleNotFoundError:
        return log.warning("no limit of memory is held: this system knows none")
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    soft = size_bytes if most == resource.RLIM_INFINITY else min(size_bytes, most)
    return resource.setrlimit(resource.RLIMIT_DATA, (soft, most))


def _attempt(workshop: Workshop, claim: Claim) -> str | None:
    """Do the job; return why it failed, when all that it held in memory is free again."""
    try:
        handlers.run(workshop, claim)
    except Conflict as error:
        log.warning("job given up", reason=str(error))
    except ServiceError as error:
        return str(error)
    except Exception as error:  # the outermost loop of a job: whatever happened is logged and stored
        log.exception("job failed")
        return remedies.of(error)
    return None


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
