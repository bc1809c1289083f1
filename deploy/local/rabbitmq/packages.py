"""RabbitMQ's programs: the installed ones, or the distribution's packages unpacked into the cache.

apt itself downloads and checks the signatures; nothing is installed. The copy is renamed into place
when it is complete, serves every checkout and data folder of this user, and must not be moved: its
path is in it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.cache import cache_folder, file_lock
from deploy.local.rabbitmq.debian_copy import library_path, unpack

# Never /usr/sbin/rabbitmq-server: that wrapper changes user and folder.
INSTALLED = (
    Path("/usr/lib/rabbitmq/bin"),
    Path("/opt/homebrew/opt/rabbitmq/sbin"),
    Path("/usr/local/opt/rabbitmq/sbin"),
)
ERLANG = Path("usr/lib/erlang")
SCRIPTS = ("bin/*", "erts-*/bin/*")


@dataclass(frozen=True)
class Installation:
    """RabbitMQ here: the folder with rabbitmq-server, and what it needs in its environment."""

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    origin: str = "installed"


def installed() -> Installation | None:
    for folder in INSTALLED:
        if os.access(folder / "rabbitmq-server", os.X_OK):
            return Installation(folder)
    return None


async def private_copy() -> Installation:
    """The copy in the cache, fetched when it is not there yet; StartFailure says why not."""
    root = cache_folder() / "rabbitmq"
    if not root.exists():
        async with file_lock(root.with_suffix(".lock")):
            if not root.exists():
                await _fetch(root)
    return Installation(
        root / "usr/lib/rabbitmq/bin", _environment(root), f"private copy in {root}"
    )


def _environment(root: Path) -> dict[str, str]:
    env = {}
    if (root / ERLANG / "bin/erl").exists():
        env["PATH"] = f"{root / ERLANG / 'bin'}:{os.environ.get('PATH', os.defpath)}"
    if libraries := library_path(root):
        env["LD_LIBRARY_PATH"] = libraries
    return env


async def _fetch(root: Path) -> None:
    part = root.with_name("rabbitmq.part")
    await unpack("rabbitmq-server", part)
    _tell_erlang_its_place(part / "root", root)
    (part / "root").rename(root)
    shutil.rmtree(part)


def _tell_erlang_its_place(unpacked: Path, final: Path) -> None:
    """Debian's erl scripts name /usr/lib/erlang; they must name the place it will have."""
    old, new = f"/{ERLANG}".encode(), bytes(final / ERLANG)
    for pattern in SCRIPTS:
        for file in (unpacked / ERLANG).glob(pattern):
            if file.is_symlink() or not file.is_file():
                continue
            content = file.read_bytes()
            if content.startswith(b"#!"):
                file.write_bytes(content.replace(old, new))
