"""A primary with a strict synchronous standby, by hand: what a cluster manager does, in a test."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from deploy.local.postgres.server import DATABASE, DURABLE, USER, PrivatePostgres
from deploy.local.processes.commands import run_command
from deploy.local.processes.ports import free_ports
from deploy.local.processes.program import Program
from tests.harness.servers.private import remove_folder, temporary_folder
from tests.harness.waiting import until

STANDBY = "standby"
IS_SYNCHRONOUS = "SELECT sync_state = 'sync' FROM pg_stat_replication"
SETTINGS = {**DURABLE, "shared_buffers": "64MB", "wal_level": "replica", "hot_standby": "on"}


class Pair:
    """Two servers; `dsn` names both, so that a client finds whichever is the primary."""

    def __init__(self, folder: Path) -> None:
        self.primary = PrivatePostgres(folder / "primary", settings=SETTINGS)
        self.port = free_ports(1)[0]
        self._data = folder / "standby"
        self._standby: Program | None = None

    @property
    def dsn(self) -> str:
        """Both hosts, of which the one that takes writes is meant."""
        login, _, rest = self.primary.dsn.partition("@")
        host, _, _ = rest.partition("/")
        hosts = f"{host},127.0.0.1:{self.port}"
        return f"{login}@{hosts}/{DATABASE}?target_session_attrs=read-write"

    @property
    def standby_dsn(self) -> str:
        return self.primary.dsn.replace(f":{self.primary.port}/", f":{self.port}/")

    async def start(self) -> None:
        """Returns once every commit waits for the standby."""
        await self.primary.start()
        await self._copy()
        self._standby = self._program()
        await self._standby.start()
        await self._execute(f"ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 ({STANDBY})'")
        await self._execute("SELECT pg_reload_conf()")
        await until(lambda: self._value(IS_SYNCHRONOUS), 30, "synchronous replication")

    async def kill_primary(self) -> None:
        process = self.primary.program.process
        assert process is not None
        self.primary.kill()
        await process.wait()

    async def promote(self) -> None:
        """The standby takes writes when this returns."""
        connection = await asyncpg.connect(self.standby_dsn, timeout=10)
        try:
            await connection.execute("SELECT pg_promote(true, 30)")
        finally:
            await connection.close()

    async def stop_standby(self) -> None:
        """Nobody acknowledges any more: commits wait, and what they wrote stays on the primary."""
        assert self._standby is not None
        await self._standby.stop()

    async def start_standby(self) -> None:
        assert self._standby is not None
        await self._standby.start()

    async def stop(self) -> None:
        if self._standby is not None:
            await self._standby.stop()
        await self.primary.stop()

    async def _copy(self) -> None:
        placed = self.primary._placed()
        password = self.primary._password()
        origin = f"host=127.0.0.1 port={self.primary.port} user={USER} password={password}"
        outcome = await run_command(
            *placed.identity.prefix,
            str(placed.binaries / "pg_basebackup"),
            *("-D", str(self._data), "-R", "-X", "stream", "-c", "fast"),
            *("-d", f"{origin} application_name={STANDBY}"),
            env=dict(os.environ),
        )
        assert outcome.returncode == 0, outcome.reason

    def _program(self) -> Program:
        placed = self.primary._placed()
        settings = {**SETTINGS, "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        options = [f"-c{name}={value}" for name, value in settings.items()]

        async def answers() -> bool:
            try:
                connection = await asyncpg.connect(self.standby_dsn, timeout=5)
            except (OSError, asyncpg.PostgresError, TimeoutError):
                return False
            await connection.close()
            return True

        return Program(
            name="standby",
            argv=(
                str(placed.binaries / "postgres"),
                *("-D", str(self._data), "-p", str(self.port)),
                *options,
            ),
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            probe=answers,
            log=self._data.with_suffix(".log"),
            identity=placed.identity,
            stop_signal=signal.SIGINT,
        )

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.primary.dsn, timeout=10)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def _value(self, statement: str) -> object:
        connection = await asyncpg.connect(self.primary.dsn, timeout=10)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()


@asynccontextmanager
async def synchronous_pair() -> AsyncIterator[Pair]:
    """Both servers, running inside the block."""
    folder = temporary_folder()
    pair = Pair(folder)
    try:
        await pair.start()
        yield pair
    finally:
        await pair.stop()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        remove_folder(folder)
