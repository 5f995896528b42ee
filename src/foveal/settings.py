"""One frozen Settings object: flags first, then FOVEAL_* variables, then defaults."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from foveal.errors import Invalid

PREFIX = "FOVEAL_"
MEBIBYTE = 1024 * 1024
# Numeric libraries read these when they load. ONNX Runtime is told its threads by its session; the linear algebra of a
# head is small, and two pools of spinning threads on two cores stop one another: one thread is many times faster.
NUMERIC_ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator may choose; each field `name` is also the variable FOVEAL_NAME."""

    data: Path = Path("foveal-data")
    """Folder of the embedded database, the blobs, the keys and the cache of models."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8350
    """Port to listen on; 0 takes a free one."""
    public_url: str = ""
    """Base of links in answers, such as https://vision.example.org; empty: the address the client used."""
    database_url: str = ""
    """SQLAlchemy URL; empty: SQLite in the data folder."""
    blobs_url: str = ""
    """Folder or object store (s3://, az://) of images and models; empty: a folder in the data folder."""
    training_key: str = ""
    """Key of the training API; empty: made at the first start and kept in the data folder."""
    prediction_key: str = ""
    """Key of the prediction API; empty: made at the first start and kept in the data folder."""
    signing_secret: str = ""
    """Secret behind signed links; empty: made at the first start and kept in the data folder."""
    fetch_allowed_hosts: frozenset[str] = frozenset()
    """Inside hosts (name or name:port, comma-separated) that image URLs may point at all the same."""
    tier: str = ""
    """Limits of Azure's tier F0 or S0; empty: those of this server, see docs/reference/operations.md."""
    prediction_days: int = 30
    """How long stored predictions and suggestions are kept."""
    export_days: int = 90
    """How long exported files are kept; 0: for ever."""
    rate_limit: int = 0
    """Calls per second of each key, for predictions, trainings and all others apart; 0: any number."""
    region: str = "local"
    """Region of what the server's own keys make and publish; resources have their own."""
    link_hours: int = 24
    """How long a signed link stays valid."""
    threads: int = max(1, min(4, os.cpu_count() or 1))
    """Threads of one numeric session (a prediction or a training)."""
    warm_models: int = 8
    """How many published or tested models stay in memory."""
    max_body_mib: int = 600
    """Largest request body; a batch of 64 base64 images of 6 MiB needs 512."""
    smtp_host: str = ""
    """Mail server for the end of trainings; empty: no e-mail is sent."""
    smtp_port: int = 587
    """Port of the mail server."""
    smtp_user: str = ""
    """Name for the login there; empty: without a login."""
    smtp_password: str = ""
    """Password for the login there."""
    smtp_security: str = "starttls"
    """starttls, tls or none."""
    smtp_sender: str = ""
    """Address that e-mail comes from; empty: smtp_user."""
    webhook_url: str = ""
    """Where the end of each training and export is posted; empty: nowhere."""
    webhook_secret: str = ""
    """Secret that signs what is posted there."""
    workers: int = 1
    """How many jobs (trainings, exports, imports, news) one process does at once."""
    job_memory_mib: int = 0
    """Memory that the process of one job may fill; 0: as much as there is."""
    lease_seconds: float = 15.0
    """How long a job stays with a worker that gives no sign of life."""
    log_level: str = "info"
    """debug, info, warning or error."""

    @classmethod
    def load(cls, environment: Mapping[str, str], **flags: object) -> Self:
        """Read the settings; a flag that is None counts as not given.

        Raises:
            Invalid: A variable cannot be read as its type.
        """
        given = {name: value for name, value in flags.items() if value is not None}
        for field in fields(cls):
            text = environment.get(PREFIX + field.name.upper())
            if field.name not in given and text:
                given[field.name] = _parsed(field.name, text, field.default)
        return cls(**given)  # pyright: ignore[reportArgumentType]  # checked by _parsed and by the flags' types

    def environment(self) -> dict[str, str]:
        """Return the variables that make another process load the same settings."""
        return {PREFIX + field.name.upper(): _written(getattr(self, field.name)) for field in fields(self)}

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{(self.data / 'foveal.db').absolute()}"

    @property
    def blobs(self) -> str:
        return self.blobs_url or str((self.data / "blobs").absolute())

    @property
    def cache(self) -> Path:
        return self.data.absolute() / "cache"


def _parsed(name: str, text: str, default: object) -> object:
    kind = type(default).__name__
    try:
        if isinstance(default, Path):
            return Path(text)
        if isinstance(default, frozenset):
            return frozenset(part.strip().lower() for part in text.split(",") if part.strip())
        return _number(text, default)
    except ValueError as error:
        raise Invalid(f"{PREFIX}{name.upper()} should be of type {kind}, but it is {text!r}.") from error


def _number(text: str, default: object) -> object:
    return int(text) if isinstance(default, int) else float(text) if isinstance(default, float) else text


def _written(value: object) -> str:
    return ",".join(sorted(str(part) for part in value)) if isinstance(value, frozenset) else str(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # a frozenset of str
