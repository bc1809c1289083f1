"""Supervisors end a hung process for certain: some time after SIGTERM, with all it started."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path

import pytest

from deploy.local.processes.program import Program
from deploy.local.processes.supervisor import Supervisor
from services.children import Child
from services.workers import running
from tests.harness.waiting import until

HUNG = """
import signal, sys
from shared.runtime.fault_points import keep_busy
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
open({ready!r}, "a").write("ready\\n")
keep_busy()
"""
WATCHED = """
import asyncio
from shared.runtime.fault_points import keep_busy
from shared.runtime.watchdog import watching

async def work():
    async with watching(0.2):
        open({ready!r}, "a").write("ready\\n")
        keep_busy()

asyncio.run(work())
"""
PARENT = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, {hung!r}], preexec_fn=os.setpgrp)
open({pid!r}, "w").write(str(child.pid))
child.wait()
"""
CHECKOUT = Path(__file__).resolve().parents[3]


def written(folder: Path, name: str, text: str) -> Path:
    """The program as a file, which says "ready" in another when it is at work."""
    file = folder / f"{name}.py"
    file.write_text(
        text.format(
            ready=str(folder / "ready"), hung=str(folder / "hung.py"), pid=str(folder / "pid")
        )
    )
    return file


async def until_ready(folder: Path, times: int = 1) -> None:
    async def is_ready() -> bool:
        file = folder / "ready"
        return file.exists() and file.read_text().count("ready") >= times

    await until(is_ready, 60, "work")


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(CHECKOUT), str(tmp_path)]))
    return tmp_path


async def test_our_own_parent_kills_what_does_not_heed_sigterm(importable: Path) -> None:
    written(importable, "hung", HUNG)
    child = Child("hung", ["hung"], stop_seconds=0.3)
    async with running([child]):
        await until_ready(importable)
        pid = child.pid or 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_our_own_parent_replaces_what_the_watchdog_ended(
    importable: Path, caplog: pytest.LogCaptureFixture
) -> None:
    written(importable, "watched", WATCHED)
    child = Child("watched", ["watched"])
    with caplog.at_level(logging.ERROR):
        async with running([child]):
            await until_ready(importable, times=2)
    assert child.falls >= 1
    assert "SIGPROF" in caplog.text


async def test_make_run_replaces_it_too(importable: Path) -> None:
    file = written(importable, "watched", WATCHED)
    told: list[str] = []

    async def is_ready() -> bool:
        return True

    program = Program("watched", (sys.executable, str(file)), dict(os.environ), is_ready)
    supervisor = Supervisor(told.append, lambda _: None)
    await supervisor.start(program, stage=1)
    await until_ready(importable, times=2)
    await supervisor.stop()
    assert "SIGPROF" in told[0] and "starting it again" in told[0]


async def test_make_run_kills_the_whole_session_of_what_does_not_end(importable: Path) -> None:
    """The parent's children are in process groups of their own."""
    written(importable, "hung", HUNG)
    file = written(
        importable,
        "parent",
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + PARENT,
    )

    async def is_ready() -> bool:
        return (importable / "ready").exists()

    argv = (sys.executable, str(file))
    program = Program("parent", argv, dict(os.environ), is_ready, stop_seconds=0.3)
    await program.start()
    pid = int((importable / "pid").read_text())
    await program.stop()
    assert program.process is not None and program.process.returncode == -signal.SIGKILL

    async def is_gone() -> bool:
        return not Path(f"/proc/{pid}").exists() or "Z" in _state(pid)  # noqa: ASYNC240

    await until(is_gone, 30, "the child's end")


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"
