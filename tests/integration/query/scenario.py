"""Bookings written straight into a log, as the command service would write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from pydantic_core import to_json

from shared.domain.events import (
    AttendeesErased,
    BookingDeleted,
    CapacityChanged,
    CustomerErased,
    Event,
    GroupCancelled,
    GroupCompleted,
    GroupCreated,
    GroupRescheduled,
    GroupSettings,
    MetaChanged,
    SeatBooked,
    SeatCancelled,
    SeatCompleted,
    SeatExpired,
    SeatPaid,
)
from shared.domain.group import Group, evolve
from shared.domain.lifecycle import HOLDING
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.privacy import BookingKey, MasterKey
from shared.eventlog.record import BookingKeyRow, NewEvent
from shared.eventlog.store import Appended, Entry
from shared.runtime.postgres import Pool

APP = UUID(int=7)
MASTER = MasterKey(b"m" * 32)
START = datetime(2030, 5, 1, 12, tzinfo=UTC)
MARTY: Mapping[str, Any] = {
    "name": "Marty McFly",
    "email": "Marty.McFly@example.org",
    "timezone": "America/Los_Angeles",
}


class Scenario:
    """Groups in a log; every method appends, and answers the position of its last event."""

    def __init__(self, store: PostgresEventStore, master: MasterKey = MASTER) -> None:
        self.store = store
        self.master = master
        self.groups: dict[UUID, Group] = {}
        self.position = 0
        self._keys: dict[UUID, BookingKey] = {}
        self._clock = START - timedelta(days=365)

    async def create(
        self, max_seats: int = 20, app_id: UUID = APP, details: Any = None, **fields: Any
    ) -> UUID:
        group_id = uuid4()
        self.groups[group_id] = Group(group_id)
        rules = fields.pop("settings", None) or GroupSettings(max_seats=max_seats)
        event = GroupCreated(
            **{
                **self._common(group_id, group_id),
                "max_seats": rules.max_seats,
                "app_id": app_id,
                "resource_id": UUID(int=8),
                "start": START,
                "end": START + timedelta(hours=1),
                "time_zone": "UTC",
                "what": "A webinar",
                "settings": rules,
                "sealed": self._sealed(group_id, "booking", details),
                **fields,
            }
        )
        await self.append(group_id, [event])
        return group_id

    async def book(self, group_id: UUID, seats: int = 1, **fields: Any) -> UUID:
        booking_id = uuid4()
        await self.append(group_id, [self.booked(group_id, booking_id, seats, **fields)])
        return booking_id

    async def book_many(self, group_id: UUID, count: int) -> list[UUID]:
        """`count` seat bookings, at most 500 an append."""
        ids = [uuid4() for _ in range(count)]
        for first in range(0, count, 500):
            group = self.groups[group_id].draft()
            events = []
            for booking_id in ids[first : first + 500]:
                event = self.booked(group_id, booking_id, taken=group.current_seats)
                evolve(group, event)
                events.append(event)
            await self.append(group_id, events)
        return ids

    def booked(
        self,
        group_id: UUID,
        booking_id: UUID,
        seats: int = 1,
        customer: Mapping[str, Any] = MARTY,
        attendees: Iterable[Any] = (),
        meta: Mapping[str, Any] | None = None,
        graph: str = "group_customer",
        taken: int | None = None,
        **fields: Any,
    ) -> SeatBooked:
        group = self.groups[group_id]
        now = group.current_seats if taken is None else taken
        content = {
            "customer": {"id": str(uuid4()), **customer},
            "attendees": list(attendees),
            "meta": meta or {},
        }
        return SeatBooked(
            **{
                **self._common(group_id, booking_id),
                "current_seats": now + seats,
                "graph": graph,
                "seats": seats,
                "customer_ref": b"c" * 16,
                "sealed": self._sealed(booking_id, "booking", content) or b"",
                "hold_until": START if graph != "group_customer" else None,
                **fields,
            }
        )

    async def cancel(
        self,
        group_id: UUID,
        booking_id: UUID,
        by: str = "customer",
        seats: int | None = None,
        staying: Sequence[Any] | None = None,
    ) -> int:
        held = self._held(group_id, booking_id)
        back = held if seats is None else seats
        common = self._common(group_id, booking_id, -back)
        said = None if staying is None else {"message": "Sorry", "attendees": staying}
        sealed = None if said is None else self._sealed(booking_id, "message", said)
        event = SeatCancelled(
            **common,
            by=by,  # type: ignore[arg-type]
            seats=back,
            seats_left=held - back,
            sealed=sealed,
        )
        return await self.append(group_id, [event])

    async def pay(self, group_id: UUID, booking_id: UUID) -> int:
        return await self.append(group_id, [SeatPaid(**self._common(group_id, booking_id))])

    async def expire(self, group_id: UUID, booking_id: UUID) -> int:
        held = self._held(group_id, booking_id)
        event = SeatExpired(**self._common(group_id, booking_id, -held), seats=held)
        return await self.append(group_id, [event])

    async def complete_seat(self, group_id: UUID, booking_id: UUID) -> int:
        return await self.append(group_id, [SeatCompleted(**self._common(group_id, booking_id))])

    async def cancel_group(self, group_id: UUID) -> int:
        common = self._common(group_id, group_id)
        seats = [seat for _, seat in self.groups[group_id].seats.items()]
        common["current_seats"] = sum(s.seats for s in seats if s.state == "completed")
        return await self.append(group_id, [GroupCancelled(**common, seat_bookings=len(seats))])

    async def complete_group(self, group_id: UUID) -> int:
        common = self._common(group_id, group_id)
        return await self.append(group_id, [GroupCompleted(**common, seat_bookings=0)])

    async def reschedule(self, group_id: UUID, start: datetime, end: datetime) -> int:
        common = self._common(group_id, group_id)
        return await self.append(group_id, [GroupRescheduled(**common, start=start, end=end)])

    async def resize(self, group_id: UUID, max_seats: int) -> int:
        common = {**self._common(group_id, group_id), "max_seats": max_seats}
        event = CapacityChanged(**common, when_over="overbook", over_by=0)
        return await self.append(group_id, [event])

    async def change_meta(self, group_id: UUID, booking_id: UUID, meta: Mapping[str, Any]) -> int:
        common = self._common(group_id, booking_id)
        if booking_id == group_id:
            event = MetaChanged(**common, meta=meta)
        else:
            event = MetaChanged(**common, sealed=self._sealed(booking_id, "meta", meta))
        return await self.append(group_id, [event])

    async def erase(self, group_id: UUID, booking_id: UUID, pool: Pool) -> int:
        await pool.execute("DELETE FROM booking_keys WHERE booking_id = $1", booking_id)
        return await self.append(group_id, [CustomerErased(**self._common(group_id, booking_id))])

    async def erase_attendees(self, group_id: UUID, booking_id: UUID, remaining: Any) -> int:
        """`remaining` is who and what the booking names from now on, under a new key."""
        self._keys[booking_id] = BookingKey.new(booking_id, replaces=True)
        sealed = self._sealed(booking_id, "booking", remaining) or b""
        common = self._common(group_id, booking_id)
        return await self.append(group_id, [AttendeesErased(**common, attendees=1, sealed=sealed)])

    async def delete(self, group_id: UUID, booking_id: UUID) -> int:
        return await self.append(group_id, [BookingDeleted(**self._common(group_id, booking_id))])

    def bookings_of(self, group_id: UUID) -> list[UUID]:
        """The group's seat bookings, in creation order."""
        return [booking_id for booking_id, _ in self.groups[group_id].seats.items()]

    async def append(self, group_id: UUID, events: Sequence[Event]) -> int:
        group = self.groups[group_id]
        new = [NewEvent(uuid4(), event, {"actor": "test"}) for event in events]
        keys = [self._key_row(group_id, e.booking_id) for e in events if _introduces(e)]
        [outcome] = await self.store.append([Entry(group_id, group.version, new, keys)])
        assert isinstance(outcome, Appended)
        for event in events:
            evolve(group, event)
        self.position = outcome.position
        return outcome.position

    def _common(self, group_id: UUID, booking_id: UUID, change: int = 0) -> dict[str, Any]:
        group = self.groups[group_id]
        self._clock += timedelta(seconds=1, microseconds=1234)
        return {
            "at": self._clock,
            "booking_id": booking_id,
            "current_seats": group.current_seats + change,
            "max_seats": group.settings.max_seats,
        }

    def _held(self, group_id: UUID, booking_id: UUID) -> int:
        seat = self.groups[group_id].seats.get(booking_id)
        assert seat is not None and seat.state in HOLDING
        return seat.seats

    def _key(self, booking_id: UUID) -> BookingKey:
        return self._keys.setdefault(booking_id, BookingKey.new(booking_id))

    def _key_row(self, group_id: UUID, booking_id: UUID) -> BookingKeyRow:
        wrapped = self.master.wrap(self._key(booking_id))
        return BookingKeyRow(booking_id, group_id, wrapped, None)

    def _sealed(self, booking_id: UUID, field: str, content: Any) -> bytes | None:
        return None if content is None else self._key(booking_id).seal(field, to_json(content))


def _introduces(event: Event) -> bool:
    return isinstance(event, GroupCreated | SeatBooked | AttendeesErased)
