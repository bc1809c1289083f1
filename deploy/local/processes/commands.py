"""Commands that run to their end: returns their output, and ends them with the launcher."""

from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.local.processes.program import Identity, dies_with_parent

LONGEST_REASON = 300


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it said."""

    returncode: int
    output: str
    errors: str

    @property
    def reason(self) -> str:
        """What it said last, in one line."""
        return " ".join((self.errors or self.output).split())[-LONGEST_REASON:]


async def run_command(
    *argv: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: Path = Path("/"),
    identity: Identity | None = None,
) -> Outcome:
    """Runs it to the end; a cancellation ends the command too."""
    who = identity or Identity()
    process = await asyncio.create_subprocess_exec(
        *who.prefix,
        *argv,
        env=dict(env) if env is not None else None,
        cwd=cwd,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
        preexec_fn=dies_with_parent(signal.SIGTERM),
        **who.options,  # type: ignore[arg-type]
    )
    try:
        output, errors = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        raise
    return Outcome(process.returncode or 0, _text(output), _text(errors))


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
