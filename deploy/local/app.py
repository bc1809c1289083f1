"""Local stack: starts PostgreSQL and RabbitMQ together, then the services, and waits for a stop.

However the start or the run ends, everything that was started is stopped again in reverse order.
"""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from deploy.local.address import checked_port, reachable_host, refuse_demo_key_in_public
from deploy.local.environment import service_environment, write_environment
from deploy.local.postgres.database import reach_database
from deploy.local.postgres.server import PrivatePostgres
from deploy.local.processes.commands import run_command
from deploy.local.processes.interrupts import Interrupts
from deploy.local.processes.program import StartFailure
from deploy.local.processes.state import State, end_leftovers, held
from deploy.local.processes.supervisor import Supervisor
from deploy.local.rabbitmq.broker import own_broker, reach_broker
from deploy.local.report import say, step
from deploy.local.service import CHECKOUT, service_program
from deploy.local.tutorial import tutorial_paste
from shared.runtime.settings import Settings

EPMD_STAGE, SERVERS_STAGE, SERVICES_STAGE = range(3)


async def run(settings: Settings) -> None:
    """Runs until a signal asks for the end; StartFailure when the start did not succeed."""
    refuse_demo_key_in_public(settings)
    data = _made(settings.data)
    with held(data) as state:
        launcher = Launcher(settings, data, checked_port(settings), state)
        await launcher.run()


class Launcher:
    """One run on one data folder."""

    def __init__(self, settings: Settings, data: Path, port: int, state: State) -> None:
        self.settings, self.data, self.port, self.state = settings, data, port, state
        self.state.url = f"http://{reachable_host(settings.host)}:{port}"
        self.env = service_environment(settings, data, port)
        self.supervisor = Supervisor(say, state.record)
        self.broker_known = asyncio.Event()

    async def run(self) -> None:
        interrupts = Interrupts(at_once=self.supervisor.kill)
        stop = asyncio.create_task(interrupts.asked.wait())
        start = asyncio.create_task(self._start())
        try:
            await asyncio.wait({start, stop}, return_when=asyncio.FIRST_COMPLETED)
            if start.done():
                start.result()
                await stop
        finally:
            await _cancelled(start, stop)
            await self._stop()

    async def _start(self) -> None:
        say(f"Seatledger, data in {self.data}")
        with step("all ready", self.state.url):
            for name in await end_leftovers(self.state):
                say(f"ended {name}, left behind by a launcher that was killed")
            await _together(self._broker(), self._database_then_services())
        write_environment(self.data / "env", self.env)
        self._greet()

    async def _stop(self) -> None:
        with step("stopped"):
            (self.data / "env").unlink(missing_ok=True)
            await self.supervisor.stop()
            self.state.record([])

    async def _database_then_services(self) -> None:
        """The services wait for the database, not for the broker: bookings go on without it."""
        with step("database") as current:
            current.note = await self._database()
        await self._module("migrations", "shared.migrate")
        if self.settings.demo_key.get_secret_value():
            await self._module("demo key", "shared.accounts.demo")
        await self.broker_known.wait()
        with step("services", "python -m services"):
            services = service_program(self.env, self.settings.host, self.port)
            await self.supervisor.start(services, stage=SERVICES_STAGE)

    async def _database(self) -> str:
        """What it is and where."""
        if self.settings.database_url is not None:
            return await reach_database(self.settings.database_dsn)
        last_ports = self.state.ports.get("postgres", [])
        postgres = PrivatePostgres(self.data / "postgres", port=next(iter(last_ports), None))
        self.state.ports["postgres"] = [postgres.port]
        await postgres.prepare()
        await self.supervisor.start(postgres.program, stage=SERVERS_STAGE)
        await postgres.create_database()
        self.env["DATABASE_URL"] = postgres.service_dsn
        return postgres.description

    async def _broker(self) -> None:
        with step("broker") as current:
            url = self.settings.amqp_dsn
            current.note = await (self._own_broker() if url is None else self._named_broker(url))

    async def _named_broker(self, url: str) -> str:
        place = await reach_broker(url)
        self.broker_known.set()
        return place

    async def _own_broker(self) -> str:
        last_ports = tuple(self.state.ports.get("rabbitmq", ()))
        broker = await own_broker(self.data / "rabbitmq", last_ports)
        self.state.ports["rabbitmq"] = list(broker.ports)
        self.env["AMQP_URL"] = broker.url
        self.broker_known.set()
        *before, server = broker.programs
        for program in before:
            await self.supervisor.start(program, stage=EPMD_STAGE)
        await self.supervisor.start(server, stage=SERVERS_STAGE)
        return broker.description

    async def _module(self, name: str, module: str) -> None:
        with step(name):
            outcome = await run_command(sys.executable, "-m", module, env=self.env, cwd=CHECKOUT)
            if outcome.returncode != 0:
                raise StartFailure(f"{name}: {outcome.reason}")

    def _greet(self) -> None:
        key = self.settings.demo_key.get_secret_value()
        say(f"\nSeatledger listens on {self.state.url}; Ctrl-C stops all of it.")
        if key:
            say(f"The demo key is {key}. The tutorial, as one paste for a second terminal:\n")
            say(tutorial_paste(self.state.url, key))
        say(f"The audit door, in that terminal:\n\n{self._audit_command()}\n")

    def _audit_command(self) -> str:
        command = Path(sys.executable).with_name("seatledger")
        environment = shlex.quote(str(self.data / "env"))
        return f'. {environment} && {shlex.quote(str(command))} log "$GROUP"'


def _made(folder: Path) -> Path:
    """The data folder; others may pass through it (PostgreSQL's user may have to) but not look."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        return folder.resolve()
    except OSError as error:
        raise StartFailure(f"SEATLEDGER_DATA={folder} cannot be used: {error.strerror}") from None


async def _together(*works: Coroutine[Any, Any, None]) -> None:
    """All of them at once; the first that fails cancels the others."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        await _cancelled(*tasks)


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
