"""Builds the wheel that is shipped, and unpacks a wheel so that its code can run beside ours."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from pathlib import Path

from deploy.local.processes.commands import Outcome, run_command
from deploy.local.service import CHECKOUT

SHIPPED = ("services", "shared", "deploy", "pyproject.toml", "README.md", "LICENSE")


async def done(*command: str | Path, cwd: Path = Path("/")) -> Outcome:
    """The outcome of a command that must succeed."""
    outcome = await run_command(*command, env=dict(os.environ), cwd=cwd)
    assert outcome.returncode == 0, outcome.reason
    return outcome


async def build_wheel(folder: Path) -> Path:
    """Built from a copy: nothing is left in the checkout."""
    source = folder / "source"
    source.mkdir()
    for name in SHIPPED:
        if (CHECKOUT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(CHECKOUT / name, source / name, ignore=ignored)
        else:
            shutil.copy(CHECKOUT / name, source / name)
    build = ("build", "--quiet", "--wheel", "--no-build-isolation", "--out-dir", folder / "dist")
    await done(sys.executable, "-m", "uv", *build, "--python", sys.executable, source)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def unpacked(wheel: Path, folder: Path) -> Path:
    """A folder from which `python -m` runs the wheel's code, with our packages around it."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder
