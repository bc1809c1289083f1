"""Failures are logged by kind and place, without values that a caller sent."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Callable
from time import process_time

import asyncpg
import pytest
import structlog
from aiohttp.http_exceptions import BadHttpMessage

from shared.runtime.failures import told, traceback_of
from shared.runtime.postgres import DatabaseUnreachable
from shared.runtime.redaction import MAX_TEXT, redacted_text

MARKER = "McLeakface"


def no_number() -> None:
    int(MARKER)


def no_key() -> None:
    {}[MARKER]  # type: ignore[index]


def no_header() -> None:
    raise BadHttpMessage(f"Invalid header: {MARKER}")


def no_row() -> None:
    raise asyncpg.DataError(f"invalid input for query argument $1: '{MARKER}'")


def twice() -> None:
    raise asyncpg.UniqueViolationError(f'duplicate key\nDETAIL: Key (name)=("{MARKER}") exists')


def several() -> None:
    raise ExceptionGroup(MARKER, [ValueError(MARKER), KeyError(MARKER)])


def one_of_another() -> None:
    try:
        no_number()
    except ValueError:
        raise RuntimeError(MARKER) from None


@pytest.mark.parametrize(
    "fails", [no_number, no_key, no_header, no_row, twice, several, one_of_another]
)
def test_no_value_is_in_what_is_told(fails: Callable[[], None], lines: io.StringIO) -> None:
    for name in ("asyncio", "services.command.commit.mailbox", "aiohttp.server"):
        try:
            fails()
        except Exception as error:
            logging.getLogger(name).exception("it failed: %s", error)
            structlog.get_logger("seatledger").error("failed", exc_info=error, why=error)
            assert fails.__name__ in traceback_of((type(error), error, error.__traceback__))
    assert MARKER not in lines.getvalue()
    assert lines.getvalue().count("\n") == 6


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "Connect call failed"), "Connect call failed"),
        (DatabaseUnreachable("no database at all"), "no database at all"),
        (asyncpg.UniqueViolationError("duplicate key"), "(23505): duplicate key"),
        (asyncpg.DiskFullError("could not extend file"), "(53100): could not extend file"),
        (ZeroDivisionError("by zero"), "ZeroDivisionError"),
    ],
)
def test_what_an_operator_needs_is(error: BaseException, words: str) -> None:
    assert words in told(error)


@pytest.mark.parametrize(
    ("message", "arguments", "shown"),
    [
        ("Error handling request from %s", ("McLeakface",), "Error handling request from [str]"),
        ("%r after %d tries, %s", (b"McLeakface", 3, None), "'[bytes]' after 3 tries, None"),
        ("Task exception was never retrieved\nfuture: <Task McLeakface>", (), "Task exception"),
        ("Exception in callback Door.came(b'McLeakface')", (), "Exception in callback Door.came"),
        ("'McLeakface' is no header", (), "a message"),
        ("it is lost: %s", (ConnectionResetError(104, "reset"),), "reset"),
    ],
)
def test_of_a_librarys_line_its_kind_is_left(
    message: str, arguments: tuple[object, ...], shown: str, lines: io.StringIO
) -> None:
    logging.getLogger("asyncio").error(message, *arguments)
    event = json.loads(lines.getvalue())["event"]
    assert shown in event and MARKER not in event


def test_what_the_loop_logs_is_told_without_its_words(lines: io.StringIO) -> None:
    async def lose() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        loop.call_exception_handler(
            {"message": f"Fatal: {MARKER}", "exception": ValueError(MARKER), "protocol": MARKER}
        )
        loop.call_soon(lambda _: no_number(), MARKER)
        loop.call_soon(done.set)
        await done.wait()

    asyncio.run(lose())
    assert lines.getvalue().count("\n") == 2 and lines.getvalue().count("ValueError") == 2
    assert "Fatal" in lines.getvalue() and "no_number" in lines.getvalue()
    assert MARKER not in lines.getvalue()


@pytest.mark.parametrize("piece", ["X", "@ X", "X@", "a@b.c ", "://:", "basic ", "é"])
def test_a_text_of_any_length_is_cut_before_it_is_looked_at(piece: str) -> None:
    began = process_time()
    shown = redacted_text("@ " + piece * (1 << 20))
    assert process_time() - began < 0.1
    assert len(shown) < MAX_TEXT * 4 and shown.endswith(" characters]")


@pytest.mark.parametrize("room", range(len("doc@brown.example") + 2))
def test_a_cut_leaves_no_part_of_an_address(room: int) -> None:
    for before in ("x" * (MAX_TEXT - room - 1) + " ", " " * (MAX_TEXT - room)):
        shown = redacted_text(f"{before}doc@brown.example {'and more ' * 500}")
        assert "doc" not in shown
