"""Slow callers (no body, no reading, no answer to a webhook) take nothing from other apps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
from aiohttp import ClientSession

from shared.eventlog.postgres import PostgresEventStore
from tests.faults.callers.tenants import Tenant, master_of, new_tenant
from tests.harness.callers.raw_connections import Connection, RawConnections, request_head
from tests.harness.services.installation import Installation, ServiceProcess
from tests.harness.waiting import until
from tests.integration.operations.serving import new_group, new_seat, series_of, total, whole
from tests.integration.query.scenario import Scenario
from tests.integration.webhooks.receiver import Receiver, receiving

SILENT_POSTS, SLOW_READERS, SLOW_WEBHOOKS = 520, 12, 20
READS = 10
SMALL = 2_048
SEATS = 3_000
PATIENCE = 120.0
BEGUN = 4
LARGE = "/v2/bookings/groups?limit=1000&include=" + ",".join(
    f"related_bookings.{name}" for name in ("customers", "owner_booking.attributes", "attributes")
)
SHED = "seatledger_requests_shed_total"
TROUBLE = "SELECT count(*) FROM webhook_deliveries WHERE trouble IS NOT NULL"


@asynccontextmanager
async def two_tenants(
    dsn: str,
) -> AsyncIterator[tuple[Installation, ServiceProcess, Tenant, Tenant]]:
    """The whole service; who is hostile to it, and who just uses it."""
    async with whole(dsn, SEATLEDGER_WEBHOOKS_PRIVATE="true") as (installation, process):
        await installation.until_projecting()
        hostile = await new_tenant(installation, "hostile")
        yield installation, process, hostile, await new_tenant(installation, "peaceful")


@asynccontextmanager
async def connected(
    process: ServiceProcess, request: bytes, count: int
) -> AsyncIterator[list[Connection]]:
    """So many connections that take little at a time, on each of which this was sent."""
    callers = RawConnections(process.port, SMALL)
    try:
        yield [await callers.sent(request) for _ in range(count)]
    finally:
        callers.close()


async def booked(session: ClientSession, body: object) -> str:
    async with session.post("/v2/bookings", json=body) as answer:
        assert answer.status == 201, await answer.text()
        found: str = (await answer.json())["data"]["id"]
        return found


async def status_of(session: ClientSession, path: str) -> int:
    """Of the answer; a projector that is behind, on a busy machine, is another matter."""
    found: list[int] = []

    async def is_fresh() -> bool:
        async with session.get(path) as answer:
            found.append(answer.status)
            return b"not_fresh_yet" not in await answer.read()

    await until(is_fresh, PATIENCE, "an answer that is up to date")
    return found[-1]


async def test_posts_without_a_body_hold_no_slot(database_url: str) -> None:
    async with two_tenants(database_url) as (_, process, hostile, peaceful):
        line = "POST /v2/bookings HTTP/1.1"
        request = request_head(line, hostile.widget_key, "Content-Length: 1000")
        async with peaceful.session(process.url) as session:
            group_id = await booked(session, new_group())
            async with connected(process, request, SILENT_POSTS) as silent:
                for _ in range(READS):
                    assert await status_of(session, f"/v2/bookings/{group_id}") == 200
                    assert await status_of(session, "/v2/bookings?include=customers") == 200
                await booked(session, new_seat(group_id))
                told = await asyncio.gather(*(reader.readline() for reader, _ in silent))
        assert {line.split()[1] for line in told} == {b"408", b"429"}


async def test_readers_that_do_not_read_take_no_list_from_others(database_url: str) -> None:
    async with two_tenants(database_url) as (installation, process, hostile, peaceful):
        await fill(installation, hostile)
        async with hostile.session(process.url) as session:
            assert await status_of(session, "/v2/bookings?limit=1") == 200
        async with peaceful.session(process.url) as session:
            await booked(session, new_seat(await booked(session, new_group())))
            request = request_head(f"GET {LARGE} HTTP/1.1", hostile.key)
            async with connected(process, request, SLOW_READERS) as slow:
                await begun(slow)
                for _ in range(READS):
                    path = "/v2/bookings?include=related_bookings.customers"
                    assert await status_of(session, path) == 200
                await until(are_cut_off(session, process), PATIENCE, "an end of slow readers")
    assert "request_failed" not in process.last_words()


def are_cut_off(session: ClientSession, process: ServiceProcess) -> Callable[[], Awaitable[bool]]:
    """Whether as many were as one app may have at once."""

    async def is_so() -> bool:
        seen = await series_of(session, process.url)
        return total(seen, SHED, reason="slow reader") >= BEGUN

    return is_so


async def fill(installation: Installation, tenant: Tenant) -> None:
    """A list that is larger than what lies between the service and a reader."""
    async with asyncpg.create_pool(installation.dsn, min_size=1, max_size=2) as pool:
        store = PostgresEventStore(pool, installation.dsn)
        scenario = Scenario(store, master_of(installation))
        for _ in range(2):
            group_id = await scenario.create(app_id=tenant.app_id, max_seats=2 * SEATS)
            await scenario.book_many(group_id, SEATS)
        await store.close()


async def begun(slow: list[Connection]) -> None:
    """Once so many have their answer's first line as one app may have at once."""
    lines = [asyncio.create_task(reader.readline()) for reader, _ in slow]
    async with asyncio.timeout(PATIENCE):
        for count, line in enumerate(asyncio.as_completed(lines), 1):
            assert (await line).split()[1] == b"200"
            if count == BEGUN:
                break
    for task in lines:
        task.cancel()


async def test_slow_receivers_of_webhooks_delay_no_other_app(database_url: str) -> None:
    async with (
        two_tenants(database_url) as (installation, process, hostile, peaceful),
        receiving() as receiver,
        hostile.session(process.url) as theirs,
        peaceful.session(process.url) as ours,
    ):
        for number in range(SLOW_WEBHOOKS):
            receiver.answers[f"/slow{number}"] = None
            await listen(theirs, receiver, f"/slow{number}")
        await listen(ours, receiver, "/quick")
        await book(theirs, 8)
        await receiver.until(lambda r: len(r.told) >= 2 * SLOW_WEBHOOKS)
        await book(ours, 8)
        await receiver.until(lambda r: len(r.at("/quick")) == 8)
        connection = await asyncpg.connect(installation.dsn)
        assert await connection.fetchval(TROUBLE) == 0, "they waited until slow ones had ended"
        await connection.close()
        receiver.leave()


async def listen(session: ClientSession, receiver: Receiver, path: str) -> None:
    about = {"url": receiver.url + path, "graph": "group_customer", "state": "confirmed"}
    async with session.post("/v2/webhooks", json=about) as answer:
        assert answer.status == 201, await answer.text()


async def book(session: ClientSession, count: int) -> None:
    group_id = await booked(session, new_group())
    for number in range(count):
        await booked(session, new_seat(group_id, f"c{number}@example.org"))
