"""Lock and state file of a data folder: one launcher at a time, and nothing left of a killed one.

A lock that the kernel holds keeps the second out; a state file says who the first is, which
processes it started (pid and creation time, so that nobody else's are touched) and their ports.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from deploy.local.processes.program import Program, StartFailure

LEFTOVER_SECONDS = 15
CLOCK_SECONDS = 1.0  # creation times are computed from the clock, which may be corrected


@dataclass(frozen=True)
class Seen:
    """A process as it was seen; another one with its pid has another creation time."""

    pid: int
    created: float
    stop_signal: int = signal.SIGTERM

    def living(self) -> psutil.Process | None:
        """The process, if it still is this one and runs."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < CLOCK_SECONDS
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


@dataclass
class State:
    """What the launcher knows about itself, kept in state.json."""

    file: Path
    url: str = ""
    launcher: Seen | None = None
    programs: dict[str, Seen] = field(default_factory=dict)
    ports: dict[str, list[int]] = field(default_factory=dict)

    def record(self, programs: list[Program]) -> None:
        """Notes the programs that run now."""
        self.launcher = _see(os.getpid(), signal.SIGTERM)
        seen = {p.name: _see(p.pid, p.stop_signal) for p in programs if p.pid is not None}
        self.programs = {name: process for name, process in seen.items() if process is not None}
        self.save()

    def save(self) -> None:
        content = {k: v for k, v in asdict(self).items() if k != "file"}
        part = self.file.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_text(json.dumps(content, indent=1))
        part.rename(self.file)


@contextmanager
def held(data: Path) -> Iterator[State]:
    """The state of this data folder, ours until the end; StartFailure when someone has it."""
    state = _load(data / "state.json")
    handle = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartFailure(_taken(data, state)) from None
        yield state
    finally:
        os.close(handle)


async def end_leftovers(state: State) -> list[str]:
    """Ends what a killed launcher left behind, politely first; the names of what was found."""
    found = {name: process for name, seen in state.programs.items() if (process := seen.living())}
    for name, process in found.items():
        with suppress(psutil.NoSuchProcess):
            process.send_signal(state.programs[name].stop_signal)
    _, stubborn = await asyncio.to_thread(psutil.wait_procs, found.values(), LEFTOVER_SECONDS)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    await asyncio.to_thread(psutil.wait_procs, stubborn, LEFTOVER_SECONDS)
    return list(found)


def _taken(data: Path, state: State) -> str:
    who = f"process {state.launcher.pid}, {state.url}" if state.launcher else "just starting"
    return (
        f"Seatledger already runs on {data} ({who}): stop it first, "
        "or choose another SEATLEDGER_DATA and SEATLEDGER_PORT"
    )


def _load(file: Path) -> State:
    """The last state; an empty one when there is none or it cannot be read."""
    try:
        content = json.loads(file.read_text())
        return State(
            file,
            url=content["url"],
            launcher=Seen(**content["launcher"]) if content["launcher"] else None,
            programs={name: Seen(**seen) for name, seen in content["programs"].items()},
            ports=content["ports"],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return State(file)


def _see(pid: int, stop_signal: signal.Signals) -> Seen | None:
    try:
        return Seen(pid, psutil.Process(pid).create_time(), int(stop_signal))
    except psutil.NoSuchProcess:
        return None
