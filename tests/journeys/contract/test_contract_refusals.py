"""Why a seat was refused, asked of the service by the id that the refusal gave."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from tests.harness.callers.requests import group, payment_seats, seats
from tests.harness.services.stack import Answer, Caller, Stack
from tests.harness.waiting import until


async def _group(api: Caller, max_seats: int = 2, **settings: Any) -> str:
    return (await api.post("/v2/bookings", group(max_seats, settings=settings))).id


async def test_a_refusal_says_which_booking_was_not_made_and_why(api: Caller) -> None:
    owner = await _group(api)
    await api.post("/v2/bookings", seats(owner))
    refused = await api.post("/v2/bookings", payment_seats(owner, 3))
    assert (refused.status, refused.code, refused.body["seats_left"]) == (422, "sold_out", 1)
    booking_id = refused.body["booking_id"]
    assert (await api.get(f"/v2/bookings/{booking_id}")).status == 404
    why = await _why(api, booking_id)
    assert why.data.pop("at").startswith("20")
    assert why.data == {
        "outcome": "refused",
        "booking_id": booking_id,
        "group_id": owner,
        "graph": "group_customer_payment",
        "code": "sold_out",
        "seats": 3,
        "seats_free": 1,
        "version": 2,
    }


async def _why(api: Caller, booking_id: str) -> Answer:
    """What is said of a refused booking, once it is recorded."""
    path = f"/v2/bookings/{booking_id}/why"

    async def recorded() -> bool:
        return (await api.get(path)).status == 200

    await until(recorded, what="the record of a refusal")
    return await api.get(path)


async def test_a_booking_that_was_made_says_so(api: Caller) -> None:
    owner = await _group(api)
    made = await api.post("/v2/bookings", seats(owner))
    for booking_id, graph, version in ((owner, "group_owner", 1), (made.id, "group_customer", 2)):
        why = (await api.get(f"/v2/bookings/{booking_id}/why")).data
        assert (why["outcome"], why["graph"], why["version"]) == ("booked", graph, version)
        assert why["group_id"] == owner
    assert str(why["position"]) == made.headers["Seatledger-Position"]


async def test_widget_keys_ask_about_their_booking_and_not_about_everyone(
    api: Caller, widget: Caller
) -> None:
    owner = await _group(api, 1)
    refused = await widget.post("/v2/bookings", seats(owner, 2))
    why = await _why(widget, refused.body["booking_id"])
    assert why.data["code"] == "sold_out"
    assert (await widget.get(f"/v2/bookings/groups/{owner}/refusals")).code == "forbidden"


async def test_turned_away_demand_is_counted_and_the_newest_are_listed(api: Caller) -> None:
    owner = await _group(api, 5, max_seats_per_customer=2)
    customer = {"email": "doc@example.com"}
    await api.post("/v2/bookings", seats(owner, 2, customer=customer))
    refused = [await api.post("/v2/bookings", seats(owner, asked)) for asked in (4, 5)]
    refused.append(await api.post("/v2/bookings", seats(owner, 1, customer=customer)))
    ids = [answer.body["booking_id"] for answer in refused]
    page = await _recorded(api, owner, 3)
    assert [one["booking_id"] for one in page.data] == ids[::-1]
    away = page.body["turned_away"]
    assert (away["requests"], away["seats"]) == (3, 10)
    by_code = {code: (c["requests"], c["seats"]) for code, c in away["by_code"].items()}
    assert by_code == {"customer_limit_reached": (1, 1), "sold_out": (2, 9)}
    second = await api.get(f"/v2/bookings/groups/{owner}/refusals?limit=2&page=2")
    assert [one["booking_id"] for one in second.data] == ids[:1]
    assert (second.body["total"], second.body["last_page"], second.body["from"]) == (3, 2, 3)


async def _recorded(api: Caller, owner: str, requests: int) -> Answer:
    """The group's refusals, once so many are recorded."""
    path = f"/v2/bookings/groups/{owner}/refusals"

    async def recorded() -> bool:
        return bool((await api.get(path)).body["turned_away"]["requests"] >= requests)

    await until(recorded, what="the record of what was refused")
    return await api.get(path)


async def test_a_group_that_refused_nobody_has_an_empty_list(api: Caller) -> None:
    page = await api.get(f"/v2/bookings/groups/{await _group(api)}/refusals")
    assert (page.status, page.data, page.body["total"]) == (200, [], 0)
    assert page.body["turned_away"] == {"requests": 0, "seats": 0, "by_code": {}}


@pytest.mark.parametrize("all_or_nothing", [True, False])
async def test_a_refusal_in_a_bulk_can_be_asked_about(api: Caller, all_or_nothing: bool) -> None:
    owner = await _group(api, 1)
    body = {"bookings": [seats(owner), seats(owner)], "delete_all_on_error": all_or_nothing}
    answer = await api.post("/v2/bookings/bulk", body)
    [error] = answer.body["errors"]
    why = await _why(api, error["booking_id"])
    assert (why.data["outcome"], why.data["code"]) == ("refused", error["code"])
    assert why.data["seats_free"] == 0


async def test_a_request_asked_again_is_counted_once(api: Caller) -> None:
    owner = await _group(api, 1)
    key, body = {"Idempotency-Key": f"refused-{owner}"}, seats(owner, 2)
    first = await api.post("/v2/bookings", body, headers=key)
    again = await api.post("/v2/bookings", body, headers=key)
    assert (first.status, first.text) == (422, again.text)
    await api.post("/v2/bookings", seats(owner, 3))
    page = await _recorded(api, owner, 2)
    assert [one["seats"] for one in page.data] == [3, 2]


async def test_what_is_recorded_holds_nothing_personal(api: Caller, stack: Stack) -> None:
    owner = await _group(api, 1)
    who = {
        "name": "Griff Tannen",
        "email": "griff@example.org",
        "phone": "+1 555 0100",
        "comment": "Griffword",
        "attendees": [{"name": "Griffword", "email": "griff@example.org"}],
    }
    asked = seats(owner, 2, customer=who, meta={"Griffword": "Griffword"})
    await api.post("/v2/bookings", asked, headers={"X-Request-Id": "Griffword"})
    await _recorded(api, owner, 1)
    connection = await asyncpg.connect(stack.dsn)
    try:
        rows = await connection.fetch("SELECT r::text FROM refusals r")
        rows += await connection.fetch("SELECT c::text FROM refusal_counts c")
    finally:
        await connection.close()
    kept = " ".join(row[0] for row in rows).casefold()
    assert owner in kept
    assert [
        word for word in ("griff", "555 0100", "tannen") if word in kept.replace(owner, "")
    ] == []
