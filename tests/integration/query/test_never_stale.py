"""Twenty writers look at what they wrote, in two processes' eyes, while the projector is killed and
frozen at random: every answer is fresh, or an honest 503."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections import Counter
from uuid import UUID

from tests.integration.query.api import Api, second_api
from tests.integration.query.scenario import Scenario

WRITERS, ROUNDS = 20, 50
SEED = 5


class Writers:
    """Book, then look in every way; counts the answers."""

    def __init__(self, scenario: Scenario, apis: list[Api]) -> None:
        self.answers: Counter[str] = Counter()
        self._scenario = scenario
        self._apis = apis
        self._turn = asyncio.Lock()
        self._chance = random.Random(SEED)

    async def write_and_look(self) -> None:
        async with self._turn:
            group_id = await self._scenario.create(app_id=self._apis[0].app_id, max_seats=10_000)
        for taken in range(1, ROUNDS + 1):
            async with self._turn:
                seat = await self._scenario.book(group_id)
            await self._look(self._chance.choice(self._apis), group_id, seat, taken)

    async def _look(self, api: Api, group_id: UUID, seat: UUID, taken: int) -> None:
        way = self._chance.choice(("group", "seat", "include", "list"))
        path = {
            "group": f"/bookings/groups/{group_id}",
            "seat": f"/bookings/{seat}",
            "include": f"/bookings/{group_id}?include=related_bookings",
            "list": f"/bookings?limit=1&search=id:{seat}",
        }[way]
        got = await api.get(path)
        if got.status == 503:
            assert got.body["code"] in ("not_fresh_yet", "unavailable")
            assert int(got.headers["Retry-After"]) >= 1
            self.answers[f"{way} 503"] += 1
            return
        data = got.body["data"]
        if way == "group":
            assert data["attributes"]["group_booking"]["current_seats"] == taken
        elif way == "seat":
            assert (data["id"], data["state"]) == (str(seat), "confirmed")
        elif way == "include":
            assert [len(data["related_bookings"]), data["related_bookings"][-1]["id"]] == [
                taken,
                str(seat),
            ]
        else:
            assert [one["id"] for one in data] == [str(seat)]
        self.answers[way] += 1


async def _trouble(dsn: str, over: asyncio.Event) -> None:
    """Projectors come, are killed or frozen, and go on."""
    chance = random.Random(SEED)
    while not over.is_set():
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.query.projector_process", dsn
        )
        await _pause(over, chance.uniform(1, 3))
        if chance.random() < 0.5 and not over.is_set():
            process.send_signal(signal.SIGSTOP)
            await _pause(over, chance.uniform(0.5, 4))
        process.kill()
        await process.wait()


async def _pause(over: asyncio.Event, seconds: float) -> None:
    await asyncio.wait({asyncio.ensure_future(over.wait())}, timeout=seconds)


async def test_no_answer_is_stale_whatever_happens_to_the_projector(
    database_url: str, scenario: Scenario, api: Api
) -> None:
    async with second_api(database_url, api) as other:
        writers, over = Writers(scenario, [api, other]), asyncio.Event()
        troubled = asyncio.create_task(_trouble(database_url, over))
        async with asyncio.TaskGroup() as tasks:
            for _ in range(WRITERS):
                tasks.create_task(writers.write_and_look())
        over.set()
        await troubled
    assert writers.answers.total() == WRITERS * ROUNDS
    # single bookings wait for no projector
    assert not {"group 503", "seat 503"} & writers.answers.keys()
    assert all(writers.answers[way] for way in ("group", "seat", "include", "list"))
