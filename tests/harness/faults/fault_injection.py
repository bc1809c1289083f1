"""The command service with one safety taken out.

Tests run `python -m tests.harness.faults.fault_injection <which>`
to show that they would notice. The product has no such switches.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from services.command.__main__ import serve_writes
from services.command.commit import mailbox
from services.command.commit.batch import Batch
from services.command.http import request_context
from shared.eventlog.store import Entry
from shared.runtime.starting import start


def without_confirmed_refusals() -> None:
    """Refusals are sent from the cache at once."""
    entry = Batch.entry

    def unconfirmed(batch: Batch, expected_version: int) -> Entry | None:
        if batch.events or batch.answers:
            return entry(batch, expected_version)
        batch.send(None)
        batch.replies.clear()
        return None

    prepare = mailbox.Mailbox.prepare

    def hasty(box: mailbox.Mailbox, *rest: Any) -> Entry | None:
        prepared = prepare(box, *rest)
        if prepared is None:
            box.in_flight = None
        return prepared

    setattr(Batch, "entry", unconfirmed)  # noqa: B010
    setattr(mailbox.Mailbox, "prepare", hasty)  # noqa: B010


def without_idempotency() -> None:
    """Every request is new, whatever its key."""
    name = "command_id_of"
    setattr(request_context, name, lambda _, key, *rest: None if key is None else uuid4())


INJECTED: dict[str, Callable[[], None]] = {
    "confirmed_refusals": without_confirmed_refusals,
    "idempotency": without_idempotency,
}

if __name__ == "__main__":
    INJECTED[sys.argv[1]]()
    raise SystemExit(start(serve_writes))
