"""An auditor who trusts nobody: with a role that only reads, a checkpoint kept, and the command."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

from shared.eventlog.chain import link_record
from shared.eventlog.record import StoredRecord
from tests.harness import commands
from tests.harness.callers.requests import group, seats
from tests.harness.services.stack import MASTER, Stack, running_stack

Connection = asyncpg.Connection
KEY = base64.b64encode(MASTER).decode()
ROW = """
SELECT notification_id, originator_id, originator_version, topic, state, event_id, booking_id,
       metadata, recorded_at, hash
  FROM stored_events
 WHERE notification_id >= $1
 ORDER BY notification_id
"""


class Auditor:
    """Runs the command as the read-only role, without any secret of the operator."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn, self.checkpoint = dsn, folder / "kept.checkpoint"
        self.published_key = ""

    async def run(self, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
        status, out, err = await commands.seatledger(*arguments, "--json", DATABASE_URL=self.dsn)
        assert status in (0, 1), err
        return status, [json.loads(line) for line in out.splitlines()]

    async def ledger_is_whole(self) -> bool:
        return (await self.run("verify"))[0] == 0

    async def first_bad_position(self) -> int | None:
        found: int | None = (await self.run("verify"))[1][0]["first_bad_position"]
        return found

    async def past_is_unchanged(self) -> bool:
        arguments = ("verify", str(self.checkpoint), "--key", self.published_key)
        return (await self.run("checkpoint", *arguments))[0] == 0

    async def keep_a_checkpoint(self) -> None:
        """What the operator signs, on the auditor's own reading."""
        secrets = {"DATABASE_URL": self.dsn, "SEATLEDGER_MASTER_KEY": KEY}
        arguments = ("checkpoint", "export", "--out", str(self.checkpoint))
        assert (await commands.seatledger(*arguments, **secrets))[0] == 0
        _, self.published_key, _ = await commands.seatledger("checkpoint", "key", **secrets)


async def test_an_auditor_finds_what_was_done_to_the_past(
    database_url: str, tmp_path: Path
) -> None:
    async with running_stack(database_url, tmp_path / "output") as stack:
        bookings = await _business(stack)
        auditor = Auditor(await _reader(database_url), tmp_path)
        assert await auditor.ledger_is_whole()
        await auditor.keep_a_checkpoint()
        connection = await asyncpg.connect(database_url)
        true_rows = await connection.fetch(ROW, 3)

        await _rewrite_booking(connection, position=3, rechained=False)
        assert await auditor.first_bad_position() == 3
        assert not await auditor.past_is_unchanged()

        await _rewrite_booking(connection, position=3, rechained=True)
        assert await auditor.ledger_is_whole(), "whoever has the database can forge the chain"
        assert not await auditor.past_is_unchanged(), "but not what the auditor kept"

        await _put_back(connection, true_rows)
        assert await auditor.past_is_unchanged()
        await connection.close()

        api = stack.call(bookings[0])
        assert (await api.delete(f"/v2/bookings/{bookings[1]}/customer")).status == 204
        assert await auditor.ledger_is_whole()
        assert await auditor.past_is_unchanged()
        _, log = await auditor.run("log", bookings[1])
        assert [row["event"] for row in log] == ["SeatBooked", "CustomerErased"]


async def _business(stack: Stack) -> tuple[str, str]:
    """The app's key, and one of two bookings in its group."""
    key = (await stack.tenant()).key
    api = stack.call(key)
    owner = (await api.post("/v2/bookings", group())).id
    made = [await api.post("/v2/bookings", seats(owner, 2)) for _ in range(2)]
    return key, made[0].id


async def _reader(dsn: str) -> str:
    """The DSN of a new role that may only read."""
    connection = await asyncpg.connect(dsn)
    name = f"auditor_{await connection.fetchval('SELECT current_database()')}"
    await connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'auditor'")
    await connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
    await connection.close()
    return f"postgresql://{name}:auditor@{dsn.rpartition('@')[2]}"


async def _rewrite_booking(connection: Connection, position: int, rechained: bool) -> None:
    """Another booking than was made; `rechained`: by somebody who knows how the chain is made."""
    await connection.execute(
        "UPDATE stored_events SET state = convert_to(replace(convert_from(state, 'UTF8'),"
        " 'group_customer', 'group_customer '), 'UTF8') WHERE notification_id = $1"
        if not rechained
        else 'UPDATE stored_events SET metadata = \'{"actor": "nobody"}\', state ='
        " convert_to(replace(convert_from(state, 'UTF8'), 'group_customer ', 'group_customer'),"
        " 'UTF8') WHERE notification_id = $1",
        position,
    )
    if rechained:
        await _rechain(connection, position)


async def _rechain(connection: Connection, position: int) -> None:
    previous = await connection.fetchval(
        "SELECT hash FROM stored_events WHERE notification_id = $1", position - 1
    )
    for row in await connection.fetch(ROW, position):
        fields = [*row]
        fields[7] = json.loads(fields[7])
        previous = link_record(previous, StoredRecord(*fields))
        await connection.execute(
            "UPDATE stored_events SET hash = $2 WHERE notification_id = $1", fields[0], previous
        )
    await connection.execute("UPDATE log_head SET hash = $1", previous)


async def _put_back(connection: Connection, rows: Sequence[asyncpg.Record]) -> None:
    for row in rows:
        await connection.execute(
            "UPDATE stored_events SET state = $2, metadata = $3, hash = $4"
            " WHERE notification_id = $1",
            *(row["notification_id"], row["state"], row["metadata"], row["hash"]),
        )
    await connection.execute("UPDATE log_head SET hash = $1", rows[-1]["hash"])
