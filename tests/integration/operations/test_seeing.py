"""What an operator sees: the same bookings in the series, the log lines and the health page, and
of the people who booked nothing."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp
from aiohttp import ClientSession

from tests.harness.services.installation import Installation, ServiceProcess
from tests.harness.waiting import until
from tests.integration.operations.serving import (
    Series,
    auth,
    new_group,
    new_seat,
    processes,
    series_of,
    total,
    whole,
)

SEATS = 3


async def book(session: ClientSession, installation: Installation, url: str) -> None:
    """A group of three seats; the fourth customer is refused, and a stranger is not let in."""
    headers = auth(installation.key)
    async with session.post(f"{url}/v2/bookings", json=new_group(SEATS), headers=headers) as made:
        group_id = (await made.json())["data"]["id"]
    for number in range(SEATS + 1):
        seat = new_seat(group_id, f"customer-{number}@example.org")
        async with session.post(f"{url}/v2/bookings", json=seat, headers=headers) as answer:
            assert answer.status == (201 if number < SEATS else 422)
    wrong = auth("live_api_key_that_does_not_exist")
    async with session.get(f"{url}/v2/bookings/{group_id}", headers=wrong) as answer:
        assert answer.status == 401


async def test_bookings_are_seen_in_every_process(database_url: str, amqp_url: str) -> None:
    running = whole(database_url, amqp_url, SEATLEDGER_ACCESS_LOG="true")
    async with running as (installation, process), ClientSession() as session:
        await book(session, installation, process.url)
        seen: Series = {}

        async def caught_up() -> bool:
            nonlocal seen
            seen = await series_of(session, process.url)
            lags = [v for (name, _), v in seen.items() if name.endswith("_lag_positions")]
            return len(lags) >= 2 and not any(lags) and "loops" in processes(seen)

        await until(caught_up, 30, "followers at the head")
        posts = {"method": "POST", "route": "/v2/bookings"}
        count = "seatledger_http_request_seconds_count"
        assert total(seen, count, **posts, status="201") == 1 + SEATS
        assert total(seen, count, **posts, status="422") == 1
        assert total(seen, "seatledger_refusals_total", code="sold_out") == 1
        assert total(seen, "seatledger_refusals_total", code="unauthorized", status="401") == 1
        assert total(seen, "seatledger_log_position") == 1 + SEATS
        assert total(seen, "seatledger_append_outcomes_total", outcome="appended") == 1 + SEATS
        assert total(seen, "seatledger_append_seconds_count", process="service") >= 1 + SEATS
        assert total(seen, "seatledger_cached_groups", process="service") == 1
        assert total(seen, "process_resident_memory_bytes", process="loops") > 0
        assert total(seen, "seatledger_follower_lag_seconds", follower="relay") == 0
        check_log(Path(process._log), installation.key)


def check_log(log: Path, key: str) -> None:
    """JSON lines only, each request with its id; no name, address, key or path as typed."""
    text = log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert len(requests) >= SEATS + 3
    assert all(line["request_id"] and line["status"] for line in requests)
    assert {line["route"] for line in requests} <= {
        *("/v2/bookings", "/v2/bookings/{booking_id}", "/v2/bookings/{id}"),
        *("/health/ready", "/metrics"),
    }
    for secret in ("Marty", "customer-", "example.org", key, "does_not_exist"):
        assert secret not in text


ALL = {"parent", "worker-1", "worker-2", "loops", "publishing"}


async def test_workers_answer_for_one_another(database_url: str) -> None:
    async with whole(database_url, SEATLEDGER_WORKERS="2") as (_, process):
        for _ in range(3):  # whoever of them is asked
            async with ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
                await until_seen(session, process, ALL)


async def until_seen(session: ClientSession, process: ServiceProcess, names: set[str]) -> None:
    async def seen() -> bool:
        return processes(await series_of(session, process.url)) == names

    await until(seen, 20, "all processes")


async def test_a_missing_broker_is_a_reason_and_bookings_go_on(database_url: str) -> None:
    nobody = "amqp://guest:guest@127.0.0.1:1/"
    async with whole(database_url, nobody) as (installation, process), ClientSession() as session:
        await book(session, installation, process.url)

        async def told() -> bool:
            async with session.get(f"{process.url}/health/ready") as answer:
                assert answer.status == 200
                found = (await answer.json())["checks"]
                return "the relay does not get on" in found["publishing"]

        await until(told, 30, "the reason")
