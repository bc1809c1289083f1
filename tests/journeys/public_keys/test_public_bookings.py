"""What a public key may send with a booking, and what it is answered, first and repeated."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from shared.booking_api.reading.request_models import SeatsToCreate
from tests.harness.callers.requests import seats
from tests.harness.services.stack import Caller, Stack, Tenant
from tests.journeys.public_keys.public_page import NO, SECRETS, Page, answered
from tests.journeys.public_keys.test_public_keys import ALLOWED_ON_POST

TAKEN_FIELDS = {"action", "graph", "related", "customer", "meta"}
OWNERS_FIELDS: dict[str, Any] = {
    "webhooks": {"group_customer.confirmed": {"enabled": False}},
    "reminders": [
        {"type": "email", "when": {"type": "before", "unit": "hours", "time": 1}, "settings": {}}
    ],
    "auto_complete_one_hour_after_booking_ends": {"enabled": False},
}


async def test_what_is_booked_is_answered_without_anybody_else(widget: Caller, page: Page) -> None:
    path = f"/v2/bookings?include={','.join(sorted(ALLOWED_ON_POST))}"
    body = seats(page.owner, 2, customer={"attendees": [{"name": "Jennifer Parker"}]})
    headers = {"Idempotency-Key": uuid4().hex}
    first = await widget.post(path, body, headers=headers)
    again = await widget.post(path, body, headers=headers)
    assert (first.status, again.status, again.id) == (201, 201, first.id)
    for answer in (first, again):
        assert not [one for one in SECRETS if one in answer.text]
        assert answer.data["customers"][0]["email"] == body["customer"]["email"]
        assert answer.data["attendees"] == [{"name": "Jennifer Parker", "email": None}]
    link = first.data["customer_action_links"]["cancel_by_customer"]
    assert link.partition("/v2/")[2].startswith(f"bookings/{first.id}/")
    assert again.data["customer_action_links"] == {}
    assert "signature=" not in again.text
    rest = {**first.data, "customer_action_links": {}}
    assert again.data == rest


def test_every_field_of_a_booking_was_judged() -> None:
    assert set(SeatsToCreate.model_fields) == TAKEN_FIELDS | OWNERS_FIELDS.keys()


@pytest.mark.parametrize("field", sorted(OWNERS_FIELDS))
async def test_what_the_owner_decides_comes_with_no_public_key(
    stack: Stack, api: Caller, widget: Caller, page: Page, field: str
) -> None:
    asked = seats(page.owner, **{field: OWNERS_FIELDS[field]})
    before = await stack.position()
    for _ in range(2):  # the second behind a head that came before
        refused = await widget.post("/v2/bookings", asked)
        assert answered(refused) == NO
        assert list(refused.body["errors"]) == [field]
    assert await stack.position() == before
    assert (await widget.post("/v2/bookings", {**asked, field: None})).status == 201
    assert (await api.post("/v2/bookings", asked)).status == 201


async def test_a_head_that_comes_again_obeys_the_same_rules(
    stack: Stack, tenant: Tenant, page: Page
) -> None:
    """One connection, the same head: server, public, and bodies that only a server may send."""
    for caller, named in ((stack.call(tenant.key), True), (stack.call(tenant.widget_key), False)):
        for _ in range(4):
            answer = await caller.get(f"/v2/bookings/groups/{page.owner}")
            assert (SECRETS[0] in answer.text) is named
    widget = stack.call(tenant.widget_key)
    plain = seats(page.owner, webhooks={})
    assert [(await widget.post("/v2/bookings", plain)).status for _ in range(3)] == [201] * 3
    answers = await asyncio.gather(
        *(widget.post("/v2/bookings", {**plain, **OWNERS_FIELDS}) for _ in range(3))
    )
    assert {answered(one) for one in answers} == {NO}
