"""How far each follower of the log is, in positions and in seconds: read when asked, never kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from prometheus_client import Metric

from shared.eventlog.statements import statements_of
from shared.runtime.postgres import Connection, Pool

sql = statements_of(__package__)

UNPUBLISHED_SECONDS = 60.0
GAUGES = (
    ("seatledger_log_position", "The log's newest position"),
    ("seatledger_follower_position", "Up to here a follower has done everything"),
    ("seatledger_follower_lag_positions", "Events that a follower has not done yet"),
    ("seatledger_follower_lag_seconds", "Age of the oldest event that a follower has not done"),
    ("seatledger_follower_in_trouble", "1 while a follower says that it does not get on"),
    ("seatledger_parked", "Groups or messages that a follower has set aside"),
    ("seatledger_pool_wait_seconds", "How long this look waited for a connection of a pool"),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one follower is. `trouble`: why it does not get on, in its own words."""

    name: str
    checkpoint: int
    head: int
    age_seconds: float
    parked: int
    trouble: str | None

    @property
    def lag(self) -> int:
        return max(self.head - self.checkpoint, 0)


async def read_standings(source: Connection | Pool) -> list[Standing]:
    """Every follower that ever took a term, and the projection of this version."""
    return [
        Standing(
            row["name"],
            row["checkpoint"],
            row["head"],
            row["age_seconds"],
            row["parked"],
            row["trouble"],
        )
        for row in await source.fetch(sql("figures"))
    ]


def ledger_figures(pool: Pool) -> Callable[[], Awaitable[Iterable[Metric]]]:
    """What /metrics reads from the database."""

    async def read() -> Iterable[Metric]:
        asked_at = perf_counter()
        async with pool.acquire() as connection:
            waited = perf_counter() - asked_at
            return as_metrics(await read_standings(connection), waited)

    return read


def publishing(pool: Pool) -> Callable[[], Awaitable[str | None]]:
    """Whether events reach the broker; in words fit for everyone, the rest says `status`."""

    async def look() -> str | None:
        relays = [one for one in await read_standings(pool) if one.name == "relay"]
        if any(one.trouble is not None for one in relays):
            return "the relay does not get on: see seatledger status"
        if any(one.age_seconds > UNPUBLISHED_SECONDS for one in relays):
            return f"{relays[0].lag} events are not published yet"
        return None

    return look


def as_metrics(standings: Sequence[Standing], waited: float) -> list[Metric]:
    """The standings as gauges, and how long it took to get at them."""
    gauges = {name: Metric(name, meaning, "gauge") for name, meaning in GAUGES}

    def add(name: str, value: float, **labels: Any) -> None:
        gauges[f"seatledger_{name}"].add_sample(f"seatledger_{name}", labels, value)

    add("log_position", max((one.head for one in standings), default=0))
    for one in standings:
        add("follower_position", one.checkpoint, follower=one.name)
        add("follower_lag_positions", one.lag, follower=one.name)
        add("follower_lag_seconds", one.age_seconds, follower=one.name)
        add("follower_in_trouble", float(one.trouble is not None), follower=one.name)
        add("parked", one.parked, follower=one.name)
    add("pool_wait_seconds", waited, pool="query")
    return list(gauges.values())
