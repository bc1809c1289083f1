"""Health: ready only when all that is needed is well, and always with a reason."""

from __future__ import annotations

import asyncio

import pytest

from shared.http import health
from shared.http.health import Check, Health


async def well() -> str | None:
    return None


async def ill() -> str | None:
    return "no connection"


async def broken() -> str | None:
    raise ZeroDivisionError


async def stuck() -> str | None:
    await asyncio.Event().wait()
    return None


async def test_ready_when_all_is_well() -> None:
    checks = Health([Check("database", well), Check("broker", well, is_needed=False)])
    found = await checks.findings()
    assert found == {"database": "ok", "broker": "ok"}
    assert checks.is_ready(found)


async def test_a_missing_broker_is_a_reason_shown_not_unreadiness() -> None:
    checks = Health([Check("database", well), Check("broker", ill, is_needed=False)])
    found = await checks.findings()
    assert found["broker"] == "no connection"
    assert checks.is_ready(found)


async def test_what_is_needed_and_ill_is_unreadiness() -> None:
    checks = Health([Check("database", ill), Check("projection", broken)])
    found = await checks.findings()
    assert found == {
        "database": "no connection",
        "projection": "the check failed (ZeroDivisionError)",
    }
    assert not checks.is_ready(found)


async def test_a_check_that_hangs_is_unreadiness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.01)
    found = await Health([Check("database", stuck)]).findings()
    assert found == {"database": "no answer within 0.01 seconds"}


async def test_many_questions_are_one_look() -> None:
    looks = 0

    async def counted() -> str | None:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        return None

    checks = Health([Check("database", counted)])
    await asyncio.gather(*(checks.findings() for _ in range(20)))
    assert looks == 1
