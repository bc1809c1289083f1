"""Faults 9 and 10: the same request fifty times at once is one booking; another body is refused."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import aiohttp

from tests.harness.callers.http_clients import client_session
from tests.harness.checker.history import command_id_of, new_booking_id
from tests.harness.faults.proxy import Proxy
from tests.harness.services.cluster_under_test import ClusterUnderTest
from tests.harness.waiting import until

TIMES = 50
ROUNDS, SHARED = 50, 8
PATIENCE = 60.0


async def post(
    session: aiohttp.ClientSession,
    cluster: ClusterUnderTest,
    url: str,
    key: str,
    body: dict[str, object],
) -> tuple[int, bytes]:
    """The answer to one booking request under this key, asked again while it is "come again"."""
    headers = {
        "Authorization": aiohttp.encode_basic_auth("", cluster.installation.key),
        "Idempotency-Key": key,
    }
    answer = 503, b""

    async def is_definite() -> bool:
        nonlocal answer
        async with session.post(f"{url}/v2/bookings", json=body, headers=headers) as response:
            answer = response.status, await response.read()
        return answer[0] != 503

    await until(is_definite, PATIENCE, "an answer")
    return answer


def a_seat(group_id: object, name: str = "Marty McFly") -> dict[str, object]:
    customer = {"name": name, "email": "marty@example.org"}
    related = {"owner_booking_id": str(group_id), "seats": 1}
    return {"graph": "group_customer", "related": related, "customer": customer}


async def test_the_same_request_fifty_times_is_one_booking(
    cluster: ClusterUnderTest, seed: int
) -> None:
    async with cluster.under_load(seed, callers=2) as load, client_session() as session:
        group_id = load.groups[0]
        booked = await cluster.customers.book(group_id)
        key = uuid4().hex
        wish = cluster.customers.wish_to_book(
            group_id, command_id_of(cluster.installation.app_id, key)
        )
        urls = cluster.installation.command_urls * (TIMES // 2)
        answers = await asyncio.gather(
            *(post(session, cluster, url, key, a_seat(group_id)) for url in urls)
        )
        assert booked.outcome == "ok"
        assert len(set(answers)) == 1, {status for status, _ in answers}
        assert answers[0][0] == 201
        cluster.customers.history.note_answers(wish, answers)
        load.cycles += 1


async def test_another_body_under_a_known_key_is_refused(
    cluster: ClusterUnderTest, seed: int
) -> None:
    async with cluster.under_load(seed, callers=2) as load, client_session() as session:
        group_id, key = load.groups[0], uuid4().hex
        command_id = command_id_of(cluster.installation.app_id, key)
        wish = cluster.customers.wish_to_book(group_id, command_id)
        first, second = cluster.installation.command_urls
        answers = [await post(session, cluster, first, key, a_seat(group_id))]
        status, body = await post(session, cluster, second, key, a_seat(group_id, "Biff Tannen"))
        assert status == 422
        assert b"idempotency_key" in body
        answers.append(await post(session, cluster, second, key, a_seat(group_id)))
        cluster.customers.history.note_answers(wish, answers)
        assert wish.booking_id == new_booking_id(command_id)
        load.cycles += 1


async def test_two_services_may_share_keys_while_one_loses_its_connections(
    cluster: ClusterUnderTest, seed: int
) -> None:
    """What the other one wrote meanwhile makes nothing of this one's batch durable."""
    victim = cluster.installation.commands[0]
    async with (
        Proxy(cluster.installation.dsn) as proxy,
        cluster.under_load(seed, groups=2, seats=200) as load,
    ):
        await victim.kill()
        await victim.start(DATABASE_URL=proxy.url)
        for number in range(ROUNDS):
            proxy.cut_after(cluster.customers.random.randrange(200, 6_000))
            group_id = load.groups[number % 2]
            urls = cluster.installation.command_urls
            await asyncio.gather(
                *(cluster.customers.book_shared(group_id, urls) for _ in range(SHARED))
            )
            load.cycles += 1
        await victim.kill()
        await victim.start()
