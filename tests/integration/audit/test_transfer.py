"""Export and import: what comes in is bit for bit what went out, or nothing comes in."""

from __future__ import annotations

import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from services.audit import postgres
from services.audit.transfer import transfer
from shared.eventlog.privacy import MasterKey
from tests.harness.servers.private import Databases
from tests.integration.audit.ledgers import Script, fill, lines, seatledger, tamper, verdict


@pytest_asyncio.fixture
async def empty_url(migrated: Databases) -> AsyncIterator[str]:
    """A second migrated database, to bring events into."""
    name = await migrated.create("template_seatledger")
    yield migrated.cluster.dsn_of(name)
    await migrated.drop(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def read(file: Path) -> bytes:
    return file.read_bytes()


def write(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


async def rows(dsn: str, table: str = "stored_events") -> list[str]:
    """Every byte of a table."""
    connection = await asyncpg.connect(dsn)
    found = await connection.fetch(f"SELECT t::text FROM {table} t ORDER BY 1")  # noqa: S608
    await connection.close()
    return [row[0] for row in found]


async def run(dsn: str, *arguments: str) -> int:
    status, out, err = await seatledger(dsn, *arguments, "--json")
    assert status == 0, err
    return int(lines(out)[0]["position"])


async def refused(dsn: str, *arguments: str) -> str:
    status, out, err = await seatledger(dsn, *arguments)
    assert (status, out) == (1, "")
    return err


async def test_what_comes_in_is_what_went_out(
    database_url: str, empty_url: str, file: Path, tmp_path: Path
) -> None:
    await fill(database_url)
    among = Script(uuid4(), 5)
    among.book_for(uuid4(), MasterKey(b"m" * 32), "a@example.org", "b@example.org", "c@example.org")
    await fill(database_url, among)
    keys = tmp_path / "keys.jsonl"
    assert await run(database_url, "export", str(file), "--keys", str(keys)) == 24
    assert await run(empty_url, "import", str(file), "--keys", str(keys)) == 24
    assert len(await rows(database_url, "attendee_refs")) == 2
    for table in ("stored_events", "log_head", "booking_keys", "attendee_refs"):
        assert await rows(empty_url, table) == await rows(database_url, table)
    assert (await verdict(empty_url)).is_intact
    assert mode(keys) == mode(file) == 0o600


async def test_an_export_that_others_could_read_is_closed_to_them(
    database_url: str, file: Path
) -> None:
    await fill(database_url)
    write(file, b"")
    assert mode(file) != 0o600
    assert await run(database_url, "export", str(file)) == 22
    assert mode(file) == 0o600


async def test_an_export_shows_nothing_that_was_sealed(database_url: str, file: Path) -> None:
    await fill(database_url)
    await run(database_url, "export", str(file))
    first = json.loads(read(file).decode().splitlines()[0])
    assert first["position"] == 1 and first["topic"] == "seatledger.group_created"
    assert json.loads(first["state"])["what"] == "A webinar"


@pytest.mark.parametrize("cut", [0, 1, 700, 5_000])
async def test_a_broken_off_export_goes_on(
    database_url: str, file: Path, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "TAIL_BYTES", 300)
    await fill(database_url)
    await run(database_url, "export", str(file))
    whole = read(file)
    write(file, whole[:cut])
    assert await run(database_url, "export", str(file)) == 22
    assert read(file) == whole
    await fill(database_url, Script(uuid4(), 3))
    assert await run(database_url, "export", str(file)) == 23


async def test_a_broken_off_import_goes_on(
    database_url: str, empty_url: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "BATCH", 4)
    monkeypatch.setattr(postgres, "PAGE", 4)
    await fill(database_url)
    await run(database_url, "export", str(file))
    whole = read(file)
    for size in (1, 4, 7, 22):
        write(file, b"".join(whole.splitlines(keepends=True)[:size]))
        assert await run(empty_url, "import", str(file)) == size
        assert await run(empty_url, "import", str(file)) == size
    assert await rows(empty_url) == await rows(database_url)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"version":3', b'"version":4'),
        (b'"A webinar', b'"B webinar'),
        (b"A webinar", b"\xff"),
        (b'"position":5', b'"position":6'),
        (b'"key:test"', b'"key:best"'),
        (b'"event_id"', b'"other_id"'),
        (b'"topic":"seatledger', b'"topic":null,"t":"seatledger'),
        (b"{", b"["),
    ],
)
async def test_a_changed_file_is_refused(
    database_url: str, empty_url: str, file: Path, old: bytes, new: bytes
) -> None:
    await fill(database_url)
    await run(database_url, "export", str(file))
    text = read(file)
    assert old in text
    write(file, text.replace(old, new, 1))
    await refused(empty_url, "import", str(file))
    assert await rows(empty_url) == []


async def test_a_ledger_with_another_past_is_refused(
    database_url: str, empty_url: str, file: Path
) -> None:
    await fill(database_url)
    await run(database_url, "export", str(file))
    await fill(empty_url, Script(uuid4(), 3))
    before = await rows(empty_url)
    assert "other events" in await refused(empty_url, "import", str(file))
    assert await rows(empty_url) == before
    assert "another ledger" in await refused(empty_url, "export", str(file))


async def test_a_longer_ledger_is_refused(database_url: str, file: Path) -> None:
    await fill(database_url)
    await run(database_url, "export", str(file))
    await fill(database_url, Script(uuid4(), 3))
    assert "other events" in await refused(database_url, "import", str(file))


async def test_an_unreadable_state_travels_too(
    database_url: str, empty_url: str, file: Path
) -> None:
    await fill(database_url)
    await tamper(
        database_url, r"UPDATE stored_events SET state = '\xff00' WHERE notification_id = 22"
    )
    await run(database_url, "export", str(file))
    assert '"state_base64":"/wA="' in read(file).decode()
    assert "position 22" in await refused(empty_url, "import", str(file))


async def test_a_folder_that_is_not_there_is_one_line(database_url: str, tmp_path: Path) -> None:
    status, _, err = await seatledger(database_url, "export", str(tmp_path / "no" / "file"))
    assert status == 2 and len(err.splitlines()) == 1
