"""Events for a program of the operator's: JSON by POST, signed so that it can tell ours from a stranger's."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from foveal.errors import Invalid
from foveal.security import FetchPolicy, Parcel
from foveal.security import send as send_parcel


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where events go, and the secret that both sides know."""

    url: str
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.secret:
            raise Invalid("FOVEAL_WEBHOOK_URL needs FOVEAL_WEBHOOK_SECRET, which tells our events from a stranger's.")


def send(webhook: Webhook, event: Mapping[str, Any], policy: FetchPolicy, *, now: datetime) -> None:
    """Post the event, or raise `Invalid` when it was not taken."""
    body = json.dumps(event).encode()
    headers = {"Content-Type": "application/json", "Foveal-Signature": signature(webhook.secret, body, now=now)}
    send_parcel(webhook.url, Parcel("POST", body, headers), policy)


def signature(secret: str, body: bytes, *, now: datetime) -> str:
    """Sign the time and the body together, so that neither can be exchanged."""
    seconds = int(now.timestamp())
    digest = hmac.digest(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={digest.hex()}"
