"""Pictures from an address: http or https only, in bounded time and size."""

import time
from http import HTTPStatus, client
from urllib import request
from urllib.error import HTTPError

from refused import LIMIT_BYTES, Refused, too_large

TIMEOUT_SECONDS = 10.0
"""For each wait; all together may take three times as long."""
HEADERS = {"User-Agent": "Foveal", "Accept": "image/*"}
BLOCK_BYTES = 64 * 1024


def picture(url: str) -> bytes:
    """Return what the address holds; raise `Refused` where it cannot be had."""
    if not url.lower().startswith(("http://", "https://")):
        raise _refused(f"the url must begin with http:// or https://, not {url[:40]!r}")
    deadline = time.monotonic() + 3 * TIMEOUT_SECONDS
    try:
        asked = request.Request(url, headers=HEADERS)  # noqa: S310  # its scheme is checked above
        with _opener().open(asked, timeout=TIMEOUT_SECONDS) as response:
            return _read(response, deadline)
    except HTTPError as error:
        error.close()
        raise _refused(f"{url} answered with {error.code}") from error
    except (OSError, client.error, ValueError) as error:
        raise _refused(f"{url} cannot be fetched: {error}") from error


def _opener() -> request.OpenerDirector:
    """Only these handlers: the usual set follows a redirect to ftp too, and opens files."""
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPRedirectHandler,
        request.HTTPDefaultErrorHandler,
        request.HTTPErrorProcessor,
        request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


def _read(response: client.HTTPResponse, deadline: float) -> bytes:
    data = bytearray()
    while block := response.read1(BLOCK_BYTES):
        data += block
        if len(data) > LIMIT_BYTES:
            raise too_large()
        if time.monotonic() > deadline:
            raise TimeoutError("it takes too long")
    return bytes(data)


def _refused(reason: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, "BadRequestImageUrl", f"{reason}.")
