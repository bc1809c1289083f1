"""Unpacker for a Debian package and its dependencies: into a folder, without installing anything.

apt itself downloads and checks the signatures, into a state of its own.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from deploy.local.cache import cache_folder, file_lock
from deploy.local.processes.commands import Outcome, run_command
from deploy.local.processes.program import StartFailure


def can_unpack() -> bool:
    """Whether this is a distribution with apt."""
    return all(shutil.which(name) for name in ("apt-get", "dpkg-deb"))


async def copy_of(package: str) -> Path:
    """The folder with the package's files in the cache, fetched when it is not there yet: shared
    by every checkout of this user. StartFailure says why there is none."""
    root = cache_folder() / package
    if not root.exists():
        async with file_lock(root.with_suffix(".lock")):
            if not root.exists():
                part = root.with_name(f"{package}.part")
                (await unpack(package, part)).rename(root)
                shutil.rmtree(part)
    return root


async def unpack(package: str, part: Path) -> Path:
    """The folder below `part` with the package's files; StartFailure says why there is none."""
    shutil.rmtree(part, ignore_errors=True)
    for folder in ("state/lists/partial", "cache/archives/partial", "root"):
        (part / folder).mkdir(parents=True)
    await _download(package, part)
    for archive in _archives(part):
        outcome = await run_command("dpkg-deb", "-x", archive, part / "root")
        _check(outcome, package, f"unpacking {archive}")
    return part / "root"


def library_path(root: Path) -> str:
    """What LD_LIBRARY_PATH must be for the unpacked programs."""
    libraries = [*root.glob("usr/lib/*-linux-gnu*"), *root.glob("lib/*-linux-gnu*")]
    return ":".join(map(str, libraries))


def _archives(part: Path) -> list[Path]:
    return sorted(part.glob("cache/archives/*.deb"))


async def _download(package: str, part: Path) -> None:
    apt = (
        "apt-get",
        "-qq",
        *("-o", "Debug::NoLocking=1"),
        *("-o", "APT::Sandbox::User="),
        *("-o", f"Dir::State={part / 'state'}"),
        *("-o", "Dir::State::status=/var/lib/dpkg/status"),
        *("-o", f"Dir::Cache={part / 'cache'}"),
    )
    env = {**os.environ, "LC_ALL": "C"}
    _check(await run_command(*apt, "update", env=env), package, "apt-get update")
    install = ("-y", "--no-install-recommends", "--download-only", "install", package)
    _check(await run_command(*apt, *install, env=env), package, "apt-get")


def _check(outcome: Outcome, package: str, what: str) -> None:
    if outcome.returncode != 0:
        raise StartFailure(f"{package} could not be fetched, {what} said: {outcome.reason}")
