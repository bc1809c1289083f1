"""Which bookings a list shows: the request's conditions as one SQL statement, all values bound."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any
from uuid import UUID

from services.query.http.lists.paging import PageRequest
from services.query.http.lists.search import Filter, values_of
from shared.domain.mailbox_address import (
    composed,
    folded,
    mailbox,
    searched_name,
    spellings,
    without_invisible,
)
from shared.eventlog.statements import statements_of

sql = statements_of(__package__)

_CUSTOMER_FIELDS = frozenset({"phone", "voip", "timezone"})


@cache
def fragments(name: str) -> Mapping[str, str]:
    """The fragments of `sql/<name>.sql`, each below a line `-- its name`; the head is prose."""
    _, _, text = sql(name).partition("\n\n")
    blocks = (block.partition("\n") for block in f"\n{text}".split("\n-- ")[1:])
    return {title: fragment.strip() for title, _, fragment in blocks}


class ListQuery:
    """A list's conditions, page and order; `build` says what it comes to."""

    def __init__(self, app_id: UUID, page: PageRequest) -> None:
        self.app_id = app_id
        self._parameters: list[Any] = []
        self._page = page
        self._conditions: list[str] = []
        self.add("app", app_id)
        self.add("not parked")
        if page.start is not None:
            self.add("from", page.start)
        if page.end is not None:
            self.add("until", page.end)

    def add(self, name: str, *values: Any) -> None:
        """One more condition of `list_conditions.sql`."""
        self._conditions.append(
            fragments("list_conditions")[name].format(*map(self._bound, values))
        )

    def search(self, filters: Iterable[Filter]) -> None:
        for one in filters:
            self.add(*_condition(one))

    def build(self) -> tuple[str, Sequence[Any]]:
        """The statement, and its parameters."""
        known = fragments("list_conditions")
        direction = "DESC" if self._page.descending else "ASC"
        order = (known[f"order {self._page.order_by}"], known["at last"])
        statement = sql("list_bookings").format(
            conditions="\n AND ".join(self._conditions),
            order=", ".join(f"{column} {direction}" for column in order),
            limit=self._bound(self._page.limit),
            skip=self._bound(self._page.skip),
        )
        return statement, self._parameters

    def _bound(self, value: Any) -> str:
        self._parameters.append(value)
        return f"${len(self._parameters)}"


def list_of_bookings(app_id: UUID, page: PageRequest, filters: Iterable[Filter]) -> ListQuery:
    """`GET /v2/bookings`: groups and seat bookings."""
    query = ListQuery(app_id, page)
    query.search(filters)
    return query


def list_of_groups(app_id: UUID, page: PageRequest, filters: tuple[Filter, ...]) -> ListQuery:
    """`GET /v2/bookings/groups`: those that can be booked now, unless a state is asked for."""
    query = list_of_bookings(app_id, page, filters)
    query.add("groups only")
    if not values_of(filters, "state"):
        query.add("bookable")
    return query


def _condition(one: Filter) -> tuple[Any, ...]:
    """The condition's name in `list_conditions.sql`, and its values."""
    if one.attribute == "customer.id":
        return one.attribute, one.value
    if one.kind == "id":
        return one.attribute, UUID(one.value)
    if one.kind == "flag":
        return one.attribute, one.value == "true"
    if one.kind == "word":
        return one.attribute, one.value
    if one.attribute == "customer.name":
        return _by_name(one)
    if one.attribute == "customer.email":
        return _by_email(one)
    pattern = unicodedata.normalize("NFC", one.like_pattern())
    if one.attribute.startswith("meta."):
        return "meta", one.key, pattern
    known = one.key in _CUSTOMER_FIELDS
    return "customer.known" if known else "customer.other", one.key, pattern


def _by_name(one: Filter) -> tuple[Any, ...]:
    """Rows projected before decision 0043 hold a name's own letters, composed or not."""
    if one.value.isascii():
        return one.attribute, one.like_pattern().casefold()
    earlier = unicodedata.normalize("NFD", one.value).casefold()
    spelled = {searched_name(one.value), one.value.casefold(), earlier}
    patterns = [replace(one, value=form).like_pattern() for form in spelled]
    return "customer.name spelled", patterns


def _by_email(one: Filter) -> tuple[Any, ...]:
    """By the mailbox; what was projected before decision 0043 is compared as it was given."""
    text = without_invisible(one.value)
    if text.isascii() and "xn--" not in text.lower():
        return one.attribute, replace(one, value=text).like_pattern().lower()
    if one.open_start or one.open_end:
        form = text.casefold() if one.open_end else mailbox(text)
        as_given = replace(one, value=text).like_pattern()
        return "customer.email alike", replace(one, value=form).like_pattern(), as_given
    form, spelled = mailbox(text), spellings(text)
    columns = sorted({form, *map(folded, spelled)})
    return "customer.email spelled", columns, form, sorted({composed(each) for each in spelled})
