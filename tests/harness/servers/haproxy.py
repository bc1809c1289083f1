"""The project's own HAProxy configuration, run for real: the program here, or a private copy."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.processes.ports import free_ports
from deploy.local.processes.program import Program
from deploy.local.rabbitmq.debian_copy import copy_of, library_path
from deploy.local.service import CHECKOUT, answers_ok
from tests.harness.services.installation import HOST, Installation

CONFIGURATION = CHECKOUT / "deploy" / "proxy" / "haproxy.cfg"


@dataclass
class BehindProxy(Installation):
    """The installation as callers know it: at the proxy's address only."""

    url: str = ""

    @property
    def command_urls(self) -> list[str]:
        return [self.url]

    @property
    def query_urls(self) -> list[str]:
        return [self.url]


async def haproxy() -> tuple[Path, dict[str, str]]:
    """The program, and what it needs in its environment."""
    found = shutil.which("haproxy", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is not None:
        return Path(found), {}
    root = await copy_of("haproxy")
    return root / "usr/sbin/haproxy", {"LD_LIBRARY_PATH": library_path(root)}


@asynccontextmanager
async def proxied(installation: Installation, **settings: str) -> AsyncIterator[BehindProxy]:
    """HAProxy before the installation's two command and two query processes."""
    addresses = {
        f"{kind}_{number}": f"{HOST}:{process.port}"
        for kind, found in (("COMMAND", installation.commands), ("QUERY", installation.queries))
        for number, process in enumerate(found, 1)
    }
    async with proxied_to({**addresses, **settings}, installation.folder) as url:
        yield BehindProxy(**vars(installation), url=url)


@asynccontextmanager
async def proxied_to(settings: Mapping[str, str], folder: Path) -> AsyncIterator[str]:
    """HAProxy before whatever COMMAND_1, COMMAND_2, QUERY_1 and QUERY_2 name; its URL."""
    program, env = await haproxy()
    (port,) = free_ports(1)
    proxy = _program(program, port, {**env, **settings}, folder)
    await proxy.start()
    try:
        yield f"http://{HOST}:{port}"
    finally:
        await proxy.stop()


def _program(program: Path, port: int, env: Mapping[str, str], folder: Path) -> Program:
    async def answers() -> bool:
        return await answers_ok(HOST, port, "/health/live")

    return Program(
        name="haproxy",
        argv=(str(program), "-db", "-f", str(CONFIGURATION)),
        env={"PATH": os.defpath, "PROXY_BIND": f"{HOST}:{port}", **env},
        probe=answers,
        log=folder / "haproxy.log",
        ready_seconds=20,
    )
