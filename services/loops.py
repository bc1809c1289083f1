"""`python -m services.loops`: projector and relay in a process of their own, until SIGTERM."""

from __future__ import annotations

import sys

from services.query.loops import query_loops
from shared.event_loop import run
from shared.eventlog.privacy import MasterKey
from shared.http.server import stop_requested
from shared.settings import ConfigurationError, Settings, read_settings
from shared.telemetry import configure_logging


async def run_loops(settings: Settings) -> None:
    """Runs every loop until SIGTERM or SIGINT."""
    master = MasterKey(settings.master_key_bytes)
    async with stop_requested() as stopped, query_loops(settings, master):
        await stopped.wait()


if __name__ == "__main__":
    try:
        started = read_settings()
        configure_logging()
        run(run_loops(started))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None
