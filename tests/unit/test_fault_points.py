"""Fault points: nothing without FAULT, exactly one death with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from shared.runtime import fault_points


def test_without_fault_a_step_does_nothing() -> None:
    assert "FAULT" not in os.environ
    fault_points.reached("after_append")


@pytest.mark.parametrize(
    ("fault", "steps", "status"),
    [
        ("after_append", 1, -signal.SIGKILL),
        ("after_append:3", 3, -signal.SIGKILL),
        ("after_append:3", 2, 0),
        ("before_append:1", 3, 0),
        ("no_such_step:1", 0, 1),
    ],
)
def test_the_process_dies_at_the_step_that_fault_names(fault: str, steps: int, status: int) -> None:
    program = f"from shared.runtime.fault_points import reached\nfor _ in range({steps}): {{}}"
    process = subprocess.run(
        [sys.executable, "-c", program.format("reached('after_append')")],
        env={**os.environ, "FAULT": fault},
        capture_output=True,
    )
    assert process.returncode == status, process.stderr
