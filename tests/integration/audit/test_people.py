"""`seatledger erase`, `customer export` and `log --customer` find one person and nobody else."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import pty
import sys
from uuid import UUID

import pytest

from shared.eventlog.privacy import MasterKey
from tests.harness.services.stack import MASTER
from tests.integration.audit.ledgers import CANCELLED, Script, fill, lines, seatledger

KEY = base64.b64encode(MASTER).decode()
GROSS, GROSZ = UUID(int=0xC1), UUID(int=0xC2)
NFC, NFD = UUID(int=0xC3), UUID(int=0xC4)
LETTERS, LABEL = UUID(int=0xC5), UUID(int=0xC6)
PASTED = UUID(int=0xC7)
PEOPLE = {
    GROSS: "k.gross@example.org",
    GROSZ: "k.groß@example.org",
    NFC: "renée@example.org",
    NFD: "rene\u0301e@example.org",
    LETTERS: "ida@bücher.example",
    LABEL: "ida@xn--bcher-kva.example",
    PASTED: "zoe@example.org\u200b",
}


async def people(dsn: str, by_first: bool) -> None:
    """A group with a seat for each of them."""
    script = Script(CANCELLED, 20)
    for booking, email in PEOPLE.items():
        script.book_for(booking, MasterKey(MASTER), email, by_first=by_first)
    await fill(dsn, script)


async def cli(dsn: str, *arguments: str) -> tuple[int, str, str]:
    return await seatledger(dsn, *arguments, master=KEY)


async def exported(dsn: str, email: str) -> tuple[int, set[UUID]]:
    status, out, err = await cli(dsn, "customer", "export", email, "--json")
    assert "Traceback" not in err, err
    return status, {UUID(one["booking_id"]) for one in json.loads(out)["bookings"]}


@pytest.mark.parametrize("by_first", [False, True], ids=["this rule", "the first rule"])
@pytest.mark.parametrize(
    ("email", "theirs"),
    [
        ("K.Gross@example.org", {GROSS}),
        ("k.groß@example.org", {GROSZ}),
        ("renée@example.org", {NFC, NFD}),
        ("rene\u0301e@EXAMPLE.org", {NFC, NFD}),
        ("ida@bücher.example", {LETTERS, LABEL}),
        ("Ida@xn--bcher-kva.example", {LETTERS, LABEL}),
        ("zoe@example.org\u200b", {PASTED}),
    ],
)
async def test_everything_of_one_person_is_found_and_nothing_else(
    database_url: str, by_first: bool, email: str, theirs: set[UUID]
) -> None:
    await people(database_url, by_first)
    found = 1 if by_first else 0  # attendees of the first rule's bookings are not searched
    assert (await exported(database_url, email))[1] == theirs
    status, out, _ = await cli(database_url, "log", "--customer", email, "--json")
    assert {UUID(row["booking_id"]) for row in lines(out)} == theirs
    status, out, err = await cli(database_url, "erase", "--customer", email, "--yes", "--json")
    assert (status, lines(out)[0]["erased_now"]) == (found, len(theirs)), err
    for booking, other in PEOPLE.items():
        if booking not in theirs:
            assert booking in (await exported(database_url, other))[1]
    assert await exported(database_url, email) == (1, set())
    assert (await cli(database_url, "verify"))[0] == 0


async def test_erasing_shows_what_it_would_do_and_asks(database_url: str) -> None:
    await people(database_url, by_first=False)
    wanted = ("erase", "--customer", "renée@example.org")
    status, out, _ = await cli(database_url, *wanted, "--dry-run", "--json")
    rows = lines(out)
    assert status == 0 and {UUID(row["booking_id"]) for row in rows} == {NFC, NFD}
    assert rows[0]["erases"] == "booking" and rows[0]["names"] == ["renée"]
    status, out, err = await cli(database_url, *wanted)
    assert (status, out) == (1, "") and "--yes" in err and len(err.splitlines()) == 1
    assert (await exported(database_url, "renée@example.org"))[1] == {NFC, NFD}
    said, status = await answered(database_url, "n\n", *wanted)
    assert status == 1 and "renée" in said and "bookings to erase: 2" in said
    assert (await exported(database_url, "renée@example.org"))[1] == {NFC, NFD}
    said, status = await answered(database_url, "y\n", *wanted)
    assert status == 0, said
    assert await exported(database_url, "renée@example.org") == (1, set())


@pytest.mark.parametrize("how", [("--dry-run",), ("--yes",), ()])
async def test_finding_nobody_does_not_look_done(database_url: str, how: tuple[str, ...]) -> None:
    await people(database_url, by_first=False)
    nobody = await cli(database_url, "erase", "--customer", "nobody@example.org", *how, "--json")
    assert nobody[0] == 1 and nobody[1] == "" and "nobody was found" in nobody[2]
    assert await exported(database_url, "nobody@example.org") == (1, set())


async def answered(dsn: str, answer: str, *arguments: str) -> tuple[str, int]:
    """What the command says on a terminal at which somebody answers, and its exit status."""
    leader, follower = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli", *arguments),
        stdin=follower,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": dsn, "SEATLEDGER_MASTER_KEY": KEY},
    )
    os.write(leader, answer.encode())
    said, _ = await process.communicate()
    os.close(leader)
    os.close(follower)
    return said.decode(), process.returncode or 0
