"""What is shipped is whole: the wheel, in an empty environment with the locked packages, serves."""

from __future__ import annotations

import sys
from pathlib import Path

import aiohttp
import pytest

from deploy.local.processes.commands import run_command
from deploy.local.processes.ports import free_ports
from deploy.local.processes.program import Program
from deploy.local.service import CHECKOUT, answers_ok
from tests.harness.services.installation import HOST, installed
from tests.integration.operations.serving import auth, new_group
from tests.integration.operations.shipping import done

LOCKED = CHECKOUT / "deploy" / "requirements-image.txt"


async def empty_environment(folder: Path, wheel: Path) -> Path:
    """The Python of an environment with the image's locked packages and the wheel."""
    python = folder / "empty" / "bin" / "python"
    uv = (sys.executable, "-m", "uv")
    await done(*uv, "venv", "--quiet", "--python", sys.executable, folder / "empty")
    install = (*uv, "pip", "install", "--quiet", "--python", python)
    await done(*install, "--require-hashes", "-r", LOCKED)
    await done(*install, "--no-deps", "--offline", wheel)
    return python


@pytest.mark.slow
async def test_the_wheel_serves_from_an_empty_environment(
    empty_database_url: str, wheel: Path, tmp_path: Path
) -> None:
    python = await empty_environment(tmp_path, wheel)
    where = await done(python, "-c", "import services.cli as c; print(c.__file__)", cwd=tmp_path)
    assert str(tmp_path / "empty") in where.output, "it is the wheel's code that runs"
    async with installed(empty_database_url) as installation:
        (port,) = free_ports(1)
        env = {**installation.env, "SEATLEDGER_PORT": str(port)}
        migrated = await run_command(python, "-m", "shared.migrate", env=env, cwd=tmp_path)
        assert "up to date" in migrated.output, migrated.reason
        command = python.with_name("seatledger")
        listed = await run_command(command, "apps", "list", "--json", env=env, cwd=tmp_path)
        assert str(installation.app_id) in listed.output, listed.reason
        service = Program(
            name="services",
            argv=(str(python), "-m", "services"),
            env=env,
            probe=lambda: answers_ok(HOST, port, "/health/ready"),
            log=tmp_path / "services.log",
            cwd=tmp_path,
        )
        await service.start()
        try:
            async with (
                aiohttp.ClientSession(headers=auth(installation.key)) as session,
                session.post(f"http://{HOST}:{port}/v2/bookings", json=new_group()) as made,
            ):
                assert made.status == 201
        finally:
            await service.stop()
