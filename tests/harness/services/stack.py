"""A running stack: `python -m services` on a free port, as an operator starts it.

It is a real process on a real database, waited for by condition and ended by its pid.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from aiohttp import ClientError, ClientSession, encode_basic_auth

from shared.accounts.postgres import PostgresAccounts
from shared.eventlog.privacy import MasterKey
from tests.harness.servers.private import Databases
from tests.harness.waiting import until

CHECKOUT = Path(__file__).resolve().parents[3]
START_SECONDS = 60.0
STOP_SECONDS = 20.0
MASTER = bytes(range(32))
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, read: `body` is parsed JSON, or None where there is none."""

    status: int
    body: Any
    headers: Mapping[str, str]
    text: str

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def id(self) -> str:
        found: str = self.body["data"]["id"]
        return found

    @property
    def code(self) -> str | None:
        return self.body.get("code") if isinstance(self.body, dict) else None


@dataclass(frozen=True, slots=True)
class Tenant:
    """An app with a server key and a widget key."""

    app_id: UUID
    slug: str
    key: str
    widget_key: str


class Caller:
    """HTTP calls with one key, as any client makes them."""

    def __init__(self, stack: Stack, key: str | None) -> None:
        self._stack = stack
        self._key = key

    async def __call__(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """`path` begins with /v2 or another absolute path; redirects are not followed."""
        sent = dict(headers or {})
        if self._key is not None:
            sent.setdefault("Authorization", encode_basic_auth("", self._key))
        url = self._stack.url + path
        asked = self._stack.session.request(
            method, url, json=json, data=data, headers=sent, allow_redirects=False
        )
        async with asked as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json" and text
            body = await answer.json() if is_json else None
            return Answer(answer.status, body, dict(answer.headers), text)

    async def get(self, path: str, **more: Any) -> Answer:
        return await self("GET", path, **more)

    async def post(self, path: str, json: Any = None, **more: Any) -> Answer:
        return await self("POST", path, json, **more)

    async def put(self, path: str, json: Any = None, **more: Any) -> Answer:
        return await self("PUT", path, json, **more)

    async def delete(self, path: str, **more: Any) -> Answer:
        return await self("DELETE", path, **more)


class Stack:
    """The running service: its address, its database, and tenants of the test's own."""

    def __init__(self, url: str, dsn: str, session: ClientSession) -> None:
        self.url = url
        self.dsn = dsn
        self.session = session

    def call(self, key: str | None) -> Caller:
        return Caller(self, key)

    async def tenant(self, is_test: bool = True, time_zone: str = "UTC") -> Tenant:
        """A new app with both kinds of keys."""
        slug = f"app-{next(_numbers)}"
        connection = await asyncpg.connect(self.dsn, timeout=10)
        try:
            accounts = PostgresAccounts(connection)
            app = await accounts.create_app(slug, slug, time_zone, is_test)
            master = MasterKey(MASTER)
            _, key = await accounts.create_key(master, app, "server")
            _, widget = await accounts.create_key(master, app, "widget")
        finally:
            await connection.close()
        return Tenant(app.app_id, slug, key, widget)

    async def position(self) -> int:
        """The head of the log."""
        connection = await asyncpg.connect(self.dsn, timeout=10)
        try:
            position: int = await connection.fetchval("SELECT position FROM log_head")
            return position
        finally:
            await connection.close()


def environment(dsn: str, port: int, **settings: str) -> dict[str, str]:
    """The environment of a service process, with nothing of the caller's own settings."""
    ours = ("SEATLEDGER_", "DATABASE_URL", "AMQP_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {
        **kept,
        "DATABASE_URL": dsn,
        "SEATLEDGER_MASTER_KEY": base64.b64encode(MASTER).decode(),
        "SEATLEDGER_PORT": str(port),
        "SEATLEDGER_LOOPS": "inline",
        **settings,
    }


@asynccontextmanager
async def running_stack(dsn: str, output: Path, **settings: str) -> AsyncIterator[Stack]:
    """The stack runs inside the block; its output is in the file."""
    port = free_port()
    with output.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services",
            cwd=CHECKOUT,
            env=environment(dsn, port, **settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    async with ClientSession() as session:
        try:
            stack = Stack(f"http://127.0.0.1:{port}", dsn, session)
            await _ready(stack, process, output)
            yield stack
        finally:
            await _end(process)


@asynccontextmanager
async def own_stack(databases: Databases, output: Path, **settings: str) -> AsyncIterator[Stack]:
    """A stack on a migrated database of its own, which goes with it."""
    name = await databases.create("template_seatledger")
    async with running_stack(databases.cluster.dsn_of(name), output, **settings) as stack:
        yield stack
    await databases.drop(name)


async def _ready(stack: Stack, process: asyncio.subprocess.Process, output: Path) -> None:
    async def ready() -> bool:
        assert process.returncode is None, output.read_text()  # noqa: ASYNC240
        try:
            async with stack.session.get(f"{stack.url}/health/ready") as answer:
                return answer.status == 200
        except (ClientError, OSError):
            return False

    await until(ready, START_SECONDS, "a ready service")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.wait(), STOP_SECONDS)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
