"""Cache folder of this user, shared by several checkouts, with no space in its path."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.processes.program import StartFailure

PLAIN_PATH = re.compile(r"[\w./+-]+", re.ASCII)
LOCK_POLL_SECONDS = 0.1


def cache_folder() -> Path:
    """~/.cache/seatledger, or a private folder in /var/tmp where that cannot be had."""
    try:
        folder = Path.home() / ".cache" / "seatledger"
        if is_plain(folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.access(folder, os.W_OK):
                return folder
    except (OSError, RuntimeError):  # no home folder, or not ours to write
        pass
    return _private_temporary_folder()


def is_plain(path: Path) -> bool:
    """Whether scripts that do not quote can work with this path."""
    return PLAIN_PATH.fullmatch(str(path)) is not None


def plain_path_to(folder: Path) -> Path:
    """The folder itself, or a link to it from the cache where its path is not plain."""
    if is_plain(folder):
        return folder
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    link = cache_folder() / "links" / name
    link.parent.mkdir(exist_ok=True, mode=0o700)
    _remove_dangling(link.parent)
    if not link.is_symlink() or link.readlink() != folder:
        link.unlink(missing_ok=True)
        link.symlink_to(folder, target_is_directory=True)
    return link


@asynccontextmanager
async def file_lock(path: Path) -> AsyncIterator[None]:
    """Held by one process at a time; the kernel lets go of it when that process dies."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not _lock_now(handle):  # noqa: ASYNC110 - another process lets go of it
            await asyncio.sleep(LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(handle)


def _remove_dangling(links: Path) -> None:
    for link in links.iterdir():
        if not link.exists():
            link.unlink(missing_ok=True)


def _lock_now(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _private_temporary_folder() -> Path:
    folder = Path(f"/var/tmp/seatledger-{os.getuid()}")  # noqa: S108 - checked below
    folder.mkdir(exist_ok=True, mode=0o700)
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise StartFailure(f"{folder} is not a private folder of this user: remove it")
    return folder
