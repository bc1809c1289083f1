"""`PUT /v2/bookings/{id}/{action}`: what is asked for beside the action's name.

Contract section 7. An absent body, `{}` and `[]` are fine; whether the action fits the booking's
state is not decided here (`states`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.command.requests.misplaced import CANCELS, PARTIAL, check_action
from shared.booking_api.new_seats import plain_attendees
from shared.booking_api.reading.json_body import read_optional_object
from shared.booking_api.reading.request_models import ApplyToBulked, CancelToApply, PayToApply
from shared.booking_api.reading.validation import failed, validated
from shared.booking_api.rendering.views import Attendee


@dataclass(frozen=True, slots=True)
class Action:
    """An action to apply. `seats` (cancel_by_customer only): give back just so many seats;
    `attendees`: who sits on the others, None to leave that as it is.

    `apply_to_bulked_bookings`: also to the bookings that one bulk call made together.
    """

    name: str
    message: str | None = None
    payment_id: str | None = None
    seats: int | None = None
    apply_to_bulked_bookings: bool = True
    attendees: tuple[Attendee, ...] | None = None


def read_action(name: str, body: bytes) -> Action:
    """An action from its request's body; BodyRefused, PayloadTooLarge or ValidationFailed."""
    return new_action(name, read_optional_object(body))


def new_action(name: str, value: Mapping[str, Any]) -> Action:
    """As `read_action`, from a parsed object."""
    check_action(name, value)
    bulked = validated(ApplyToBulked, value).apply_to_bulked_bookings is not False
    details = _details(name, value)
    if name in CANCELS:
        return _cancel(name, details, bulked)
    if name == "pay":
        payment_id = validated(PayToApply, details, within=name).payment_id
        return Action(name, payment_id=payment_id, apply_to_bulked_bookings=bulked)
    return Action(name, apply_to_bulked_bookings=bulked)


def _cancel(name: str, details: Mapping[str, Any], bulked: bool) -> Action:
    model = validated(CancelToApply, details, within=name)
    if model.seats is not None and name != PARTIAL:
        raise failed(f"{name}.seats", f"is only possible with {PARTIAL}")
    if model.attendees is not None and model.seats is None:
        raise failed(
            f"{name}.attendees", "needs seats beside it: who stays when some are cancelled"
        )
    return Action(
        name,
        model.message,
        seats=model.seats,
        apply_to_bulked_bookings=bulked,
        attendees=None if model.attendees is None else plain_attendees(model.attendees),
    )


def _details(name: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object under the action's own name; clients also send null and `[]` for none."""
    details = value.get(name)
    if details is None or details == []:
        return {}
    if not isinstance(details, dict):
        raise failed(name, "must be an object")
    return details
