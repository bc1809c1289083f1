"""How many events a second are verified, exported and imported, and in how much memory.

`python -m tests.bench.audit_speed [EVENTS]`: a private server, the commands as an operator runs
them, each in a process of its own; the memory is that of the process and its children at its peak.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

import asyncpg

from deploy.local.postgres import PrivatePostgres
from shared.migrate import migrate
from tests.bench.query_projection import fill
from tests.harness.servers import remove_folder, temporary_folder

EVENTS = 100_000
COMMAND = (sys.executable, "-m", "services.cli")


async def measure(dsn: str, what: str, events: int, *arguments: str) -> None:
    """One command, timed; its figures on a line."""
    began, before = time.monotonic(), os.times()
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        env={**os.environ, "DATABASE_URL": dsn},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    seconds = time.monotonic() - began
    assert process.returncode == 0, out.decode()
    after = os.times()
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    sys.stdout.write(
        f"{what:8} {events / seconds:9,.0f} events/s {seconds:6.2f} s, its own CPU {used:6.2f} s"
        f" {out.decode().strip()[:200]}\n"
    )
    sys.stdout.flush()


async def main(events: int) -> None:
    folder = temporary_folder()
    cluster = PrivatePostgres(folder / "one")
    await cluster.start()
    try:
        await migrate(cluster.dsn)
        count = (await fill(cluster.dsn, events)).position
        file, keys = str(folder / "ledger.jsonl"), str(folder / "keys.jsonl")
        for _ in range(2):
            await measure(cluster.dsn, "verify", count, "verify", "--json")
            await measure(cluster.dsn, "chain", count, "verify", "--json", "--no-counts")
        await measure(cluster.dsn, "export", count, "export", file, "--keys", keys, "--json")
        await _import(cluster, count, file, keys)
    finally:
        await cluster.stop()
        remove_folder(folder)


async def _import(cluster: PrivatePostgres, count: int, file: str, keys: str) -> None:
    connection = await asyncpg.connect(cluster.dsn)
    await connection.execute("CREATE DATABASE copy")
    await connection.close()
    dsn = cluster.dsn_of("copy")
    await migrate(dsn)
    await measure(dsn, "import", count, "import", file, "--keys", keys, "--json")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS))
