"""A whole Seatledger out of real processes: command and query services apart, any number of each.

Each is a child of this process and can be killed, frozen, resumed and started again on its port.
"""

from __future__ import annotations

import base64
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes
from uuid import UUID

import asyncpg

from deploy.local.processes.ports import free_ports
from deploy.local.processes.program import Identity, Program
from deploy.local.service import CHECKOUT, answers_ok
from shared.accounts.demo import ensure_demo
from shared.migrate import migrate
from shared.runtime.settings import Settings
from tests.harness.servers.private import remove_folder, temporary_folder
from tests.harness.waiting import until

KEY = "test_api_key_harness"
HOST = "127.0.0.1"
OURS = ("SEATLEDGER_", "DATABASE_URL", "AMQP_URL", "FAULT")
READY_SECONDS = 120
STOP_SECONDS = 40
PROJECTORS = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = 'seatledger projector'
"""


class ServiceProcess:
    """One `python -m` of ours on a port of its own; `fault` names a fault point to switch on."""

    def __init__(self, module: str, env: Mapping[str, str], log: Path) -> None:
        self.module = module
        self.port = free_ports(1)[0]
        self.url = f"http://{HOST}:{self.port}"
        self._env = {**env, "SEATLEDGER_PORT": str(self.port)}
        self._log = log
        self.prefix: tuple[str, ...] = ()
        """A command that runs it, with limits of its own say."""
        self.program = self._program({})

    @property
    def pid(self) -> int:
        assert self.program.pid is not None, f"{self.module} does not run: {self.last_words()}"
        return self.program.pid

    @property
    def is_running(self) -> bool:
        return self.program.is_running

    async def start(self, fault: str | None = None, **env: str) -> None:
        """Returns when it is ready to serve."""
        await self.spawn(fault, **env)
        await self.program.wait_ready()

    async def spawn(self, fault: str | None = None, **env: str) -> None:
        """Starts it; a fault may end it before it is ready."""
        self.program = self._program({**env, **({} if fault is None else {"FAULT": fault})})
        await self.program.spawn()

    async def ended(self) -> int:
        """Waits until it has ended by itself."""
        assert self.program.process is not None
        return await self.program.process.wait()

    async def kill(self) -> None:
        """kill -9, with whatever it had started."""
        self.program.kill()
        await self.ended()

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL to what does not listen."""
        await self.program.stop()

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def log(self) -> str:
        """Everything that it and its children logged."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def last_words(self) -> str:
        """The end of what it logged."""
        return self.log()[-2000:]

    def _program(self, extra: Mapping[str, str]) -> Program:
        async def is_ready() -> bool:
            if self.module == "services.loops":
                return _heeds(self.program.pid, signal.SIGTERM)
            return await answers_ok(HOST, self.port, "/health/ready")

        return Program(
            name=self.module,
            argv=(sys.executable, "-m", self.module),
            env={**self._env, **extra},
            probe=is_ready,
            log=self._log,
            identity=Identity(prefix=self.prefix),
            cwd=CHECKOUT,
            stop_seconds=STOP_SECONDS,
            ready_seconds=READY_SECONDS,
        )


@dataclass
class Installation:
    """A migrated database with one app and its key, and the processes that serve it."""

    dsn: str
    app_id: UUID
    env: Mapping[str, str]
    folder: Path
    key: str = KEY
    commands: list[ServiceProcess] = field(default_factory=list)
    queries: list[ServiceProcess] = field(default_factory=list)
    loops: list[ServiceProcess] = field(default_factory=list)

    @property
    def processes(self) -> Sequence[ServiceProcess]:
        return [*self.commands, *self.queries, *self.loops]

    @property
    def command_urls(self) -> list[str]:
        return [process.url for process in self.commands]

    @property
    def query_urls(self) -> list[str]:
        return [process.url for process in self.queries]

    def new_process(self, module: str, **env: str) -> ServiceProcess:
        """A process of this installation, not started yet."""
        log = self.folder / f"{module}-{len(list(self.folder.iterdir()))}.log"
        log.touch()
        return ServiceProcess(module, {**self.env, "SEATLEDGER_LOOPS": "off", **env}, log)

    async def start(self, commands: int = 2, queries: int = 2, loops: int = 2) -> None:
        """So many of each, all ready when it returns."""
        self.commands = [self.new_process("services.command") for _ in range(commands)]
        self.queries = [self.new_process("services.query") for _ in range(queries)]
        self.loops = [self.new_process("services.loops") for _ in range(loops)]
        for process in self.processes:
            await process.spawn()
        for process in self.processes:
            await process.program.wait_ready()
        if loops:
            await self.until_projecting()

    async def until_projecting(self) -> None:
        """Until a projector is at work: on a busy machine that takes longer than a read waits."""
        connection = await asyncpg.connect(self.dsn)

        async def is_at_work() -> bool:
            return bool(await connection.fetchval(PROJECTORS))

        try:
            await until(is_at_work, READY_SECONDS, "a projector at work")
        finally:
            await connection.close()

    async def stop(self) -> None:
        for process in self.processes:
            if process.is_running:
                process.resume()
                await process.stop()


@asynccontextmanager
async def installed(
    dsn: str,
    amqp_url: str | None = None,
    master_key: str | None = None,
    is_migrated: bool = False,
) -> AsyncIterator[Installation]:
    """An installation on this database, nothing started; all of it is ended after the block."""
    folder = temporary_folder()
    env = _environment(dsn, amqp_url)
    env["SEATLEDGER_MASTER_KEY"] = master_key or base64.b64encode(token_bytes(32)).decode()
    if not is_migrated:
        await migrate(dsn)
    app_id = await _prepare_app(dsn, env["SEATLEDGER_MASTER_KEY"])
    installation = Installation(dsn, app_id, env, folder)
    try:
        yield installation
    finally:
        await installation.stop()
        remove_folder(folder)


def _heeds(pid: int | None, number: signal.Signals) -> bool:
    """Whether the process does something when the signal comes, and does not just die of it."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def _environment(dsn: str, amqp_url: str | None) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    env |= {"DATABASE_URL": dsn, "SEATLEDGER_HOST": HOST, "PYTHONUNBUFFERED": "1"}
    if amqp_url is not None:
        env["AMQP_URL"] = amqp_url
    return env


async def _prepare_app(dsn: str, master_key: str) -> UUID:
    settings = Settings(database_url=dsn, master_key=master_key, demo_key=KEY)
    await ensure_demo(settings)
    connection = await asyncpg.connect(dsn)
    try:
        app_id: UUID = await connection.fetchval("SELECT app_id FROM apps")
        return app_id
    finally:
        await connection.close()
