"""The session of a paged query: the moment of its first page, after which nothing new comes into it."""

from datetime import UTC, datetime

from foveal.errors import Invalid

VERSION = "1"
MICROSECONDS = 1_000_000


def token(began: datetime) -> str:
    """Write a session as clients carry it from page to page, such as `1:1583893`."""
    return f"{VERSION}:{round(began.timestamp() * MICROSECONDS)}"


def moment(session: str | None, now: datetime) -> datetime:
    """Read when the query began: now, unless the client carries a session."""
    if not session:
        return now
    version, _, written = session.partition(":")
    try:
        began = datetime.fromtimestamp(int(written) / MICROSECONDS, UTC)
        return {VERSION: began}[version]
    except (ValueError, KeyError, OverflowError, OSError) as error:
        raise Invalid(
            f"session {session!r:.80} is none that this server gave: begin again without it.",
            "BadRequestPredictionInvalidQueryParameters",
        ) from error
