"""How many events a second are verified (with read models, once they are projected), exported and
imported, at what cost and in which memory.

`python -m tests.bench.audit_speed [EVENTS]`: a private server, the commands as an operator runs
them, each in a process of its own. Processor time is that of the command with its processes, and
beside it the database's; memory is the sum of the processes' peaks, the database's not counted.
"""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from deploy.local.postgres.server import PrivatePostgres
from shared.migrate import migrate
from tests.bench.query_projection import MASTER_BYTES, fill
from tests.harness.servers.private import remove_folder, temporary_folder

EVENTS = 180_000
MASTER_KEY = base64.b64encode(MASTER_BYTES).decode()
COMMAND = (sys.executable, "-m", "services.cli")


@dataclass(frozen=True, slots=True)
class Bench:
    """A filled server."""

    cluster: PrivatePostgres
    events: int

    async def measure(self, what: str, *arguments: str, database: str = "seatledger") -> None:
        """One command, timed; its figures on a line."""
        await asyncio.to_thread(self._measure, what, self.cluster.dsn_of(database), *arguments)

    def _measure(self, what: str, dsn: str, *arguments: str) -> None:
        began, server = time.monotonic(), self._server_seconds()
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            env={**os.environ, "DATABASE_URL": dsn, "SEATLEDGER_MASTER_KEY": MASTER_KEY},
            stdout=subprocess.DEVNULL,
        )
        peak = _peak_while_running(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        seconds, cpu = time.monotonic() - began, used.ru_utime + used.ru_stime
        assert status == 0, what
        hundred_thousands = self.events / 100_000
        sys.stdout.write(
            f"{what:12} {self.events / seconds:9,.0f} events/s in {seconds:6.2f} s; for 100,000:"
            f" {cpu / hundred_thousands:5.2f} s of processor and"
            f" {(self._server_seconds() - server) / hundred_thousands:5.2f} s of the database's;"
            f" at most {peak / 1024:4.0f} MB\n"
        )
        sys.stdout.flush()

    def _server_seconds(self) -> float:
        """Processor time of all sessions that have ended."""
        fields = Path(f"/proc/{self.cluster.program.pid}/stat").read_text().rpartition(")")[2]
        ended = sum(map(int, fields.split()[13:15]))
        return ended / os.sysconf("SC_CLK_TCK")


def _peak_while_running(pid: int) -> int:
    """The most memory (kB) that the process and its children took, each at its own peak."""
    peaks: dict[str, int] = {}
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (str(pid), *children):
            with suppress(FileNotFoundError):
                status = Path(f"/proc/{one}/status").read_text()
                peak = int((status.partition("VmHWM:")[2].split() or ["0"])[0])
                peaks[one] = max(peak, peaks.get(one, 0))  # one that has ended tells none
        time.sleep(0.02)
    return sum(peaks.values())


async def main(events: int) -> None:
    folder = temporary_folder()
    cluster = PrivatePostgres(folder / "one")
    await cluster.start()
    try:
        await migrate(cluster.dsn)
        bench = Bench(cluster, (await fill(cluster.dsn, events)).position)
        file, keys = str(folder / "ledger.jsonl"), str(folder / "keys.jsonl")
        for _ in range(2):
            await bench.measure("verify", "verify", "--json")
            await bench.measure("no counts", "verify", "--json", "--no-counts")
        await bench.measure("replay", "replay", "--json")
        await bench.measure("read models", "verify", "--read-models", "--json")
        await bench.measure("export", "export", file, "--keys", keys, "--json")
        await _make_copy(cluster)
        await bench.measure("import", "import", file, "--keys", keys, "--json", database="copy")
    finally:
        await cluster.stop()
        remove_folder(folder)


async def _make_copy(cluster: PrivatePostgres) -> None:
    connection = await asyncpg.connect(cluster.dsn)
    await connection.execute("CREATE DATABASE copy")
    await connection.close()
    await migrate(cluster.dsn_of("copy"))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS))
