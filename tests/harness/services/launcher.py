"""Runs `python -m deploy.local` as a user would, and looks at the processes it really started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

CHECKOUT = Path(__file__).resolve().parents[3]
START_SECONDS = 90
STOP_SECONDS = 20
POLL_SECONDS = 0.05


class LauncherRun:
    """One data folder and port, with the launcher that runs there, if any."""

    def __init__(self, data: Path, port: int, **settings: str) -> None:
        self.data, self.port = data, port
        self.output_file = data.with_name(f"{data.name}.output")
        self._env = {**_clean_environment(), **settings}
        self._env |= {"SEATLEDGER_DATA": str(data), "SEATLEDGER_PORT": str(port)}
        self.process: subprocess.Popen[bytes] | None = None
        self.family: list[psutil.Process] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        return self.output_file.read_text()

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def spawn(self) -> None:
        with self.output_file.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploy.local"],
                cwd=CHECKOUT,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_ready(self) -> None:
        """Returns when it has greeted; its children are noted then."""
        until(lambda: "Ctrl-C" in self.output or not self.is_running, START_SECONDS)
        assert self.process is not None
        assert self.is_running, self.output
        self.family = psutil.Process(self.process.pid).children(recursive=True)

    def ensure_running(self) -> None:
        if not self.is_running:
            self.spawn()
            self.wait_ready()

    def signal(self, *numbers: signal.Signals) -> None:
        assert self.process is not None
        for number in numbers:
            os.kill(self.process.pid, number)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        assert self.process is not None
        return self.process.wait(seconds)

    def stop(self) -> None:
        if self.is_running:
            self.signal(signal.SIGTERM)
            self.wait()

    def survivors(self) -> list[psutil.Process]:
        """What it had started and still runs, by pid and creation time."""
        return [process for process in self.family if _runs(process)]

    def database_url(self) -> str:
        """As the file for a second terminal says it."""
        lines = (self.data / "env").read_text().splitlines()
        found = [line for line in lines if line.startswith("export DATABASE_URL=")]
        return found[0].partition("=")[2].strip("'")


def refused(data: Path, port: int, **settings: str) -> str:
    """What a start that must fail says; it must be one line and nothing may run afterwards."""
    attempt = LauncherRun(data, port, **settings)
    attempt.output_file = data.with_name(f"{data.name}.refused")
    attempt.spawn()
    assert attempt.wait(START_SECONDS) == 1
    lines = [line for line in attempt.output.splitlines() if line.startswith("seatledger: ")]
    assert len(lines) == 1, attempt.output
    assert "Traceback" not in attempt.output
    return lines[0]


def until(condition: Callable[[], object], seconds: float) -> None:
    """Waits for the condition; AssertionError when it does not come true in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not true within {seconds} s"
        time.sleep(POLL_SECONDS)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _clean_environment() -> dict[str, str]:
    ours = ("SEATLEDGER_", "DATABASE_URL", "AMQP_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
