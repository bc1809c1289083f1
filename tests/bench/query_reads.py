"""GETs of one group at 64 connections: fresh and stale, beside a CRUD peer and the HTTP floor.

Each is served by a process of its own, and asked in turns, so that all meet the same machine.
The floor answers a constant; the peer does one indexed SELECT a request on a pool of 20.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from uuid import UUID

import asyncpg
from aiohttp import encode_basic_auth, web

from services.query.app import query_service
from services.query.projection import prepare
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresAccounts, PostgresKeySource
from shared.event_loop import run
from shared.eventlog.postgres import PostgresEventStore
from shared.http.middleware import new_application
from shared.http.server import listen, serve
from shared.telemetry import configure_logging
from tests.bench.query_projection import ledger
from tests.integration.query.scenario import MASTER, Scenario

CONNECTIONS = 64
START_SECONDS = 60
ROUNDS, ROUND_SECONDS = 5, 2.0
KEY = "test_api_key_bench"
PEER_POOL = 20
PEER_TABLE = """
CREATE TABLE peer_groups (id uuid PRIMARY KEY, state text, max_seats int, current_seats int,
    what text, "where" text, description text, start_at timestamptz, end_at timestamptz,
    created_at timestamptz, updated_at timestamptz);
INSERT INTO peer_groups SELECT gen_random_uuid(), 'tentative', 20, 1, 'A webinar', '', '', now(),
    now(), now(), now() FROM generate_series(1, 1000);
INSERT INTO peer_groups VALUES ('{0}', 'tentative', 20, 1, 'A webinar', '', '', now(), now(),
    now(), now());
"""
PEER_SELECT = "SELECT * FROM peer_groups WHERE id = $1"


async def serve_ours(port: int, dsn: str) -> None:
    configure_logging()
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(asyncpg.create_pool(dsn, min_size=1, max_size=2))
        query = await stack.enter_async_context(query_service(dsn, MASTER))
        app = new_application(KeyRing(PostgresKeySource(pool, MASTER), MASTER))
        app.add_routes(query.routes)
        await serve(app, listen("127.0.0.1", port))


async def serve_peer(port: int, dsn: str) -> None:
    async with asyncpg.create_pool(dsn, min_size=PEER_POOL, max_size=PEER_POOL) as pool:

        async def group(request: web.Request) -> web.Response:
            row = await pool.fetchrow(PEER_SELECT, UUID(request.match_info["id"]))
            return web.json_response(
                {"data": dict(row or {})}, dumps=lambda shown: json.dumps(shown, default=str)
            )

        await _serve_alone(port, group)


async def serve_floor(port: int, _: str) -> None:
    body = b'{"data":"' + b"x" * 700 + b'"}'

    async def constant(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    await _serve_alone(port, constant)


async def _serve_alone(port: int, handler: object) -> None:
    app = web.Application()
    app.router.add_get("/v2/bookings/groups/{id}", handler)  # type: ignore[arg-type]
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listen("127.0.0.1", port)).start()
    await asyncio.Event().wait()


class Caller(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, request: bytes) -> None:
        self.answers = 0
        self.bad = 0
        self._request = request
        self._left = 0
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if self._left == 0:
            self._head += data
            head, found, body = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            self._head = b""
            self.bad += b" 200 " not in head[:16]
            length = head.lower().partition(b"content-length: ")[2]
            self._left = int(length.partition(b"\r")[0]) - len(body)
        else:
            self._left -= len(data)
        if self._left == 0:
            self.answers += 1
            self._ask()


async def rate(port: int, request: bytes) -> float:
    """Answers a second, over one round."""
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Caller(request), "127.0.0.1", port)
        for _ in range(CONNECTIONS)
    ]
    began = time.perf_counter()
    await asyncio.sleep(ROUND_SECONDS)
    seconds = time.perf_counter() - began
    for transport, _ in made:
        transport.abort()
    if any(caller.bad for _, caller in made):
        raise SystemExit(f"port {port}: not every answer was 200")
    return sum(caller.answers for _, caller in made) / seconds


def request_for(group_id: UUID, *headers: str) -> bytes:
    auth = f"Authorization: {encode_basic_auth('', KEY)}"
    lines = [f"GET /v2/bookings/groups/{group_id} HTTP/1.1", "Host: x", auth, *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@asynccontextmanager
async def server(kind: str, port: int, dsn: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """One of the servers, in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.query_reads",
        kind,
        str(port),
        dsn,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _until_listening(port)
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _until_listening(port: int) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            with suppress(ConnectionRefusedError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.1)


async def main() -> None:
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(ledger())
        group_id = await _prepare(dsn)
        ports = {"ours": 18_761, "peer": 18_762, "floor": 18_763}
        for kind, port in ports.items():
            await stack.enter_async_context(server(kind, port, dsn))
        plain, stale = request_for(group_id), request_for(group_id, "Prefer: stale")
        turns = {
            "floor": (ports["floor"], plain),
            "peer": (ports["peer"], plain),
            "ours, fresh": (ports["ours"], plain),
            "ours, stale": (ports["ours"], stale),
        }
        rates: dict[str, list[float]] = {name: [] for name in turns}
        for _ in range(ROUNDS):
            for name, (port, request) in turns.items():
                rates[name].append(await rate(port, request))
        _tell({name: statistics.median(many) for name, many in rates.items()})


def _tell(rates: dict[str, float]) -> None:
    for name, one in rates.items():
        print(f"{name:12} {one:8,.0f}/s")
    print(f"fresh to peer  {rates['ours, fresh'] / rates['peer']:.2f}")
    print(f"stale to floor {rates['ours, stale'] / rates['floor']:.2f}")


async def prepare_app(pool: asyncpg.Pool[asyncpg.Record]) -> UUID:
    """An app with a key."""
    accounts = PostgresAccounts(pool)
    app = await accounts.create_app("Bench", "bench", "UTC", is_test=True)
    await accounts.create_key(MASTER, app, "server", text=KEY)
    return app.app_id


async def _prepare(dsn: str) -> UUID:
    await prepare(dsn)
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
        scenario = Scenario(PostgresEventStore(pool, dsn))
        group_id = await scenario.create(app_id=await prepare_app(pool))
        await scenario.book(group_id)
        await pool.execute(PEER_TABLE.format(group_id))
        await scenario.store.close()
        return group_id


if __name__ == "__main__":
    SERVERS = {"ours": serve_ours, "peer": serve_peer, "floor": serve_floor}
    if len(sys.argv) > 2:
        run(SERVERS[sys.argv[1]](int(sys.argv[2]), sys.argv[3]))
    else:
        run(main())
