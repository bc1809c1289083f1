"""The watchdog logs an event loop that is held up, and ends a process whose loop never returns."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from time import monotonic

import pytest
from structlog.testing import capture_logs

from shared.runtime.metrics import LOOP_BLOCKED
from shared.runtime.watchdog import BLOCKED_SECONDS, how_it_ended, watching
from tests.harness.waiting import until

HELD_UP = BLOCKED_SECONDS + 0.05


def work() -> None:
    end = monotonic() + HELD_UP
    while monotonic() < end:
        pass


def wait() -> None:
    select.select([], [], [], HELD_UP)


@pytest.mark.parametrize(("holds_up", "how"), [(work, "busy"), (wait, "waiting")])
async def test_a_loop_that_is_held_up_is_a_count_and_a_line(
    holds_up: Callable[[], None], how: str
) -> None:
    def counted() -> float:
        return LOOP_BLOCKED.value(("busy",)) + LOOP_BLOCKED.value(("waiting",))

    before = counted()

    async def is_counted() -> bool:
        return counted() > before

    with capture_logs() as lines:
        async with watching(0):
            holds_up()
            await until(is_counted, 10, "a count")
    (line, *_) = [line for line in lines if line["event"] == "loop_blocked"]
    assert line["seconds"] >= BLOCKED_SECONDS and line["how"] in ("busy", "waiting")
    assert line["how"] == how or how == "busy", "on a busy machine the work may wait for its turn"


async def test_the_kernel_counts_only_inside_the_block_and_only_when_asked_to() -> None:
    async with watching(0):
        assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)
    async with watching(60):
        left, interval = signal.getitimer(signal.ITIMER_PROF)
        assert 0 < left <= 61 and interval == 0
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)


PROGRAM = """
import asyncio, sys
from shared.runtime.fault_points import keep_busy
from shared.runtime.watchdog import watching

async def work(seconds, then):
    async with watching(seconds):
        await asyncio.sleep(0)
        print("ready", flush=True)
        then()

asyncio.run(work({seconds}, {then}))
"""


def program(seconds: float, then: str, **options: object) -> subprocess.Popen[bytes]:
    text = PROGRAM.format(seconds=seconds, then=then)
    return subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, **options)  # type: ignore[call-overload,no-any-return]


def ignore_the_signal() -> None:
    """As a parent might hand it down."""
    signal.signal(signal.SIGPROF, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPROF})


@pytest.mark.parametrize("prepare", [None, ignore_the_signal])
def test_a_busy_process_is_ended_though_it_gives_nobody_a_turn(
    prepare: Callable[[], None] | None,
) -> None:
    with program(0.3, "keep_busy", preexec_fn=prepare) as process:
        assert process.wait(60) == -signal.SIGPROF
    assert "SIGPROF" in how_it_ended(-signal.SIGPROF) and how_it_ended(1) == "1"


def test_a_frozen_process_and_a_waiting_one_live_on() -> None:
    """They are frozen, or wait, for longer than another one takes to be ended."""
    with (
        program(0.3, "lambda: sys.stdin.read()", stdin=subprocess.PIPE) as waiting,
        program(0.3, "lambda: sys.stdin.read()", stdin=subprocess.PIPE) as frozen,
    ):
        for process in (waiting, frozen):
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        frozen.send_signal(signal.SIGSTOP)
        with program(0.3, "keep_busy") as busy:
            assert busy.wait(60) == -signal.SIGPROF
        frozen.send_signal(signal.SIGCONT)
        for process in (waiting, frozen):
            assert process.poll() is None
            assert process.communicate(b"", 60) is not None
            assert process.returncode == 0


def test_it_can_be_switched_off() -> None:
    """It uses more processor time than another one is given, and goes on."""
    with program(0, "keep_busy") as spared:
        with program(0.3, "keep_busy") as busy:
            assert busy.wait(60) == -signal.SIGPROF
        until_used(spared.pid, 0.6)
        assert spared.poll() is None
        spared.kill()


def until_used(pid: int, seconds: float) -> None:
    """Until the process has used so much processor time."""
    ticks = os.sysconf("SC_CLK_TCK")
    end = monotonic() + 60
    while monotonic() < end:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        if (int(fields[11]) + int(fields[12])) / ticks >= seconds:
            return
        select.select([], [], [], 0.02)
    raise AssertionError("it did not use its processor time")
