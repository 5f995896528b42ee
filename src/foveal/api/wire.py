"""What all shapes on the wire have in common: casing, and how moments are written."""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
)
from pydantic.alias_generators import to_camel


def milliseconds(moment: datetime) -> str:
    """Write a moment as the service does for projects and predictions: milliseconds and Z."""
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def ticks(moment: datetime) -> str:
    """Write a moment as the service does for images: seven digits and no zone."""
    return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}0"


def in_utc(moment: datetime) -> datetime:
    """Read a moment without a zone as UTC; raise `ValueError` for one outside the calendar there."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a moment of the years 1 to 9999 in UTC was expected") from error


IN_WORDS = WithJsonSchema({"type": "string", "format": "date-time"})
Moment = Annotated[datetime, PlainSerializer(milliseconds, return_type=str), IN_WORDS]
ImageMoment = Annotated[datetime, PlainSerializer(ticks, return_type=str), IN_WORDS]
# A moment that a client sends: one without a zone is in UTC.
Zoned = Annotated[Moment, AfterValidator(in_utc)]


class Wire(BaseModel):
    """Base of all wire shapes: camelCase outside, snake_case inside, unknown fields ignored as Azure does."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        serialize_by_alias=True,
        coerce_numbers_to_str=True,
    )
    omitted_when_none: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _omit(self, handler: SerializerFunctionWrapHandler):  # noqa: ANN202  # a return type would become the schema
        shape: dict[str, Any] = handler(self)
        return {key: value for key, value in shape.items() if value is not None or key not in self.omitted_when_none}
