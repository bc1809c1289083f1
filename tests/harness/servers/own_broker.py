"""A RabbitMQ node of one test module: it may be killed, started again, starved and configured."""

from __future__ import annotations

import asyncio
from pathlib import Path

from deploy.local.rabbitmq.broker import installation
from deploy.local.rabbitmq.node import PrivateRabbitMQ
from deploy.local.rabbitmq.packages import Installation
from tests.harness.servers.private import remove_folder, temporary_folder


class OwnBroker:
    """Runs in the loop of the test that asks for it."""

    def __init__(self, folder: Path, there: Installation, node: PrivateRabbitMQ) -> None:
        self._folder = folder
        self._there = there
        self.node = node

    @classmethod
    async def started(cls, configuration: str = "") -> OwnBroker:
        folder, there = temporary_folder(), await installation()
        node = PrivateRabbitMQ(folder, there)
        with (node.home / "rabbitmq.conf").open("a") as file:
            file.write(configuration)
        await node.start()
        return cls(folder, there, node)

    @property
    def url(self) -> str:
        return self.node.url

    async def kill(self) -> None:
        """SIGKILL, and gone."""
        self.node.kill()
        assert self.node.broker.process is not None
        await self.node.broker.process.wait()

    async def start_again(self) -> None:
        await self.node.broker.start()

    async def control(self, *arguments: str) -> str:
        """rabbitmqctl."""
        process = await asyncio.create_subprocess_exec(
            str(self._there.folder / "rabbitmqctl"),
            *arguments,
            env=dict(self.node.broker.env),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output = (await process.communicate())[0].decode()
        assert process.returncode == 0, output
        return output

    async def close(self) -> None:
        await self.node.stop()
        remove_folder(self._folder)
