"""The tutorial's webinar and its two seats, as views to render."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from shared.booking_api.rendering.views import Attendee, Customer, GroupView, SeatView
from shared.domain.events import GroupDescription, GroupSettings

GROUP = GroupView(
    id=UUID("58190fc6-1ec0-4ebb-b627-7ce6aa9fc703"),
    app_id=UUID("00000000-0000-4000-8000-000000000001"),
    state="tentative",
    created_at=datetime(2015, 12, 14, 18, 28, 22, tzinfo=UTC),
    updated_at=datetime(2015, 12, 14, 18, 28, 23, tzinfo=UTC),
    about=GroupDescription(
        start=datetime(2016, 9, 30, 16, tzinfo=UTC),
        end=datetime(2016, 9, 30, 17, tzinfo=UTC),
        time_zone="America/Los_Angeles",
        what="Doc Brown's webinar",
        where="https://join.skype.com/XXXXXX",
        description="Read the paper first",
        calendar_id=UUID("bfa0b9fa-36aa-4ae6-8096-f3b20fbed1d2"),
        resource_id=UUID("78a4d873-2a68-41c6-bdd4-c0ca5b35efd3"),
        project_id=UUID("3f5ad8b7-ef4e-4765-bb54-f2117c508a00"),
    ),
    resource_name="Doc Brown",
    settings=GroupSettings(max_seats=20, min_cancel_time="1 day"),
    current_seats=3,
    participants=("einstein@timekit.io",),
    meta={"room": "A"},
    reminders=({"type": "email"},),
)
MARTY = SeatView(
    id=UUID("e1d7826c-ecaf-4e07-917b-7f3f7219e3f0"),
    graph="group_customer",
    state="confirmed",
    seats=2,
    created_at=datetime(2015, 12, 15, 11, 25, 44, tzinfo=UTC),
    updated_at=datetime(2015, 12, 15, 11, 25, 45, tzinfo=UTC),
    group=GROUP,
    customer=Customer(
        id=UUID("e4f67f0f-458b-4a97-9954-5f4ad73cdc05"),
        name="Marty McFly",
        email="marty.mcfly@timekit.io",
        timezone="America/Los_Angeles",
        meta={"comment": "10:04"},
    ),
    attendees=(Attendee("Marty McFly", "marty.mcfly@timekit.io"), Attendee("Jennifer")),
    meta={"ticket": 7},
)
BIFF = SeatView(
    id=UUID("a2c913aa-a3b6-4221-a576-1804093e27fe"),
    graph="group_customer_payment",
    state="cancelled_by_customer",
    seats=1,
    created_at=datetime(2015, 12, 16, 13, 37, 23, tzinfo=UTC),
    updated_at=datetime(2015, 12, 16, 13, 37, 24, tzinfo=UTC),
    group=GROUP,
    customer=None,
)
