"""A seat booking that is turned away: the rule's own no with the would-be booking's id in its body.

What is remembered of it says what was asked, what was free and which rule decided: never who asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import pydantic_core

from services.command.rules.commands import BookSeats, Command
from shared.booking_api.errors import ApiError, WrongState
from shared.booking_api.public_keys.allow_list import told
from shared.booking_api.public_keys.refusals import WrongGraph
from shared.domain.events import SeatGraph
from shared.domain.group import Group

_NOBODY_TURNED_AWAY = (WrongState, WrongGraph)


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
        return {**self.error.to_body(), "booking_id": str(self.refusal.booking_id)}

    def to_json(self) -> bytes:
        """The body, out of a part that is the same for all whom the rule refuses alike."""
        kind: Callable[..., ApiError] = type(self.error)
        said = _said(kind, tuple(vars(self.error).values()))
        return b'%b,"booking_id":"%b"}' % (said, str(self.refusal.booking_id).encode())


@lru_cache(maxsize=256)
def _said(kind: Callable[..., ApiError], fields: tuple[Any, ...]) -> bytes:
    """The body of such an error without its last brace."""
    return pydantic_core.to_json(kind(*fields).to_body())[:-1]


def turned_away(group: Group, command: Command, error: ApiError) -> ApiError:
    """`error`, as a refused seat booking if it is one; `group` is what it was decided on.

    Of a group that the app does not have nothing is told, and who asks again for a booking that
    was made (a wrong state), or by a graph that is not the group's, is not turned away.
    """
    if type(command) is not BookSeats or error.status != 422 or type(error) in _NOBODY_TURNED_AWAY:
        return error
    free = getattr(error, "seats_left", None)
    if free is None:
        free = max(group.settings.max_seats - group.current_seats, 0)
    refusal = _refusal(group, command, error, free)
    return TurnedAway(_as_told(command, error), refusal)


def _as_told(command: BookSeats, error: ApiError) -> ApiError:
    public = command.public
    return error if public is None else told(error, public.is_neutral)


def _refusal(group: Group, command: BookSeats, error: ApiError, free: int) -> Refusal:
    return Refusal(
        command.app_id,
        group.group_id,
        command.booking_id,
        command.graph,
        command.seats,
        free,
        group.version,
        error.code,
    )


def refusals_among(errors: Iterable[ApiError]) -> list[Refusal]:
    """What is to be remembered of these."""
    return [error.refusal for error in errors if isinstance(error, TurnedAway)]
