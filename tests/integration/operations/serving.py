"""What the tests of operations share: the service under test as its operator runs it, and a look
at its series."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.harness.services.installation import Installation, ServiceProcess, installed

ALONE = {"SEATLEDGER_LOOPS": "off"}
"""Without projector and relay: single bookings are folded from the log, fresh as ever."""
Series = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


@asynccontextmanager
async def whole(
    dsn: str, amqp_url: str | None = None, **settings: str
) -> AsyncIterator[tuple[Installation, ServiceProcess]]:
    """`python -m services` with the loops in a child, ready."""
    async with installed(dsn, amqp_url) as installation:
        process = installation.new_process(
            "services", **{"SEATLEDGER_LOOPS": "process", **settings}
        )
        installation.commands = [process]
        await process.start()
        yield installation, process


def auth(key: str) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth("", key)}


def new_group(max_seats: int = 20) -> dict[str, Any]:
    start = datetime.now(UTC) + timedelta(days=30)
    return {
        "graph": "group_owner",
        "resource_id": str(uuid4()),
        "start": start.isoformat(),
        "end": (start + timedelta(hours=1)).isoformat(),
        "what": "A webinar",
        "settings": {"max_seats": max_seats},
    }


def new_seat(group_id: str, email: str = "marty.mcfly@example.org") -> dict[str, Any]:
    return {
        "graph": "group_customer",
        "related": {"owner_booking_id": group_id, "seats": 1},
        "customer": {"name": "Marty McFly", "email": email},
    }


async def series_of(session: aiohttp.ClientSession, url: str) -> Series:
    """What /metrics says, by name and labels."""
    async with session.get(f"{url}/metrics") as answer:
        assert answer.status == 200, await answer.text()
        text = await answer.text()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def total(series: Series, name: str, **labels: str) -> float:
    """The sum over all series of that name with these labels."""
    wanted = set(labels.items())
    return sum(value for (n, found), value in series.items() if n == name and wanted <= found)


def processes(series: Series) -> set[str]:
    return {dict(labels)["process"] for _, labels in series if "process" in dict(labels)}
