"""Load by wrk, one thread, closed loop: it costs little beside what it measures.

Debian has it: `apt-get install wrk`. Nothing else is measured with.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("book.lua")
GET_SCRIPT = Path(__file__).with_name("query_get.lua")
NO_WRK = "make bench needs wrk: apt-get install wrk"


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk saw; latencies in milliseconds."""

    count: int
    seconds: float
    failed: int
    p50: float
    p99: float
    max: float

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return (self.count - self.failed) / self.seconds


async def book_seats(
    url: str,
    groups: Path,
    authorization: str,
    connections: int,
    seconds: float,
    keyed: bool = False,
) -> Load:
    """Bookings for so many seconds; `keyed`: each with an Idempotency-Key of its own."""
    arguments = (*_load(connections, seconds), "-s", str(SCRIPT))
    told = (str(groups), authorization, "keyed" if keyed else "")
    return await _run((_program(), *arguments, url, "--", *told))


async def get(
    url: str, headers: Sequence[str], connections: int, seconds: float, differing: bool = False
) -> Load:
    """The same GET for so many seconds; `differing`: no two requests byte for byte the same."""
    named = [part for header in headers for part in ("-H", header)]
    arguments = (*_load(connections, seconds), "-s", str(GET_SCRIPT), *named)
    return await _run((_program(), *arguments, url, "--", "differing" if differing else "same"))


def _program() -> str:
    program = shutil.which("wrk")
    if program is None:
        raise SystemExit(NO_WRK)
    return program


def _load(connections: int, seconds: float) -> tuple[str, ...]:
    return "-t1", f"-c{connections}", f"-d{seconds:g}", "--timeout", "20"


async def _run(command: Sequence[str]) -> Load:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    lines = [line for line in output.decode().splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise SystemExit(f"wrk failed: {output.decode().strip()}")
    return Load(**json.loads(lines[0].removeprefix("RESULT ")))
