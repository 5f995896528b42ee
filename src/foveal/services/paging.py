"""Pages of a list that is filtered by what the database cannot see, such as stored probabilities.

A page ends with a mark: the place of its last row in the order, from which the next page goes on. Rows that come or go
between two pages neither shift nor repeat the others.
"""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice, repeat
from math import isfinite
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, bindparam, tuple_
from sqlalchemy.orm import Session

from foveal.db.tables import UtcTime
from foveal.errors import Invalid

MAX_RESULTS = 256
DEFAULT_RESULTS = 64  # our choice: Azure's is not established
CHUNK = 2_048  # rows looked at in one query

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

    def place(self, row: Any) -> tuple[Any, UUID]:
        return getattr(row, self.key), getattr(row, self.id)


Glimpse = Any
"""A row of the few columns that decide whether the whole row is wanted."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows, and the mark where the next page begins; empty: this is the last one."""

    rows: list[Row]
    continuation: str


def check_size(take: int) -> None:
    """Refuse a page that is too long."""
    if take > MAX_RESULTS:
        raise Invalid(
            f"maxCount is at most {MAX_RESULTS}; got {take}. The continuation leads to the rest.",
            "BadRequestPredictionResultsExceededCount",
        )


def page(  # noqa: PLR0913  # a query's worth of values
    session: Session,
    statement: Select[Row],
    order: Order[Row],
    *,
    continuation: str,
    take: int,
    glimpsed: Sequence[str],
    accept: Callable[[Glimpse], bool],
) -> Page[Row]:
    """Return the next rows that are accepted, which is decided by the columns `glimpsed`.

    Raises:
        Invalid: The mark is none of ours.
    """
    columns = [getattr(order.table, name) for name in dict.fromkeys((order.key, order.id, *glimpsed))]
    light = statement.with_only_columns(*columns)
    glimpses = _glimpses(session, light, order, _after(order, continuation), first=take + 1)
    found = filter(accept, glimpses)
    places = [order.place(glimpse) for glimpse in islice(found, take)]
    more = len(places) == take and next(found, None) is not None
    _, id_column = order.columns()
    rows = session.scalars(statement.where(id_column.in_([id for _, id in places])))
    by_id = {order.place(row)[1]: row for row in rows}
    return Page([by_id[id] for _, id in places], _mark(*places[-1]) if more else "")


def _glimpses(
    session: Session, statement: Any, order: Order[Any], after: tuple[Any, UUID] | None, *, first: int
) -> Iterator[Glimpse]:
    """Look at `first` rows, enough where all are wanted, and then at many at a time."""
    by = [column.desc() if order.descending else column.asc() for column in order.columns()]
    for limit in chain([first], repeat(CHUNK)):
        rest = statement if after is None else statement.where(_beyond(order, *after))
        chunk = session.execute(rest.order_by(*by).limit(limit)).all()
        yield from chunk
        if len(chunk) < limit:
            return
        after = order.place(chunk[-1])


def _beyond(order: Order[Row], value: Any, id: UUID) -> Any:
    # Compared as a pair, which an index over both columns answers; an "or" of the two cases would sort all rows.
    columns = order.columns()
    place, mark = (
        tuple_(*columns),
        tuple_(*(bindparam(None, part, column.type) for part, column in zip((value, id), columns, strict=True))),
    )
    return place < mark if order.descending else place > mark


def _mark(value: Any, id: UUID) -> str:
    written = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([written, id.hex]).encode()).decode()


def _after(order: Order[Row], mark: str) -> tuple[Any, UUID] | None:
    if not mark:
        return None
    try:
        written, id = json.loads(base64.urlsafe_b64decode(mark))
        moments = isinstance(order.columns()[0].type, UtcTime)
        return datetime.fromisoformat(written).astimezone(UTC) if moments else _number(written), UUID(hex=id)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise Invalid(
            f"continuation {mark!r:.80} is none that this server gave: begin again without it.",
            "BadRequestPredictionInvalidQueryParameters",
        ) from error


def _number(written: object) -> float:
    if not isinstance(written, float) or not isfinite(written):
        raise ValueError(written)
    return written
