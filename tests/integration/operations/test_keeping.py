"""What is kept: a ledger restored to a moment verifies. What is not: answers to old keys."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio

from deploy.local.processes.commands import Outcome, run_command
from deploy.local.service import CHECKOUT
from tests.harness.servers.archived import Archived
from tests.harness.servers.private import remove_folder, temporary_folder
from tests.harness.services.installation import Installation
from tests.integration.operations.serving import ALONE, auth, new_group, new_seat, whole


async def seatledger(env: Mapping[str, str], *arguments: str) -> Outcome:
    """The command, as an operator calls it."""
    command = (sys.executable, "-m", "services.cli", *arguments)
    return await run_command(*command, env=env, cwd=CHECKOUT)


class Desk:
    """Books at one address with one key."""

    def __init__(self, session: aiohttp.ClientSession, installation: Installation, url: str):
        self._session = session
        self._headers = auth(installation.key)
        self._url = url

    async def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, Any]:
        sent = {**self._headers, **{name.replace("_", "-"): v for name, v in headers.items()}}
        async with self._session.request(
            method, self._url + path, json=body, headers=sent
        ) as answer:
            return answer.status, await answer.json()

    async def group(self, seats: int) -> str:
        _, made = await self.ask("POST", "/v2/bookings", new_group())
        group_id = str(made["data"]["id"])
        for number in range(seats):
            await self.seat(group_id, number)
        return group_id

    async def seat(self, group_id: str, number: int) -> None:
        body = new_seat(group_id, f"customer-{number}@example.org")
        assert (await self.ask("POST", "/v2/bookings", body))[0] == 201


@pytest_asyncio.fixture
async def archived() -> AsyncIterator[Archived]:
    folder = temporary_folder()
    kept = Archived(Path(folder))
    await kept.server.start()
    yield kept
    await kept.server.stop()
    remove_folder(folder)


async def test_a_ledger_restored_to_a_moment_is_whole_and_serves(archived: Archived) -> None:
    """Everything up to the moment is there, what came after is not, and the ledger verifies."""
    async with (
        whole(archived.server.dsn, **ALONE) as (installation, process),
        aiohttp.ClientSession() as session,
    ):
        desk = Desk(session, installation, process.url)
        group_id = await desk.group(seats=3)
        await archived.base_backup()
        await desk.seat(group_id, 3)
        moment = await archived.now()
        status, _ = await desk.ask("PUT", f"/v2/bookings/{group_id}/cancel", {})
        assert status == 200
        await archived.all_archived()
        await process.stop()
        archived.server.kill()

        restored = await archived.restored(moment)
        try:
            env = {**installation.env, "DATABASE_URL": restored.dsn}
            verdict = await seatledger(env, "verify", "--json")
            assert verdict.returncode == 0, verdict.reason
            assert json.loads(verdict.output)["position"] == 5
            again = installation.new_process("services", DATABASE_URL=restored.dsn, **ALONE)
            installation.commands.append(again)
            await again.start()
            at_new = Desk(session, installation, again.url)
            _, shown = await at_new.ask("GET", f"/v2/bookings/groups/{group_id}")
            assert shown["data"]["attributes"]["group_booking"]["current_seats"] == 4
            assert shown["data"]["state"] == "tentative"
            await at_new.seat(group_id, 4)
            await again.stop()
        finally:
            await restored.stop()


async def test_answers_to_repeated_keys_are_forgotten_and_bookings_are_not(
    database_url: str,
) -> None:
    async with (
        whole(database_url, **ALONE) as (installation, process),
        aiohttp.ClientSession() as session,
    ):
        desk = Desk(session, installation, process.url)
        group_id = await desk.group(seats=0)

        async def book() -> tuple[int, Any]:
            return await desk.ask(
                "POST", "/v2/bookings", new_seat(group_id), Idempotency_Key="once"
            )

        first, again = await book(), await book()
        assert first == again and first[0] == 201
        kept = await seatledger(installation.env, "prune", "--json")
        assert json.loads(kept.output) == {"answers": 0, "refusals": 0}
        gone = await seatledger(installation.env, "prune", "--days", "0", "--json")
        assert json.loads(gone.output) == {"answers": 1, "refusals": 0}
        status, body = await book()
        assert (status, body["code"]) == (422, "idempotency_key_expired")
        _, shown = await desk.ask("GET", f"/v2/bookings/groups/{group_id}")
        assert shown["data"]["attributes"]["group_booking"]["current_seats"] == 1
