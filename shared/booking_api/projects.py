"""Projects: what a booking page loads to know its texts and fields, as the widgets read it.

Contract section 11. Every field the widgets dereference is always there, sent or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.booking_api.reading.fields import EmptyListIsObject, Meta, Name, SeatGraphName
from shared.booking_api.reading.json_body import read_object
from shared.booking_api.reading.request_models import RequestModel
from shared.booking_api.reading.validation import failed, validated
from shared.domain.events import JsonObject

Slug = Annotated[
    str,
    StringConstraints(
        strict=True, min_length=1, max_length=100, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$"
    ),
]

UI: Final[JsonObject] = {
    "display_name": "",
    "avatar": "",
    "show_credits": True,
    "availability_view": "agendaWeek",
    "time_date_format": "12h-mdy-sun",
    "localization": {
        "allocated_resource_prefix": "with",
        "submit_button": "Book it",
        "success_message": "We have received your booking and sent a confirmation to %s",
    },
}
CUSTOMER_FIELDS: Final[JsonObject] = {
    "name": {"type": "string", "title": "Name", "required": True},
    "email": {"type": "string", "title": "E-mail", "format": "email", "required": True},
}
BOOKING: Final[JsonObject] = {"graph": "group_customer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project as it is kept; its objects are complete, defaults filled in."""

    id: UUID
    slug: str
    name: str
    booking: JsonObject = field(default_factory=lambda: dict(BOOKING))
    ui: JsonObject = field(default_factory=lambda: dict(UI))
    customer_fields: JsonObject = field(default_factory=lambda: dict(CUSTOMER_FIELDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFields:
    """What a request says about a project; None where it says nothing."""

    slug: str | None = None
    name: str | None = None
    booking: JsonObject | None = None
    ui: JsonObject | None = None
    customer_fields: JsonObject | None = None


class ProjectBooking(RequestModel):
    """Which graph a page's bookings take."""

    graph: SeatGraphName | None = None


class ProjectToSave(RequestModel):
    """`POST /v2/projects` (`slug` and `name` required) and `PUT /v2/projects/{id}`."""

    slug: Slug | None = None
    name: Name | None = None
    booking: Annotated[ProjectBooking, EmptyListIsObject] | None = None
    ui: Meta | None = None
    customer_fields: (
        Annotated[
            dict[Annotated[str, Field(min_length=1, max_length=100)], Meta],
            EmptyListIsObject,
            Field(max_length=50),
        ]
        | None
    ) = None


def read_new_project(body: bytes) -> ProjectFields:
    """A project to make; BodyRefused, PayloadTooLarge or ValidationFailed."""
    fields = read_project_change(body)
    for name, given in (("slug", fields.slug), ("name", fields.name)):
        if given is None:
            raise failed(name, "is required")
    return fields


def read_project_change(body: bytes) -> ProjectFields:
    """A project's fields to change; errors as for `read_new_project`."""
    model = validated(ProjectToSave, read_object(body))
    booking = model.booking
    return ProjectFields(
        slug=model.slug,
        name=model.name,
        booking=None if booking is None else {"graph": booking.graph or "group_customer"},
        ui=model.ui,
        customer_fields=model.customer_fields,
    )


def new_project(project_id: UUID, fields: ProjectFields) -> Project:
    """A project with defaults where nothing was said; ValueError without slug or name."""
    if fields.slug is None or fields.name is None:
        raise ValueError("a new project needs a slug and a name")
    return changed_project(Project(id=project_id, slug=fields.slug, name=fields.name), fields)


def changed_project(project: Project, fields: ProjectFields) -> Project:
    """The project with what was said: `ui` is merged into what it was, the rest replaced."""
    return Project(
        id=project.id,
        slug=fields.slug or project.slug,
        name=fields.name or project.name,
        booking=fields.booking or project.booking,
        ui=_merged(project.ui, fields.ui or {}),
        customer_fields=_with_required(fields.customer_fields or project.customer_fields),
    )


def _merged(known: JsonObject, said: JsonObject) -> JsonObject:
    merged = dict(known)
    for name, value in said.items():
        both = isinstance(value, Mapping) and isinstance(known.get(name), Mapping)
        merged[name] = _merged(known[name], value) if both else value
    return merged


def _with_required(fields: JsonObject) -> JsonObject:
    """Name and e-mail are always asked for: no seat is booked without them."""
    return {**CUSTOMER_FIELDS, **fields}


def render_project(project: Project, app_key: str | None = None) -> dict[str, Any]:
    """The project's JSON; `app_key` (the app's widget key) where the page needs one."""
    shown: dict[str, Any] = {"id": str(project.id), "slug": project.slug, "name": project.name}
    if app_key is not None:
        shown["app_key"] = app_key
    return {
        **shown,
        "booking": dict(project.booking),
        "ui": dict(project.ui),
        "customer_fields": dict(project.customer_fields),
    }
