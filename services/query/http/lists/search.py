"""`?search=attr:value;attr:value`: what a list is narrowed to, all of it at once.

Contract section 5.6. `;` arrives raw or decoded; a value may hold `:`; unknown attributes are
refused. What a text filter matches is said to SQL by `like_pattern`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shared.booking_api.errors import ValidationFailed
from shared.booking_api.reading.parameters import id_in

Kind = Literal["id", "word", "flag", "text"]

ATTRIBUTES: Final[Mapping[str, Kind]] = {
    "id": "id",
    "resource.id": "id",
    "calendar.id": "id",
    "project.id": "id",
    "graph": "word",
    "state": "word",
    "completed": "flag",
    "customer.id": "id",
    "customer.name": "text",
    "customer.email": "text",
    "customer.phone": "text",
    "customer.voip": "text",
    "customer.timezone": "text",
}
OLD_NAMES: Final[Mapping[str, str]] = {"widget.id": "project.id"}
OPEN_ENDED: Final = ("meta.", "customer.")
"""Prefixes below which any name is an attribute: `meta.<key>`, `customer.<field>`."""

MAX_LENGTH: Final = 2_000
MAX_FILTERS: Final = 20
_FLAGS: Final = {"true": "true", "1": "true", "false": "false", "0": "false"}


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition: `attribute` is `value`, or begins, ends or goes on around it.

    Ids are in canonical form, flags "true" or "false"; text is compared without regard to case.
    """

    attribute: str
    value: str
    kind: Kind
    open_start: bool = False
    open_end: bool = False

    @property
    def key(self) -> str:
        """The part after the first dot: the meta key, the customer's field."""
        return self.attribute.partition(".")[2]

    def like_pattern(self) -> str:
        r"""The value for SQL's `ILIKE … ESCAPE '\'`."""
        escaped = self.value.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
        return f"{'%' if self.open_start else ''}{escaped}{'%' if self.open_end else ''}"


def parse_search(text: str | None) -> tuple[Filter, ...]:
    """The filters of a `search` parameter, () for none; ValidationFailed (`search`) otherwise."""
    if not text:
        return ()
    if len(text) > MAX_LENGTH or "\x00" in text:
        raise _refused(f"The search field must be at most {MAX_LENGTH} characters of text.")
    terms = [term for term in text.split(";") if term.strip()]
    if len(terms) > MAX_FILTERS:
        raise _refused(f"The search field must have at most {MAX_FILTERS} conditions.")
    return tuple(_filter(term) for term in terms)


def values_of(filters: Sequence[Filter], attribute: str) -> tuple[str, ...]:
    """The values asked for of one attribute."""
    return tuple(one.value for one in filters if one.attribute == attribute)


def _filter(term: str) -> Filter:
    name, colon, value = term.partition(":")
    name = OLD_NAMES.get(name.strip(), name.strip())
    if not colon:
        raise _refused("The search field must be attribute:value pairs, separated by ';'.")
    kind = _kind(name)
    value = value.strip()
    if name == "customer.email":
        value = value.replace(" ", "+")  # an address holds no space: its plus was sent raw
    if kind == "id":
        return Filter(name, _uuid(name, value), kind)
    if kind == "flag":
        return Filter(name, _flag(name, value), kind)
    if kind == "word":
        return Filter(name, value, kind)
    return _text_filter(name, value)


def _kind(name: str) -> Kind:
    kind = ATTRIBUTES.get(name)
    if kind is not None:
        return kind
    if any(name.startswith(prefix) and len(name) > len(prefix) for prefix in OPEN_ENDED):
        return "text"
    raise _refused(f"'{name[:100]}' is not something bookings can be searched by.")


def _text_filter(name: str, value: str) -> Filter:
    open_start = value.startswith("*")
    value = value[1:] if open_start else value
    open_end = value.endswith("*")
    value = value[:-1] if open_end else value
    return Filter(name, value, "text", open_start, open_end or (open_start and not value))


def _uuid(name: str, value: str) -> str:
    found = id_in(value) if len(value) == 36 else None
    if found is None:
        raise _refused(f"'{name}' must be searched by a UUID.")
    return str(found)


def _flag(name: str, value: str) -> str:
    flag = _FLAGS.get(value.lower())
    if flag is None:
        raise _refused(f"'{name}' must be searched by true or false.")
    return flag


def _refused(sentence: str) -> ValidationFailed:
    return ValidationFailed({"search": [sentence]}, "invalid_search")
