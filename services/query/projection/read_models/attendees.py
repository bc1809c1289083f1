"""Who booked which seats: one row a seat booking, with the person's data while it is theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from pydantic_core import from_json

from services.query.projection.decrypt import OpenedEvent
from services.query.projection.read_models.columns import (
    EMPTY_ARRAY,
    EMPTY_OBJECT,
    columns,
    json_array,
    json_object,
    json_text,
    sql,
)
from services.query.projection.read_models.groups import merged
from shared.booking_api.notices import shown_reminders, shown_webhooks
from shared.booking_api.rendering.views import Attendee, Customer, GroupView, SeatView
from shared.domain.events import (
    AttendeesErased,
    BookingDeleted,
    CustomerErased,
    Event,
    GroupCancelled,
    GroupCompleted,
    MetaChanged,
    SeatBooked,
    SeatCancelled,
    SeatCompleted,
    SeatExpired,
    SeatPaid,
)
from shared.domain.mailbox_address import mailbox, searched_name
from shared.runtime.postgres import Connection

_MOVED_BY: Mapping[type[Event], tuple[str, frozenset[str]]] = {
    GroupCancelled: ("cancelled_by_owner", frozenset({"tentative", "confirmed", "paid"})),
    GroupCompleted: ("completed", frozenset({"confirmed", "paid"})),
}
"""Events of the group that move its seat bookings: where to, and which."""


class SeatRow(NamedTuple):
    """A seat booking as its table keeps it; JSON columns are text."""

    booking_id: UUID
    group_id: UUID
    ordinal: int
    version: int
    graph: str
    state: str
    seats: int
    deleted: bool
    created_at: datetime
    updated_at: datetime
    hold_until: datetime | None
    bulk_id: UUID | None
    auto_complete: bool
    customer: str | None
    customer_name: str | None
    customer_email: str | None
    attendees: str
    meta: str
    reminders: str
    webhooks: str


_columns = itemgetter(*SeatRow._fields)
_COPIED = ("booking_id", "group_id", "app_id", *SeatRow._fields[2:])


def row_of(record: asyncpg.Record) -> SeatRow:
    """The row, of a record that has its columns by name."""
    return SeatRow(*_columns(record))


class Cascade(NamedTuple):
    """An event of the group that moves all its live seat bookings."""

    group_id: UUID
    version: int
    at: datetime
    state: str


def cascade_of(change: OpenedEvent) -> Cascade | None:
    """What the event does to the group's seat bookings, if anything."""
    move = _MOVED_BY.get(type(change.event))
    if move is None:
        return None
    return Cascade(change.group_id, change.version, change.event.at, move[0])


def apply(row: SeatRow | None, change: OpenedEvent) -> SeatRow:
    """The seat booking's row after an event of its own, or one of its group."""
    event = change.event
    if isinstance(event, SeatBooked):
        return _booked(change, event)
    if row is None:
        raise ValueError("the seat booking was never made")
    move = _MOVED_BY.get(type(event))
    if move is not None:
        return _moved(row, change, *move)
    changed = _effect(row, event, change.opened)
    return changed._replace(version=change.version, updated_at=event.at)


def _moved(row: SeatRow, change: OpenedEvent, state: str, live: frozenset[str]) -> SeatRow:
    if row.state not in live:
        return row
    return row._replace(
        state=state, version=change.version, updated_at=change.event.at, hold_until=None
    )


def _booked(change: OpenedEvent, event: SeatBooked) -> SeatRow:
    row = SeatRow(
        booking_id=event.booking_id,
        group_id=change.group_id,
        ordinal=change.version,
        version=change.version,
        graph=event.graph,
        state="confirmed" if event.graph == "group_customer" else "tentative",
        seats=event.seats,
        deleted=False,
        created_at=event.at,
        updated_at=event.at,
        hold_until=event.hold_until,
        bulk_id=event.bulk_id,
        auto_complete=event.auto_complete,
        customer=None,
        customer_name=None,
        customer_email=None,
        attendees=EMPTY_ARRAY,
        meta=EMPTY_OBJECT,
        reminders=json_array(event.reminders),
        webhooks=json_object(event.webhooks),
    )
    return _named(row, event, change.opened)


def _named(row: SeatRow, _: Event, opened: Any) -> SeatRow:
    """The row with the people that the event names; without any, when its key is gone."""
    if opened is None:
        return erased(row)
    customer = opened.get("customer")
    return row._replace(
        customer=None if customer is None else _customer_text(customer),
        customer_name=None if customer is None else searched_name(customer["name"]),
        customer_email=None if customer is None else mailbox(customer["email"]),
        attendees=json_array([_attendee(one) for one in opened.get("attendees") or ()]),
        meta=json_object(opened.get("meta")),
        reminders=_shown(shown_reminders, row.reminders, opened.get("reminders") or ()),
        webhooks=_shown(shown_webhooks, row.webhooks, opened.get("webhooks") or {}),
    )


def _shown(show: Callable[[Any, Any, bool], Any], stored: str, sealed: Any) -> str:
    """Reminders or webhook overrides, whole: nothing to do for most bookings, which have none."""
    return stored if not sealed else json_text(show(from_json(stored), sealed, False))


def _customer_text(customer: Mapping[str, Any]) -> str:
    """The customer exactly as `customers[]` shows one, so that SQL can put it into an answer."""
    return json_text(
        {
            "id": customer["id"],
            "name": customer["name"],
            "email": customer["email"],
            "timezone": customer.get("timezone") or "UTC",
            "phone": customer.get("phone") or "",
            "voip": customer.get("voip") or "",
            "meta": customer.get("meta") or {},
        }
    )


def _attendee(sealed: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": sealed["name"], "email": sealed.get("email")}


def _effect(row: SeatRow, event: Event, opened: Any) -> SeatRow:
    effect = _EFFECTS.get(type(event))
    return row if effect is None else effect(row, event, opened)


def _cancelled(row: SeatRow, event: SeatCancelled, opened: Any) -> SeatRow:
    if event.seats_left:
        named = None if opened is None else opened.get("attendees")
        staying = row.attendees if named is None else json_array([_attendee(one) for one in named])
        return row._replace(seats=event.seats_left, attendees=staying)
    return row._replace(state=f"cancelled_by_{event.by}", hold_until=None)


def _state(state: str) -> Callable[[SeatRow, Any, Any], SeatRow]:
    return lambda row, event, opened: row._replace(state=state, hold_until=None)


def _meta(row: SeatRow, event: MetaChanged, opened: Any) -> SeatRow:
    return row._replace(meta=merged(row.meta, opened or {}))


def erased(row: SeatRow) -> SeatRow:
    """The row without anything personal."""
    return row._replace(
        customer=None,
        customer_name=None,
        customer_email=None,
        attendees=EMPTY_ARRAY,
        meta=EMPTY_OBJECT,
        reminders=json_array(shown_reminders(from_json(row.reminders), (), True)),
        webhooks=json_object(shown_webhooks(from_json(row.webhooks), {}, True)),
    )


_EFFECTS: Mapping[type[Event], Callable[[SeatRow, Any, Any], SeatRow]] = {
    SeatCancelled: _cancelled,
    SeatPaid: _state("paid"),
    SeatExpired: _state("unpaid"),
    SeatCompleted: _state("completed"),
    MetaChanged: _meta,
    CustomerErased: lambda row, *_: erased(row),
    AttendeesErased: _named,
    BookingDeleted: lambda row, *_: row._replace(deleted=True),
}


def view(row: SeatRow, group: GroupView) -> SeatView:
    """The seat booking as the API's language has it."""
    customer = None if row.customer is None else _customer(from_json(row.customer))
    return SeatView(
        id=row.booking_id,
        graph=row.graph,  # type: ignore[arg-type]  # checked when the event was decoded
        state=row.state,
        seats=row.seats,
        created_at=row.created_at,
        updated_at=row.updated_at,
        group=group,
        customer=customer,
        attendees=[Attendee(**one) for one in from_json(row.attendees)],
        meta=from_json(row.meta),
        reminders=from_json(row.reminders),
        webhooks=from_json(row.webhooks),
        auto_complete=row.auto_complete,
        bulk_id=row.bulk_id,
        hold_until=row.hold_until,
    )


def _customer(shown: dict[str, Any]) -> Customer:
    return Customer(**{**shown, "id": UUID(shown["id"])})


async def load(connection: Connection, booking_ids: Iterable[UUID]) -> dict[UUID, SeatRow]:
    rows = await connection.fetch(sql("attendees_load"), list(booking_ids))
    return {row["booking_id"]: row_of(row) for row in rows}


async def save(connection: Connection, rows: Mapping[UUID, SeatRow]) -> None:
    """Write whole rows; their groups must be written before."""
    if rows:
        await connection.execute(sql("attendees_save"), *columns(rows.values()))


async def copy(connection: Connection, rows: Sequence[SeatRow], apps: Mapping[UUID, UUID]) -> None:
    """Write rows that are not there yet; `apps` by group. A PostgresError if one does not fit."""
    if not rows:
        return
    records = [(row[0], row[1], apps.get(row[1]), *row[2:]) for row in rows]
    try:
        await connection.copy_records_to_table("attendees", records=records, columns=_COPIED)
    except (TypeError, ValueError, OverflowError) as error:
        raise asyncpg.DataError("a value does not fit its column") from error


async def cascade(connection: Connection, cascades: Sequence[Cascade]) -> None:
    """Move live seat bookings as their groups' events say."""
    if cascades:
        await connection.execute(sql("attendees_cascade"), *columns(cascades))
