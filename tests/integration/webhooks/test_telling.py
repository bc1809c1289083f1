"""What webhooks are told, when, and how it is signed: contract section 9."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import b64decode, b64encode
from uuid import UUID

import pytest

from shared.domain.events import SeatCompleted, SeatPaid
from shared.runtime.postgres import Pool
from tests.harness.services.relays import eventually
from tests.integration.query.api import Api
from tests.integration.query.scenario import Scenario
from tests.integration.webhooks.calls import SECRET, Webhooks
from tests.integration.webhooks.receiver import Receiver, Told

pytestmark = pytest.mark.usefixtures("loops")


@pytest.fixture
def hooks(api: Api, receiver: Receiver) -> Webhooks:
    return Webhooks(api, receiver)


def _signed(told: Told, secret: str, header: str = "x-timekit-signature") -> bool:
    wanted = hmac.new(secret.encode(), told.body, hashlib.sha256).hexdigest()
    return told.headers.get(header) == wanted


def dated(told: Told, key: bytes) -> bool:
    """Whether one of the signatures of Standard Webhooks is by this key, and of now."""
    sent_id, sent_at = told.headers["webhook-id"], told.headers["webhook-timestamp"]
    assert sent_id == told.headers["Seatledger-Delivery-Id"]
    assert abs(time.time() - int(sent_at)) < 300
    wanted = hmac.digest(key, f"{sent_id}.{sent_at}.".encode() + told.body, "sha256")
    given = [one.split(",") for one in told.headers["webhook-signature"].split(" ")]
    return ["v1", b64encode(wanted).decode()] in given


async def test_a_receiver_is_told_the_bare_booking_signed(
    scenario: Scenario, api: Api, hooks: Webhooks, receiver: Receiver
) -> None:
    await hooks.create("confirmed")
    group_id = await scenario.create(app_id=api.app_id, what="A talk")
    seat = await scenario.book(group_id, seats=2, meta={"seen": "ad"})
    await receiver.until(lambda r: len(r.told) == 1)
    [told] = receiver.told
    shown = told.booking
    assert (shown["id"], shown["state"], shown["graph"]) == (
        str(seat),
        "confirmed",
        "group_customer",
    )
    assert set(shown) == {
        *("id", "state", "graph", "completed", "created_at", "updated_at", "event", "calendar"),
        *("customers", "attributes", "user", "project", "meta", "available_actions"),
        *("customer_action_links", "owner_booking"),
    }
    [customer] = shown["customers"]
    assert (customer["name"], customer["phone"], customer["voip"]) == ("Marty McFly", "", "")
    assert json.loads(customer["meta"]) == {} and isinstance(customer["meta"], str)
    assert shown["meta"] == {"seen": "ad"}
    assert shown["owner_booking"]["attributes"]["group_booking"]["current_seats"] == 2
    link = shown["customer_action_links"]["cancel_by_customer"]
    assert link.startswith(f"https://book.example.org/v2/bookings/{seat}/external_action/")
    assert _signed(told, SECRET)
    assert dated(told, SECRET.encode())
    assert UUID(told.headers["Timekit-Request-Id"]).version == 4
    assert "x-timekit-signature-previous" not in told.headers


async def test_only_the_pair_of_graph_and_state_fires(
    scenario: Scenario, api: Api, hooks: Webhooks, receiver: Receiver
) -> None:
    await hooks.create("cancelled_by_customer", "/cancelled")
    await hooks.create("tentative", "/held", "group_customer_payment")
    await hooks.create("paid", "/paid", "group_customer_payment")
    await hooks.create("tentative", "/opened", "group_owner")
    group_id = await scenario.create(app_id=api.app_id)
    other = await scenario.create()  # of another app
    await scenario.book(other, graph="group_customer_payment")
    plain = await scenario.book(group_id, seats=2)
    payer = await scenario.book(group_id, graph="group_customer_payment")
    await scenario.cancel(group_id, plain, seats=1)  # it still has one
    await scenario.cancel(group_id, plain)
    await scenario.pay(group_id, payer)
    await receiver.until(lambda r: len(r.told) == 4)
    assert {told.path: told.booking["id"] for told in receiver.told} == {
        "/opened": str(group_id),
        "/held": str(payer),
        "/cancelled": str(plain),
        "/paid": str(payer),
    }
    assert receiver.at("/held")[0].booking["state"] == "tentative"


async def test_an_owners_cancel_reaches_every_seat_booking(
    scenario: Scenario, api: Api, hooks: Webhooks, receiver: Receiver
) -> None:
    await hooks.create("cancelled_by_owner", "/seats")
    await hooks.create("cancelled", "/group", "group_owner")
    group_id = await scenario.create(app_id=api.app_id)
    seats = await scenario.book_many(group_id, 7)
    await scenario.cancel(group_id, seats[0])
    await scenario.cancel_group(group_id)
    await receiver.until(lambda r: len(r.told) == 7)
    assert {told.booking["id"] for told in receiver.at("/seats")} == set(map(str, seats[1:]))
    assert [told.booking["completed"] for told in receiver.at("/group")] == [True]
    assert len({told.headers["Seatledger-Delivery-Id"] for told in receiver.told}) == 7


async def test_a_seat_paid_after_its_group_completed_is_told_once_as_completed(
    scenario: Scenario, api: Api, hooks: Webhooks, receiver: Receiver
) -> None:
    """The payment and the completion are one commit of two events, each with its own webhook."""
    for state in ("paid", "completed", "unpaid"):
        await hooks.create(state, f"/{state}", "group_customer_payment")
    group_id = await scenario.create(app_id=api.app_id)
    late, other = [await scenario.book(group_id, graph="group_customer_payment") for _ in range(2)]
    await scenario.complete_group(group_id)
    common = scenario._common(group_id, late)
    await scenario.append(group_id, [SeatPaid(**common), SeatCompleted(**common)])
    await scenario.expire(group_id, other)
    await receiver.until(lambda r: bool(r.at("/unpaid")) and len(r.told) >= 3)
    told = [(one.path, one.booking["id"], one.booking["completed"]) for one in receiver.told]
    assert sorted(told) == [
        ("/completed", str(late), True),
        ("/paid", str(late), False),
        ("/unpaid", str(other), True),
    ]


async def test_a_booking_may_switch_a_webhook_off_for_itself(
    scenario: Scenario, api: Api, hooks: Webhooks, receiver: Receiver
) -> None:
    webhook_id = await hooks.create("confirmed", name="crm")
    group_id = await scenario.create(app_id=api.app_id)
    await scenario.book(group_id, webhooks={"crm": {"enabled": False}})
    loud = await scenario.book(group_id, webhooks={"crm": {"enabled": True}})
    await receiver.until(lambda r: len(r.told) == 1)

    async def both_ended() -> bool:
        statuses = [one["status"] for one in await hooks.deliveries(webhook_id)]
        return statuses == ["delivered", "skipped"]

    await eventually(both_ended)
    assert [told.booking["id"] for told in receiver.told] == [str(loud)]


async def test_an_erased_person_is_not_in_what_is_sent_later(
    scenario: Scenario, api: Api, hooks: Webhooks, receiver: Receiver, pool: Pool
) -> None:
    receiver.answers["/hook"] = 500
    await hooks.create("confirmed")
    group_id = await scenario.create(app_id=api.app_id)
    seat = await scenario.book(group_id, meta={"diet": "none"})
    await receiver.until(lambda r: len(r.told) == 1)
    await scenario.erase(group_id, seat, pool)
    receiver.answers["/hook"] = 200
    before = len(receiver.told)
    await receiver.until(lambda r: len(r.told) > before)
    last = receiver.told[-1].booking
    assert (last["customers"], last["meta"], last["state"]) == ([], {}, "confirmed")
    stored = await pool.fetchval("SELECT string_agg(d::text, '') FROM webhook_deliveries d")
    assert "Marty" not in stored and "diet" not in stored


async def test_both_secrets_sign_while_one_takes_the_others_place(
    scenario: Scenario, api: Api, hooks: Webhooks, receiver: Receiver, pool: Pool
) -> None:
    webhook_id = await hooks.create("confirmed")
    rotated = (await hooks.post(f"/{webhook_id}/rotate", {})).body["meta"]
    group_id = await scenario.create(app_id=api.app_id)
    await scenario.book(group_id)
    await receiver.until(lambda r: len(r.told) == 1)
    assert _signed(receiver.told[0], rotated["secret"])
    assert _signed(receiver.told[0], SECRET, "x-timekit-signature-previous")
    new_key = b64decode(rotated["secret"].removeprefix("whsec_"))
    assert dated(receiver.told[0], new_key) and dated(receiver.told[0], SECRET.encode())
    await pool.execute("UPDATE webhooks SET previous_until = now()")
    await scenario.book(group_id)
    await receiver.until(lambda r: len(r.told) == 2)
    assert "x-timekit-signature-previous" not in receiver.told[1].headers
    sealed = await pool.fetchval("SELECT sealed_secret || previous_secret FROM webhooks")
    assert SECRET.encode() not in sealed
