"""`seatledger unsealed`: lists seat bookings whose events hold free text of a caller unencrypted.

Before decision 0044 a reminder's settings and freely named webhooks of a seat booking were stored
so, and the hash chain keeps them for ever. This shows where they are and none of the text.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any
from uuid import UUID

import typer

from services.audit.postgres import Ledger
from services.audit.session import auditing, refused
from shared.booking_api.notices import worded_fields
from shared.domain.events import SeatBooked
from shared.eventlog.codec import UndecodableEvent, decode_event
from shared.eventlog.follower import records
from shared.eventlog.record import StoredRecord
from shared.runtime.cli import AsJson, print_rows

COLUMNS = ("position", "booking_id", "group_id", "fields")
app = typer.Typer(help="What lies in the ledger in the open.")


@app.command("unsealed", epilog="Example: seatledger unsealed --app acme --json")
def list_unsealed(
    app_slug: Annotated[str | None, typer.Option("--app", help="Only this app's.")] = None,
    as_json: AsJson = False,
) -> None:
    """List old seat bookings with words of a caller's outside the seal, and in which fields."""

    async def found(ledger: Ledger) -> list[dict[str, Any]]:
        app_id = None if app_slug is None else await ledger.app_id(app_slug)
        if app_slug is not None and app_id is None:
            raise refused(f"there is no app with the slug {app_slug!r}: see seatledger apps list")
        return [row async for row in unsealed(ledger, app_id)]

    print_rows(auditing(found), as_json, COLUMNS)


async def unsealed(ledger: Ledger, app_id: UUID | None) -> AsyncIterator[dict[str, Any]]:
    """A row for each such event, in the log's order."""
    pages = ledger.filtered_pages(app_id, None, None, SeatBooked.TOPIC, None)
    async with aclosing(pages):
        async for rows in pages:
            for record in records(rows):
                fields = _fields(record)
                if fields:
                    yield _row(record, fields)


def _fields(record: StoredRecord) -> list[str]:
    """An event that cannot be read is for `seatledger verify` to report."""
    try:
        event = decode_event(record.topic, record.state)
    except UndecodableEvent:
        return []
    if not isinstance(event, SeatBooked):
        return []
    return worded_fields(event.reminders, event.webhooks)


def _row(record: StoredRecord, fields: list[str]) -> dict[str, Any]:
    return {
        "position": record.position,
        "booking_id": str(record.booking_id),
        "group_id": str(record.group_id),
        "fields": " ".join(dict.fromkeys(fields)),
    }
