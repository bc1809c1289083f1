"""An append whose outcome holds, whatever happened to the connection (decision 0005).

After an unknown outcome the log itself is asked, behind a committed write of the new connection,
what became durable; only the rest is sent again, under the same ids and expected versions, so that
a statement of the dead connection that still runs late finds its version taken.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from uuid import UUID

from shared.eventlog.store import Entry, EventStore, Outcome, OutcomeUnknown, StoreUnavailable

UNKNOWN_SECONDS = 10.0
RETRY_SECONDS = 0.05
_log = logging.getLogger(__name__)


async def append_for_sure(
    store: EventStore, entries: Sequence[Entry], wake_followers: bool = True
) -> list[Outcome]:
    """One outcome per entry. OutcomeUnknown when the store stays away, StoreUnavailable when it
    was away before anything was sent."""
    try:
        return await store.append(entries, wake_followers)
    except OutcomeUnknown:
        _log.warning("outcome of an append unknown: asking the log")
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + UNKNOWN_SECONDS
    while True:
        try:
            return await _resolve(store, entries)
        except (OutcomeUnknown, StoreUnavailable):
            if loop.time() > give_up_at:
                raise OutcomeUnknown from None
            await asyncio.sleep(RETRY_SECONDS)


async def _resolve(store: EventStore, entries: Sequence[Entry]) -> list[Outcome]:
    durable = await _find(store, entries)
    rest = [entry for entry in entries if _name(entry) not in durable]
    again = await store.append(rest) if rest else []
    outcomes = dict(zip(map(id, rest), again, strict=True))
    # What was under way may have become durable in between: then its retry was a conflict, or its
    # commands were already answered, by ourselves.
    durable |= await _find(store, rest)
    return [durable.get(_name(entry)) or outcomes[id(entry)] for entry in entries]


async def _find(store: EventStore, entries: Sequence[Entry]) -> dict[UUID | None, Outcome]:
    """An entry is durable as a whole or not at all, so its last event tells."""
    names = {entry.events[-1].event_id: _name(entry) for entry in entries if entry.events}
    found = await store.find_events(list(names)) if names else {}
    return {names[event_id]: outcome for event_id, outcome in found.items()}


def _name(entry: Entry) -> UUID | None:
    return entry.events[0].event_id if entry.events else None
