"""Runs `seatledger` as a shell would, but inside this process, so that no test waits for Python."""

from __future__ import annotations

import asyncio

from typer.testing import CliRunner

from services.cli import app


async def seatledger(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr. Only the settings given in `environment` are set."""
    result = await asyncio.to_thread(
        CliRunner().invoke, app, list(arguments), env={**_UNSET, **environment}
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


_UNSET: dict[str, str | None] = dict.fromkeys(
    ("DATABASE_URL", "AMQP_URL", "SEATLEDGER_MASTER_KEY", "SEATLEDGER_HOST")
)
