"""Pages, orders and the envelope around a list; contract section 5.5."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.query.http.lists.paging import MAX_PAGE, PageRequest, envelope, read_page
from shared.booking_api.errors import ValidationFailed
from shared.booking_api.reading.timestamps import Reading

EIGHT = datetime(2016, 9, 30, 15, tzinfo=UTC)


def _page(**query: str) -> PageRequest:
    return read_page(query, Reading())


def test_a_page_is_large_and_newest_first_unasked() -> None:
    assert _page() == PageRequest(1000, 1, "created_at", True)


@pytest.mark.parametrize(
    ("limit", "read"),
    [
        *[("3", 3), ("1000", 1000), ("1001", 1000), ("99999999999", 1000), ("0", 1)],
        *[("", 1000), ("x", 1000), ("-5", 1000), ("5.5", 5), (" 7", 7), ("3include=", 3)],
    ],
)
def test_a_limit_is_read_leniently(limit: str, read: int) -> None:
    assert _page(limit=limit).limit == read


@pytest.mark.parametrize(
    ("page", "read"),
    [
        *[("2", 2), ("1include=", 1), ("2include=", 2), ("0", 1), ("-1", 1), ("", 1), ("x", 1)],
        *[("9999999999", MAX_PAGE), ("99999999999999999", MAX_PAGE), ("1e3", 1)],
    ],
)
def test_a_page_is_read_leniently(page: str, read: int) -> None:
    assert _page(page=page).page == read


def test_a_page_knows_what_comes_before_it() -> None:
    assert _page(limit="3", page="3").skip == 6


@pytest.mark.parametrize(
    ("query", "order_by", "descending"),
    [
        ({"orderBy": "start"}, "start", False),
        ({"orderBy": "start", "sortedBy": "desc"}, "start", True),
        ({"orderBy": "created_at", "sortedBy": "ASC"}, "created_at", False),
        ({"sortedBy": "asc"}, "created_at", False),
        ({"orderBy": "", "sortedBy": ""}, "created_at", True),
        ({"orderBy": "attributes.event_info.end"}, "end", False),
        ({"orderBy": "completed"}, "completed", False),
    ],
)
def test_an_order_is_read(query: dict[str, str], order_by: str, descending: bool) -> None:
    page = read_page(query, Reading())
    assert (page.order_by, page.descending) == (order_by, descending)


def test_a_list_has_an_order_of_its_own() -> None:
    page = read_page({}, Reading(), "start", descending=False)
    assert (page.order_by, page.descending) == ("start", False)


@pytest.mark.parametrize(
    "text", ["2016-09-30T08:00:00-07:00", "2016-09-30T15:00:00 00:00", "2016-09-30T15:00:00 0000"]
)
def test_a_range_of_time_is_read_even_with_a_raw_plus(text: str) -> None:
    page = _page(start=text, end=text)
    assert (page.start, page.end) == (EIGHT, EIGHT)


def test_a_range_is_read_by_the_requests_pattern() -> None:
    reading = Reading(ZoneInfo("America/Los_Angeles"), "Y-m-d H:i")
    assert read_page({"start": "2016-09-30 08:00"}, reading).start == EIGHT


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"orderBy": "id"}, "orderBy"),
        ({"orderBy": "created_at; DROP"}, "orderBy"),
        ({"sortedBy": "up"}, "sortedBy"),
        ({"start": "yesterday"}, "start"),
        ({"end": "2016-09-30"}, "end"),
    ],
)
def test_what_is_not_known_is_refused(query: dict[str, str], field: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        read_page(query, Reading())
    assert list(refused.value.errors) == [field]


def _envelope(total: int, shown: int, query: dict[str, str]) -> dict[str, object]:
    url = "https://example.org/v2/bookings"
    return envelope([{}] * shown, total, read_page(query, Reading()), url, query)


def test_a_page_in_the_middle_has_neighbours_that_keep_the_question() -> None:
    query = {"limit": "3", "page": "2", "search": "customer.name:a b", "include": "meta"}
    shared = "https://example.org/v2/bookings?search=customer.name%3Aa+b&include=meta&limit=3"
    assert _envelope(8, 3, query) == {
        "data": [{}, {}, {}],
        "total": 8,
        "per_page": 3,
        "current_page": 2,
        "last_page": 3,
        "next_page_url": f"{shared}&page=3",
        "prev_page_url": f"{shared}&page=1",
        "from": 4,
        "to": 6,
    }


@pytest.mark.parametrize(
    ("total", "shown", "query", "last", "following", "previous", "first"),
    [
        (0, 0, {}, 1, False, False, None),
        (2, 2, {}, 1, False, False, 1),
        (6, 3, {"limit": "3"}, 2, True, False, 1),
        (6, 3, {"limit": "3", "page": "2"}, 2, False, True, 4),
        (6, 0, {"limit": "3", "page": "9"}, 2, False, True, None),
    ],
)
def test_the_ends_of_a_list_are_shown(
    total: int,
    shown: int,
    query: dict[str, str],
    last: int,
    following: bool,
    previous: bool,
    first: int | None,
) -> None:
    page = _envelope(total, shown, query)
    assert page["last_page"] == last
    assert (page["next_page_url"] is not None) is following
    assert (page["prev_page_url"] is not None) is previous
    assert page["from"] == first


def test_past_the_end_the_previous_page_is_the_last() -> None:
    page = _envelope(6, 0, {"limit": "3", "page": "9"})
    assert page["prev_page_url"] == "https://example.org/v2/bookings?limit=3&page=2"
