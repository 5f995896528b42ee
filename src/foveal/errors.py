"""Every error a user of this service can meet.

    ServiceError
    ├── Invalid           400   the request cannot be understood, is out of range or comes at the wrong moment
    ├── Denied            401   the key is missing, unknown or of the wrong kind
    ├── Forbidden         403   the key is known, and what it asks for is not among its rights
    ├── NotFound          404   the thing named in the URL does not exist
    ├── Conflict          409   somebody else changed the same thing at the same time
    ├── TooLarge          413   the body is larger than the server takes
    ├── TooManyRequests   429   the key makes more calls in a second than it may
    └── Unavailable       503   this installation lacks what the request needs, or is not ready

Rooms below `api` raise these; `api/errors.py` alone turns them into responses. `code` is Azure's word, one of the
table in docs/reference/errors.md.
"""

from typing import ClassVar


class ServiceError(Exception):
    """Base of all errors that are part of our contract."""

    default_code: ClassVar[str] = "ErrorUnknown"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code or self.default_code


class Invalid(ServiceError):
    """The request cannot be understood, is out of range or comes at the wrong moment."""

    default_code = "BadRequest"


class Denied(ServiceError):
    """The key is missing, unknown or of the wrong kind."""

    default_code = "Unauthorized"


class Forbidden(ServiceError):
    """The key is known, and what it asks for is not among its rights."""

    default_code = "Forbidden"


class NotFound(ServiceError):
    """The thing named in the URL does not exist."""

    default_code = "NotFound"


class Conflict(ServiceError):
    """Somebody else changed the same thing at the same time."""

    default_code = "Conflict"


class TooLarge(ServiceError):
    """The body is larger than the server takes."""

    default_code = "BadRequestImageSizeBytes"


class TooManyRequests(ServiceError):
    """The key makes more calls in a second than it may."""

    default_code = "TooManyRequests"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(ServiceError):
    """This installation lacks what the request needs, or is not ready."""

    default_code = "ErrorUnknown"
