"""A PostgreSQL that archives its WAL, a base backup of it, and a restore to a point in time."""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path

import asyncpg

from deploy.local.postgres.server import DURABLE, LOGIN_FILE, USER, PrivatePostgres
from deploy.local.processes.commands import run_command
from tests.harness.waiting import until

SMALL = {**DURABLE, "shared_buffers": "32MB"}


class Archived:
    """The server that will be lost, in `folder`; its archive and backup lie beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive = folder / "archive"
        self.archive.mkdir()
        archive_command = f"test ! -f {self.archive}/%f && cp %p {self.archive}/%f"
        self.server = PrivatePostgres(
            folder / "server",
            settings={**SMALL, "archive_mode": "on", "archive_command": archive_command},
        )

    async def base_backup(self) -> None:
        """What the page says: a copy of the running server, checked against its manifest."""
        origin = f"host=127.0.0.1 port={self.server.port} user={USER}"
        backup = str(self._backup)
        await self._run("pg_basebackup", "-D", backup, "-X", "none", "-c", "fast", "-d", origin)
        await self._run("pg_verifybackup", "--no-parse-wal", backup)

    async def now(self) -> datetime:
        """The server's time: a restore to it brings back what was committed before."""
        moment = await self._value("SELECT clock_timestamp()")
        assert isinstance(moment, datetime)
        return moment

    async def all_archived(self) -> None:
        """Ends the WAL segment in use and waits until the archive has it."""
        wanted = await self._value("SELECT pg_walfile_name(pg_switch_wal())")

        async def is_there() -> bool:
            return (self.archive / str(wanted)).exists()

        await until(is_there, 30, "the last segment in the archive")

    async def restored(self, moment: datetime) -> PrivatePostgres:
        """Another server out of backup and archive, as it was at `moment`, taking writes."""
        folder = self.folder / "restored"
        shutil.copytree(self._backup, folder / "cluster")
        shutil.copy(self.server.folder / LOGIN_FILE, folder / LOGIN_FILE)
        (folder / "cluster" / "recovery.signal").touch()
        target = {
            "restore_command": f"cp {self.archive}/%f %p",
            "recovery_target_time": moment.isoformat(),
            "recovery_target_action": "promote",
        }
        server = PrivatePostgres(folder, settings={**SMALL, **target})
        await server.prepare()
        await server.program.start()

        async def takes_writes() -> bool:
            return not await _value(server.dsn, "SELECT pg_is_in_recovery()")

        await until(takes_writes, 60, "the end of recovery")
        return server

    @property
    def _backup(self) -> Path:
        return self.folder / "backup"

    async def _run(self, program: str, *arguments: str) -> None:
        placed = self.server._placed()
        outcome = await run_command(
            *placed.identity.prefix,
            str(placed.binaries / program),
            *arguments,
            env={**os.environ, "PGPASSWORD": self.server._password()},
        )
        assert outcome.returncode == 0, outcome.reason

    async def _value(self, statement: str) -> object:
        return await _value(self.server.dsn, statement)


async def _value(dsn: str, statement: str) -> object:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()
