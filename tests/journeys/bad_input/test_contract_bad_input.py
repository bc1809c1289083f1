"""Every bad request gets its status, body and code; none gets a 5xx, and none is written down."""

from __future__ import annotations

from io import BytesIO

import pytest

from tests.harness.callers.requests import group, seats
from tests.harness.services.stack import Answer, Caller, Stack
from tests.journeys.bad_input.bad_bodies import Bad
from tests.journeys.bad_input.bad_requests import bad_requests

AT_LEAST = 150
JSON = {"Content-Type": "application/json"}


async def test_bad_requests_are_told_what_is_wrong_and_change_nothing(
    api: Caller, stack: Stack
) -> None:
    ids = await _bookings(api)
    before = await stack.position()
    table = bad_requests()
    assert len(table) >= AT_LEAST
    wrong = [
        f"{bad.name}: {why}" for bad in table if (why := _judged(bad, await _ask(api, bad, ids)))
    ]
    assert wrong == []
    assert await stack.position() == before


async def _bookings(api: Caller) -> dict[str, str]:
    owner = (await api.post("/v2/bookings", group(max_seats=20))).id
    cancelled = (await api.post("/v2/bookings", group())).id
    seat, ended = [(await api.post("/v2/bookings", seats(owner))).id for _ in range(2)]
    await api.put(f"/v2/bookings/{ended}/cancel_by_customer", {})
    await api.put(f"/v2/bookings/{cancelled}/cancel", {})
    return {"group": owner, "seat": seat, "ended": ended, "cancelled": cancelled}


async def _ask(api: Caller, bad: Bad, ids: dict[str, str]) -> Answer:
    path, body = bad.path, bad.body
    for name, booking in ids.items():
        path = path.replace(f"{{{name}}}", booking)
        body = body.replace(f"{{{name}}}".encode(), booking.encode())
    return await api(
        bad.method, path, data=BytesIO(body) if body else None, headers={**JSON, **bad.headers}
    )


def _judged(bad: Bad, answer: Answer) -> str | None:
    """What differs from what it should get; None when nothing does."""
    got = (answer.status, answer.code)
    if got != (bad.status, bad.code):
        return f"{got} instead of {(bad.status, bad.code)}: {answer.text[:200]}"
    if bad.at is not None and bad.at not in answer.body.get("errors", {}):
        return f"no errors.{bad.at}: {answer.text[:200]}"
    if bad.at is None and not answer.body.get("error") and not answer.body.get("errors"):
        return f"no sentence: {answer.text[:200]}"
    if "Traceback" in answer.text or "pydantic" in answer.text:
        return f"shows its insides: {answer.text[:200]}"
    return None


@pytest.mark.parametrize("length", [10, 5_000_000])
async def test_a_body_without_a_length_is_cut_off_at_the_limit(
    api: Caller, stack: Stack, length: int
) -> None:
    before = await stack.position()

    async def chunks() -> object:
        for _ in range(length // 10):
            yield b"x" * 10

    answer = await api("POST", "/v2/bookings", data=chunks(), headers=JSON)
    expected = (422, "malformed_json") if length == 10 else (413, "payload_too_large")
    assert ((answer.status, answer.code), await stack.position()) == (expected, before)
