"""Child processes: nicer than their parent, apart from its terminal, restarted when they fall."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.children import IDLE, Child
from services.workers import running
from tests.harness.waiting import until

WAITING = "import signal; signal.pause()"


@asynccontextmanager
async def waiting_child(
    folder: Path, monkeypatch: pytest.MonkeyPatch, niceness: int = 7
) -> AsyncIterator[Child]:
    """A child that is up and does nothing."""
    (folder / "waiting.py").write_text(WAITING)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    child = Child("waiting", ["waiting"], niceness=niceness)

    async def is_up() -> bool:
        return child.pid is not None

    async with running([child]):
        await until(is_up, 30, "the child")
        yield child


async def test_its_niceness_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Linux groups processes by session, niceness is compared within a session only."""
    async with waiting_child(tmp_path, monkeypatch) as child:
        assert child.pid is not None
        assert os.getpriority(os.PRIO_PROCESS, child.pid) == os.nice(0) + 7
        assert os.getsid(child.pid) == os.getsid(0)
        assert os.getpgid(child.pid) == child.pid  # the terminal's Ctrl-C is the parent's alone


async def test_idle_work_leaves_its_core_free_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with waiting_child(tmp_path, monkeypatch, IDLE) as child:
        assert child.pid is not None
        assert os.sched_getscheduler(child.pid) == os.SCHED_IDLE
        assert os.getpriority(os.PRIO_PROCESS, child.pid) == 19


async def test_it_ends_with_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with waiting_child(tmp_path, monkeypatch) as child:
        pid = child.pid or 0
    assert child.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_what_cannot_be_started_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = asyncio.Semaphore(0)

    async def fails(*_: object, **__: object) -> asyncio.subprocess.Process:
        tries.release()
        raise BlockingIOError(11, "no more processes")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", fails)
    child = Child("never", ["never"])
    async with running([child]):
        for _ in range(2):
            await asyncio.wait_for(tries.acquire(), 10)
    assert child.falls >= 1
