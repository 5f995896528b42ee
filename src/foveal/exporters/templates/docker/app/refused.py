"""A request that gets no predictions: the status, Azure's word for it and a sentence."""

from http import HTTPStatus

LIMIT_BYTES = 4 * 1024 * 1024


class Refused(Exception):
    """What is answered; with `hang_up` the connection ends there, as what follows on it cannot be told apart."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        reason: str,
        *,
        allow: str = "",
        hang_up: bool = False,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.code = code
        self.reason = reason
        self.allow = allow
        self.hang_up = hang_up


def too_large(*, hang_up: bool = False) -> Refused:
    reason = f"the picture is too large: at most {LIMIT_BYTES} bytes are taken."
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "BadRequestImageSizeBytes", reason, hang_up=hang_up)
