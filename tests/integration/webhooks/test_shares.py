"""Webhooks of many apps: each has its share of what is sent at once, and its turn."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from services.query.webhooks.sender import FAILING, LEASE_SECONDS, PER_ENDPOINT
from shared.runtime.postgres import Pool
from tests.integration.query.api import FOREIGN_KEY, Api
from tests.integration.query.scenario import Scenario
from tests.integration.query.statements import sql
from tests.integration.webhooks.calls import Webhooks
from tests.integration.webhooks.receiver import Receiver

SILENT, BOOKINGS = 40, 8
TAKEN = "SELECT count(*) FROM webhook_deliveries WHERE leased_until IS NOT NULL"
FAILED = "SELECT count(*) FROM webhook_deliveries WHERE trouble IS NOT NULL"
WEBHOOK = """
INSERT INTO webhooks (webhook_id, app_id, name, url, graph, state, sealed_secret, since)
VALUES ($1, $2, 'n', 'u', 'g', 's', '', 0)
"""
DELIVERIES = """
INSERT INTO webhook_deliveries (delivery_id, webhook_id, event_id, booking_id, state, position,
                                fired_at, give_up_at, due_at)
SELECT gen_random_uuid(), $1, gen_random_uuid(), gen_random_uuid(), 's', n, now(),
       now() + interval '1 day', now() - make_interval(secs => $3)
  FROM generate_series(1, $2::int) n
"""


async def _app(pool: Pool, slug: str) -> UUID:
    found: UUID = await pool.fetchval("SELECT app_id FROM apps WHERE slug = $1", slug)
    return found


@pytest.mark.usefixtures("loops")
async def test_slow_receivers_of_one_app_delay_no_other_app(
    scenario: Scenario, api: Api, receiver: Receiver, pool: Pool
) -> None:
    ours, theirs = Webhooks(api, receiver), Webhooks(api, receiver, FOREIGN_KEY)
    for number in range(SILENT):
        receiver.answers[f"/silent{number}"] = None
        await ours.create("confirmed", f"/silent{number}")
    await theirs.create("confirmed", "/quick")
    group_id = await scenario.create(app_id=api.app_id, max_seats=100)
    await scenario.book_many(group_id, BOOKINGS)
    await receiver.until(lambda r: len(r.told) >= SILENT)  # and more at once than one app may have
    other = await scenario.create(app_id=await _app(pool, "theirs"), max_seats=100)
    await scenario.book_many(other, BOOKINGS)
    await receiver.until(lambda r: len(r.at("/quick")) == BOOKINGS)
    assert await pool.fetchval(FAILED) == 0, "slow ones had to end before quick ones began"
    receiver.leave()


async def _claimed(pool: Pool, room: int, share: int) -> list[UUID]:
    rows = await pool.fetch(sql("webhook_claim"), PER_ENDPOINT, FAILING, room, LEASE_SECONDS, share)
    return [row["app_id"] for row in rows]


async def _webhooks(pool: Pool, app_id: UUID, count: int, waiting: int, late: float) -> None:
    for _ in range(count):
        webhook_id = uuid4()
        await pool.execute(WEBHOOK, webhook_id, app_id)
        await pool.execute(DELIVERIES, webhook_id, waiting, late)


async def test_those_with_the_fewest_under_way_come_first(api: Api, pool: Pool) -> None:
    ours, theirs = await _app(pool, "ours"), await _app(pool, "theirs")
    await _webhooks(pool, ours, 10, 50, 3_600.0)
    await _webhooks(pool, theirs, 1, 3, 1.0)
    assert sorted(await _claimed(pool, 4, 64)) == sorted([ours, ours, theirs, theirs])
    assert await _claimed(pool, 1, 64) == [ours]  # as many each: who waited longest
    assert await _claimed(pool, 1, 64) == [theirs]
    assert await _claimed(pool, 64, 6) == [ours] * 3


async def test_an_app_gets_no_more_than_its_share(api: Api, pool: Pool) -> None:
    await _webhooks(pool, api.app_id, 10, 50, 1.0)
    assert len(await _claimed(pool, 128, 7)) == 7
    assert await _claimed(pool, 128, 7) == []
    assert len(await _claimed(pool, 128, 9)) == 2
    assert len(await _claimed(pool, 128, 100)) == 10 * PER_ENDPOINT - 9


async def test_two_that_claim_at_once_take_nothing_twice(api: Api, pool: Pool) -> None:
    await _webhooks(pool, api.app_id, 10, 50, 1.0)
    claims = await asyncio.gather(*(_claimed(pool, 128, 64) for _ in range(5)))
    assert sum(map(len, claims)) == await pool.fetchval(TAKEN)
