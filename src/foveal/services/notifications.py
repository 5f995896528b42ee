"""News: that a training or an export has ended, and how it is put for each of those who asked to be told."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Self
from uuid import UUID

from sqlalchemy.orm import Session

from foveal.db.tables import Export, Iteration, Job, Project
from foveal.errors import Invalid
from foveal.outbound import container, queue
from foveal.security import FetchPolicy

TRAINING = "Training"
EXPORT = "Export"
CONNECTION_TEST = "ConnectionTest"
TEST_BLOB = "CustomVision-TestPermission"
QUEUE_VERSION = "1.0"
STATUSES = {TRAINING: "trainingStatus", EXPORT: "exportStatus"}
WEBHOOK = "webhook"
"""Set in the payload of a job whose worker knows a webhook: services read no settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is told, as it was when the training or the export ended."""

    type: str
    project_id: str
    project: str
    iteration_id: str
    iteration: str
    error: str | None = None
    """Why it failed; None: it did not."""
    address: str | None = None
    export_id: str | None = None
    platform: str | None = None
    flavor: str | None = None

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        return cls(**payload)

    def payload(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def outcome(self) -> str:
        return "Failed" if self.error else "Completed"

    @property
    def subject(self) -> str:
        return f"Foveal: {self.type.lower()} of {self.iteration} in {self.project} {self.outcome.lower()}"

    @property
    def blob_name(self) -> str:
        """Name the exported file in the project's container."""
        return f"{self.project_id} - {self.iteration_id}.{self.platform}"

    def text(self, server: str) -> str:
        """Say it to a person; `server` is where they may look, or empty."""
        lines = [
            f"Project: {self.project} ({self.project_id})",
            f"Iteration: {self.iteration} ({self.iteration_id})",
            f"{self.type}: {self.outcome.lower()}",
            f"Reason: {self.error}" if self.error else "",
            f"Server: {server}" if server else "",
        ]
        return "\n".join(line for line in lines if line) + "\n"

    def message(self, model_uri: str | None) -> dict[str, Any]:
        """Say it to an Azure queue."""
        content = {
            "projectId": self.project_id,
            "iterationId": self.iteration_id,
            STATUSES[self.type]: f"{self.type}{self.outcome}",
        }
        return queue_message(self.type, **content, **({"modelUri": model_uri} if self.type == EXPORT else {}))

    def event(self, id: UUID, model_uri: str | None) -> dict[str, Any]:
        """Say it to a webhook; the id is the same however often it is told."""
        event = {
            "id": str(id),
            "type": self.type,
            "status": self.outcome,
            "projectId": self.project_id,
            "projectName": self.project,
            "iterationId": self.iteration_id,
            "iterationName": self.iteration,
            "error": self.error,
        }
        if self.type == EXPORT:
            event |= {"platform": self.platform, "flavor": self.flavor, "modelUri": model_uri}
        return event


def of_training(session: Session, job: Job) -> News | None:
    """Return the news of a training job that has ended, if anybody wants to hear it."""
    iteration, project = session.get(Iteration, job.subject_id), session.get_one(Project, job.project_id)
    if iteration is None:
        return None
    if not (project.notification_queue_uri or iteration.notification_address or job.payload.get(WEBHOOK)):
        return None
    return News(
        type=TRAINING,
        project_id=str(project.id),
        project=project.name,
        iteration_id=str(iteration.id),
        iteration=iteration.name,
        error=job.error,
        address=iteration.notification_address,
    )


def of_export(session: Session, job: Job) -> News | None:
    """Return the news of an export job that has ended, if anybody wants to hear it or to have the file."""
    export, project = session.get(Export, job.subject_id), session.get_one(Project, job.project_id)
    wants_file = project.export_model_container_uri and not job.error
    if export is None:
        return None
    if not (wants_file or project.notification_queue_uri or job.payload.get(WEBHOOK)):
        return None
    iteration = session.get_one(Iteration, export.iteration_id)
    return News(
        type=EXPORT,
        project_id=str(project.id),
        project=project.name,
        iteration_id=str(iteration.id),
        iteration=iteration.name,
        error=job.error,
        export_id=str(export.id),
        platform=export.platform,
        flavor=export.flavor or None,
    )


def queue_message(type: str, **content: str | None) -> dict[str, Any]:
    """Return a message in the shape that Azure's have."""
    return {"version": QUEUE_VERSION, "type": type, "Content": content}


def try_out(project_id: UUID, container_uri: str | None, queue_uri: str | None, policy: FetchPolicy) -> None:
    """Write to the container and the queue that a project is to have, or raise `Invalid`: which, and why not."""
    if container_uri:
        with _named("exportModelContainerUri"):
            container.put(container_uri, TEST_BLOB, b"", policy)
    if queue_uri:
        with _named("notificationQueueUri"):
            queue.put(queue_uri, queue_message(CONNECTION_TEST, projectId=str(project_id)), policy)


@contextmanager
def _named(setting: str) -> Generator[None]:
    try:
        yield
    except Invalid as error:
        raise Invalid(f"{setting}: {error}", error.code) from error
