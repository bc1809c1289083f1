"""Check for processes that an earlier PostgreSQL server left in a cluster, before a start.

PostgreSQL itself looks at the pid file only, which is wrong when the pid is a zombie's or another
program's by now. Every process of a server has the cluster as its working folder; this looks there.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import psutil

from deploy.local.processes.program import StartFailure

PATIENCE_SECONDS = 10  # the processes of a killed server end by themselves
POLL_SECONDS = 0.05


async def clear_pid_file(cluster: Path) -> None:
    """Removes what a killed server left; StartFailure when one still runs there."""
    file = cluster / "postmaster.pid"
    if not file.exists():
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while working_in(cluster):  # noqa: ASYNC110 - they tell nobody
                await asyncio.sleep(POLL_SECONDS)
    for process in working_in(cluster):
        raise StartFailure(
            f"a PostgreSQL (process {process.pid}) still runs on {cluster}: "
            f"stop it with kill -INT {process.pid}"
        )
    file.unlink(missing_ok=True)


def working_in(folder: Path) -> list[psutil.Process]:
    """The living processes with this working folder, the oldest first."""
    found = [
        process
        for process in psutil.process_iter(["cwd", "status", "create_time"])
        if process.info["cwd"] == str(folder) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]
    return sorted(found, key=lambda process: float(process.info["create_time"]))
