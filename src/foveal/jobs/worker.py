"""The workers of a process: each claims jobs one by one, has a child do each, keeps its lease alive."""

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from threading import Event, Lock, Thread
from types import FrameType

import structlog
from sqlalchemy.exc import OperationalError

from foveal.blobs import Blobs
from foveal.db.engine import Sessions, connect
from foveal.engine.features import Embedder
from foveal.errors import Conflict, Invalid
from foveal.jobs import remedies
from foveal.jobs.local import Handle, LocalExecutor
from foveal.jobs.workshop import Workshop, sweep_scratch
from foveal.outbound.mail import Smtp
from foveal.outbound.webhook import Webhook
from foveal.security import FetchPolicy
from foveal.services import jobs, sweeping
from foveal.services.jobs import Claim
from foveal.services.models import Models
from foveal.settings import NUMERIC_ENVIRONMENT, Settings

POLL_SECONDS = 0.25
PAUSE_SECONDS = 1.0  # after a failure of our own, such as a database that does not answer
LOOK_SECONDS = 1.0  # between two looks whether the job was cancelled
BEATS_PER_LEASE = 3
HOST_LENGTH = 40  # of the name of a worker, which has its column
RETRY_PAUSES_SECONDS = (10, 120)  # before the second and the third try to tell somebody
FIRST_SWEEP = timedelta(minutes=1)
SWEEP_EVERY = timedelta(hours=1)
LEAST_MEMORY_MIB = 512  # with torch loaded, 400 are taken before the work begins

log = structlog.get_logger(__name__)


def open_crew(settings: Settings, sessions: Sessions) -> "Crew":
    """Return as many workers as the settings say, whose children load the same settings.

    Raises:
        Invalid: A setting of theirs is out of range or lacks another one.
    """
    _check(settings)
    _smtp(settings)  # a mistake there shows at the start, not at the first e-mail
    webhook = _webhook(settings)
    clock = partial(datetime.now, UTC)
    sweeper = Sweeper(partial(_sweep, settings, sessions, clock), clock)
    host = f"{socket.gethostname()[:HOST_LENGTH]}:{os.getpid()}"
    executors = [LocalExecutor({**NUMERIC_ENVIRONMENT, **settings.environment()}) for _ in range(settings.workers)]
    lease = timedelta(seconds=settings.lease_seconds)
    return Crew(
        [
            Worker(
                sessions,
                executor,
                Terms(worker=f"{host}/{number}", lease=lease, webhook=webhook is not None),
                clock=clock,
                sweep=sweeper.sweep_if_due,
            )
            for number, executor in enumerate(executors, 1)
        ]
    )


def open_workshop(settings: Settings) -> Workshop:
    """Return what a child process needs for its job."""
    blobs = Blobs(settings.blobs)
    return Workshop(
        sessions=Sessions(connect(settings.database)),
        blobs=blobs,
        models=Models(blobs, settings.cache / "models", threads=settings.threads, capacity=1),
        embedder=cache(partial(Embedder, threads=settings.threads)),
        clock=partial(datetime.now, UTC),
        scratch=settings.cache / "scratch",
        threads=settings.threads,
        fetch_policy=FetchPolicy(max_bytes=0, allowed_hosts=settings.fetch_allowed_hosts),
        smtp=_smtp(settings),
        webhook=_webhook(settings),
        public_url=settings.public_url,
        retry_pauses_seconds=RETRY_PAUSES_SECONDS,
    )


def _smtp(settings: Settings) -> Smtp | None:
    if not settings.smtp_host:
        return None
    return Smtp(
        host=settings.smtp_host,
        port=settings.smtp_port,
        user=settings.smtp_user,
        password=settings.smtp_password,
        security=settings.smtp_security,
        sender=settings.smtp_sender or settings.smtp_user,
    )


def _webhook(settings: Settings) -> Webhook | None:
    return Webhook(settings.webhook_url, settings.webhook_secret) if settings.webhook_url else None


def _check(settings: Settings) -> None:
    if settings.workers < 1:
        raise Invalid(f"FOVEAL_WORKERS should be 1 or more, but it is {settings.workers}.")
    if settings.job_memory_mib and settings.job_memory_mib < LEAST_MEMORY_MIB:
        raise Invalid(
            f"FOVEAL_JOB_MEMORY_MIB should be 0 or at least {LEAST_MEMORY_MIB}, but it is {settings.job_memory_mib}."
        )


def _sweep(settings: Settings, sessions: Sessions, clock: Callable[[], datetime]) -> None:
    sweep_scratch(settings.cache / "scratch", clock())
    days = {"prediction_days": settings.prediction_days, "export_days": settings.export_days}
    swept = sweeping.sweep(sessions, Blobs(settings.blobs), now=clock(), **days)
    log.info("swept", **asdict(swept))


class Sweeper:
    """Sweeps once an hour, whichever worker of the process is idle then."""

    def __init__(self, sweep: Callable[[], None], clock: Callable[[], datetime]) -> None:
        self._sweep = sweep
        self._clock = clock
        self._due = clock() + FIRST_SWEEP
        self._turn = Lock()

    def sweep_if_due(self) -> None:
        with self._turn:
            if self._clock() < self._due:
                return
            self._due = self._clock() + SWEEP_EVERY
        self._sweep()


class Crew:
    """The workers of a process, each in a thread of its own."""

    def __init__(self, workers: "Sequence[Worker]") -> None:
        self._workers = workers
        self._threads = [Thread(target=worker.run, name=f"worker-{n}") for n, worker in enumerate(workers, 1)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until all have stopped."""
        for thread in self._threads:
            thread.join()

    def wake(self) -> None:
        """Have those that are idle look for a job now."""
        for worker in self._workers:
            worker.wake()

    def stop(self) -> None:
        """Have all stop soon; jobs at work go back to the queue."""
        for worker in self._workers:
            worker.stop()

    def stop_on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On which terms a worker claims jobs: under its name, for how long until renewed, with a webhook told or not."""

    worker: str
    lease: timedelta
    webhook: bool


class Worker:
    """Works until it is stopped; `wake` spares it the wait for its next look at the table of jobs."""

    def __init__(
        self,
        sessions: Sessions,
        executor: LocalExecutor,
        terms: Terms,
        *,
        clock: Callable[[], datetime],
        sweep: Callable[[], None],
    ) -> None:
        self._sessions = sessions
        self._executor = executor
        self._terms = terms
        self._clock = clock
        self._sweep = sweep
        self._awake = Event()
        self._stopped = Event()

    def run(self) -> None:
        """Claim and do jobs until stopped."""
        while not self._stopped.is_set():
            try:
                self._turn()
            except Exception:  # the worker's outermost loop: a database that went away comes back
                log.exception("worker stumbled")
                self._stopped.wait(PAUSE_SECONDS)
        self._executor.close()

    def wake(self) -> None:
        self._awake.set()

    def stop(self) -> None:
        """Have `run` return soon; a job at work goes back to the queue."""
        self._stopped.set()
        self._awake.set()

    def _turn(self) -> None:
        claim = self._claim()
        if claim is not None:
            return self._attend(self._executor.start(claim), claim)
        self._executor.warm()
        self._sweep()
        self._awake.wait(POLL_SECONDS)
        return self._awake.clear()

    def _attend(self, handle: Handle, claim: Claim) -> None:
        try:
            self._watch(handle, claim)
        finally:
            handle.stop()

    def _claim(self) -> Claim | None:
        with self._sessions.read.begin() as session:
            if not jobs.any_due(session, now=self._clock()):
                return None
        with self._sessions.write.begin() as session:
            return jobs.claim(session, now=self._clock(), **asdict(self._terms))

    def _watch(self, handle: Handle, claim: Claim) -> None:
        log.info("job started", job=str(claim.job_id), claim=claim.number, process=handle.pid)
        beat = self._terms.lease / BEATS_PER_LEASE
        renewal = self._clock() + beat
        look = self._clock() + timedelta(seconds=LOOK_SECONDS)
        while (code := handle.wait(min(beat.total_seconds(), POLL_SECONDS))) is None:
            if self._stopped.is_set():
                handle.stop()  # before the job is given back: two attempts never work at once
                return self._give_back(claim)
            now = self._clock()
            if now >= look:
                look = now + timedelta(seconds=LOOK_SECONDS)
                if self._revoked(claim):
                    return log.info("job cancelled or taken over", job=str(claim.job_id))
            if now >= renewal:
                renewal = now + beat
                if not self._renew(claim):
                    return log.info("job no longer ours", job=str(claim.job_id))
        return self._ended(claim, code)

    def _revoked(self, claim: Claim) -> bool:
        # A database that does not answer for a moment is no reason to stop the work: the lease decides that.
        with suppress(OperationalError), self._sessions.read.begin() as session:
            return jobs.revoked(session, claim)
        return False

    def _renew(self, claim: Claim) -> bool:
        with self._sessions.write.begin() as session:
            return jobs.renew(session, claim, now=self._clock(), lease=self._terms.lease)

    def _ended(self, claim: Claim, code: int) -> None:
        log.info("job ended", job=str(claim.job_id), exit_code=code)
        if code != 0:
            with suppress(Conflict), self._sessions.write.begin() as session:
                jobs.abandon(session, claim, now=self._clock(), reason=remedies.of_exit(code))

    def _give_back(self, claim: Claim) -> None:
        with suppress(Conflict), self._sessions.write.begin() as session:
            jobs.give_back(session, claim, now=self._clock())
