"""A rebuild under full load that is killed three times, on the way, filled and with its indexes,
and goes on each time: what it builds at last is what the log folds to.

The load is the writers and onlookers of `rounds`, so that no answer may be stale meanwhile either,
nor when the read models are switched.
"""

from __future__ import annotations

import asyncio
import sys

import asyncpg
import psutil

from services.query.projection.projector import Projector
from services.query.projection.rebuild.rebuild import NEXT, check
from services.query.projection.schema import SCHEMA
from shared.eventlog.postgres import PostgresEventStore
from tests.harness.services.installation import Installation, installed
from tests.harness.waiting import until
from tests.integration.query.freshness.projecting import MASTER_TEXT, projected
from tests.integration.query.freshness.rounds import Rounds, Tally
from tests.integration.query.scenario import MASTER, Scenario

MOMENTS = {
    "on the way": f'SELECT bool_or("position" > 0) FROM {NEXT}.rebuild',  # noqa: S608
    "filled": f'SELECT bool_and("position" > 0) FROM {NEXT}.rebuild',  # noqa: S608
    "with its indexes": f"SELECT to_regclass('{NEXT}.attendees_bulk_id_idx') IS NOT NULL",
}
"""When it is killed; each holds from then on until the switch."""
LOOK_SECONDS = 0.01
GONE_SECONDS = 60.0
EVENTS_A_GROUP = 500


class Replays:
    """`seatledger replay`, started until it comes to its end; killed once at each of MOMENTS."""

    def __init__(self, installation: Installation) -> None:
        self.killed: list[str] = []
        self.built: set[int] = set()
        """The tables that it was killed at: one and the same, if it always went on."""
        self.switched_to = 0
        self.is_over = False
        self._installation = installation

    async def run(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        for moment, condition in MOMENTS.items():
            while not await self._killed_at(condition, connection):
                self.built.clear()  # it came to its end before it was seen: the next one is new
            self.killed.append(moment)
        assert await (await self._started()).wait() == 0
        self.switched_to = await connection.fetchval(f"SELECT '{SCHEMA}.groups'::regclass::oid")
        self.is_over = True

    async def _killed_at(
        self, condition: str, connection: asyncpg.Connection[asyncpg.Record]
    ) -> bool:
        process = await self._started()
        while process.returncode is None:
            if await _holds(connection, condition):
                self.built.add(await connection.fetchval(f"SELECT '{NEXT}.groups'::regclass::oid"))
                await _kill(process)
                return True
            await asyncio.sleep(LOOK_SECONDS)
        return False

    async def _started(self) -> asyncio.subprocess.Process:
        arguments = ("-m", "services.cli", "replay", "--workers", "2", "--json")
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            env=dict(self._installation.env),
            stdout=asyncio.subprocess.DEVNULL,
        )


async def _holds(connection: asyncpg.Connection[asyncpg.Record], condition: str) -> bool:
    try:
        return bool(await connection.fetchval(condition))
    except asyncpg.UndefinedTableError:  # not begun yet, or switched
        return False


async def _kill(process: asyncio.subprocess.Process) -> None:
    """kill -9 to it alone: its workers must end by themselves."""
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    await process.wait()

    async def are_gone() -> bool:
        return not any(map(_lives, workers))

    await until(are_gone, GONE_SECONDS, "the end of a killed replay's workers")


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def replayed_under_load(
    dsn: str, events: int, writers: int, seed: int
) -> tuple[Tally, Replays]:
    """What came of a rebuild of `events` events and those that were booked meanwhile."""
    await _fill(dsn, events)
    await projected(dsn)  # a service that is far behind is not ready
    async with installed(dsn, master_key=MASTER_TEXT, is_migrated=True) as installation:
        await installation.start(commands=1, queries=2, loops=0)
        replays = Replays(installation)
        playing = Rounds(installation, lambda _: replays.is_over, seed, writers)
        projector = Projector(dsn, MASTER)
        running = asyncio.create_task(projector.run())
        connection = await asyncpg.connect(dsn)
        async with asyncio.TaskGroup() as both:
            both.create_task(playing.play())
            both.create_task(replays.run(connection))
        projector.stop()
        await running
        await connection.close()
    await projected(dsn)
    found = await check(dsn, MASTER, lambda _: None)
    playing.tally.difference = None if found is None else str(found)
    return playing.tally, replays


async def _fill(dsn: str, events: int) -> None:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
        scenario = Scenario(PostgresEventStore(pool, dsn))
        while scenario.position < events:
            group_id = await scenario.create(max_seats=EVENTS_A_GROUP)
            await scenario.book_many(group_id, EVENTS_A_GROUP)
        await scenario.store.close()
