"""A seat booking that is turned away: the rule's own no with the would-be booking's id in its body.

What is remembered of it says what was asked, what was free and which rule decided: never who asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from services.command.commands import BookSeats, Command
from shared.booking_api.errors import ApiError
from shared.domain.events import SeatGraph
from shared.domain.group import Group


class Refusal(NamedTuple):
    """`seats` were asked for when the group was at `version`, with `seats_free` left; the rule that
    decided is `code`."""

    app_id: UUID
    group_id: UUID
    booking_id: UUID
    graph: SeatGraph
    seats: int
    seats_free: int
    version: int
    code: str


class TurnedAway(ApiError):
    """What `error` says, of a booking that was not made."""

    def __init__(self, error: ApiError, refusal: Refusal) -> None:
        self.error = error
        self.refusal = refusal
        self.code = error.code

    @property
    def sentence(self) -> str:
        return self.error.sentence

    def to_body(self) -> dict[str, Any]:
        body = self.error.to_body()
        body["booking_id"] = str(self.refusal.booking_id)
        return body


def turned_away(group: Group, command: Command, error: ApiError) -> ApiError:
    """`error`, as a refused seat booking if it is one; `group` is what it was decided on.

    Of a group that the app does not have nothing is told, and who asks again for a booking that
    was made is not turned away.
    """
    if not isinstance(command, BookSeats) or error.status != TurnedAway.status:
        return error
    if group.seats.get(command.booking_id) is not None:
        return error
    free = getattr(error, "seats_left", group.settings.max_seats - group.current_seats)
    refusal = Refusal(
        command.app_id,
        group.group_id,
        command.booking_id,
        command.graph,
        command.seats,
        max(free, 0),
        group.version,
        error.code,
    )
    return TurnedAway(error, refusal)


def refusals_among(errors: Iterable[ApiError]) -> list[Refusal]:
    """What is to be remembered of these."""
    return [error.refusal for error in errors if isinstance(error, TurnedAway)]
