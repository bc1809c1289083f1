"""Child process: started, awaited until ready, stopped by its own signal, never left behind.

On Linux the kernel sends every child its stop signal when the thread that started it ends, so that
even `kill -9` of the launcher leaves nothing; start programs from a thread that lives long enough.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

Probe = Callable[[], Awaitable[bool]]

PR_SET_PDEATHSIG = 1
PROBE_SECONDS = 0.03
AUTOGROUP = Path("/proc/self/autogroup")
PROCESSES = Path("/proc")
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class StartFailure(Exception):
    """Something could not be started, told in one line that says what to do."""


@dataclass(frozen=True)
class Identity:
    """Whose rights a program runs with: a command prefix, or another user and group."""

    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None
    note: str = ""

    @property
    def options(self) -> dict[str, object]:
        """The keywords that subprocess takes for it."""
        if self.user is None:
            return {}
        return {"user": self.user, "group": self.group, "extra_groups": []}


@dataclass
class Program:
    """What to run and how to know that it is ready."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    probe: Probe
    log: Path | None = None  # None: it writes where the launcher writes
    cwd: Path = Path("/")
    identity: Identity = field(default_factory=Identity)
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 8
    niceness: int = 0
    ready_seconds: float = 90
    process: asyncio.subprocess.Process | None = field(default=None, init=False)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.returncode is None

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process is not None and self.is_running else None

    async def start(self) -> None:
        """Returns when it is ready; StartFailure when it ended or took too long."""
        await self.spawn()
        await self.wait_ready()

    async def spawn(self) -> None:
        """Starts it without waiting for readiness."""
        output = None if self.log is None else os.open(self.log, _LOG_FLAGS, 0o600)
        try:
            self.process = await asyncio.create_subprocess_exec(
                *self.identity.prefix,
                *self.argv,
                env=dict(self.env),
                cwd=self.cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # so that the terminal's Ctrl-C reaches the launcher alone
                preexec_fn=self._prepare(),
                **self.identity.options,  # type: ignore[arg-type]
            )
        finally:
            if output is not None:
                os.close(output)

    async def wait_ready(self) -> None:
        """Returns when the probe answers yes; StartFailure when it ended or took too long."""
        try:
            async with asyncio.timeout(self.ready_seconds):
                await self._until_ready()
        except TimeoutError:
            await self.stop()
            raise StartFailure(
                self._complaint(f"not ready in {self.ready_seconds:.0f} s")
            ) from None

    async def _until_ready(self) -> None:
        while not await self.probe():
            if not self.is_running:
                raise StartFailure(self._complaint("ended before it was ready"))
            await asyncio.sleep(PROBE_SECONDS)

    async def stop(self) -> None:
        """Asks it to stop, and kills it when it has not within `stop_seconds`."""
        if self.process is None or not self.is_running:
            return
        with suppress(ProcessLookupError):
            self.process.send_signal(self.stop_signal)
        try:
            await asyncio.wait_for(self.process.wait(), self.stop_seconds)
        except TimeoutError:
            self.kill()
            await self.process.wait()

    def kill(self) -> None:
        """SIGKILL to it and to what it started in its session, in whatever process group."""
        if self.process is not None and self.is_running:
            for pid in _in_session(self.process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _prepare(self) -> Callable[[], None] | None:
        arrange, niceness = dies_with_parent(self.stop_signal), self.niceness
        if not niceness:
            return arrange

        def prepare() -> None:
            if arrange is not None:
                arrange()
            yield_to_others(niceness)

        return prepare

    def _complaint(self, what: str) -> str:
        return f"{self.name} {what}{_last_words(self.log)}"


def _in_session(leader: int) -> list[int]:
    """The leader and every other process of its session; where there is no /proc, the leader."""
    others = [int(entry.name) for entry in PROCESSES.glob("[0-9]*")]
    return [leader, *(pid for pid in others if pid != leader and _session_of(pid) == leader)]


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


_LOG_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def dies_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """What the child does first (Linux): ask for `stop_signal` when this thread ends."""
    libc, parent = _libc, os.getpid()
    if libc is None:
        return None

    def arrange() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(stop_signal))
        if os.getppid() != parent:  # it died between the fork and the call above
            os._exit(1)

    return arrange


def yield_to_others(niceness: int) -> None:
    """Niceness for this process, and (Linux) for its session: sessions weigh alike otherwise."""
    os.nice(niceness)
    with suppress(OSError):
        AUTOGROUP.write_text(str(niceness))


def _last_words(log: Path | None) -> str:
    """The line of the log that most likely says why, and where to read the rest."""
    if log is None or not log.exists():
        return ""
    lines = [x.strip() for x in log.read_text(errors="replace").splitlines()[-60:] if x.strip()]
    telling = [line for line in lines if "FATAL" in line or "error" in line.lower()]
    last = (telling or lines or ["it wrote nothing"])[-1]
    return f": {last[:200]} (see {log})"
