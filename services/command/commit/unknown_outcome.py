"""Appends with a known outcome, also when the connection dies in between (decision 0005).

After an unknown outcome the log itself is asked, behind a committed write of the new connection,
what became durable: an entry is when all of its events stand in its group as they were sent. Only
the rest is sent again, under the same ids and expected versions, so that a statement of the dead
connection that still runs late finds its version taken.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from shared.eventlog.chain import canonical_metadata, leaf, leaf_of_record
from shared.eventlog.codec import encode_event
from shared.eventlog.store import (
    Appended,
    Entry,
    EventStore,
    Outcome,
    OutcomeUnknown,
    StoreUnavailable,
)

UNKNOWN_SECONDS = 10.0
RETRY_SECONDS = 0.05
Append = Callable[[Sequence[Entry], bool], Awaitable[list[Outcome]]]
"""`append` of a store, or its `append_atomically`."""
_log = logging.getLogger(__name__)


async def append_for_sure(
    store: EventStore,
    entries: Sequence[Entry],
    wake_followers: bool = True,
    append: Append | None = None,
) -> list[Outcome]:
    """One outcome per entry; `append` is the store's, or another way of it to write them.

    Raises OutcomeUnknown when the store stays away, StoreUnavailable when it was away before
    anything was sent.
    """
    append = append or store.append
    try:
        return await append(entries, wake_followers)
    except OutcomeUnknown:
        _log.warning("outcome of an append unknown: asking the log")
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + UNKNOWN_SECONDS
    while True:
        try:
            return await _resolve(store, append, entries)
        except (OutcomeUnknown, StoreUnavailable):
            if loop.time() > give_up_at:
                raise OutcomeUnknown from None
            await asyncio.sleep(RETRY_SECONDS)


async def _resolve(store: EventStore, append: Append, entries: Sequence[Entry]) -> list[Outcome]:
    durable = await _find(store, entries)
    rest = [entry for entry in entries if id(entry) not in durable]
    again = await append(rest, True) if rest else []
    outcomes = dict(zip(map(id, rest), again, strict=True))
    # What was under way may have become durable in between: then its retry was a conflict, or its
    # commands were already answered, by ourselves.
    durable |= await _find(store, rest)
    return [durable.get(id(entry)) or outcomes[id(entry)] for entry in entries]


async def _find(store: EventStore, entries: Sequence[Entry]) -> dict[int, Outcome]:
    """The outcomes of those entries of which every event stands in the log as it was sent.

    An id alone proves only that somebody wrote it: another process decides the same command under
    the same ids. A leaf says who wrote what, where in which group, and of which booking.
    """
    ids = [new.event_id for entry in entries for new in entry.events]
    found = await store.find_events(ids) if ids else ()
    standing = {leaf_of_record(record): record for record in found}
    durable: dict[int, Outcome] = {}
    for entry in entries:
        leaves = _leaves(entry)
        if leaves and all(own in standing for own in leaves):
            last = standing[leaves[-1]]
            durable[id(entry)] = Appended(last.version, last.position, last.recorded_at)
    return durable


def _leaves(entry: Entry) -> list[bytes]:
    """What the log holds of each of the entry's events, once they stand at their versions."""
    return [
        leaf(
            entry.group_id,
            version,
            new.event.TOPIC,
            encode_event(new.event),
            new.event_id,
            new.event.booking_id,
            canonical_metadata(new.metadata),
        )
        for version, new in enumerate(entry.events, entry.expected_version + 1)
    ]
