"""Private PostgreSQL server on loopback: what it acknowledged is on disk, whoever is killed.

No unix socket, no trust: only 127.0.0.1 with passwords that lie in files of mode 0600. The services
use a role of their own that owns the ledger's database; the superuser is the launcher's.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from deploy.local.postgres.binaries import find_binaries, major_version
from deploy.local.postgres.leftovers import clear_pid_file
from deploy.local.postgres.unprivileged import Placement, place
from deploy.local.processes.commands import run_command
from deploy.local.processes.ports import free_ports
from deploy.local.processes.program import Program, StartFailure
from deploy.service_role import ROLE, make_service_role

USER = DATABASE = "seatledger"
LOGIN_FILE = "postgres.password"
SERVICE_LOGIN_FILE = "service.password"

DURABLE: Mapping[str, str] = {
    "fsync": "on",
    "synchronous_commit": "on",  # an acknowledged booking survives the machine's power
    "shared_buffers": "256MB",
    "max_connections": "100",
    "max_wal_size": "2GB",  # with the next line: checkpoints do not come in the middle of a rush
    "checkpoint_timeout": "10min",
    "jit": "off",  # every query of ours is short
    "timezone": "UTC",
}


class PrivatePostgres:
    """One cluster in one folder; `start` makes it when it is not there yet."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        settings: Mapping[str, str] = DURABLE,
    ) -> None:
        self.folder = folder.resolve()
        (self.port,) = free_ports(1, (port,) if port else ())
        self.settings = settings
        self.log = self.folder / "postgres.log"
        self._program: Program | None = None
        self._placement: Placement | None = None

    @property
    def dsn(self) -> str:
        """The URL of its database, with the superuser's password."""
        return self.dsn_of(DATABASE)

    @property
    def service_dsn(self) -> str:
        """The URL of its database for the services: nothing else of the cluster is theirs."""
        password = self._password(SERVICE_LOGIN_FILE)
        return f"postgresql://{ROLE}:{password}@127.0.0.1:{self.port}/{DATABASE}"

    def dsn_of(self, database: str) -> str:
        """The URL of another database of this cluster, with the superuser's password."""
        return f"postgresql://{USER}:{self._password()}@127.0.0.1:{self.port}/{database}"

    @property
    def program(self) -> Program:
        """The server as the supervisor sees it; there after `prepare`."""
        if self._program is None:
            raise StartFailure("PostgreSQL was not prepared")
        return self._program

    @property
    def description(self) -> str:
        placement = self._placed()
        note = f", {placement.identity.note}" if placement.identity.note else ""
        moved = "" if placement.data.is_relative_to(self.folder) else f", data in {placement.data}"
        version = major_version(placement.binaries)
        return f"PostgreSQL {version} on 127.0.0.1:{self.port}{note}{moved}"

    async def start(self) -> None:
        """Returns when the database can be used."""
        await self.prepare()
        await self.program.start()
        await self.create_database()

    async def stop(self) -> None:
        if self._program is not None:
            await self._program.stop()

    def kill(self) -> None:
        """As if the power failed: SIGKILL, no checkpoint."""
        if self._program is not None:
            self._program.kill()

    async def prepare(self) -> None:
        """Makes the cluster if it is not there, and the program that serves it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._placement is None:
            self._placement = place(find_binaries(), self.folder / "cluster")
        if not (self._placement.data / "PG_VERSION").exists():
            await self._initialise(self._placement)
        if self._program is None:
            self._program = self._make_program(self._placement)

        await clear_pid_file(self._placement.data)

    async def create_database(self) -> None:
        """Makes the database and the services' role, which owns it, if they are not there yet."""
        superuser, password = self.dsn_of("postgres"), self._password(SERVICE_LOGIN_FILE)
        await make_service_role(superuser, password, DATABASE)

    def _make_program(self, placement: Placement) -> Program:
        fixed = {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        options = [f"-c{name}={value}" for name, value in {**self.settings, **fixed}.items()]
        return Program(
            name="PostgreSQL",
            argv=_command(placement, "postgres", "-D", placement.data, "-p", self.port, *options),
            env=_environment(),
            probe=self._answers,
            log=self.log,
            identity=placement.identity,
            stop_signal=signal.SIGINT,  # fast shutdown; SIGTERM would wait for every client
        )

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.dsn_of("postgres"), timeout=5)
        except (OSError, asyncpg.CannotConnectNowError, TimeoutError):
            return False
        except asyncpg.InvalidPasswordError:
            raise StartFailure(
                f"{self.folder / LOGIN_FILE} does not open {self._placed().data}: "
                "put the right one back, or move that folder away to begin a new ledger"
            ) from None
        await connection.close()
        return True

    async def _initialise(self, placement: Placement) -> None:
        """initdb in a folder beside it, renamed when whole: half a cluster is never used."""
        part = _empty_folder(placement)
        password_file = _readable_copy(self._password(), placement)
        try:
            outcome = await run_command(
                *_command(placement, "initdb", "-D", part, "-U", USER),
                *("--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8"),
                *_locale(placement.binaries),
                *("--data-checksums", "--no-instructions"),
                *(["--no-sync"] if self.settings.get("fsync") == "off" else []),
                env=_environment(),
                identity=placement.identity,
            )
        finally:
            password_file.unlink()
        if outcome.returncode != 0:
            raise StartFailure(f"initdb of {placement.data} failed: {outcome.reason}")
        part.rename(placement.data)

    def _password(self, name: str = LOGIN_FILE) -> str:
        file = self.folder / name
        if not file.exists():
            part = file.with_suffix(".part")  # half a password would be one for ever
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                out.write(secrets.token_hex(20))
            part.rename(file)
        return file.read_text()

    def _placed(self) -> Placement:
        if self._placement is None:
            raise StartFailure("PostgreSQL was not prepared")
        return self._placement


def _command(placement: Placement, name: str, *arguments: object) -> tuple[str, ...]:
    return (str(placement.binaries / name), *(str(argument) for argument in arguments))


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}


def _locale(binaries: Path) -> tuple[str, ...]:
    if major_version(binaries) >= 17:
        return ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    return ("--locale=C.UTF-8",)


def _empty_folder(placement: Placement) -> Path:
    part = placement.data.with_name(f"{placement.data.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True, mode=0o700)
    if placement.identity.user is not None:
        os.chown(part, placement.identity.user, -1)
    return part


def _readable_copy(password: str, placement: Placement) -> Path:
    """A file that initdb's user can read wherever ours lies; the caller removes it."""
    handle, name = tempfile.mkstemp(prefix="seatledger-")
    with os.fdopen(handle, "w") as out:
        out.write(password)
    if placement.identity.user is not None:
        os.chown(name, placement.identity.user, -1)
    return Path(name)
