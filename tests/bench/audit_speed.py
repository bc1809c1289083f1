"""How many events a second are verified, exported and imported, and in how much memory.

`python -m tests.bench.audit_speed [EVENTS]`: a private server, the commands as an operator runs
them, each in a process of its own; the memory is that of the process and its children at its peak.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import asyncpg

from deploy.local.postgres import PrivatePostgres
from shared.migrate import migrate
from tests.bench.query_projection import fill
from tests.harness.servers import remove_folder, temporary_folder

EVENTS = 100_000
COMMAND = (sys.executable, "-m", "services.cli")


def measure(dsn: str, what: str, events: int, *arguments: str) -> None:
    """One command, timed; its figures on a line."""
    began = time.monotonic()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        env={**os.environ, "DATABASE_URL": dsn},
        stdout=subprocess.DEVNULL,
    )
    peak = _peak_while_running(process.pid)
    _, status, used = os.wait4(process.pid, 0)
    seconds, cpu = time.monotonic() - began, used.ru_utime + used.ru_stime
    assert status == 0, what
    sys.stdout.write(
        f"{what:8} {events / seconds:9,.0f} events/s in {seconds:6.2f} s;"
        f" CPU {cpu:6.2f} s; at most {peak / 1024:4.0f} MB\n"
    )
    sys.stdout.flush()


def _peak_while_running(pid: int) -> int:
    """The most memory (kB) that the process itself took; its own, not what it was forked from."""
    peak = 0
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        status = Path(f"/proc/{pid}/status").read_text()
        peak = max(peak, int((status.partition("VmHWM:")[2].split() or ["0"])[0]))
        time.sleep(0.02)
    return peak


async def measured(dsn: str, what: str, events: int, *arguments: str) -> None:
    await asyncio.to_thread(measure, dsn, what, events, *arguments)


async def main(events: int) -> None:
    folder = temporary_folder()
    cluster = PrivatePostgres(folder / "one")
    await cluster.start()
    try:
        await migrate(cluster.dsn)
        count = (await fill(cluster.dsn, events)).position
        file, keys = str(folder / "ledger.jsonl"), str(folder / "keys.jsonl")
        for _ in range(2):
            await measured(cluster.dsn, "verify", count, "verify", "--json")
            await asyncio.to_thread(
                measure, cluster.dsn, "chain", count, "verify", "--json", "--no-counts"
            )
        await asyncio.to_thread(
            measure, cluster.dsn, "export", count, "export", file, "--keys", keys, "--json"
        )
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
    await measured(dsn, "import", count, "import", file, "--keys", keys, "--json")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS))
