"""Private RabbitMQ node: every port on loopback, its own epmd, its own cookie and password.

Two child processes: epmd first, then the broker. What it confirmed is on disk.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from deploy.local.cache import plain_path_to
from deploy.local.processes.ports import free_ports
from deploy.local.processes.program import Program, StartFailure
from deploy.local.rabbitmq.packages import Installation

USER = "seatledger"
NODE = "seatledger@localhost"
PLUGINS = ("rabbitmq_consistent_hash_exchange",)
PORTS = 3
NICENESS = 10
"""Messages may wait while there are more bookings than the machine has time for."""
CALM = "+sbwt none +sbwtdcpu none +sbwtdio none"  # an idle broker leaves the processor alone


class PrivateRabbitMQ:
    """One node in one folder; its URL is known before it runs."""

    def __init__(
        self, folder: Path, installation: Installation, *, ports: tuple[int, ...] = ()
    ) -> None:
        self._installation = installation
        self.ports = free_ports(PORTS, ports)
        self.home = _home(folder)
        self.log = self.home / "start.log"
        self.password = secret(self.home / "password")
        secret(self.home / ".erlang.cookie")
        self._write_configuration()
        self.epmd = self._epmd()
        self.broker = self._broker()
        self.programs = (self.epmd, self.broker)

    @property
    def url(self) -> str:
        return amqp_url(USER, self.password, self.ports[0])

    @property
    def description(self) -> str:
        return f"RabbitMQ ({self._installation.origin}) on 127.0.0.1:{self.ports[0]}"

    async def start(self) -> None:
        """Returns when the broker greets clients."""
        await self.epmd.start()
        await self.broker.start()

    async def stop(self) -> None:
        await self.broker.stop()
        await self.epmd.stop()

    def kill(self) -> None:
        self.broker.kill()

    def _epmd(self) -> Program:
        env, port = self._environment(), self.ports[1]
        epmd = shutil.which("epmd", path=env["PATH"])
        if epmd is None:
            raise StartFailure(f"RabbitMQ in {self._installation.folder} has no epmd beside it")

        async def listens() -> bool:
            return await greets(port, b"", expected=b"")

        argv = (epmd, "-port", str(port), "-address", "127.0.0.1")
        return Program("epmd", argv, env, listens, self.log, stop_seconds=1)

    def _broker(self) -> Program:
        async def answers() -> bool:
            return await speaks_amqp(self.ports[0])

        argv = (str(self._installation.folder / "rabbitmq-server"),)
        env = self._environment()
        return Program(
            *("RabbitMQ", argv, env, answers, self.log, self.home),
            stop_seconds=8,
            niceness=NICENESS,
        )

    def _write_configuration(self) -> None:
        (self.home / "enabled_plugins").write_text(f"[{','.join(PLUGINS)}].\n")
        configuration = self.home / "rabbitmq.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"listeners.tcp.default = 127.0.0.1:{self.ports[0]}\n"
            f"default_user = {USER}\n"
            f"default_pass = {self.password}\n"
            "disk_free_limit.absolute = 200MB\n"
            "log.console = false\n"  # our log file of it would grow for ever; its own is rotated
            "log.file.rotation.size = 10485760\n"
            "log.file.rotation.count = 3\n"
        )

    def _environment(self) -> dict[str, str]:
        amqp, epmd, distribution = (str(port) for port in self.ports)
        return {
            **_inherited(),
            **self._installation.env,
            **_paths(self.home),
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_NODE_PORT": amqp,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": distribution,
            "ERL_EPMD_PORT": epmd,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_START_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +B i",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": CALM,
            "RUNNING_UNDER_SYSTEMD": "1",  # the script becomes the broker itself: one pid
        }


def amqp_url(user: str, password: str, port: int) -> str:
    return f"amqp://{user}:{password}@127.0.0.1:{port}/"


async def speaks_amqp(port: int) -> bool:
    """A listener is not enough: a booted broker answers the greeting with Connection.Start."""
    return await greets(port, b"AMQP\x00\x00\x09\x01", expected=b"\x01")


async def greets(port: int, greeting: bytes, *, expected: bytes) -> bool:
    """Whether a server on this loopback port answers a greeting with the expected bytes."""
    try:
        async with asyncio.timeout(1):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(greeting)
                return await reader.read(len(expected)) == expected
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError):
        return False


def _home(folder: Path) -> Path:
    """The node's folder by a path without spaces: RabbitMQ's scripts do not quote."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    home = plain_path_to(folder.resolve())
    for name in ("mnesia", "log", "generated"):
        (home / name).mkdir(exist_ok=True)
    return home


def _paths(home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "none.config"),
        "RABBITMQ_CONF_ENV_FILE": str(home / "none.conf"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(home / "generated"),
        "RABBITMQ_PID_FILE": str(home / "pid"),
    }


def _inherited() -> Mapping[str, str]:
    """Our environment without what would configure another node."""
    foreign = ("RABBITMQ_", "ERL_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def secret(file: Path) -> str:
    """The file's content; made of 160 random bits, readable by its owner alone, if not there."""
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w") as out:
            out.write(secrets.token_hex(20))
    return file.read_text()
