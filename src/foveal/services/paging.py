"""Pages of a list that is filtered by what the database cannot see, such as stored probabilities.

A page ends with a mark: the place of its last row in the order, from which the next page goes on. Rows that come or go
between two pages neither shift nor repeat the others.
"""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, and_, or_
from sqlalchemy.orm import Session

from foveal.db.tables import UtcTime
from foveal.errors import Invalid

CHUNK = 512  # rows looked at in one query

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Order(Generic[Row]):
    """By a moment or number first, then by id, both in the same direction; columns by their names."""

    table: type[Row]
    key: str
    id: str
    descending: bool

    def columns(self) -> tuple[Any, Any]:
        return getattr(self.table, self.key), getattr(self.table, self.id)

    def place(self, row: Row) -> tuple[Any, UUID]:
        return getattr(row, self.key), getattr(row, self.id)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows, and the mark where the next page begins; empty: this is the last one."""

    rows: list[Row]
    continuation: str


def page(
    session: Session,
    statement: Select[Row],
    order: Order[Row],
    *,
    continuation: str,
    take: int,
    accept: Callable[[Row], bool],
) -> Page[Row]:
    """Return the next rows that are accepted; raises `Invalid` at a mark that is none of ours."""
    found = filter(accept, _rows(session, statement, order, _after(order, continuation)))
    rows = list(islice(found, take))
    more = len(rows) == take and next(found, None) is not None
    return Page(rows, _mark(order, rows[-1]) if more else "")


def _rows(session: Session, statement: Select[Row], order: Order[Row], after: tuple[Any, UUID] | None) -> Iterator[Row]:
    by = [column.desc() if order.descending else column.asc() for column in order.columns()]
    while True:
        rest = statement if after is None else statement.where(_beyond(order, *after))
        chunk: Sequence[Row] = session.scalars(rest.order_by(*by).limit(CHUNK)).all()
        yield from chunk
        if len(chunk) < CHUNK:
            return
        after = order.place(chunk[-1])


def _beyond(order: Order[Row], value: Any, id: UUID) -> Any:
    key, tie = order.columns()
    if order.descending:
        return or_(key < value, and_(key == value, tie < id))
    return or_(key > value, and_(key == value, tie > id))


def _mark(order: Order[Row], row: Row) -> str:
    value, id = order.place(row)
    written = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([written, id.hex]).encode()).decode()


def _after(order: Order[Row], mark: str) -> tuple[Any, UUID] | None:
    if not mark:
        return None
    try:
        written, id = json.loads(base64.urlsafe_b64decode(mark))
        moments = isinstance(order.columns()[0].type, UtcTime)
        return datetime.fromisoformat(written) if moments else float(written), UUID(id)
    except (ValueError, TypeError) as error:
        raise Invalid(
            f"continuation {mark!r:.80} is none that this server gave: begin again without it.",
            "BadRequestPredictionInvalidQueryParameters",
        ) from error
