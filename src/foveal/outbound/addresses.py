"""Addresses whose query is a secret: a shared access signature (SAS) opens what they name."""

import re
from typing import Final
from urllib.parse import quote

SIGNATURE: Final = re.compile(r"(?<=[?&]sig=)[^&#]+", re.IGNORECASE)


def below(uri: str, name: str) -> str:
    """Return the address of `name` in the folder at `uri`, opened by the same signature."""
    folder, question_mark, query = uri.partition("?")
    return f"{folder.rstrip('/')}/{quote(name)}{question_mark}{query}"


def open_part(uri: str) -> str:
    """Return what may be told to anybody: the address without its query."""
    return uri.partition("?")[0]


def masked(uri: str) -> str:
    """Return the address with stars for its signature: what it opens and until when stays readable."""
    return SIGNATURE.sub("***", uri)
