"""The worker: claims jobs one by one, has them done by child processes, keeps their leases alive."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from threading import Event
from types import FrameType

import structlog

from foveal.blobs import Blobs
from foveal.db.engine import Sessions, connect
from foveal.engine.features import Embedder
from foveal.errors import Conflict
from foveal.jobs.local import Handle, LocalExecutor
from foveal.jobs.workshop import Workshop
from foveal.outbound.mail import Smtp
from foveal.outbound.webhook import Webhook
from foveal.security import FetchPolicy
from foveal.services import jobs, sweeping
from foveal.services.jobs import Claim
from foveal.services.models import Models
from foveal.settings import NUMERIC_ENVIRONMENT, Settings

POLL_SECONDS = 0.25
PAUSE_SECONDS = 1.0  # after a failure of our own, such as a database that does not answer
BEATS_PER_LEASE = 3
RETRY_PAUSES_SECONDS = (10, 120)  # before the second and the third try to tell somebody
FIRST_SWEEP = timedelta(minutes=1)
SWEEP_EVERY = timedelta(hours=1)

log = structlog.get_logger(__name__)


def open_worker(settings: Settings, sessions: Sessions) -> "Worker":
    """Return a worker whose children load the same settings."""
    _smtp(settings)  # a mistake there shows at the start, not at the first e-mail
    webhook = _webhook(settings)
    executor = LocalExecutor({**NUMERIC_ENVIRONMENT, **settings.environment()})
    clock = partial(datetime.now, UTC)

    def sweep() -> None:
        swept = sweeping.sweep(sessions, Blobs(settings.blobs), now=clock(), prediction_days=settings.prediction_days)
        log.info("swept", predictions=swept.predictions, suggestions=swept.suggestions, blobs=swept.blobs)

    lease = timedelta(seconds=settings.lease_seconds)
    return Worker(sessions, executor, clock=clock, lease=lease, sweep=sweep, webhook=webhook is not None)


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


class Worker:
    """Works until it is stopped; `wake` spares it the wait for its next look at the table of jobs."""

    def __init__(
        self,
        sessions: Sessions,
        executor: LocalExecutor,
        *,
        clock: Callable[[], datetime],
        lease: timedelta,
        sweep: Callable[[], None],
        webhook: bool,
    ) -> None:
        self._sessions = sessions
        self._executor = executor
        self._clock = clock
        self._lease = lease
        self._sweep = sweep
        self._webhook = webhook
        self._sweeps_at = clock() + FIRST_SWEEP
        self._name = f"{socket.gethostname()}:{os.getpid()}"
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

    def stop_on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.stop()

    def _turn(self) -> None:
        claim = self._claim()
        if claim is not None:
            return self._attend(self._executor.start(claim), claim)
        self._executor.warm()
        if self._clock() >= self._sweeps_at:
            self._sweeps_at = self._clock() + SWEEP_EVERY
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
            return jobs.claim(session, worker=self._name, now=self._clock(), lease=self._lease, webhook=self._webhook)

    def _watch(self, handle: Handle, claim: Claim) -> None:
        log.info("job started", job=str(claim.job_id), attempt=claim.attempt, process=handle.pid)
        beat = self._lease.total_seconds() / BEATS_PER_LEASE
        due = self._clock() + timedelta(seconds=beat)
        while (code := handle.wait(min(beat, POLL_SECONDS))) is None:
            if self._stopped.is_set():
                handle.stop()  # before the job is given back: two attempts never work at once
                return self._give_back(claim)
            if self._clock() >= due:
                due = self._clock() + timedelta(seconds=beat)
                if not self._renew(claim):
                    return log.info("job no longer ours", job=str(claim.job_id))
        return self._ended(claim, code)

    def _renew(self, claim: Claim) -> bool:
        with self._sessions.write.begin() as session:
            return jobs.renew(session, claim, now=self._clock(), lease=self._lease)

    def _ended(self, claim: Claim, code: int) -> None:
        log.info("job ended", job=str(claim.job_id), exit_code=code)
        if code != 0:
            reason = (
                f"The process that did the work ended unexpectedly ({_cause(code)}). "
                "If memory ran out, free some or train on fewer images, then train again."
            )
            with suppress(Conflict), self._sessions.write.begin() as session:
                jobs.abandon(session, claim, now=self._clock(), reason=reason)

    def _give_back(self, claim: Claim) -> None:
        with suppress(Conflict), self._sessions.write.begin() as session:
            jobs.give_back(session, claim)


def _cause(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
