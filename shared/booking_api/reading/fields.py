"""The field types of request models, each with its bounds; contract section 4.

Strict: 1.5, "2" and true are no numbers of seats, 1 is no text. `null` means "not given".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, NamedTuple
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    StrictBool,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError, to_json

from shared.booking_api.reading.timestamps import (
    UNKNOWN_ZONE,
    Reading,
    UnreadableTimestamp,
    find_zone,
)
from shared.domain.durations import InvalidDuration, parse_duration
from shared.domain.mailbox_address import is_blank, shows_invisible

MAX_SEATS: Final = 1_000_000
MAX_LINE: Final = 255
MAX_ZONE: Final = 64
MAX_PROSE: Final = 10_000
MAX_META_KEYS: Final = 100
MAX_META_KEY: Final = 128
MAX_META_BYTES: Final = 16_384

# Text holds no control characters (json_body); one line holds no line breaks or tabs either.
_LINE = r"^[^\t\n\r]*$"
_NON_BLANK_LINE = r"^[^\t\n\r]*[^\s][^\t\n\r]*$"
_EMAIL = r"^[^\s@<>(),;:\"\\\[\]]{1,64}@[^\s@<>(),;:\"\\\[\].]+(\.[^\s@<>(),;:\"\\\[\].]+)+$"

Line = Annotated[str, StringConstraints(strict=True, max_length=MAX_LINE, pattern=_LINE)]


def _visible(text: str) -> str:
    """Invisible characters have their uses in a name, but not alone."""
    if not text.isascii() and is_blank(text):
        raise PydanticCustomError("blank", "must have something that can be seen")
    return text


def _without_blanks(value: object) -> object:
    """Blanks around an address come with a paste; what else is invisible there is refused."""
    return value.strip(" \t\r\n\u00a0") if isinstance(value, str) else value


def _plain_address(text: str) -> str:
    """Mail to an address with something invisible in it, pasted along, does not arrive."""
    if shows_invisible(text):
        raise PydanticCustomError("invisible", "must have no invisible characters")
    return text


Name = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=MAX_LINE, pattern=_NON_BLANK_LINE),
    AfterValidator(_visible),
]
Prose = Annotated[str, StringConstraints(strict=True, max_length=MAX_PROSE)]
Email = Annotated[
    str,
    StringConstraints(strict=True, max_length=254, pattern=_EMAIL),
    AfterValidator(_plain_address),
    BeforeValidator(_without_blanks),
]
Flag = StrictBool
SeatNumber = Annotated[int, Field(strict=True, ge=1, le=MAX_SEATS)]


def _written_out(value: object) -> object:
    """Only the 36 characters of RFC 9562: no braces, no urn, no bare hex."""
    if type(value) is not str or len(value) != 36:
        raise PydanticCustomError("uuid_parsing", "must be a UUID")
    return value


Uuid = Annotated[UUID, BeforeValidator(_written_out)]


def _moment(value: object, info: ValidationInfo) -> datetime:
    if type(value) is not str:
        raise PydanticCustomError("timestamp", "must be a timestamp, as text")
    reading: Reading = (info.context or {}).get("reading", _DEFAULT_READING)
    try:
        return reading.read(value)
    except UnreadableTimestamp as error:
        raise PydanticCustomError("timestamp", "{reason}", {"reason": str(error)}) from None


_DEFAULT_READING: Final = Reading()

Moment = Annotated[
    datetime,
    PlainValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def _blank_is_absent(value: object) -> object:
    """Forms send an empty field as empty text; browsers that know no zone name `Etc/Unknown`."""
    if type(value) is str and (value == UNKNOWN_ZONE or not value.strip()):
        return None
    return value


BlankIsAbsent = BeforeValidator(_blank_is_absent)
"""For fields that may be left out, in front of their `| None`."""


def _known_zone(name: str) -> str:
    if find_zone(name) is None:
        raise PydanticCustomError("time_zone", "must be a time zone name, such as Europe/Paris")
    return name


def _zone_to_show(name: str) -> str | None:
    return name if len(name) <= MAX_ZONE and find_zone(name) is not None else None


ZoneName = Annotated[
    str, StringConstraints(strict=True, max_length=MAX_ZONE), AfterValidator(_known_zone)
]
"""A zone that days are counted in."""
ZoneToShow = Annotated[str, StringConstraints(strict=True), AfterValidator(_zone_to_show)]
"""A zone that is only shown: None, as if it were not given, when there is none of that name."""


def _readable_duration(text: str) -> str:
    try:
        parse_duration(text)
    except InvalidDuration as error:
        raise PydanticCustomError("duration", "{reason}", {"reason": str(error)}) from None
    return text


DurationText = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=100),
    AfterValidator(_readable_duration),
]


def _object_or_empty_list(value: object) -> object:
    """PHP encodes an empty object as `[]`."""
    return {} if value == [] else value


class MetaSize(NamedTuple):
    """How large a meta object is: its keys, and its bytes as JSON."""

    keys: int
    octets: int

    @property
    def problem(self) -> str | None:
        """Which bound it is beyond, or None."""
        if self.keys > MAX_META_KEYS:
            return f"must have at most {MAX_META_KEYS} keys"
        if self.octets > MAX_META_BYTES:
            return f"must be at most {MAX_META_BYTES} bytes of JSON"
        return None

    def is_within(self, before: MetaSize) -> bool:
        """Whether it shrank: less in one way, and in none more."""
        return self != before and self.keys <= before.keys and self.octets <= before.octets


def size_of(meta: Mapping[str, Any]) -> MetaSize:
    return MetaSize(len(meta), len(to_json(meta)) if meta else 0)


def meta_error(value: Mapping[str, Any]) -> str | None:
    """What is wrong with a meta object, or None."""
    if any(not 1 <= len(key) <= MAX_META_KEY for key in value):
        return f"must have keys of 1 to {MAX_META_KEY} characters"
    return size_of(value).problem


def _bounded_meta(value: dict[str, Any]) -> dict[str, Any]:
    problem = meta_error(value)
    if problem is not None:
        raise PydanticCustomError("meta", "{reason}", {"reason": problem})
    return value


Meta = Annotated[
    dict[str, Any], BeforeValidator(_object_or_empty_list), AfterValidator(_bounded_meta)
]
SeatGraphName = Literal["group_customer", "group_customer_payment"]
EmptyListIsObject = BeforeValidator(_object_or_empty_list)
