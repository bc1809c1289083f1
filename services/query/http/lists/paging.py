"""Which page of a list, in which order, and the envelope around it.

Contract section 5.5. Numbers are read leniently, as a client in the wild sends `page=1include=`;
names are not. Pages end at 1,000 bookings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import urlencode

from shared.booking_api.errors import ValidationFailed
from shared.booking_api.reading.parameters import leading_number, moment_in
from shared.booking_api.reading.timestamps import Reading, UnreadableTimestamp
from shared.booking_api.reading.validation import failed

LIMIT: Final = 1_000
MAX_PAGE: Final = 1_000_000_000

Order = Literal["created_at", "updated_at", "completed", "graph", "state", "start", "end"]
ORDERS: Final[Mapping[str, Order]] = {
    "created_at": "created_at",
    "updated_at": "updated_at",
    "completed": "completed",
    "graph": "graph",
    "state": "state",
    "start": "start",
    "end": "end",
    "event.start": "start",
    "event.end": "end",
    "event_info.start": "start",
    "event_info.end": "end",
    "attributes.event_info.start": "start",
    "attributes.event_info.end": "end",
}


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page asked for: `limit` 1..1000, `page` from 1; `start` and `end` bound the event (UTC)."""

    limit: int = LIMIT
    page: int = 1
    order_by: Order = "created_at"
    descending: bool = True
    start: datetime | None = None
    end: datetime | None = None

    @property
    def skip(self) -> int:
        """How many bookings come before this page."""
        return (self.page - 1) * self.limit


def read_page(
    query: Mapping[str, str],
    reading: Reading,
    order_by: Order = "created_at",
    descending: bool = True,
) -> PageRequest:
    """The page that query parameters ask for; ValidationFailed for an order or moment unknown.

    `order_by` and `descending` are the list's own order, when none is asked for; an order that is
    asked for goes up unless `sortedBy` says otherwise.
    """
    asked = query.get("orderBy")
    return PageRequest(
        min(max(leading_number(query.get("limit"), LIMIT), 1), LIMIT),
        min(max(leading_number(query.get("page"), 1), 1), MAX_PAGE),
        _order(asked) if asked else order_by,
        _descending(query.get("sortedBy"), descending if not asked else False),
        _moment("start", query, reading),
        _moment("end", query, reading),
    )


def _order(name: str) -> Order:
    order = ORDERS.get(name)
    if order is None:
        known = ", ".join(list(ORDERS)[:7])
        raise ValidationFailed({"orderBy": [f"The orderBy field must be one of {known}."]})
    return order


def _descending(text: str | None, otherwise: bool) -> bool:
    if not text:
        return otherwise
    if text.lower() not in ("asc", "desc"):
        raise ValidationFailed({"sortedBy": ["The sortedBy field must be asc or desc."]})
    return text.lower() == "desc"


def _moment(name: str, query: Mapping[str, str], reading: Reading) -> datetime | None:
    text = query.get(name)
    if not text:
        return None
    try:
        return moment_in(text, reading)
    except UnreadableTimestamp as error:
        raise failed(name, str(error)) from None


def envelope(
    data: list[Any], total: int, page: PageRequest, url: str, query: Mapping[str, str]
) -> dict[str, Any]:
    """`data` with the paging keys beside it; `url` is absolute, without its query.

    `next_page_url` is null on the last page: clients loop on that.
    """
    last_page = max(1, -(-total // page.limit))
    return {
        "data": data,
        "total": total,
        "per_page": page.limit,
        "current_page": page.page,
        "last_page": last_page,
        "next_page_url": _url(url, query, page, page.page + 1, last_page),
        "prev_page_url": _url(url, query, page, min(page.page - 1, last_page), last_page),
        "from": page.skip + 1 if data else None,
        "to": page.skip + len(data) if data else None,
    }


def _url(
    url: str, query: Mapping[str, str], page: PageRequest, number: int, last_page: int
) -> str | None:
    if not 1 <= number <= last_page:
        return None
    kept = {name: value for name, value in query.items() if name not in ("limit", "page")}
    return f"{url}?{urlencode({**kept, 'limit': page.limit, 'page': number})}"
