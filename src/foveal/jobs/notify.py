"""Telling the news: the file to the user's container, then the queue, the webhook and the person.

Each is told as well as it goes: one that fails keeps none of the others from being told. A worker that is lost on the
way leaves the job to another one, which begins anew, so that everyone is told at least once.
"""

import time
from collections.abc import Callable, Mapping
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

log = structlog.get_logger(__name__)


def notify(workshop: Workshop, claim: Claim, job_id: UUID) -> None:
    """Tell how a training or an export job ended.

    Raises:
        Unavailable: Somebody could not be told, after all tries; the message names the channels and the reasons.
    """
    with workshop.sessions.read.begin() as session:
        job = session.get_one(Job, claim.job_id)
        news, project = News.from_payload(job.payload), session.get_one(Project, job.project_id)
        container_uri, queue_uri = project.export_model_container_uri, project.notification_queue_uri
    channels = _Channels(workshop)
    model_uri = None
    if container_uri and news.type == EXPORT and not news.error:
        model_uri = channels.tell("container", partial(_put_file, workshop, news, container_uri))
    if queue_uri:
        message = news.message(model_uri)
        channels.tell("queue", partial(queue.put, queue_uri, message, workshop.fetch_policy))
    if workshop.webhook:
        event = news.event(job_id, model_uri)
        channels.tell("webhook", partial(_post, workshop, workshop.webhook, event))
    if news.address:
        channels.tell("e-mail", partial(_mail, workshop, news, news.address))
    if channels.failures:
        raise Unavailable(f"Not everyone was told: {'; '.join(channels.failures)}", "ErrorUnknown")
    with workshop.sessions.write.begin() as session:
        jobs.finish(session, claim, now=workshop.clock())


class _Channels:
    """Ways to tell, each tried some times; what failed in the end is kept."""

    def __init__(self, workshop: Workshop) -> None:
        self._pauses = workshop.retry_pauses_seconds
        self.failures: list[str] = []

    def tell(self, channel: str, send: Callable[[], T]) -> T | None:
        reason = ""
        for pause in (0, *self._pauses):
            time.sleep(pause)
            try:
                return send()
            except ServiceError as error:
                reason = str(error)
                log.warning("not told", channel=channel, reason=reason)
        self.failures.append(f"{channel}: {reason}")
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
