"""Endpoints that fail, hang or lead astray: retried, given up, resent, and nobody else delayed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from services.query.webhooks.http_client import NO_PUBLIC_ADDRESS
from services.query.webhooks.loops import webhook_loops
from services.query.webhooks.sender import PER_ENDPOINT
from shared.eventlog.wakeup import Wakeup
from shared.runtime.postgres import Pool
from tests.harness.services.relays import eventually
from tests.integration.query.api import FOREIGN_KEY, Api
from tests.integration.query.scenario import MASTER, Scenario
from tests.integration.query.statements import sql
from tests.integration.webhooks.calls import Webhooks
from tests.integration.webhooks.conftest import QUICK, settings_of
from tests.integration.webhooks.receiver import PATIENCE, Receiver


@pytest.fixture
def hooks(api: Api, receiver: Receiver) -> Webhooks:
    return Webhooks(api, receiver)


@pytest.mark.usefixtures("loops")
async def test_a_failing_endpoint_is_tried_again_under_the_same_id(
    scenario: Scenario, api: Api, hooks: Webhooks, receiver: Receiver
) -> None:
    receiver.answers["/hook"] = 503
    webhook_id = await hooks.create("confirmed")
    await scenario.book(await scenario.create(app_id=api.app_id))
    await receiver.until(lambda r: len(r.told) == 7)  # past the point where it is left alone
    receiver.answers["/hook"] = 204

    async def delivered() -> bool:
        return bool((await hooks.deliveries(webhook_id))[0]["status"] == "delivered")

    await eventually(delivered)
    assert len({told.headers["Seatledger-Delivery-Id"] for told in receiver.told}) == 1
    attempts = [int(told.headers["Seatledger-Attempt"]) for told in receiver.told]
    assert attempts == list(range(1, len(attempts) + 1))
    [delivery] = await hooks.deliveries(webhook_id)
    assert (delivery["attempts"], delivery["answer"]) == (len(attempts), 204)
    assert (await api.get(f"/webhooks/{webhook_id}")).body["data"]["failures"] == 0


@pytest.mark.usefixtures("loops")
async def test_a_silent_endpoint_delays_no_other(
    scenario: Scenario, api: Api, hooks: Webhooks, receiver: Receiver
) -> None:
    receiver.answers["/silent"] = None
    await hooks.create("confirmed", "/silent")
    await hooks.create("confirmed", "/hook")
    await scenario.book_many(await scenario.create(app_id=api.app_id, max_seats=300), 300)
    async with asyncio.timeout(PATIENCE):
        await receiver.until(lambda r: len(r.at("/hook")) == 300)
    assert receiver.most_at_once["/silent"] <= PER_ENDPOINT
    assert len(receiver.at("/silent")) <= PER_ENDPOINT
    receiver.leave()


@pytest.mark.usefixtures("loops")
async def test_after_three_days_it_is_given_up_and_can_be_resent(
    scenario: Scenario, api: Api, hooks: Webhooks, receiver: Receiver, pool: Pool
) -> None:
    receiver.answers["/hook"] = 500
    webhook_id = await hooks.create("confirmed")
    group_id = await scenario.create(app_id=api.app_id)
    await scenario.book(group_id)
    position = scenario.position
    await receiver.until(lambda r: len(r.told) == 1)
    await pool.execute(
        "UPDATE webhook_deliveries SET give_up_at = give_up_at - $1::interval", timedelta(days=3)
    )

    async def given_up() -> bool:
        return len(await hooks.deliveries(webhook_id, "?status=given_up")) == 1

    await eventually(given_up)
    receiver.answers["/hook"] = 200
    told = len(receiver.told)
    got = await hooks.post(f"/{webhook_id}/resend", {"from_position": position})
    assert (got.status, got.body["data"]) == (
        202,
        {"from_position": position, "to_position": position},
    )
    await receiver.until(lambda r: len(r.told) == told + 1)
    ids = {one.headers["Seatledger-Delivery-Id"] for one in receiver.told}
    assert len(ids) == 1


@pytest.mark.usefixtures("loops")
async def test_an_endpoint_that_is_gone_is_not_asked_again(
    scenario: Scenario, api: Api, hooks: Webhooks, receiver: Receiver
) -> None:
    receiver.answers["/hook"] = 410
    webhook_id = await hooks.create("confirmed")
    group_id = await scenario.create(app_id=api.app_id)
    await scenario.book(group_id)

    async def given_up() -> bool:
        return len(await hooks.deliveries(webhook_id, "?status=given_up")) == 1

    await eventually(given_up)
    receiver.answers["/hook"] = 200
    await scenario.book(group_id)
    await receiver.until(lambda r: len(r.told) == 2)
    gone = (await hooks.deliveries(webhook_id))[-1]
    assert (gone["attempts"], gone["answer"], gone["status"]) == (1, 410, "given_up")
    assert gone["trouble"] == "answered 410: gone, not tried again"


@pytest.mark.usefixtures("loops")
async def test_history_from_before_the_webhook_is_sent_when_asked_for(
    scenario: Scenario, api: Api, hooks: Webhooks, receiver: Receiver
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    seats = [str(await scenario.book(group_id)) for _ in range(2)]
    webhook_id = await hooks.create("confirmed")
    seats.append(str(await scenario.book(group_id)))
    await receiver.until(lambda r: len(r.told) == 1)
    later = await hooks.post(f"/{webhook_id}/resend", {"from": "2999-01-01T00:00:00Z"})
    assert (later.status, later.body["data"]["from_position"]) == (202, scenario.position + 1)
    await hooks.post(f"/{webhook_id}/resend", {"from_position": 3})
    await receiver.until(lambda r: len(r.told) == 3)
    assert sorted(told.booking["id"] for told in receiver.told[1:]) == sorted(seats[1:])
    await hooks.post(f"/{webhook_id}/resend", {"from": "2020-01-01T00:00:00Z"})
    await receiver.until(lambda r: len(r.told) == 6)
    assert sorted(told.booking["id"] for told in receiver.told[3:]) == sorted(seats)


async def test_a_time_is_found_in_the_log(scenario: Scenario, pool: Pool) -> None:
    group_id = await scenario.create()
    await scenario.book_many(group_id, 5)
    for _ in range(4):
        await scenario.book(group_id)
    rows = await pool.fetch("SELECT notification_id, recorded_at FROM stored_events ORDER BY 1")
    for row in rows:
        at = row["recorded_at"]
        before = [one["notification_id"] for one in rows if one["recorded_at"] < at]
        found = await pool.fetchval(sql("webhook_position_at"), at)
        assert found == max(before, default=0)


@pytest.mark.usefixtures("loops")
async def test_a_redirect_is_not_followed(
    scenario: Scenario, api: Api, hooks: Webhooks, receiver: Receiver
) -> None:
    receiver.answers["/hook"] = 302
    webhook_id = await hooks.create("confirmed")
    await scenario.book(await scenario.create(app_id=api.app_id))
    await receiver.until(lambda r: len(r.told) == 2)
    assert receiver.at("/elsewhere") == []
    [delivery] = await hooks.deliveries(webhook_id)
    assert (delivery["answer"], delivery["trouble"]) == (302, "redirects are not followed")


async def test_private_networks_are_reached_only_if_allowed(
    scenario: Scenario,
    api: Api,
    hooks: Webhooks,
    receiver: Receiver,
    wakeup: Wakeup,
    database_url: str,
) -> None:
    by_number = await hooks.create("confirmed")
    port = receiver.url.rpartition(":")[2]
    by_name = await hooks.create("confirmed", url=f"http://localhost:{port}/hook")
    settings = settings_of(database_url, webhooks_private=False)
    async with webhook_loops(settings, MASTER, wakeup, QUICK):
        await scenario.book(await scenario.create(app_id=api.app_id))

        async def both_refused() -> bool:
            logs = [await hooks.deliveries(one) for one in (by_number, by_name)]
            return all(log and NO_PUBLIC_ADDRESS in (log[0]["trouble"] or "") for log in logs)

        await eventually(both_refused)
    assert receiver.told == []


async def test_two_processes_and_a_restart_tell_each_thing_once(
    scenario: Scenario,
    api: Api,
    hooks: Webhooks,
    receiver: Receiver,
    wakeup: Wakeup,
    database_url: str,
) -> None:
    await hooks.create("confirmed")
    group_id = await scenario.create(app_id=api.app_id, max_seats=100)
    settings = settings_of(database_url)
    async with (
        webhook_loops(settings, MASTER, wakeup, QUICK),
        webhook_loops(settings, MASTER, wakeup, QUICK),
    ):
        seats = await scenario.book_many(group_id, 20)
        await receiver.until(lambda r: len(r.told) == 20)
    seats += await scenario.book_many(group_id, 5)  # while nobody looks
    async with webhook_loops(settings, MASTER, wakeup, QUICK):
        await receiver.until(lambda r: len(r.told) == 25)
    assert sorted(told.booking["id"] for told in receiver.told) == sorted(map(str, seats))


async def test_callers_manage_their_own_webhooks_only(
    api: Api, hooks: Webhooks, pool: Pool, receiver: Receiver
) -> None:
    webhook_id = await hooks.create("confirmed", secret=None)
    [shown] = (await api.get("/webhooks")).body["data"]
    assert (shown["id"], shown["name"], shown["method"]) == (
        *(webhook_id, "group_customer.confirmed", "post"),
    )
    assert not any("secret" in name and value for name, value in shown.items())
    theirs = Webhooks(api, receiver, FOREIGN_KEY)
    assert (await api.get("/webhooks", FOREIGN_KEY)).body["data"] == []
    for path in (f"/{webhook_id}/rotate", f"/{webhook_id}/resend"):
        assert (await theirs.post(path, {"from_position": 0})).status == 404
    assert (await api.get(f"/webhooks/{webhook_id}/deliveries", FOREIGN_KEY)).status == 404
    path = f"/webhooks/{webhook_id}"
    assert (await api.send("DELETE", path, None, FOREIGN_KEY)).status == 404
    assert (await api.send("DELETE", path, None)).status == 204
    assert (await api.get(path)).status == 404
    assert await pool.fetchval("SELECT count(*) FROM webhooks") == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "ftp://example.org/"),
        ("url", "https://me:you@example.org/"),
        ("url", "http:///nothing"),
        ("url", "http://[::1"),
        ("url", "http://example.org:99999/"),
        ("url", "http://a b/"),
        ("url", "http://example..org/"),
        ("url", f"http://{'a' * 64}.org/"),
        ("url", "https://example.org/space "),
        ("url", "https://example.org/a\tb"),
        ("url", None),
        ("graph", "instant"),
        ("state", "paid"),
        ("method", "get"),
        ("secret", "short"),
    ],
)
async def test_what_is_wrong_is_named(hooks: Webhooks, field: str, value: str | None) -> None:
    good = {"url": "https://example.org/", "graph": "group_customer", "state": "confirmed"}
    got = await hooks.post("", {**good, field: value})
    assert (got.status, list(got.body["errors"])) == (422, [field])
