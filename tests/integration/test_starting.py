"""Every process of ours says in one line why it cannot start, and by its exit status that."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg
import pytest

from shared.runtime import starting
from shared.runtime.settings import ConfigurationError, Settings
from shared.runtime.starting import start
from tests.harness.services.processes import CHECKOUT, MASTER_KEY

NO_DATABASE = {
    "DATABASE_URL": "postgresql://127.0.0.1:1/seatledger",
    "SEATLEDGER_MASTER_KEY": MASTER_KEY,
    "SEATLEDGER_PORT": "0",
    "SEATLEDGER_LOOPS": "inline",
}
ENTRIES = ("services", "services.command", "services.query", "services.loops")


async def started(*module: str, **environment: str) -> tuple[int | None, str]:
    """Exit status and stderr of a process that ends by itself."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *module),
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    return process.returncode, err.decode()


@pytest.mark.parametrize("module", ENTRIES)
async def test_a_database_that_is_not_there_is_one_line(module: str) -> None:
    status, err = await started(module, **NO_DATABASE)
    assert (status, len(err.splitlines())) == (2, 1), err
    assert "no connection to PostgreSQL" in err


async def test_loops_that_there_are_none_of_are_one_line() -> None:
    status, err = await started("services.loops", "dancing", **NO_DATABASE)
    assert (status, len(err.splitlines())) == (2, 1), err
    assert "dancing is no part of the loops" in err


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings as a process has them; the log stays that of the tests."""
    monkeypatch.setattr(starting, "configure_logging", lambda: None)
    for name, value in NO_DATABASE.items():
        monkeypatch.setenv(name, value)


def serving(error: Exception | None) -> Callable[[Settings], Coroutine[Any, Any, None]]:
    async def serve(settings: Settings) -> None:
        assert settings.loops == "inline"
        if error is not None:
            raise error

    return serve


@pytest.mark.usefixtures("set_up")
@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ConfigurationError("the key is wrong"), "the key is wrong"),
        (ConnectionRefusedError("refused"), "cannot start: ConnectionRefusedError: refused"),
        (asyncpg.TooManyConnectionsError("full\nhint"), "cannot start: TooManyConnections"),
        (asyncpg.InterfaceError("closed"), "cannot start: InterfaceError: closed"),
    ],
)
def test_what_an_operator_can_mend_is_one_line(
    error: Exception, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(serving(error)) == 2
    err = capsys.readouterr().err
    assert err.startswith(line) and err.count("\n") == 1


@pytest.mark.usefixtures("set_up")
def test_an_orderly_end_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert start(serving(None)) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("set_up")
def test_a_fault_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        start(serving(ZeroDivisionError()))


@pytest.mark.usefixtures("set_up")
def test_a_wrong_setting_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SEATLEDGER_MASTER_KEY")
    assert start(serving(None)) == 2
    assert "SEATLEDGER_MASTER_KEY is not set" in capsys.readouterr().err
