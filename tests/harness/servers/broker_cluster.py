"""Three RabbitMQ nodes that make one cluster, each with its own ports and folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.rabbitmq.broker import installation
from deploy.local.rabbitmq.node import USER, PrivateRabbitMQ, amqp_url
from deploy.local.rabbitmq.packages import Installation
from tests.harness.servers.private import remove_folder, temporary_folder

NODES = ("one", "two", "three")


class ClusterNode(PrivateRabbitMQ):
    """A node that knows the others by name; the first one's epmd and secrets serve all."""

    def __init__(
        self, folder: Path, found: Installation, name: str, first: ClusterNode | None
    ) -> None:
        self.name = name
        self._first = first
        if first is not None:
            for secret in (".erlang.cookie", "password"):
                _copy(first.home / secret, folder / secret)
        super().__init__(folder, found)
        with (self.home / "rabbitmq.conf").open("a") as configuration:
            configuration.write("cluster_formation.peer_discovery_backend = classic_config\n")
            for number, other in enumerate(NODES, 1):
                line = f"cluster_formation.classic_config.nodes.{number} = {other}@localhost\n"
                configuration.write(line)

    def _environment(self) -> dict[str, str]:
        epmd = self.ports[1] if self._first is None else self._first.ports[1]
        names = {"RABBITMQ_NODENAME": f"{self.name}@localhost", "ERL_EPMD_PORT": str(epmd)}
        return {**super()._environment(), **names}


class BrokerCluster:
    """All of them; `urls` names each, so that a client may go to any."""

    def __init__(self, folder: Path, found: Installation) -> None:
        first = ClusterNode(folder / NODES[0], found, NODES[0], None)
        others = [ClusterNode(folder / name, found, name, first) for name in NODES[1:]]
        self.nodes = [first, *others]

    @property
    def urls(self) -> str:
        password = self.nodes[0].password
        return ",".join(amqp_url(USER, password, node.ports[0]) for node in self.nodes)

    async def start(self) -> None:
        """The first node, and those that join it."""
        await self.nodes[0].start()
        await asyncio.gather(*(node.broker.start() for node in self.nodes[1:]))

    async def stop(self) -> None:
        await asyncio.gather(*(node.broker.stop() for node in self.nodes))
        await self.nodes[0].epmd.stop()


@asynccontextmanager
async def broker_cluster() -> AsyncIterator[BrokerCluster]:
    """A cluster of three, running inside the block."""
    folder = temporary_folder()
    cluster = BrokerCluster(folder, await installation())
    try:
        await cluster.start()
        yield cluster
    finally:
        await cluster.stop()
        remove_folder(folder)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    target.write_text(source.read_text())
    target.chmod(0o400)
