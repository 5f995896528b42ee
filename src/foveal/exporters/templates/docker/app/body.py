"""The body of a request, read whole or refused, so that the next request on the connection begins where it should."""

import re
from email.message import Message
from http import HTTPStatus
from io import BufferedIOBase

from refused import LIMIT_BYTES, Refused, too_large

# A form has the lines around its picture too, and a chunk may be announced with a few words.
BODY_BYTES = LIMIT_BYTES + 64 * 1024
DISCARDED_BYTES = 32 * 1024 * 1024
LINE_BYTES = 1024
TRAILERS = 100
BLOCK_BYTES = 64 * 1024


def read(headers: Message, stream: BufferedIOBase) -> bytes:
    """Return what the client sent after its headers: nothing at all, so many bytes, or chunks."""
    encoding = headers.get("Transfer-Encoding")
    lengths = {length.strip() for length in headers.get_all("Content-Length", [])}
    if encoding is not None:
        if encoding.strip().lower() != "chunked" or lengths:
            raise _broken(f"Transfer-Encoding {encoding!r} is not taken here, or not beside a Content-Length")
        return _chunks(stream)
    if len(lengths) > 1 or not all(re.fullmatch("[0-9]{1,18}", length) for length in lengths):
        raise _broken("Content-Length must be one number")
    return _sized(stream, int(lengths.pop())) if lengths else b""


def _sized(stream: BufferedIOBase, length: int) -> bytes:
    if length > BODY_BYTES:
        # A client that is still sending would see a broken connection instead of the answer.
        _discard(stream, min(length, DISCARDED_BYTES))
        raise too_large(hang_up=True)
    body = stream.read(length)
    if len(body) < length:
        raise _broken(f"{length} bytes were announced, {len(body)} came")
    return body


def _discard(stream: BufferedIOBase, length: int) -> None:
    while length > 0 and (block := stream.read(min(length, BLOCK_BYTES))):
        length -= len(block)


def _chunks(stream: BufferedIOBase) -> bytes:
    """Join the chunks; each comes after a line with its length in hexadecimal, and the last one is empty."""
    body, size = bytearray(), 0
    while length := _chunk_length(stream):
        size += length
        if size > DISCARDED_BYTES:
            raise too_large(hang_up=True)
        if size > BODY_BYTES:
            _discard(stream, length)
        else:
            body += stream.read(length)
        if stream.readline(LINE_BYTES).strip(b"\r\n"):
            raise _broken("a chunk is longer than announced")
    _skip_trailers(stream)
    if size > BODY_BYTES:
        raise too_large()
    return bytes(body)


def _chunk_length(stream: BufferedIOBase) -> int:
    digits = stream.readline(LINE_BYTES).partition(b";")[0].strip()
    if not re.fullmatch(b"[0-9a-fA-F]{1,15}", digits):
        raise _broken("a chunk does not tell its length")
    return int(digits, 16)


def _skip_trailers(stream: BufferedIOBase) -> None:
    """Pass over the headers that may follow the last chunk; an empty line ends them."""
    for _ in range(TRAILERS):
        if not stream.readline(LINE_BYTES).strip():
            return
    raise _broken("too much follows the last chunk")


def _broken(reason: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, "BadRequestImageStream", f"{reason}.", hang_up=True)
