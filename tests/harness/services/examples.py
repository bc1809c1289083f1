"""The examples as they are shipped, run as programs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from tests.harness.services.stack import CHECKOUT


@asynccontextmanager
async def example(name: str, environment: Mapping[str, str]) -> AsyncIterator[Process]:
    """`python -m deploy.examples.<name>` at work, and asked to end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"deploy.examples.{name}"),
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        stdout=PIPE,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 30)
