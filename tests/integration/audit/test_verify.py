"""Verify finds what was done to a ledger behind its back, and names the first bad position."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from services.audit import postgres
from services.audit.verify import parts
from services.audit.verify import verify as verifying
from shared.runtime.settings import ConfigurationError
from tests.integration.audit.ledgers import (
    COMPLETED,
    OPEN,
    Script,
    completed_group,
    fill,
    lines,
    reader_of,
    seatledger,
    tamper,
    verdict,
)

EVENTS = 22
SHIFT = "UPDATE stored_events SET notification_id = -notification_id WHERE notification_id "


async def test_a_true_ledger_is_intact(database_url: str) -> None:
    assert await fill(database_url) == EVENTS
    found = await verdict(database_url)
    assert found.findings == ()
    assert (found.event_count, found.group_count, found.head.position) == (EVENTS, 3, EVENTS)


async def test_an_empty_ledger_is_intact(database_url: str) -> None:
    found = await verdict(database_url)
    assert found.is_intact and found.event_count == 0


@pytest.fixture
def parted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a short ledger is looked at in parts, read in pages, that must join."""
    monkeypatch.setattr(parts, "PART", 3)
    monkeypatch.setattr(postgres, "COPY_PAGE", 2)


@pytest.fixture
def helped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a short ledger is looked at by several processes."""
    monkeypatch.setattr(verifying, "SHARED_FROM", 1)
    monkeypatch.setattr(parts, "PART", 3)
    monkeypatch.setattr("os.cpu_count", lambda: 3)


@pytest.mark.usefixtures("parted")
async def test_parts_join(database_url: str) -> None:
    await fill(database_url)
    found = await verdict(database_url)
    assert found.is_intact and (found.event_count, found.group_count) == (EVENTS, 3)


@pytest.mark.usefixtures("helped")
async def test_a_long_log_is_looked_at_by_several_processes(database_url: str) -> None:
    script = completed_group()
    script.taken += 1
    script.book(UUID(int=5), 1)
    await fill(database_url, script)
    status, out, _ = await seatledger(database_url, "verify", "--json")
    [line] = lines(out)
    assert (status, line["first_bad_position"]) == (1, len(script.events))
    assert (line["events"], line["groups"]) == (len(script.events), 1)


@pytest.mark.usefixtures("helped")
async def test_a_process_that_cannot_help_is_no_clean_bill(database_url: str) -> None:
    await fill(database_url)
    nowhere = f"{database_url}_that_is_not_there"
    async with postgres.open_ledger(database_url) as ledger:
        head = await ledger.head()
        with pytest.raises(ConfigurationError, match="ended early"):
            await verifying.verify(ledger, head, True, lambda more: None, nowhere)


async def test_a_follower_past_the_logs_end_is_found(database_url: str) -> None:
    await fill(database_url)
    await tamper(database_url, "INSERT INTO followers VALUES ('relay', 1, 22)")
    assert (await verdict(database_url)).is_intact
    await tamper(database_url, "UPDATE followers SET checkpoint = 23")
    [finding] = (await verdict(database_url)).findings
    assert finding.check == "followers" and "relay" in finding.sentence


@pytest.mark.usefixtures("parted")
@pytest.mark.parametrize(
    ("deed", "position", "check"),
    [
        ("UPDATE stored_events SET state = state || ' ' WHERE notification_id = 5", 5, "chain"),
        ("UPDATE stored_events SET topic = topic || 'x' WHERE notification_id = 5", 5, "chain"),
        ("UPDATE stored_events SET metadata = '{}' WHERE notification_id = 5", 5, "chain"),
        ("UPDATE stored_events SET metadata = '[1]' WHERE notification_id = 5", 5, "chain"),
        (
            "UPDATE stored_events SET metadata = '{\"actor\": 1}' WHERE notification_id = 5",
            5,
            "chain",
        ),
        (
            "UPDATE stored_events SET event_id = gen_random_uuid() WHERE notification_id = 5",
            5,
            "chain",
        ),
        (
            "UPDATE stored_events SET booking_id = gen_random_uuid() WHERE notification_id = 5",
            5,
            "chain",
        ),
        (
            "UPDATE stored_events SET recorded_at = recorded_at - interval '1 us' "
            "WHERE notification_id = 5",
            5,
            "chain",
        ),
        (
            "UPDATE stored_events SET recorded_at = 'infinity' WHERE notification_id = 5",
            5,
            "chain",
        ),
        ("UPDATE stored_events SET hash = '' WHERE notification_id = 5", 5, "chain"),
        ("UPDATE stored_events SET hash = sha256(hash) WHERE notification_id = 5", 5, "chain"),
        ("DELETE FROM stored_events WHERE notification_id = 5", 5, "positions"),
        ("DELETE FROM stored_events WHERE notification_id = 6", 6, "positions"),
        ("DELETE FROM stored_events WHERE notification_id BETWEEN 5 AND 12", 5, "positions"),
        ("DELETE FROM stored_events WHERE notification_id = 1", 1, "positions"),
        ("DELETE FROM stored_events WHERE notification_id > 20", 21, "head"),
        ("DELETE FROM stored_events", 1, "head"),
        ("DELETE FROM log_head", 1, "head"),
        ("UPDATE log_head SET position = position + 1", 23, "head"),
        ("UPDATE log_head SET position = 1000000000000000", 23, "head"),
        (
            "UPDATE stored_events SET notification_id = 1000000000000000 "
            "WHERE notification_id = 22",
            22,
            "positions",
        ),
        ("UPDATE log_head SET position = position - 1", 22, "head"),
        ("UPDATE log_head SET hash = sha256(hash)", 22, "head"),
        (
            "UPDATE stored_events SET originator_version = -1 WHERE notification_id = 5",
            5,
            "versions",
        ),
    ],
)
async def test_a_deed_is_found(database_url: str, deed: str, position: int, check: str) -> None:
    await fill(database_url)
    await tamper(database_url, deed)
    found = await verdict(database_url)
    assert found.first_bad_position == position
    assert check in {finding.check for finding in found.findings if finding.position == position}


async def test_swapped_events_are_found(database_url: str) -> None:
    await fill(database_url)
    await tamper(
        database_url,
        SHIFT + "IN (4, 5)",
        "UPDATE stored_events SET notification_id = 9 + notification_id WHERE notification_id < 0",
    )
    assert (await verdict(database_url)).first_bad_position == 4


async def test_swapped_versions_are_found(database_url: str) -> None:
    await fill(database_url)
    await tamper(
        database_url,
        "UPDATE stored_events SET originator_version = -originator_version "
        "WHERE notification_id IN (4, 5)",
        "UPDATE stored_events SET originator_version = 9 + originator_version "
        "WHERE originator_version < 0",
    )
    assert (await verdict(database_url)).first_bad_position == 4


async def test_an_inserted_event_is_found(database_url: str) -> None:
    await fill(database_url)
    await tamper(
        database_url,
        SHIFT + "> 5",
        "UPDATE stored_events SET notification_id = 1 - notification_id WHERE notification_id < 0",
        "INSERT INTO stored_events SELECT gen_random_uuid(), 1, topic, state, 6, "
        "gen_random_uuid(), booking_id, metadata, recorded_at, hash "
        "FROM stored_events WHERE notification_id = 1",
        "UPDATE log_head SET position = position + 1",
    )
    assert (await verdict(database_url)).first_bad_position == 6


async def test_a_tail_cut_off_with_its_head_leaves_keys_behind(database_url: str) -> None:
    await fill(database_url)
    await tamper(
        database_url,
        "DELETE FROM stored_events WHERE notification_id > 21",
        "UPDATE log_head SET position = 21, "
        "hash = (SELECT hash FROM stored_events WHERE notification_id = 21)",
    )
    found = await verdict(database_url)
    assert [finding.check for finding in found.findings] == ["keys"]


async def test_a_miscounting_writer_is_found(database_url: str) -> None:
    script = completed_group()
    script.taken += 1
    script.book(UUID(int=5), 1)
    await fill(database_url, script)
    [finding] = (await verdict(database_url)).findings
    assert (finding.check, finding.group_id) == ("seats", COMPLETED)
    assert finding.position == len(script.events)


async def test_an_overselling_writer_is_found(database_url: str) -> None:
    script = Script(OPEN, 2)
    script.book(UUID(int=5), 3)
    script.book(UUID(int=6), 3)
    await fill(database_url, script)
    [finding] = (await verdict(database_url)).findings
    assert finding.position == 2 and "oversells" in finding.sentence


async def test_verifying_disturbs_no_writer_and_is_not_disturbed(database_url: str) -> None:
    await fill(database_url)
    checks = asyncio.gather(*(verdict(database_url) for _ in range(5)))
    for _ in range(20):
        await fill(database_url, Script(uuid4(), 2))
    assert all(found.is_intact for found in await checks)
    assert (await verdict(database_url)).event_count == EVENTS + 20


async def test_the_command_says_it_by_its_exit_status(database_url: str) -> None:
    await fill(database_url)
    status, out, _ = await seatledger(database_url, "verify")
    assert status == 0 and out.startswith("intact: 22 events of 3 groups")
    await tamper(database_url, "DELETE FROM stored_events WHERE notification_id = 7")
    status, out, _ = await seatledger(database_url, "verify")
    assert status == 1 and out.startswith("broken: first at position 7")
    status, out, _ = await seatledger(database_url, "verify", "--json", "--no-counts")
    [line] = lines(out)
    assert status == 1 and line["first_bad_position"] == 7 and not line["intact"]


async def test_a_role_that_may_only_read_can_verify(database_url: str) -> None:
    await fill(database_url)
    dsn = await reader_of(database_url, "public")
    status, out, err = await seatledger(dsn, "verify", "--json")
    assert status == 0, err
    assert lines(out)[0]["intact"]


async def test_a_role_without_rights_is_told_so_in_one_line(database_url: str) -> None:
    dsn = await reader_of(database_url)
    status, out, err = await seatledger(dsn, "verify")
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert "may not do this" in err
