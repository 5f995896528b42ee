"""Metadata of images: limits, changes, and the expressions that filter by it.

    expression = term { "or" term }        term = factor { "and" factor }
    factor = key ("eq" | "ne") value | "(" expression ")"

A key or value stands in quotes ('it''s'), or bare where it is one word. A key that an image lacks equals nothing, so
`ne` is true of it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from foveal.db.tables import Image, Project
from foveal.errors import Invalid
from foveal.services import limits

MAX_PAIRS: Final = 10
MAX_KEY: Final = 128
MAX_VALUE: Final = 256
MAX_UPDATED: Final = 256  # Azure's text says 64, its schema 256
MAX_FILTER: Final = 4_096  # characters
MAX_TERMS: Final = 64
PREFIX: Final = re.compile(r"\s*metadata\s*=", re.IGNORECASE)
WORD: Final = re.compile(r"\s*(?:'((?:[^']|'')*)'|([()])|([^\s'()]+))")
EACH_PAIR: Final = {"sqlite": func.json_each, "postgresql": func.json_each_text}

OK: Final = "OK"
NOT_FOUND: Final = "ErrorImageNotFound"
LIMIT: Final = "ErrorLimitExceed"


@dataclass(frozen=True, slots=True)
class Updated:
    """What became of one image of an update; `metadata` is all that it has now."""

    image_id: UUID
    status: str
    metadata: Mapping[str, str] | None


def check(metadata: Mapping[str, str]) -> None:
    """Refuse metadata over the limits of count and length."""
    if len(metadata) > MAX_PAIRS:
        raise Invalid(
            f"An image has at most {MAX_PAIRS} pairs of metadata; these are {len(metadata)}.",
            "BadRequestImageMetadataKey",
        )
    for key, value in metadata.items():
        if not 0 < len(key) <= MAX_KEY:
            raise Invalid(
                f"A metadata key has 1 to {MAX_KEY} characters; {key[:20]!r} has {len(key)}.",
                "BadRequestImageMetadataKey",
            )
        if len(value) > MAX_VALUE:
            raise Invalid(
                f"A metadata value has at most {MAX_VALUE} characters; that of {key!r} has {len(value)}.",
                "BadRequestImageMetadataValue",
            )


def update(
    session: Session, project: Project, image_ids: Sequence[UUID], metadata: Mapping[str, str | None]
) -> list[Updated]:
    """Set pairs on images, beside those that they have; a value of None takes the pair away."""
    if not image_ids:
        raise Invalid("Name the images in imageIds.", "BadRequestRequiredParamIsNull")
    limits.check_size(len(image_ids), MAX_UPDATED, "images")
    check({key: value or "" for key, value in metadata.items()})
    chosen = (Image.project_id == project.id, Image.deleted_at.is_(None), Image.id.in_(image_ids))
    images = {image.id: image for image in session.scalars(select(Image).where(*chosen).with_for_update())}
    outcome = [_updated(images.get(id), id, metadata) for id in image_ids]
    session.flush()
    return outcome


def matches(session: Session, text: str) -> ColumnElement[bool]:
    """Return the condition on images that a filter expresses.

    Raises:
        Invalid: The filter cannot be read; the message tells where.
    """
    if len(text) > MAX_FILTER:
        raise Invalid(f"A $filter has at most {MAX_FILTER} characters; this one has {len(text)}.")
    reader = _Reader(text, session.get_bind().dialect.name)
    return reader.whole()


def _updated(image: Image | None, id: UUID, metadata: Mapping[str, str | None]) -> Updated:
    if image is None:
        return Updated(id, NOT_FOUND, None)
    merged = {key: value for key, value in {**image.attributes, **metadata}.items() if value is not None}
    if len(merged) > MAX_PAIRS:
        return Updated(id, LIMIT, image.attributes)
    image.attributes = merged
    return Updated(id, OK, merged)


class _Reader:
    """Reads a filter from left to right; one method for each rule of the grammar."""

    def __init__(self, text: str, dialect: str) -> None:
        self._text = text
        self._dialect = dialect
        self._at = match.end() if (match := PREFIX.match(text)) else 0
        self._terms = 0

    def whole(self) -> ColumnElement[bool]:
        condition = self._expression()
        if self._text[self._at :].strip():
            raise self._problem("and, or, or the end")
        return condition

    def _expression(self) -> ColumnElement[bool]:
        parts = [self._term()]
        while self._skip("or"):
            parts.append(self._term())
        return or_(*parts)

    def _term(self) -> ColumnElement[bool]:
        parts = [self._factor()]
        while self._skip("and"):
            parts.append(self._factor())
        return and_(*parts)

    def _factor(self) -> ColumnElement[bool]:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise Invalid(f"A $filter has at most {MAX_TERMS} comparisons and parentheses.")
        if self._skip("("):
            inner = self._expression()
            if not self._skip(")"):
                raise self._problem("a closing parenthesis")
            return inner
        key = self._name("a key")
        negated = self._skip("ne")
        if not negated and not self._skip("eq"):
            raise self._problem("eq or ne")
        has = self._has(key, self._name("a value"))
        return ~has if negated else has

    def _name(self, what: str) -> str:
        match = WORD.match(self._text, self._at)
        if match is None or match[2]:
            raise self._problem(what)
        self._at = match.end()
        return match[3] if match[1] is None else match[1].replace("''", "'")

    def _skip(self, word: str) -> bool:
        match = WORD.match(self._text, self._at)
        if match is None or (match[2] or match[3] or "").lower() != word:
            return False
        self._at = match.end()
        return True

    def _has(self, key: str, value: str) -> ColumnElement[bool]:
        pairs = EACH_PAIR[self._dialect](Image.attributes).table_valued("key", "value")
        return exists(select(1).select_from(pairs).where(pairs.c.key == key, pairs.c.value == value))

    def _problem(self, expected: str) -> Invalid:
        rest = self._text[self._at :].strip()
        found = repr(rest[:40]) if rest else "its end"
        return Invalid(f"$filter cannot be read at character {self._at + 1}: expected {expected}, found {found}.")
