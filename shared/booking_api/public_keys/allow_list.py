"""What a public key may ask and is answered: one allow-list for every route that takes such a key.

Anyone reads a widget key off a booking page, so it is a stranger's (deploy/decisions/0039). Judged
is what an answer would hold: a group and its event for all, a person only in the booking that this
very request makes. What is not named here is refused before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from shared.booking_api.errors import ApiError, CustomerLimitReached
from shared.booking_api.public_keys.refusals import (
    CustomerMayNotHoldMore,
    NotForPublicKeys,
    SeatsRefused,
)
from shared.booking_api.reading.request_models import SeatsToCreate
from shared.booking_api.rendering.includes import Includes

GROUP_INCLUDES: Final = frozenset(
    {"attributes", "event", "calendar", "resource", "user", "project", "available_actions"}
)
"""What a group shows to everyone."""
OWN_INCLUDES: Final = GROUP_INCLUDES | {"customers", "attendees", "meta", "customer_action_links"}
"""What the booking that this very request made shows, beside its group (`owner_booking`)."""
OWNER: Final = "owner_booking"
SEARCHED_BY: Final = frozenset({"project.id", "resource.id", "calendar.id", "graph"})
"""By what public lists are narrowed; `widget.id` is an old name of `project.id`."""
REFUSED_PARAMETERS: Final = frozenset({"as_of"})
"""Parameters that would show what is not public, on whatever route."""
REFUSED_FIELDS: Final = ("webhooks", "reminders")
"""What only the owner may say of a seat booking."""
AUTO_COMPLETE: Final = "auto_complete_one_hour_after_booking_ends"
NEUTRAL_CODE: Final = SeatsRefused.code


def check_parameters(query: Mapping[str, Any]) -> None:
    """NotForPublicKeys for a parameter that no public key may use."""
    for name in REFUSED_PARAMETERS:
        if name in query:
            raise _refused(name)


def check_group_includes(includes: Includes) -> None:
    """Of an answer about groups."""
    for name, below in includes.children.items():
        if name not in GROUP_INCLUDES or below.children:
            raise _refused("include", name)


def check_own_includes(includes: Includes) -> None:
    """Of the answer that shows a booking to whom has only just made it."""
    for name, below in includes.children.items():
        if name == OWNER:
            check_group_includes(below)
        elif name not in OWN_INCLUDES or below.children:
            raise _refused("include", name)


def check_search(attributes: Iterable[str]) -> None:
    """Of a list: nobody is looked for by what is personal, nor what is over or full."""
    for one in attributes:
        if one not in SEARCHED_BY:
            raise _refused("search", one)


def check_seats(model: SeatsToCreate) -> None:
    """Of a booking: what its owner decides comes with no public key."""
    for name in REFUSED_FIELDS:
        if getattr(model, name):
            raise _refused(name)
    completes = getattr(model, AUTO_COMPLETE)
    if completes is not None and not completes.enabled:
        raise _refused(AUTO_COMPLETE)


def told(error: ApiError, is_neutral: bool) -> ApiError:
    """Why seats were refused, as a stranger is told: no number of a customer's; `is_neutral`: the
    same for every rule."""
    if is_neutral:
        return SeatsRefused()
    return CustomerMayNotHoldMore() if isinstance(error, CustomerLimitReached) else error


def told_code(code: str, is_neutral: bool) -> str:
    """As `told`, of a refusal's code."""
    return NEUTRAL_CODE if is_neutral else code


def told_again(body: Mapping[str, Any], is_neutral: bool) -> dict[str, Any]:
    """A kept answer as it is repeated: without action links, invited people and numbers, whatever
    the version that kept it thought public."""
    if "data" in body:
        return {**body, "data": _without_secrets(body["data"])}
    if is_neutral and "booking_id" in body:
        return {**SeatsRefused().to_body(), "booking_id": body["booking_id"]}
    if body.get("code") == CustomerLimitReached.code:
        return {**body, **CustomerMayNotHoldMore().to_body()}
    return dict(body)


def _without_secrets(booking: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(booking)
    if "customer_action_links" in shown:
        shown["customer_action_links"] = {}
    if "attributes" in shown:
        info = {**shown["attributes"]["event_info"], "participants": []}
        shown["attributes"] = {**shown["attributes"], "event_info": info}
    if shown.get("event"):
        shown["event"] = {**shown["event"], "rsvp": None}
    if shown.get(OWNER):
        shown[OWNER] = _without_secrets(shown[OWNER])
    return shown


def _refused(field: str, name: str | None = None) -> NotForPublicKeys:
    what = "is" if name is None else f"'{name[:100]}' is"
    return NotForPublicKeys(field, f"{what} not for public keys.")
