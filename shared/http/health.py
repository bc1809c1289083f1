"""Health checks, `/health/live` and `/health/ready`, without a key: failures told in words.

Ready means that every needed check holds. What is not needed (the broker) is shown, and bookings
go on. Questions that come while one is being answered share its answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from aiohttp import web

from shared.http.access import for_everyone
from shared.http.answers import json_answer
from shared.http.bounds.pressure import PRESSURE

CHECK_SECONDS = 2.0
WELL = "ok"
_log = structlog.get_logger("seatledger.health")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at: `probe` answers None when it is well, else why it is not."""

    name: str
    probe: Callable[[], Awaitable[str | None]]
    is_needed: bool = True


class Health:
    """Answers both questions from the checks it was given."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = tuple(checks)
        self._looking: asyncio.Task[dict[str, str]] | None = None

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/health/live", live), web.get("/health/ready", self.ready)]

    async def findings(self) -> dict[str, str]:
        """What each check found: "ok", or the reason why not."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._looking)

    def is_ready(self, findings: Mapping[str, str]) -> bool:
        """Whether everything that is needed is well."""
        return all(findings[check.name] == WELL for check in self._checks if check.is_needed)

    async def _look(self) -> dict[str, str]:
        reasons = await asyncio.gather(*(_reason(check) for check in self._checks))
        names = (check.name for check in self._checks)
        return dict(zip(names, (reason or WELL for reason in reasons), strict=True))

    @for_everyone
    async def ready(self, request: web.Request) -> web.Response:
        """200 when bookings can be made, else 503; either way what each check found."""
        if request.app[PRESSURE].is_closing:
            return json_answer({"status": "stopping", "checks": {"serving": "it stops"}}, 503)
        found = await self.findings()
        if self.is_ready(found):
            return json_answer({"status": "ready", "checks": found})
        return json_answer({"status": "not ready", "checks": found}, 503, {"Retry-After": "1"})


@for_everyone
async def live(request: web.Request) -> web.Response:
    """The process runs and answers."""
    return json_answer({"status": "live"})


async def _reason(check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check.probe()
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:g} seconds"
    except Exception as error:  # a check that breaks is a finding, not a failure of its own
        _log.warning("health_check_failed", check=check.name, exc_info=error)
        return f"the check failed ({type(error).__name__})"
