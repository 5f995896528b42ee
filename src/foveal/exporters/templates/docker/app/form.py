"""The picture in a multipart/form-data body, taken apart by hand.

Microsoft's clients send it as a part with neither a file name nor a content type, which form parsers take for text.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from http import HTTPStatus

from refused import Refused

FIELD = "imageData"
MAX_PARTS = 100
MAX_BOUNDARY = 200
MAX_HEADER_BYTES = 16 * 1024
EMPTY_LINE = re.compile(rb"\r?\n\r?\n")


def picture(content_type: str, body: bytes) -> bytes:
    """Return the bytes of the one part named imageData; raise `Refused` where there is none, or are several."""
    found = [data for name, data in _parts(_boundary(content_type), body) if name.lower() == FIELD.lower()]
    if len(found) != 1:
        reason = f"expected one form field named {FIELD}, got {len(found)}."
        raise Refused(HTTPStatus.BAD_REQUEST, "BadRequestImageBatch", reason)
    return found[0]


def _boundary(content_type: str) -> bytes:
    boundary = _parameter(content_type, "boundary")
    if not 0 < len(boundary) <= MAX_BOUNDARY or not boundary.isascii():
        raise _broken("its content type names no boundary")
    return boundary.encode("ascii")


def _parts(boundary: bytes, body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the data of each part up to the closing boundary."""
    # The line break after a delimiter is left to the part, whose headers may be none at all.
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]{0,64}(?=\r?\n|\Z)")
    start = None
    for count, match in enumerate(delimiter.finditer(body)):
        if start is not None:
            yield _part(body[start : match.start()])
        if match[1]:
            return
        if count >= MAX_PARTS:
            raise _broken(f"it has more than {MAX_PARTS} parts")
        start = match.end()
    raise _broken("its closing boundary is missing, so it may be cut short")


def _part(text: bytes) -> tuple[str, bytes]:
    blank = EMPTY_LINE.search(text, 0, MAX_HEADER_BYTES)
    if blank is None:
        raise _broken("a part has no empty line after its headers")
    headers = message_from_bytes(text[: blank.start()].lstrip() + b"\n\n")
    return _parameter(str(headers.get("Content-Disposition", "")), "name"), text[blank.end() :]


def _parameter(header: str, name: str) -> str:
    message = Message()
    message["Content-Disposition"] = header
    found = message.get_param(name, "", "Content-Disposition")
    return found if isinstance(found, str) else found[2]


def _broken(reason: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, "BadRequestImageStream", f"the form cannot be read: {reason}.")
