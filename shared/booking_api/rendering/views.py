"""The views of a booking: all that it can show, filled in by readers, rendered by `bookings`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.domain.events import GroupDescription, GroupSettings, JsonObject, SeatGraph


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who booked seats. `timezone` is an IANA name; `meta` what else the booking form asked."""

    id: UUID
    name: str
    email: str
    timezone: str = "UTC"
    phone: str = ""
    voip: str = ""
    meta: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attendee:
    """Who sits on one of a booking's seats."""

    name: str
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """A group and everything it can show; moments are aware, `current_seats` are seats taken."""

    id: UUID
    app_id: UUID
    state: str
    created_at: datetime
    updated_at: datetime
    about: GroupDescription
    resource_name: str = ""
    settings: GroupSettings
    current_seats: int
    participants: Sequence[str] = ()
    invite: bool = False
    my_rsvp: str | None = None
    meta: JsonObject = field(default_factory=dict)
    reminders: Sequence[JsonObject] = ()
    webhooks: JsonObject = field(default_factory=dict)
    auto_complete: bool = True
    bulk_id: UUID | None = None

    @property
    def graph(self) -> Literal["group_owner"]:
        return "group_owner"

    @property
    def max_seats(self) -> int:
        return self.settings.max_seats


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatView:
    """A seat booking, with its group. `customer` is None once the person was erased."""

    id: UUID
    graph: SeatGraph
    state: str
    seats: int
    created_at: datetime
    updated_at: datetime
    group: GroupView
    customer: Customer | None
    attendees: Sequence[Attendee] = ()
    meta: JsonObject = field(default_factory=dict)
    reminders: Sequence[JsonObject] = ()
    webhooks: JsonObject = field(default_factory=dict)
    auto_complete: bool = True
    bulk_id: UUID | None = None
    hold_until: datetime | None = None


BookingView = GroupView | SeatView


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One step of a booking's history: which action led to which state, and who took it."""

    id: UUID
    action: str
    state: str
    actor: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IncludedData:
    """What includes show from outside a booking; a reader fills only what they ask for.

    `seat_bookings`, `bulked` and `logs` are by booking id, in creation order; `projects` by project
    id, as section 11 shows them; `action_links` by booking id: action -> absolute URL.
    """

    seat_bookings: Mapping[UUID, Sequence[SeatView]] = field(default_factory=dict)
    bulked: Mapping[UUID, Sequence[BookingView]] = field(default_factory=dict)
    logs: Mapping[UUID, Sequence[LogEntry]] = field(default_factory=dict)
    projects: Mapping[UUID, JsonObject] = field(default_factory=dict)
    action_links: Mapping[UUID, Mapping[str, str]] = field(default_factory=dict)


NOTHING_INCLUDED = IncludedData()
