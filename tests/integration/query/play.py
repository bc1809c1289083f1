"""Random bookings and changes, of every kind there is, over a few groups."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from uuid import UUID

from shared.runtime.postgres import Pool
from tests.integration.query.scenario import START, Scenario

DOC = {"name": "Doc", "email": None}


async def play(scenario: Scenario, pool: Pool, steps: int, seed: int) -> None:
    """Random bookings and changes over a few groups."""
    chance = random.Random(seed)
    live: list[tuple[UUID, UUID]] = []
    open_groups: list[UUID] = []
    for _ in range(steps):
        if not open_groups or chance.random() < 0.05:
            open_groups.append(await scenario.create(max_seats=1_000_000))
        group_id = chance.choice(open_groups)
        graph = chance.choice(["group_customer", "group_customer_payment"])
        if not live or chance.random() < 0.5:
            live.append((group_id, await scenario.book(group_id, 2, graph=graph)))
            continue
        await _change(scenario, pool, chance, live, open_groups)


async def _change(
    scenario: Scenario,
    pool: Pool,
    chance: random.Random,
    live: list[tuple[UUID, UUID]],
    open_groups: list[UUID],
) -> None:
    group_id, seat = chance.choice(live)
    held, state = dict(scenario.groups[group_id].seats.items())[seat][1::-1]
    changes: list[Callable[[], Awaitable[object]]] = [
        lambda: scenario.change_meta(group_id, seat, {"k": chance.random(), "gone": None}),
        lambda: scenario.change_meta(group_id, group_id, {"k": chance.random()}),
        lambda: scenario.erase(group_id, seat, pool),
        lambda: scenario.resize(group_id, chance.randint(1000, 2000)),
        lambda: scenario.reschedule(group_id, START, START.replace(hour=chance.randint(13, 20))),
    ]
    if state in ("confirmed", "paid", "tentative"):
        changes.append(
            lambda: scenario.cancel(group_id, seat, chance.choice(["customer", "owner"]))
        )
        if held > 1:
            changes.append(lambda: scenario.cancel(group_id, seat, seats=1, staying=[DOC]))
    if state == "tentative":
        changes += [
            lambda: scenario.pay(group_id, seat),
            lambda: scenario.expire(group_id, seat),
        ]
    if state in ("confirmed", "paid"):
        changes.append(lambda: scenario.complete_seat(group_id, seat))
    if state not in ("confirmed", "paid", "tentative"):
        changes.append(lambda: scenario.delete(group_id, seat))
    if group_id in open_groups:
        changes += [
            lambda: scenario.cancel_group(group_id),
            lambda: scenario.complete_group(group_id),
        ]
    change = chance.choice(changes)
    if change in changes[-2:] and group_id in open_groups:
        open_groups.remove(group_id)
    await change()
