"""Parts of a multipart/form-data body.

Written by hand because clients of this contract send their picture as a part without a file name or a content type,
which form parsers take for text: they decode it, and refuse it above a megabyte.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from foveal.errors import Invalid

MAX_PARTS: Final = 1000
MAX_HEADER_BYTES: Final = 16 * 1024
MAX_BOUNDARY: Final = 200

# `name=value; name="va\"lue"`: what follows the first semicolon of a header. Linear: no two branches share a start.
PARAMETER: Final = re.compile(r';\s*([^=;\s"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"]*))')
# Browsers send a Windows path with bare backslashes, so only quotes and backslashes count as escaped.
ESCAPED: Final = re.compile(r'\\(["\\])')
PADDING: Final = b" \t"


@dataclass(frozen=True, slots=True)
class Part:
    """One part: `filename` and `content_type` are empty where the client sent none."""

    name: str
    filename: str
    content_type: str
    data: bytes


def parts(body: bytes, content_type: str) -> list[Part]:
    """Return the parts of `body`, whose boundary `content_type` names; raise `Invalid` where it is not whole."""
    delimiter = b"--" + _boundary(content_type)
    return [_part(body, start, end) for start, end in _spans(body, delimiter)]


def _boundary(content_type: str) -> bytes:
    kind, _, _ = content_type.partition(";")
    if kind.strip().lower() != "multipart/form-data":
        raise _broken(f"the content type is {kind.strip()!r}, expected multipart/form-data")
    boundary = _parameters(content_type).get("boundary", "")
    if not 0 < len(boundary) <= MAX_BOUNDARY or not boundary.isascii():
        raise _broken("the content type names no boundary")
    return boundary.encode("ascii")


def _spans(body: bytes, delimiter: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each part starts, after the line of its delimiter, and ends, before the line break of the next."""
    found = _delimiters(body, delimiter)
    _, start, closing = next(found, (0, 0, True))
    if not start:
        raise _broken("its boundary does not occur in it")
    count = 0
    while not closing:
        end, following, closing = next(found, (0, 0, True))
        if not following:
            raise _broken("its closing boundary is missing, so it may be cut short")
        count += 1
        if count > MAX_PARTS:
            raise _broken(f"it has more than {MAX_PARTS} parts")
        yield start, max(start, end)
        start = following


def _delimiters(body: bytes, delimiter: bytes) -> Iterator[tuple[int, int, bool]]:
    """Yield (end of what precedes, start of what follows, whether it closes) for each line that is a delimiter."""
    at = body.find(delimiter)
    while at >= 0:
        line = _delimiter_line(body, at + len(delimiter))
        if line is not None and (at == 0 or body[at - 1 : at] == b"\n"):
            breaking = 2 if body[at - 2 : at] == b"\r\n" else 1
            yield max(0, at - breaking), *line
            if line[1]:
                return
        at = body.find(delimiter, at + 1)


def _delimiter_line(body: bytes, at: int) -> tuple[int, bool] | None:
    """Return where the line ends that goes on at `at`, and whether it closes; None if more than padding is on it."""
    closing = body[at : at + 2] == b"--"
    at += 2 * closing
    # No sender pads by more; looking further would cost more than linear time on hostile bodies.
    rest = body[at : at + 64]
    padded = len(rest) - len(rest.lstrip(PADDING))
    for ending in (b"\r\n", b"\n"):
        if rest.startswith(ending, padded):
            return at + padded + len(ending), closing
    return (len(body), True) if closing and padded == len(rest) else None


def _part(body: bytes, start: int, end: int) -> Part:
    headers, data_start = _headers(body, start, end)
    disposition = headers.get("content-disposition", "")
    parameters = _parameters(disposition)
    if "name" not in parameters:
        raise _broken("one of its parts has no name")
    filename = _extended(parameters["filename*"]) if "filename*" in parameters else parameters.get("filename", "")
    return Part(parameters["name"], filename, headers.get("content-type", ""), body[data_start:end])


def _headers(body: bytes, start: int, end: int) -> tuple[dict[str, str], int]:
    """Read header lines up to the empty one; return them, by name in lower case, and where the data starts."""
    headers: dict[str, str] = {}
    limit = min(end, start + MAX_HEADER_BYTES)
    at = start
    while at < limit:
        stop = body.find(b"\n", at, limit)
        if stop < 0:
            break
        line = body[at:stop].strip().decode("utf-8", "replace")
        at = stop + 1
        if not line:
            return headers, at
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    raise _broken("one of its parts has no empty line after its headers")


def _parameters(header: str) -> dict[str, str]:
    found = PARAMETER.finditer(header)
    return {
        match[1].lower(): ESCAPED.sub(r"\1", match[2]) if match[2] is not None else match[3].strip() for match in found
    }


def _extended(value: str) -> str:
    """Decode `UTF-8''na%20me` (RFC 5987); a value of another form stays as it is."""
    charset, quote, rest = value.partition("'")
    _, second, text = rest.partition("'")
    if not (quote and second):
        return value
    try:
        return unquote(text, encoding=charset or "utf-8", errors="replace")
    except LookupError:
        return text


def _broken(reason: str) -> Invalid:
    return Invalid(f"The multipart body cannot be read: {reason}.", "BadRequestImageStream")
