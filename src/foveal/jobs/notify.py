"""Telling the news: the file to the user's container, then the queue, the webhook and the person.

Each is told as well as it goes: one that fails keeps none of the others from being told, but the file, which is part
of the news. Who did not answer is told later; the job waits in the queue, not in its worker. A worker that is lost on
the way leaves the job to another one, which begins anew, so that everyone is told at least once.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import structlog

from foveal.blobs import export_key
from foveal.db.tables import Job, Project
from foveal.errors import ServiceError, Unavailable
from foveal.jobs.workshop import Workshop
from foveal.outbound import container, mail, queue, webhook
from foveal.outbound.webhook import Webhook
from foveal.services import jobs
from foveal.services.jobs import Claim
from foveal.services.notifications import EXPORT, News

T = TypeVar("T")
ATTEMPT = "attempt"
"""In the payload: what the tries so far left to do."""

log = structlog.get_logger(__name__)


def notify(workshop: Workshop, claim: Claim, job_id: UUID) -> None:
    """Tell how a training or an export job ended; who does not answer is told later, while other jobs go on.

    Raises:
        Unavailable: Somebody could not be told, after all tries; the message names the channels and the reasons.
    """
    with workshop.sessions.read.begin() as session:
        job = session.get_one(Job, claim.job_id)
        payload, project = dict(job.payload), session.get_one(Project, job.project_id)
        container_uri, queue_uri = project.export_model_container_uri, project.notification_queue_uri
    attempt = Attempt(**payload.pop(ATTEMPT, {}))
    news = News.from_payload(payload)
    last = attempt.number >= len(workshop.retry_pauses_seconds)
    channels = _Channels(attempt.left)
    model_uri = attempt.model_uri
    if container_uri and news.type == EXPORT and not news.error:
        model_uri = channels.tell("container", partial(_put_file, workshop, news, container_uri)) or model_uri
    # Where the file is, is part of the news: without it they wait, but not for ever.
    channels.holds = bool(channels.failures) and not last
    if queue_uri:
        message = news.message(model_uri)
        channels.tell("queue", partial(queue.put, queue_uri, message, workshop.fetch_policy))
    if workshop.webhook:
        event = news.event(job_id, model_uri)
        channels.tell("webhook", partial(_post, workshop, workshop.webhook, event))
    if news.address:
        channels.tell("e-mail", partial(_mail, workshop, news, news.address))
    if channels.failures and last:
        raise Unavailable(f"Not everyone was told: {'; '.join(map(': '.join, channels.failures.items()))}")
    with workshop.sessions.write.begin() as session:
        if not channels.failures:
            return jobs.finish(session, claim, now=workshop.clock())
        until = workshop.clock() + timedelta(seconds=workshop.retry_pauses_seconds[attempt.number])
        following = Attempt(attempt.number + 1, list(channels.failures), model_uri)
        return jobs.put_off(session, claim, until=until, payload={**payload, ATTEMPT: asdict(following)})


@dataclass(frozen=True, slots=True)
class Attempt:
    """Which try this is, from 0; who is left to be told (None: all); and where the file is by now."""

    number: int = 0
    left: list[str] | None = None
    model_uri: str | None = None


class _Channels:
    """Ways to tell; who failed is kept, with the reason."""

    def __init__(self, left: list[str] | None) -> None:
        self._left = left
        self.failures: dict[str, str] = {}
        self.holds = False

    def tell(self, channel: str, send: Callable[[], T]) -> T | None:
        if self._left is not None and channel not in self._left:
            return None
        if self.holds:
            self.failures[channel] = "waits for the file"
            return None
        try:
            return send()
        except ServiceError as error:
            self.failures[channel] = str(error)
            log.warning("not told", channel=channel, reason=str(error))
            return None


def _put_file(workshop: Workshop, news: News, uri: str) -> str:
    data = workshop.blobs.get(export_key(str(news.export_id)))
    return container.put(uri, news.blob_name, data, workshop.fetch_policy)


def _post(workshop: Workshop, hook: Webhook, event: Mapping[str, Any]) -> None:
    webhook.send(hook, event, workshop.fetch_policy, now=workshop.clock())


def _mail(workshop: Workshop, news: News, address: str) -> None:
    if workshop.smtp is None:
        log.warning("no e-mail sent: FOVEAL_SMTP_HOST is not set", iteration=news.iteration_id)
        return
    mail.send(workshop.smtp, address, news.subject, news.text(workshop.public_url), now=workshop.clock())
