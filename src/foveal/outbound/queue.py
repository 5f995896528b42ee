"""Messages on an Azure Storage queue, named by a URL with a shared access signature."""

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

from foveal.outbound.addresses import below
from foveal.security import FetchPolicy, Parcel, send

HEADERS: Final = {"x-ms-version": "2021-12-02", "Content-Type": "application/xml"}


def put(uri: str, message: Mapping[str, Any], policy: FetchPolicy) -> None:
    """Put the message on the queue as base64 of JSON, or raise `Invalid` when the queue does not take it."""
    text = b64encode(json.dumps(message).encode()).decode()
    body = f"<QueueMessage><MessageText>{text}</MessageText></QueueMessage>".encode()
    send(below(uri, "messages"), Parcel("POST", body, HEADERS), policy)
