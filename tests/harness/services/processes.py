"""Command services as real processes on one database: started, stopped, killed without mercy."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from deploy.local.processes.ports import free_ports
from shared.accounts.demo import ensure_demo
from shared.runtime.settings import Settings

CHECKOUT = Path(__file__).resolve().parents[3]
MASTER_KEY = base64.b64encode(b"m" * 32).decode()
KEY = "test_api_key_demo"
AUTH = {"Authorization": f"Basic {base64.b64encode(f':{KEY}'.encode()).decode()}"}
START_SECONDS = 90.0


class CommandProcess:
    """One `python -m services.command`, or another module that serves the same."""

    def __init__(self, dsn: str, module: Sequence[str] = ("services.command",)) -> None:
        (self.port,) = free_ports(1)
        self._module = module
        self._env = {
            **os.environ,
            "DATABASE_URL": dsn,
            "SEATLEDGER_MASTER_KEY": MASTER_KEY,
            "SEATLEDGER_PORT": str(self.port),
        }
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *self._module,
            cwd=CHECKOUT,
            env=self._env,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
            while not await _is_ready(session, self.url):
                assert self._process.returncode is None, "it ended before it was ready"
                await asyncio.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL: what it knew is gone."""
        self._signal(signal.SIGKILL)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), 15)
            except TimeoutError:
                self._process.kill()
        if self._process is not None:
            await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/health/ready") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


@asynccontextmanager
async def command_processes(
    dsn: str, count: int = 2, module: Sequence[str] = ("services.command",)
) -> AsyncIterator[list[CommandProcess]]:
    """Ready inside the block, with the demo app and its key; gone after it."""
    settings = Settings.model_validate({"master_key": MASTER_KEY, "database_url": dsn})
    await ensure_demo(settings)
    processes = [CommandProcess(dsn, module) for _ in range(count)]
    try:
        await asyncio.gather(*(process.start() for process in processes))
        yield processes
    finally:
        await asyncio.gather(*(process.stop() for process in processes))
