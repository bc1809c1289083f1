"""Load by wrk, one thread, closed loop: it costs little beside what it measures.

The program here is taken, or else the distribution's package is unpacked into the cache.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.rabbitmq.debian_copy import copy_of, library_path

SCRIPT = Path(__file__).with_name("book.lua")
GET_SCRIPT = Path(__file__).with_name("query_get.lua")


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
    return await _run((*arguments, url, "--", *told))


async def get(
    url: str, headers: Sequence[str], connections: int, seconds: float, differing: bool = False
) -> Load:
    """The same GET for so many seconds; `differing`: no two requests byte for byte the same."""
    named = [part for header in headers for part in ("-H", header)]
    arguments = (*_load(connections, seconds), "-s", str(GET_SCRIPT), *named)
    return await _run((*arguments, url, "--", "differing" if differing else "same"))


async def _program() -> tuple[str, dict[str, str]]:
    """The program, and its environment: the one here, or a private copy of the distribution's."""
    found = shutil.which("wrk")
    if found is not None:
        return found, dict(os.environ)
    root = await copy_of("wrk")
    return str(root / "usr/bin/wrk"), {**os.environ, "LD_LIBRARY_PATH": library_path(root)}


def _load(connections: int, seconds: float) -> tuple[str, ...]:
    return "-t1", f"-c{connections}", f"-d{seconds:g}", "--timeout", "20"


async def _run(arguments: Sequence[str]) -> Load:
    program, env = await _program()
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    lines = [line for line in output.decode().splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise SystemExit(f"wrk failed: {output.decode().strip()}")
    return Load(**json.loads(lines[0].removeprefix("RESULT ")))
