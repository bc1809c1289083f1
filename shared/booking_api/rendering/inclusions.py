"""The includes whose value is not bookings: one small function each, by name.

Contract section 6; where this service has no such thing (calendars, users), the shape is kept and
its fields are empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from shared.booking_api.reading.timestamps import Rendering
from shared.booking_api.rendering.views import (
    BookingView,
    Customer,
    GroupView,
    IncludedData,
    SeatView,
)
from shared.booking_api.states import available_actions

Json = dict[str, Any]


def render_attributes(view: BookingView, rendering: Rendering) -> Json:
    """The event, and on a group its seats; a seat booking shows its group's event."""
    if isinstance(view, SeatView):
        return {"event_info": _event_info(view.group, rendering)}
    return {
        "event_info": _event_info(view, rendering),
        "group_booking": {"max_seats": view.max_seats, "current_seats": view.current_seats},
    }


def _event_info(group: GroupView, rendering: Rendering) -> Json:
    return {
        "start": rendering.show(group.about.start),
        "end": rendering.show(group.about.end),
        "what": group.about.what,
        "where": group.about.where,
        "calendar_id": _text_or_none(group.about.calendar_id),
        "description": group.about.description,
        "participants": [] if rendering.is_public else list(group.participants),
    }


def render_resource(group: GroupView) -> Json:
    """The resource is the caller's: its id is kept and given back."""
    return {"id": str(group.about.resource_id), "name": group.resource_name}


def render_customer(customer: Customer) -> Json:
    """A customer as `customers[]` shows one."""
    return {
        "id": str(customer.id),
        "name": customer.name,
        "email": customer.email,
        "timezone": customer.timezone,
        "phone": customer.phone,
        "voip": customer.voip,
        "meta": dict(customer.meta),
    }


def _customers(view: BookingView) -> list[Json]:
    if isinstance(view, GroupView) or view.customer is None:
        return []
    return [render_customer(view.customer)]


def _attendees(view: BookingView) -> list[Json]:
    if isinstance(view, GroupView):
        return []
    return [{"name": one.name, "email": one.email} for one in view.attendees]


def _event(group: GroupView, rendering: Rendering) -> Json:
    return {
        "id": str(group.id),
        "what": group.about.what,
        "where": group.about.where,
        "description": group.about.description,
        "rsvp": None if rendering.is_public else group.my_rsvp,
        "allDay": False,
        "start": rendering.show(group.about.start),
        "end": rendering.show(group.about.end),
        "created_at": rendering.show(group.created_at),
        "updated_at": rendering.show(group.updated_at),
    }


def _calendar(group: GroupView) -> Json | None:
    if group.about.calendar_id is None:
        return None
    texts = ("name", "display_name", "description", "foregroundcolor", "backgroundcolor")
    nothing_known: Json = dict.fromkeys(texts, "")
    return {
        "id": str(group.about.calendar_id),
        **nothing_known,
        "created_at": None,
        "updated_at": None,
    }


def _user(group: GroupView) -> Json:
    return {
        "id": str(group.about.resource_id),
        "name": group.resource_name,
        "first_name": "",
        "last_name": "",
        "email": "",
        "timezone": group.about.time_zone,
        "img": None,
        "activated": True,
        "last_sync": None,
    }


def _project(group: GroupView, included: IncludedData) -> Json | None:
    project_id = group.about.project_id
    if project_id is None:
        return None
    known = included.projects.get(project_id)
    return {"id": str(project_id), "slug": None, "name": ""} if known is None else dict(known)


def _logs(view: BookingView, rendering: Rendering, included: IncludedData) -> list[Json]:
    return [
        {
            "id": str(entry.id),
            "action": entry.action,
            "state": entry.state,
            "actor": entry.actor,
            "created_at": rendering.show(entry.created_at),
        }
        for entry in included.logs.get(view.id, ())
    ]


def _related(view: BookingView) -> Json | None:
    if isinstance(view, GroupView):
        return None
    return {"owner_booking_id": str(view.group.id), "seats": view.seats}


def render_settings(group: GroupView) -> Json:
    """A group's settings as they were sent, durations in the caller's own words."""
    settings = group.settings
    return {
        "max_seats": settings.max_seats,
        "min_cancel_time": settings.min_cancel_time,
        "min_booking_time": settings.min_booking_time,
        "max_booking_time": settings.max_booking_time,
        "allow_double_bookings": settings.allow_double_bookings,
        "max_seats_per_customer": settings.max_seats_per_customer,
        "allow_duplicates": settings.allow_duplicates,
        "graph": settings.graph,
    }


def _group_of(view: BookingView) -> GroupView:
    return view.group if isinstance(view, SeatView) else view


def _text_or_none(value: UUID | None) -> str | None:
    return None if value is None else str(value)


Inclusion = Callable[[BookingView, Rendering, IncludedData], Any]

INCLUSIONS: Final[Mapping[str, Inclusion]] = {
    "attributes": lambda view, rendering, _: render_attributes(view, rendering),
    "customers": lambda view, *_: _customers(view),
    "event": lambda view, rendering, _: _event(_group_of(view), rendering),
    "calendar": lambda view, *_: _calendar(_group_of(view)),
    "user": lambda view, *_: _user(_group_of(view)),
    "resource": lambda view, *_: render_resource(_group_of(view)),
    "project": lambda view, _, included: _project(_group_of(view), included),
    "meta": lambda view, *_: dict(view.meta),
    "available_actions": lambda view, *_: list(available_actions(view.graph, view.state)),
    "customer_action_links": lambda view, _, included: dict(included.action_links.get(view.id, {})),
    "logs": _logs,
    "provider_event": lambda *_: None,
    "related": lambda view, *_: _related(view),
    "attendees": lambda view, *_: _attendees(view),
    "settings": lambda view, *_: render_settings(_group_of(view)),
    "reminders": lambda view, *_: list(view.reminders),
    "webhooks": lambda view, *_: dict(view.webhooks),
}
"""Every include but the relations, by its name in `includes`."""
