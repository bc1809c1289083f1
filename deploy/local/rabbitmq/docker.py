"""RabbitMQ container on loopback, for machines with neither a package nor apt.

Its messages lie in a volume named after the data folder; the password goes by environment only.
"""

from __future__ import annotations

import hashlib
import os
import signal
from pathlib import Path

from deploy.local.processes.commands import run_command
from deploy.local.processes.ports import free_ports
from deploy.local.processes.program import Program
from deploy.local.rabbitmq.node import PLUGINS, USER, amqp_url, secret, speaks_amqp

IMAGE = "rabbitmq:4-management"


class DockerRabbitMQ:
    """One container for one data folder."""

    def __init__(self, folder: Path, ports: tuple[int, ...] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder.resolve()
        self._name = "seatledger-" + hashlib.sha256(os.fsencode(self._folder)).hexdigest()[:10]
        self.ports = free_ports(1, ports)
        self._password = secret(folder / "password")
        self.programs = (self._program(),)

    @property
    def url(self) -> str:
        return amqp_url(USER, self._password, self.ports[0])

    @property
    def description(self) -> str:
        return f"RabbitMQ in docker ({IMAGE}) on 127.0.0.1:{self.ports[0]}"

    def _program(self) -> Program:
        plugins = self._folder / "enabled_plugins"
        plugins.write_text(f"[{','.join(PLUGINS)}].\n")
        plugins.chmod(0o644)

        async def answers() -> bool:
            return await speaks_amqp(self.ports[0])

        argv = (
            *("docker", "run", "--rm", "--name", self._name, "--hostname", self._name),
            *("--publish", f"127.0.0.1:{self.ports[0]}:5672"),
            *("--volume", f"{self._name}:/var/lib/rabbitmq"),
            *("--mount", f"type=bind,source={plugins},target=/etc/rabbitmq/enabled_plugins"),
            *("--env", "RABBITMQ_DEFAULT_USER", "--env", "RABBITMQ_DEFAULT_PASS", IMAGE),
        )
        env = {
            **os.environ,
            "RABBITMQ_DEFAULT_USER": USER,
            "RABBITMQ_DEFAULT_PASS": self._password,
        }
        return Program(
            "RabbitMQ",
            argv,
            env,
            answers,
            self._folder / "start.log",
            stop_signal=signal.SIGTERM,  # docker passes it on to the broker
            stop_seconds=8,
            ready_seconds=300,  # it may have to fetch the image
        )


async def docker_answers() -> bool:
    """Whether an engine stands behind the docker command."""
    try:
        outcome = await run_command("docker", "version", "--format", "{{.Server.Version}}")
    except OSError:
        return False
    return outcome.returncode == 0
