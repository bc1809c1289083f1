"""Published clients, fetched by their own package managers at pinned versions and hashes."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.harness.servers.private import Databases
from tests.harness.services.stack import Stack, own_stack

HERE = Path(__file__).parent
NPM = Path(sys.executable).with_name("npm")
INSTALL_SECONDS = 100.0


@pytest_asyncio.fixture(scope="session")
async def client_stack(migrated: Databases, scratch: Path) -> AsyncIterator[Stack]:
    """A running service for all client tests; they keep apart by apps of their own."""
    async with own_stack(migrated, scratch / "clients.output") as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def node_modules() -> Path:
    """The JavaScript clients, installed once per lock file beside the Python packages."""
    return await installed(HERE / "javascript")


async def installed(source: Path) -> Path:
    """`npm ci` of the folder's lock file, whose integrity hashes npm checks."""
    lock = (source / "package-lock.json").read_bytes()
    folder = Path(sys.prefix) / "share" / f"clients-{hashlib.sha256(lock).hexdigest()[:12]}"
    if (folder / "installed").exists():
        return folder / "node_modules"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, folder)
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    process = await asyncio.create_subprocess_exec(
        str(NPM), "ci", *options, cwd=folder, stdin=asyncio.subprocess.DEVNULL
    )
    assert await asyncio.wait_for(process.wait(), INSTALL_SECONDS) == 0
    (folder / "installed").touch()
    return folder / "node_modules"
