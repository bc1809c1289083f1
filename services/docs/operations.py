"""Every operation of the HTTP API as a row: what the OpenAPI document is made of.

A test holds the rows and the routes that are really served together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

from shared.booking_api.projects import ProjectToSave
from shared.booking_api.reading.request_models import (
    BookingToChange,
    BulkToCreate,
    BulkToUpdate,
    GroupToCreate,
    SeatsToCreate,
)

Models = tuple[type[BaseModel], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path; `body` are the shapes its request may have, by model or by name."""

    method: str
    path: str
    name: str
    summary: str
    tag: str
    answers: str = "Booking"
    status: int = 200
    body: Models | str | None = None
    query: tuple[str, ...] = ("include",)
    reach: str = "server"
    note: str = ""


def _read(path: str, name: str, summary: str, **more: object) -> Operation:
    return Operation(method="get", path=path, name=name, summary=summary, tag="Reading", **more)  # type: ignore[arg-type]


def _write(method: str, path: str, name: str, summary: str, **more: object) -> Operation:
    tag = str(more.pop("tag", "Booking"))
    return Operation(method=method, path=path, name=name, summary=summary, tag=tag, **more)  # type: ignore[arg-type]


_LIST: Final = ("limit", "page", "search", "include", "orderBy", "sortedBy", "start", "end")
_THEN: Final = ("include", "as_of")
_GROUP: Final[dict[str, object]] = {"reach": "widget", "query": _THEN}
_ACTIONS: Final = (
    "Actions: `cancel`, `complete` (groups); `cancel_by_customer`, `cancel_by_owner`, `complete`, "
    "`pay` (seat bookings). The body may be absent, `{}` or `[]`; details lie under the action's "
    "own name."
)

_LINK: Final = "/v2/bookings/{id}/external_action/{action}"
_SIGNED: Final[dict[str, object]] = {
    "query": ("signature", "redirect"),
    "reach": "everyone",
    "note": "With `SEATLEDGER_CONFIRM_LINKS` GET shows a page, and only POST acts.",
}
_NOTHING: Final[dict[str, object]] = {"answers": "", "query": ()}
_ANY: Final[dict[str, object]] = {"answers": "Anything", "query": ()}
_SENT: Final[dict[str, object]] = {**_ANY, "query": ("limit", "before", "status")}
_ASKED: Final[dict[str, object]] = {**_ANY, "body": "Anything"}
_WEBHOOKS: Final[tuple[tuple[str, str, str, str, int, dict[str, object]], ...]] = (
    ("post", "/v2/webhooks", "createWebhook", "Hear of a state at an address", 201, _ASKED),
    ("get", "/v2/webhooks", "listWebhooks", "The app's webhooks", 200, _ANY),
    ("get", "/v2/webhooks/{id}", "getWebhook", "A webhook", 200, _ANY),
    ("delete", "/v2/webhooks/{id}", "deleteWebhook", "Hear no more", 204, _NOTHING),
    ("get", "/v2/webhooks/{id}/deliveries", "listDeliveries", "What was sent", 200, _SENT),
    ("post", "/v2/webhooks/{id}/rotate", "rotateSecret", "A new signing secret", 200, _ASKED),
    ("post", "/v2/webhooks/{id}/resend", "resend", "Send again", 200, _ASKED),
)

OPERATIONS: Final[tuple[Operation, ...]] = (
    _write(
        "post",
        "/v2/bookings",
        "createBooking",
        "Open a group, or book seats in one",
        status=201,
        body=(GroupToCreate, SeatsToCreate, BulkToCreate),
        reach="widget",
        note="Widget keys book seats; opening a group needs a server key.",
    ),
    _write(
        "post",
        "/v2/bookings/bulk",
        "createBookings",
        "Create many bookings",
        status=201,
        answers="Bulk",
        body=(BulkToCreate,),
        note="With `delete_all_on_error` all or nothing, in one commit.",
    ),
    _write(
        "put",
        "/v2/bookings/bulk",
        "updateBookings",
        "Update many bookings",
        answers="Bulk",
        body=(BulkToUpdate,),
        note="With `reset_all_on_error` all or nothing, in one commit.",
    ),
    _write(
        "put",
        "/v2/bookings",
        "updateBookingsToo",
        "Update many bookings (alias)",
        answers="Bulk",
        body=(BulkToUpdate,),
    ),
    _write(
        "put",
        "/v2/bookings/{id}",
        "changeBooking",
        "Change meta, or a group's number of seats",
        body=(BookingToChange,),
    ),
    _write(
        "delete",
        "/v2/bookings/{id}",
        "deleteBooking",
        "Hide an ended booking",
        status=204,
        answers="",
        query=(),
    ),
    _write(
        "put",
        "/v2/bookings/{id}/reschedule",
        "rescheduleGroup",
        "Move a group to another time",
        body="Reschedule",
    ),
    _write(
        "post",
        "/v2/bookings/{id}/reschedule",
        "refuseReschedule",
        "Not for group graphs: always refused",
        body="Anything",
    ),
    _write(
        "put",
        "/v2/bookings/{id}/{action}",
        "act",
        "Apply an action",
        body="Action",
        note=_ACTIONS,
    ),
    _write(
        "post",
        "/v2/bookings/{id}/{action}",
        "actToo",
        "Apply an action (alias)",
        body="Action",
        note=_ACTIONS,
    ),
    _read(_LINK, "followLink", "A customer's signed link: acts once, then redirects", **_SIGNED),
    _write("post", _LINK, "actByLink", "A customer's signed link, confirmed", **_SIGNED),
    _read("/v2/bookings", "listBookings", "All bookings", answers="BookingList", query=_LIST),
    _read("/v2/bookings/{id}", "getBooking", "A group or a seat booking", query=_THEN),
    _read(
        "/v2/bookings/groups",
        "listGroups",
        "The groups that can be booked now",
        answers="BookingList",
        query=_LIST,
        reach="widget",
    ),
    _read("/v2/bookings/groups/{id}", "getGroup", "A group with its seat count", **_GROUP),
    _read("/v2/bookings/group/{id}", "getGroupToo", "A group (alias)", **_GROUP),
    _read("/v2/bookings/{id}/groups", "getGroupOld", "A group (old alias)", **_GROUP),
    _read(
        "/v2/bookings/groups/{id}/attendees.csv",
        "getAttendeeList",
        "A group's seat bookings as a spreadsheet",
        answers="text/csv",
        query=(),
    ),
    _read(
        "/v2/bookings/groups/{id}.ics",
        "getCalendarFile",
        "A group as a calendar file",
        answers="text/calendar",
        query=(),
    ),
    _write(
        "post",
        "/v2/projects",
        "createProject",
        "Make a project",
        tag="Projects",
        status=201,
        answers="Project",
        body=(ProjectToSave,),
        query=(),
    ),
    _write(
        "put",
        "/v2/projects/{id}",
        "changeProject",
        "Change a project",
        tag="Projects",
        answers="Project",
        body=(ProjectToSave,),
        query=(),
    ),
    _read(
        "/v2/projects",
        "listProjects",
        "The app's projects",
        answers="ProjectList",
        query=("limit", "page"),
    ),
    _read("/v2/projects/{id}", "getProject", "A project", answers="Project", query=()),
    _read(
        "/v2/projects/embed/{id}",
        "embedProject",
        "A project, for a page with a key",
        answers="Project",
        query=(),
        reach="widget",
    ),
    _read(
        "/v2/projects/hosted/{slug}",
        "hostProject",
        "A project, for a page without a key",
        answers="Project",
        query=(),
        reach="everyone",
    ),
    _read(
        "/v2/users/timezone/{email}",
        "userTimezone",
        "The app's time zone, for old widgets",
        answers="Timezone",
        query=(),
        reach="widget",
    ),
    _read(
        "/v2/events",
        "listEvents",
        "What happened, from a position on; a live stream on request",
        answers="Feed",
        query=("after", "limit"),
        note="With `Accept: text/event-stream` events are sent as they are committed.",
    ),
    _read(
        "/v2/bookings/groups/{id}/events",
        "listGroupEvents",
        "What happened to a group and its seat bookings",
        answers="Feed",
        query=("after", "limit"),
    ),
    _read(
        "/v2/bookings/groups/{id}/history",
        "getGroupHistory",
        "A group's seat count over time",
        answers="Feed",
        query=("after", "limit"),
    ),
    _read(
        "/v2/bookings/{id}/why",
        "getWhy",
        "Why seats were refused, or when they were booked",
        answers="Why",
        query=(),
        reach="widget",
        note="For a refusal's `booking_id`. A process that is killed may lose its last second.",
    ),
    _read(
        "/v2/bookings/groups/{id}/refusals",
        "listRefusals",
        "Who was turned away from a group: how many by rule, and the newest",
        answers="RefusalList",
        query=("limit", "page"),
        note="Counts are exact; of each rule at most the newest 1,000 refusals are kept.",
    ),
    _write(
        "delete",
        "/v2/bookings/{id}/customer",
        "eraseCustomer",
        "Make a booking's personal data unreadable for ever",
        status=204,
        answers="",
        query=(),
    ),
    *(
        _write(method, path, name, summary, tag="Webhooks", status=status, **more)
        for method, path, name, summary, status, more in _WEBHOOKS
    ),
)
