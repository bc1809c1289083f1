"""Entry point of the local stack: `python -m deploy.local`, which `make run` starts."""

from __future__ import annotations

import asyncio
import signal
import sys

signal.signal(signal.SIGINT, signal.SIG_DFL)  # until something is started, Ctrl-C simply ends it

from deploy.local.app import run  # noqa: E402
from deploy.local.processes.program import StartFailure  # noqa: E402
from shared.runtime.settings import ConfigurationError, read_settings  # noqa: E402


def main() -> int:
    """0 when it was asked to stop; 1 with one line that says what to do."""
    try:
        asyncio.run(run(read_settings()))
    except (ConfigurationError, StartFailure) as error:
        sys.stderr.write(f"seatledger: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
