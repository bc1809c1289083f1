"""What a booking may cost beside a handler that stores nothing: a ratio, so any machine will do.

Processor time of this process without sockets, asked in turns; the bound is far from the figure, so
that only a real change breaks it. `make bench` measures the real thing.
"""

from __future__ import annotations

from tests.bench.in_process import costs

MOST_FLOORS = 4.0
"""Measured: 1.7. A session that doubles the cost of a booking will see this fail."""


async def test_a_booking_costs_no_more_than_some_empty_requests(database_url: str) -> None:
    floor, ours = await costs(database_url, rounds=6)
    assert ours <= MOST_FLOORS * floor, f"{ours:.0f} us, the floor {floor:.0f} us"
