"""The four that are compared, each a real process on the same durable PostgreSQL."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from deploy.local.postgres.server import PrivatePostgres
from deploy.local.processes.ports import free_ports
from deploy.local.rabbitmq.broker import installation
from deploy.local.rabbitmq.node import PrivateRabbitMQ
from shared.accounts.demo import ensure_demo
from shared.migrate import migrate
from shared.runtime.settings import Settings
from tests.harness.callers.bodies import group_body

CHECKOUT = Path(__file__).resolve().parents[3]
MASTER_KEY = base64.b64encode(b"b" * 32).decode()
AUTHORIZATION = f"Basic {base64.b64encode(b':test_api_key_demo').decode()}"
START_SECONDS = 60.0


@dataclass
class Contestant:
    """A running server. `groups` are files of group ids, by how many groups they hold."""

    name: str
    url: str
    process: asyncio.subprocess.Process
    folder: Path
    groups: dict[int, Path] = field(default_factory=dict)

    async def open_groups(self, count: int) -> Path:
        """So many fresh groups that never fill."""
        ids: list[str] = []
        async with aiohttp.ClientSession(headers={"Authorization": AUTHORIZATION}) as session:
            for _ in range(count):
                body = group_body(1_000_000)
                async with session.post(f"{self.url}/v2/bookings", json=body) as response:
                    ids.append((await response.json())["data"]["id"])
        file = self.folder / f"{self.name.replace(' ', '-')}-{count}.groups"
        file.write_text("\n".join(ids) + "\n")
        self.groups[count] = file
        return file


@dataclass(frozen=True)
class Servers:
    """What the contestants run on."""

    dsn: str
    environment: Mapping[str, str]
    folder: Path


@asynccontextmanager
async def servers(folder: Path, with_broker: bool = True) -> AsyncIterator[Servers]:
    """A PostgreSQL with fsync on and a broker, both of this run alone."""
    async with AsyncExitStack() as stack:
        postgres = PrivatePostgres(folder / "postgres")
        await postgres.start()
        stack.push_async_callback(postgres.stop)
        await migrate(postgres.dsn)
        environment = {
            **{name: value for name, value in os.environ.items() if "SEATLEDGER" not in name},
            "DATABASE_URL": postgres.dsn,
            "SEATLEDGER_MASTER_KEY": MASTER_KEY,
        }
        environment.pop("AMQP_URL", None)
        if with_broker:
            broker = PrivateRabbitMQ(folder / "rabbitmq", await installation())
            await broker.start()
            stack.push_async_callback(broker.stop)
            environment["AMQP_URL"] = broker.url
        facts = {"master_key": MASTER_KEY, "database_url": postgres.dsn}
        await ensure_demo(Settings.model_validate(facts))
        yield Servers(postgres.dsn, environment, folder)


@asynccontextmanager
async def running(
    name: str, module: Sequence[str], around: Servers, **environment: str
) -> AsyncIterator[Contestant]:
    """`python -m module...`, with `{port}` and `{dsn}` filled in; ready inside the block."""
    (port,) = free_ports(1)
    arguments = [part.format(port=port, dsn=around.dsn) for part in module]
    log = log_of(around.folder, name).open("wb")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        cwd=CHECKOUT,
        env={**around.environment, "SEATLEDGER_PORT": str(port), **environment},
        stderr=log,
    )
    contestant = Contestant(name, f"http://127.0.0.1:{port}", process, around.folder)
    try:
        await _answers(contestant)
        yield contestant
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        log.close()


async def _answers(contestant: Contestant) -> None:
    async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
        while True:
            if contestant.process.returncode is not None:
                raise SystemExit(f"{contestant.name} did not start: {_last_words(contestant)}")
            try:
                async with session.get(f"{contestant.url}/health/ready") as response:
                    if response.status in (200, 404):
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)


def log_of(folder: Path, name: str) -> Path:
    return folder / f"{name.replace(' ', '-')}.log"


def _last_words(contestant: Contestant) -> str:
    lines = log_of(contestant.folder, contestant.name).read_text().strip().splitlines()
    return lines[-1] if lines else "it said nothing"
