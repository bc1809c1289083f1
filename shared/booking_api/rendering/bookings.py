"""The booking object as the API shows it: one rendering for every answer, to POST and GET alike.

Six base keys are always there; `Includes` say what else is asked for, and `IncludedData` hold what
of that lies outside the booking. Contract sections 2, 5.3, 5.4 and 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from shared.booking_api.reading.timestamps import Rendering
from shared.booking_api.rendering.includes import NOTHING, RELATIONS, Includes
from shared.booking_api.rendering.inclusions import INCLUSIONS, render_attributes, render_resource
from shared.booking_api.rendering.views import (
    NOTHING_INCLUDED,
    BookingView,
    GroupView,
    IncludedData,
    SeatView,
)
from shared.booking_api.states import available_actions

__all__ = [
    "Rendering",
    "render_booking",
    "render_group",
]

Json = dict[str, Any]

DEFAULT_RENDERING: Final = Rendering()


def render_booking(
    view: BookingView,
    includes: Includes = NOTHING,
    rendering: Rendering = DEFAULT_RENDERING,
    included: IncludedData = NOTHING_INCLUDED,
) -> Json:
    """The booking's six base keys and whatever `includes` asks for, ready for JSON."""
    shown = _base(view, rendering)
    for name, below in includes.children.items():
        if name in RELATIONS:
            shown[name] = _relation(name, view, below, rendering, included)
        else:
            shown[name] = INCLUSIONS[name](view, rendering, included)
    return shown


def render_group(
    view: GroupView,
    includes: Includes = NOTHING,
    rendering: Rendering = DEFAULT_RENDERING,
    included: IncludedData = NOTHING_INCLUDED,
) -> Json:
    """A group as the `/bookings/groups` endpoints show it: more than the base, unasked."""
    shown = render_booking(view, includes, rendering, included)
    shown["attributes"] = render_attributes(view, rendering)
    shown["available_actions"] = list(available_actions(view.graph, view.state))
    shown["resource"] = render_resource(view)
    return shown


def _base(view: BookingView, rendering: Rendering) -> Json:
    return {
        "id": str(view.id),
        "state": view.state,
        "graph": view.graph,
        "completed": not available_actions(view.graph, view.state),
        "created_at": rendering.show(view.created_at),
        "updated_at": rendering.show(view.updated_at),
    }


def _relation(
    name: str, view: BookingView, below: Includes, rendering: Rendering, included: IncludedData
) -> Json | list[Json] | None:
    if name == "owner_booking":
        owner = view.group if isinstance(view, SeatView) else None
        return None if owner is None else render_booking(owner, below, rendering, included)
    bookings: Sequence[BookingView] = (
        included.seat_bookings.get(view.id, ())
        if name == "related_bookings"
        else included.bulked.get(view.id, ())
    )
    return [render_booking(one, below, rendering, included) for one in bookings]
