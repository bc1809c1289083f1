"""Environment variables of the services, also as a file for a second terminal (mode 0600)."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from deploy.local.keys import master_key
from deploy.local.postgres.server import LOGIN_FILE
from shared.runtime.settings import Settings

SHARED = (
    "DATABASE_URL",
    "AMQP_URL",
    "SEATLEDGER_DATA",
    "SEATLEDGER_HOST",
    "SEATLEDGER_MASTER_KEY",
    "SEATLEDGER_PORT",
)


def service_environment(settings: Settings, data: Path, port: int) -> dict[str, str]:
    """Ours, with what the launcher decided; the servers' URLs come when they are known."""
    env = {**os.environ, "SEATLEDGER_DATA": str(data), "SEATLEDGER_PORT": str(port)}
    if settings.master_key is None:
        ledger_exists = (data / "postgres" / LOGIN_FILE).exists()
        env["SEATLEDGER_MASTER_KEY"] = master_key(data, ledger_exists=ledger_exists)
    return env


def write_environment(file: Path, env: Mapping[str, str]) -> None:
    """To be read with `. file`: then `seatledger log` finds this ledger."""
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    lines = [f"export {name}={shlex.quote(env[name])}\n" for name in SHARED if name in env]
    file.write_text("".join(lines))
