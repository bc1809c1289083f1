"""The relay's promise: all of the log, at least once, same id and body, in each group's order."""

from __future__ import annotations

from uuid import UUID, uuid4

from tests.harness.ledger import booked, created
from tests.harness.relays import (
    Ledger,
    first_appearances,
    ledger_at,
    running,
    subscriber_at,
)


async def sell(ledger: Ledger, groups: int, seats: int) -> list[UUID]:
    """Groups with bookings, one append each round; the groups' ids."""
    ids = [uuid4() for _ in range(groups)]
    for group_id in ids:
        await ledger.append(group_id, created(group_id))
    for number in range(1, seats + 1):
        for group_id in ids:
            await ledger.append(group_id, booked(current_seats=number))
    return ids


async def test_every_event_is_published_in_the_order_of_its_group(
    database_url: str, amqp_url: str
) -> None:
    async with ledger_at(database_url) as ledger, subscriber_at(amqp_url) as subscriber:
        async with running(ledger.relay(amqp_url)):
            groups = await sell(ledger, groups=5, seats=20)
            await subscriber.until_seen([event_id for _, _, event_id in ledger.events])
        assert first_appearances(subscriber) == {str(g): list(range(1, 22)) for g in groups}
        assert len(subscriber.ids) == len(ledger.events)
        assert await ledger.checkpoint() == len(ledger.events)
