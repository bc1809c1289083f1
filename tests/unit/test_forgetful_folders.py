"""Folders of test servers in memory: a killed session's goes with the next one, others stay."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.servers import private

CHECKOUT = Path(__file__).resolve().parents[2]
ANOTHER = """
import sys
from pathlib import Path
from tests.harness.servers import private
private.MEMORY, private.ROOM_IN_MEMORY = Path(sys.argv[1]), 0
print(private.forgetful_folder(), flush=True)
sys.stdin.read()
"""


def test_what_a_killed_session_left_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private, "MEMORY", tmp_path)
    monkeypatch.setattr(private, "ROOM_IN_MEMORY", 0)
    command = [sys.executable, "-c", ANOTHER, str(tmp_path)]
    with subprocess.Popen(
        command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as another:
        assert another.stdout is not None
        theirs = Path(another.stdout.readline().strip())
        ours = private.forgetful_folder()
        assert theirs.is_dir() and ours.is_dir()
        another.kill()
    third = private.forgetful_folder()
    assert set(tmp_path.iterdir()) == {ours, third}
