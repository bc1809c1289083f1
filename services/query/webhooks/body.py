"""What a webhook is told: the booking itself, made when it is sent and kept nowhere.

Contract section 9. It shows the state that was entered, and all else as it is now: a person erased
meanwhile is not in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from services.query.projection.read_models import attendees
from services.query.reads.fresh_reads import FreshReads
from services.query.reads.included import IncludedReader
from shared.booking_api.reading.timestamps import UTC_ZONE, Rendering, find_zone
from shared.booking_api.rendering.bookings import render_booking
from shared.booking_api.rendering.includes import parse_includes
from shared.booking_api.rendering.views import BookingView

INCLUDES = parse_includes(
    "event,calendar,customers,attributes,user,project,meta,available_actions,"
    "customer_action_links,owner_booking.attributes"
)


class BookingGone(Exception):
    """The ledger does not show this booking (any more)."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a webhook is told of a booking; `name` is what the booking calls the webhook."""

    app_id: UUID
    time_zone: str
    webhook_id: UUID
    name: str
    booking_id: UUID
    state: str
    at: datetime


class WebhookBodies:
    """Makes bodies; `public_url` is where customers' links lead."""

    def __init__(self, reads: FreshReads, included: IncludedReader, public_url: str) -> None:
        self._reads = reads
        self._included = included
        self._public_url = public_url.rstrip("/")

    async def body_of(self, occasion: Occasion) -> bytes | None:
        """The body, or None when the booking wants this webhook not to be told; ApiError."""
        view = await self._view(occasion.booking_id)
        if is_switched_off(view.webhooks, occasion.name, occasion.webhook_id):
            return None
        then = _then(view, occasion)
        rendering = Rendering(find_zone(occasion.time_zone) or UTC_ZONE)
        app_id, url = occasion.app_id, self._public_url
        included = await self._included.read(app_id, url, INCLUDES, [then])
        shown = render_booking(then, INCLUDES, rendering, included)
        for customer in shown["customers"]:
            customer["meta"] = json.dumps(customer["meta"], separators=(",", ":"))
        return to_json(shown)

    async def _view(self, booking_id: UUID) -> BookingView:
        found = await self._reads.booking(booking_id)
        if found is None:
            raise BookingGone(f"there is no booking {booking_id}")
        if found.seat is None:
            return found.group.view
        return attendees.view(found.seat, found.group.view)


def is_switched_off(overrides: Mapping[str, Any], name: str, webhook_id: UUID) -> bool:
    """Whether a booking's own `webhooks` say `{"<name or id>": {"enabled": false}}`."""
    wanted = [overrides.get(key) for key in (name, str(webhook_id))]
    return any(isinstance(one, Mapping) and one.get("enabled") is False for one in wanted)


def _then(view: BookingView, occasion: Occasion) -> BookingView:
    """In the state that it entered, when it entered it."""
    return replace(view, state=occasion.state, updated_at=occasion.at)
