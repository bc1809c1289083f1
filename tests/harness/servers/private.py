"""Real private servers for the tests: one PostgreSQL cluster a session, one database a test.

They are children of this process in a thread of their own, so the kernel ends them with it, and
nothing here knows of, or disturbs, servers that others started.
"""

from __future__ import annotations

import asyncio
import fcntl
import itertools
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import asyncpg

from deploy.local.postgres.server import DURABLE, PrivatePostgres
from deploy.local.rabbitmq.broker import installation
from deploy.local.rabbitmq.node import PrivateRabbitMQ
from shared.migrate import migrate
from tests.harness.waiting import until

T = TypeVar("T")

START_SECONDS = 120
MEMORY = Path("/dev/shm")  # noqa: S108
ROOM_IN_MEMORY = 4 * 1024**3
HELD = "held"
_locks: list[IO[str]] = []
"""Those of this session's folders, for as long as it lives."""
TEMPLATE = "template_seatledger"
HASTY = {
    **DURABLE,
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "200",
}


async def until_started(postgres: PrivatePostgres) -> None:
    """Starts a server that was killed, as often as it takes."""

    async def started() -> bool:
        try:
            await postgres.start()
        except Exception:  # orphaned backends may hold the data for another moment
            return False
        return True

    await until(started, 120, "PostgreSQL after kill -9")


class ServerThread:
    """An event loop in a thread that lives as long as the session: servers start without a test."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="servers")
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.submit(work).result(START_SECONDS)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


class Databases:
    """A cluster for tests that may forget: fast, with a migrated template to copy from."""

    def __init__(self, folder: Path) -> None:
        self.cluster = PrivatePostgres(folder, settings=HASTY)
        self._numbers = itertools.count(1)

    async def start(self) -> None:
        await self.cluster.start()

    async def migrate_template(self) -> None:
        """Migrates once; the databases of the tests are copies of the result."""
        await self._execute(f"CREATE DATABASE {TEMPLATE}")
        await migrate(self.cluster.dsn_of(TEMPLATE))

    async def create(self, template: str) -> str:
        """A fresh database's name."""
        name = f"test_{next(self._numbers)}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    async def drop(self, name: str) -> None:
        await self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.cluster.dsn_of("postgres"), timeout=30)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


async def started_broker(folder: Path) -> PrivateRabbitMQ:
    """A running node; it is fetched first where the machine has none."""
    node = PrivateRabbitMQ(folder, await installation())
    await node.start()
    return node


def temporary_folder() -> Path:
    """A folder of our own; `remove_folder` takes it away."""
    return Path(tempfile.mkdtemp(prefix="seatledger-test-"))


def forgetful_folder() -> Path:
    """A folder of our own for what may be lost: in memory if there is room, or else on disk.

    A database is copied there in 20 ms instead of 130 to 280, and each test has one.
    """
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM_IN_MEMORY:
        return temporary_folder()
    for folder in MEMORY.glob("seatledger-test-*"):
        if _is_abandoned(folder):
            remove_folder(folder)
    folder = Path(tempfile.mkdtemp(prefix="seatledger-test-", dir=MEMORY))
    lock = (folder / "taken").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    (folder / "taken").rename(folder / HELD)
    _locks.append(lock)
    return folder


def _is_abandoned(folder: Path) -> bool:
    """Its session was killed: the kernel gave back its lock, and nobody the memory."""
    try:
        with (folder / HELD).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # it is held, or not yet there, or somebody else's
        return False
    return True


def remove_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def own_database() -> AsyncIterator[str]:
    """A migrated database on a server of its own, for what runs outside pytest."""
    folder = temporary_folder()
    cluster = PrivatePostgres(folder)
    await cluster.start()
    try:
        await migrate(cluster.dsn)
        yield cluster.dsn
    finally:
        await cluster.stop()
        remove_folder(folder)
