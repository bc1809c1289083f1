"""`seatledger show` and `seatledger diff`: a booking's state at a moment, and its changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import typer

from services.audit.history.differences import differences
from services.audit.history.history import BrokenHistory
from services.audit.history.states import describe, group_at, moment_of
from services.audit.postgres import Ledger
from services.audit.session import auditing, refused
from shared.eventlog.record import StoredRecord
from shared.runtime.cli import AsJson, print_json_lines, print_rows

app = typer.Typer(help="What a booking is, was, and what changed.")
Booking = Annotated[UUID, typer.Argument(help="A group's or a seat booking's id.")]


@app.command("show", epilog="Example: seatledger show 58190fc6-… --as-of 2030-05-01T12:00:00Z")
def show_booking(
    booking: Booking,
    as_of: Annotated[
        str | None, typer.Option(help="A time or a position; now if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a booking is, or what it was at a time or position."""
    shown = state_at(booking, as_of, auditing(lambda ledger: stream_of(ledger, booking)))
    if shown is None:
        raise refused(f"the ledger knows no booking {booking} as of {as_of or 'now'}")
    _print_state(shown, as_json)


@app.command("diff", epilog="Example: seatledger diff 58190fc6-… --from 2030-05-01 --to 2030-05-02")
def show_difference(
    booking: Booking,
    start: Annotated[str, typer.Option("--from", help="A time or a position.")],
    end: Annotated[
        str | None, typer.Option("--to", help="A time or a position; now if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what changed in a booking between two moments; nothing when nothing did."""
    records = auditing(lambda ledger: stream_of(ledger, booking))
    before, after = state_at(booking, start, records), state_at(booking, end, records)
    if after is None:
        raise refused(f"the ledger knows no booking {booking} as of {end or 'now'}")
    rows = list(differences(before or {}, after))
    print_rows(rows, as_json, ("place", "field", "before", "after"))


async def stream_of(ledger: Ledger, booking: UUID) -> list[StoredRecord]:
    """The rows of the booking's group; none when the log knows no such booking."""
    group_id = await ledger.group_of(booking)
    return [] if group_id is None else await ledger.stream(group_id)


def state_at(
    booking: UUID, as_of: str | None, records: Sequence[StoredRecord]
) -> dict[str, Any] | None:
    """The booking at the moment; None when it was not there yet."""
    try:
        found = group_at(moment_of(as_of), records)
    except BrokenHistory as error:
        raise refused(f"{error}; see seatledger verify") from None
    except ValueError:
        raise typer.BadParameter(f"{as_of!r} is neither a position nor an ISO 8601 time") from None
    return describe(booking, *found) if found is not None else None


def _print_state(shown: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json_lines([shown])
        return
    seats = shown.pop("seat_bookings", [])
    print_rows([{"field": name, "value": value} for name, value in shown.items()], False)
    if seats:
        print_rows(seats, False)
