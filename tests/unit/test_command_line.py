"""The `seatledger` command has every command of its modules, and starts without the others'."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.main import get_group

from services.cli import app

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = ("aiohttp", "aio_pika", "prometheus_client")


def written() -> set[Any]:
    """The functions of all commands that any module makes."""
    found = set()
    for folder in ("services", "shared"):
        for file in ROOT.joinpath(folder).rglob("*.py"):
            if "@" in (text := file.read_text()) and "typer.Typer(" in text:
                name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
                apps = vars(import_module(name)).values()
                made = [one for one in apps if isinstance(one, typer.Typer)]
                found |= {info.callback for one in made for info in one.registered_commands}
    return found


def reachable(group: Any) -> Iterator[Any]:
    """The functions of all commands that a person can call."""
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        assert command.name == name
        if hasattr(command, "list_commands"):
            yield from reachable(command)
        else:
            yield command.callback.__wrapped__


def test_every_command_that_a_module_makes_can_be_called() -> None:
    assert len(written()) > 20
    assert set(reachable(get_group(app))) == written()


def test_a_command_starts_without_the_drivers_of_others() -> None:
    code = (
        "import sys; from services.cli import app; from typer.testing import CliRunner;"
        "assert CliRunner().invoke(app, ['verify', '--help']).exit_code == 0;"
        f"print([name for name in {DRIVERS!r} if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert out.stdout.decode() == "[]\n"
