"""Known bugs of the field, put back on purpose into one test's own database or process.

Each replaces a piece of a copy: nothing of this can be switched on in a running service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg

from shared.eventlog.store import Appended, Entry, EventStore, Outcome

FUNCTION = "SELECT pg_get_functiondef('append'::regproc)"
HEAD_LOCK = "FROM log_head h FOR UPDATE"
NEXT_POSITION = "head := head + 1;"
INSERTED = "WHERE n.place IS NOT NULL;"
WRITES = "IF 'appended' = ANY (outcomes) THEN"


async def replace_in_append(dsn: str, changes: Mapping[str, str]) -> None:
    """`append()` of this database, with each of these texts replaced; each must be in there."""
    connection = await asyncpg.connect(dsn)
    try:
        definition: str = await connection.fetchval(FUNCTION)
        for old, new in changes.items():
            assert definition.count(old) == 1, f"append() has no {old!r}: adapt the revert"
            definition = definition.replace(old, new)
        await connection.execute("CREATE SEQUENCE IF NOT EXISTS reverted_positions")
        await connection.execute(definition)
    finally:
        await connection.close()


async def draw_positions_without_the_lock(dsn: str) -> None:
    """What nearly every store shipped: positions from a sequence, no lock on the log's head."""
    await replace_in_append(
        dsn,
        {
            HEAD_LOCK: "FROM log_head h",
            NEXT_POSITION: "head := nextval('reverted_positions');",
        },
    )


async def ignore_the_losers_of_a_race(dsn: str) -> None:
    """Eventuous #553: ON CONFLICT DO NOTHING behind an unlocked version check."""
    await replace_in_append(
        dsn,
        {
            HEAD_LOCK: "FROM log_head h",
            NEXT_POSITION: "head := nextval('reverted_positions');",
            INSERTED: "WHERE n.place IS NOT NULL ON CONFLICT DO NOTHING;",
            WRITES: f"{WRITES} PERFORM pg_sleep(0.02);",  # the race is won by whoever is slow
        },
    )


async def take_the_last_id_for_the_whole(
    store: EventStore, entries: Sequence[Entry]
) -> dict[int, Outcome]:
    """Ours, in place of `commit.unknown_outcome._find`: after an unknown outcome an entry was
    durable when the id of its last event stood anywhere, whoever had written it."""
    names = {entry.events[-1].event_id: id(entry) for entry in entries if entry.events}
    found = await store.find_events(list(names)) if names else ()
    return {
        names[one.event_id]: Appended(one.version, one.position, one.recorded_at) for one in found
    }
