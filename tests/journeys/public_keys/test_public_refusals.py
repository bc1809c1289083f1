"""What a stranger is told when seats are refused: no number of a customer's, or one sentence."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.harness.callers.requests import group, seats
from tests.harness.servers.private import Databases
from tests.harness.services.stack import Answer, Caller, Stack, own_stack

MARTY = {"email": "marty@example.com"}
NEUTRAL = {"error": "These seats cannot be booked.", "code": "seats_refused"}


@pytest_asyncio.fixture(scope="module")
async def discreet(migrated: Databases, scratch: Path) -> AsyncIterator[Stack]:
    """A service that tells public keys the same of every refusal."""
    output = scratch / "discreet.output"
    async with own_stack(migrated, output, SEATLEDGER_NEUTRAL_REFUSALS="true") as running:
        yield running


async def _limited(api: Caller, **settings: Any) -> str:
    """A group in which Marty holds three seats."""
    owner = (await api.post("/v2/bookings", group(settings=settings))).id
    assert (await api.post("/v2/bookings", seats(owner, 3, customer=MARTY))).status == 201
    return owner


async def _asked_again(caller: Caller, owner: str, number: int = 7) -> list[Answer]:
    """The whole way, behind a head that came before, with a key, and repeated."""
    keyed = {"Idempotency-Key": uuid4().hex}
    body = seats(owner, number, customer=MARTY)
    plain = [await caller.post("/v2/bookings", body) for _ in range(3)]
    return [*plain, *[await caller.post("/v2/bookings", body, headers=keyed) for _ in range(2)]]


def _said(answer: Answer) -> dict[str, Any]:
    return {name: value for name, value in answer.body.items() if name != "booking_id"}


async def test_a_limit_names_no_number_to_strangers(api: Caller, widget: Caller) -> None:
    owner = await _limited(api, max_seats_per_customer=4)
    for answer in await _asked_again(widget, owner):
        assert (answer.status, answer.code) == (422, "customer_limit_reached")
        assert re.search(r"\d", answer.body["error"]) is None
        assert answer.body["error"] == ("This customer may not hold that many seats of this group.")
    for answer in await _asked_again(api, owner):
        assert "at most 4 seats" in answer.body["error"] and "holds 3" in answer.body["error"]


async def test_one_seat_each_names_no_number_either(api: Caller, widget: Caller) -> None:
    owner = await _limited(api, allow_duplicates=False)
    for answer in await _asked_again(widget, owner):
        assert (answer.status, answer.code) == (422, "duplicate_booking")
        assert re.search(r"\d", answer.body["error"]) is None


RULES: dict[str, dict[str, Any]] = {
    "customer_limit_reached": {"settings": {"max_seats_per_customer": 4}},
    "duplicate_booking": {"settings": {"allow_duplicates": False}},
    "sold_out": {"max_seats": 3},
    "outside_booking_window": {"settings": {"max_booking_time": "1 day"}},
}


@pytest.mark.parametrize("rule", sorted(RULES))
async def test_where_the_operator_says_so_every_refusal_reads_the_same(
    discreet: Stack, rule: str
) -> None:
    tenant = await discreet.tenant()
    api, widget = discreet.call(tenant.key), discreet.call(tenant.widget_key)
    owner = (await api.post("/v2/bookings", group(**RULES[rule]))).id
    await api.post("/v2/bookings", seats(owner, 3, customer=MARTY))
    for answer in await _asked_again(widget, owner):
        assert (answer.status, _said(answer)) == (422, NEUTRAL)
        why = f"/v2/bookings/{answer.body['booking_id']}/why"
        assert (await widget.get(why)).data["code"] == "seats_refused"
        assert (await api.get(why)).data["code"] == rule
    counted = (await api.get(f"/v2/bookings/groups/{owner}/refusals")).body
    assert list(counted["turned_away"]["by_code"]) == [rule]
    for answer in await _asked_again(api, owner):
        assert answer.code == rule


async def test_a_mistake_in_the_request_is_still_told(discreet: Stack) -> None:
    tenant = await discreet.tenant()
    widget = discreet.call(tenant.widget_key)
    assert (await widget.post("/v2/bookings", seats(str(uuid4())))).status == 404
    asked = seats(str(uuid4()), customer={"email": "nobody"})
    refused = await widget.post("/v2/bookings", asked)
    assert (refused.status, list(refused.body["errors"])) == (422, ["customer.email"])
