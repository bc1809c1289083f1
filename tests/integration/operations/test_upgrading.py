"""An upgrade in service: from a release's schema to ours, old processes beside new ones."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from deploy.local.processes.commands import run_command
from deploy.local.processes.ports import free_ports
from deploy.local.processes.program import Program
from deploy.local.service import CHECKOUT, answers_ok
from tests.harness.services.installation import HOST, Installation, installed
from tests.integration.operations.callers import calling
from tests.integration.operations.shipping import unpacked

RELEASES = sorted((Path(__file__).parent / "releases").glob("*.whl"))


async def migrated(dsn: str, code: Path, phase: str) -> str:
    """What `python -m shared.migrate` of that code says of itself."""
    command = (sys.executable, "-m", "shared.migrate", phase)
    env = {**os.environ, "DATABASE_URL": dsn}
    outcome = await run_command(*command, env=env, cwd=code)
    assert outcome.returncode == 0, outcome.reason
    return outcome.output


def service(installation: Installation, code: Path, name: str) -> tuple[Program, str]:
    """`python -m services` of that code, and where it is."""
    (port,) = free_ports(1)
    program = Program(
        name=name,
        argv=(sys.executable, "-m", "services"),
        env={**installation.env, "SEATLEDGER_PORT": str(port)},
        probe=lambda: answers_ok(HOST, port, "/health/ready"),
        log=installation.folder / f"{name}.log",
        cwd=code,
    )
    return program, f"http://{HOST}:{port}"


@pytest.mark.parametrize("release", RELEASES or [None])
async def test_old_and_new_processes_serve_together_through_an_upgrade(
    empty_database_url: str, release: Path | None, wheel: Path, tmp_path: Path
) -> None:
    old_code = unpacked(release or wheel, tmp_path / "old")
    assert "0001_ledger.before" in await migrated(empty_database_url, old_code, "all")
    async with installed(empty_database_url, is_migrated=True) as installation:
        old, old_url = service(installation, old_code, "old")
        new, new_url = service(installation, CHECKOUT, "new")
        await old.start()
        try:
            async with calling(old_url, installation.key, 2) as at_old:
                await at_old.more(10)
                await migrated(installation.dsn, CHECKOUT, "before")
                await new.start()
                async with calling(new_url, installation.key, 2) as at_new:
                    await at_old.more(20)
                    await at_new.more(20)
                    at_old.over.set()
                    await old.stop()
                    await migrated(installation.dsn, CHECKOUT, "after")
                    await at_new.more(20)
            assert at_old.failures == at_new.failures == []
            verdict = await run_command(
                *(sys.executable, "-m", "services.cli", "verify"),
                env=installation.env,
                cwd=CHECKOUT,
            )
            assert verdict.returncode == 0, verdict.reason
            assert "up to date" in await migrated(installation.dsn, CHECKOUT, "all")
        finally:
            await new.stop()
            await old.stop()
