"""Publishing gives way to a sale, and only to a sale, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import chain, repeat

from services.query.relay.yield_to_sales import SALE_EVENTS_PER_SECOND, YieldToSales

LOOK = 0.01
SALE = int(SALE_EVENTS_PER_SECOND)
"""So many events in a hundredth of a second are more than a sale's."""


class Log:
    """Grows by what the test says at every look; counts the looks."""

    def __init__(self, growth: Iterator[int]) -> None:
        self.growth = growth
        self.looks = self.position = 0

    async def head(self) -> int:
        self.looks += 1
        self.position += next(self.growth)
        return self.position


async def wait(sales: YieldToSales, is_behind: bool = True) -> None:
    async with asyncio.timeout(20):
        await sales.wait(is_behind)


async def test_who_keeps_up_is_never_kept_waiting() -> None:
    log = Log(repeat(SALE))
    await wait(YieldToSales(log.head, 100.0, LOOK), is_behind=False)
    assert log.looks == 0


async def test_a_log_that_stands_still_is_published_at_once() -> None:
    log = Log(repeat(0))
    await wait(YieldToSales(log.head, 100.0, LOOK))
    assert log.looks == 2


async def test_a_sale_is_waited_for_until_it_is_over() -> None:
    log = Log(chain(repeat(SALE, 20), repeat(0)))
    await wait(YieldToSales(log.head, 100.0, LOOK))
    assert log.position == 20 * SALE
    assert log.looks > 20


async def test_patience_ends_before_an_endless_sale_and_stays_ended_until_caught_up() -> None:
    log = Log(repeat(SALE))
    sales = YieldToSales(log.head, 5 * LOOK, LOOK)
    await wait(sales)
    waited = log.looks
    assert waited >= 2
    await wait(sales)
    assert log.looks == waited
    await wait(sales, is_behind=False)
    await wait(sales)
    assert log.looks > waited
