"""Followers with a known bug put back (a checkpoint apart, a confirm ignored) are noticed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.query.projection.batch import Change, apply_batch, set_aside
from services.query.projection.projector import Projector
from services.query.projection.schema import prepare, sql
from services.query.relay.broker.publisher import MessagingError, Publisher, Told
from shared.amqp.frames import Content
from shared.eventlog.election import Term
from shared.runtime.postgres import Connection
from tests.harness.checker.evidence import Evidence
from tests.harness.checker.followers import check_projection, check_published
from tests.harness.checker.gathering import (
    gather_evidence,
    published_of,
    until_projected,
    until_relayed,
)
from tests.harness.events.ledger import booked, created
from tests.harness.faults.proxy import Proxy
from tests.harness.services.relays import Ledger, ledger_at, running, subscriber_at
from tests.integration.query.scenario import MASTER, Scenario


class Killed(asyncpg.PostgresError):
    """The process died here, once."""


class CheckpointApart(Projector):
    """The checkpoint is committed first and the rows after it, with a death between the two."""

    deaths = 1

    async def _commit(self, term: Term, connection: Connection, changes: Sequence[Change]) -> None:
        after, to = changes[0].position - 1, changes[-1].position
        await connection.execute(sql("checkpoint_move"), term.epoch, after, to)
        if self.deaths:
            self.deaths -= 1
            raise Killed
        async with connection.transaction():
            await apply_batch(connection, changes, await set_aside(connection, changes))


class DiesInside(Projector):
    """As it is, with a death inside the transaction."""

    deaths = 1

    async def _commit(self, term: Term, connection: Connection, changes: Sequence[Change]) -> None:
        if not self.deaths:
            await super()._commit(term, connection, changes)
            return
        self.deaths -= 1
        with suppress(Killed):
            async with connection.transaction():
                await super()._commit(term, connection, changes)
                raise Killed
        raise Killed


@asynccontextmanager
async def projecting(projector: Projector) -> AsyncIterator[None]:
    task = asyncio.create_task(projector.run())
    try:
        yield
    finally:
        projector.stop()
        await asyncio.wait_for(task, 60)


async def project(dsn: str, projector: Projector) -> set[str]:
    """Some bookings, projected by this one; the promises that were broken."""
    async with ledger_at(dsn) as ledger:
        scenario = Scenario(ledger.store)
        group_id = await scenario.create(max_seats=9)
        for _ in range(3):
            await scenario.book(group_id)
        async with projecting(projector):
            await prepare(dsn)
            await until_projected(dsn)
            await scenario.book(await scenario.create())
            await until_projected(dsn)
    evidence = await gather_evidence(dsn, with_read_models=True)
    return {violation.invariant for violation in check_projection(evidence)}


async def test_a_death_inside_the_projection_loses_nothing(database_url: str) -> None:
    assert await project(database_url, DiesInside(database_url, MASTER)) == set()


async def test_a_checkpoint_committed_apart_is_found(database_url: str) -> None:
    broken = await project(database_url, CheckpointApart(database_url, MASTER))
    assert broken == {"projection_wrong"}


async def sell(ledger: Ledger, seats: int) -> None:
    """A group with seats, one append each."""
    group_id = uuid4()
    await ledger.append(group_id, created(group_id))
    for number in range(1, seats + 1):
        await ledger.append(group_id, booked(current_seats=number))


async def relay_through_a_cut(
    dsn: str, amqp_url: str, heal: Any, awaited: Callable[[Evidence], list[UUID]]
) -> set[str]:
    """The broker falls silent with messages under way, then its connection breaks."""
    async with (
        Proxy(amqp_url) as proxy,
        ledger_at(dsn) as ledger,
        subscriber_at(amqp_url) as subscriber,
        running(ledger.relay(proxy.url, publish_seconds=1.0)),
    ):
        await sell(ledger, 3)
        await until_relayed(dsn)
        proxy.silence()
        await sell(ledger, 3)
        await heal(dsn)
        proxy.cut()
        proxy.resume()
        await sell(ledger, 3)
        await until_relayed(dsn)
        evidence = await gather_evidence(dsn)
        await subscriber.until_seen(awaited(evidence))
        groups = {record.group_id for record in evidence.log}
        messages = [published_of(str(m.message_id), m.body) for m in subscriber.messages]
        published = [message for message in messages if message.group_id in groups]
    found = check_published(replace(evidence, published=published))
    return {violation.invariant for violation in found}


async def test_messages_cut_off_are_sent_again(database_url: str, amqp_url: str) -> None:
    async def at_once(dsn: str) -> None:
        return None

    def all_of_it(evidence: Evidence) -> list[UUID]:
        return [record.event_id for record in evidence.log]

    assert await relay_through_a_cut(database_url, amqp_url, at_once, all_of_it) == set()


async def test_a_confirm_that_is_ignored_is_found(
    database_url: str, amqp_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Publisher.send

    def without_confirm(
        self: Publisher, content: Content, told: Told, *more: Any, **named: Any
    ) -> None:
        with suppress(MessagingError):
            send(self, content, lambda _: None, *more, **named)
        asyncio.get_running_loop().call_soon(told, True)

    monkeypatch.setattr(Publisher, "send", without_confirm)

    def the_last_one(evidence: Evidence) -> list[UUID]:
        return [evidence.log[-1].event_id]

    broken = await relay_through_a_cut(database_url, amqp_url, until_relayed, the_last_one)
    assert "unpublished" in broken
