"""Service process of the local stack: ready when GET /health/ready answers 200."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from deploy.local.address import reachable_host
from deploy.local.processes.program import Program

CHECKOUT = Path(__file__).resolve().parents[2]
ANSWER_SECONDS = 5


def service_program(env: Mapping[str, str], host: str, port: int) -> Program:
    """`python -m services`, which writes to the launcher's terminal."""
    address = reachable_host(host).strip("[]")

    async def is_ready() -> bool:
        return await answers_ok(address, port, "/health/ready")

    return Program(
        name="services",
        argv=(sys.executable, "-m", "services"),
        env=env,
        probe=is_ready,
        cwd=CHECKOUT,
        stop_seconds=7,
        ready_seconds=60,
    )


async def answers_ok(address: str, port: int, path: str) -> bool:
    """Whether GET answers 200."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(address, port)
            try:
                request = f"GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode())
                status = await reader.readline()
                return status.split()[1:2] == [b"200"]
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError):
        return False
