"""Fast path: a new booking's six base keys as JSON, without the objects of the general rendering.

Most callers ask for no more. A test holds it equal to the general rendering, byte for byte.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from uuid import UUID

import pydantic_core

from services.command.commit.reply import Reply, ResponseOptions
from shared.booking_api.reading.timestamps import Rendering
from shared.booking_api.states import available_actions


def shows_base_keys(options: ResponseOptions) -> bool:
    """Whether the caller asks for nothing but the base keys."""
    return not options.includes.children


def base_reply(
    options: ResponseOptions, booking_id: UUID, graph: str, state: str, created_at: datetime
) -> Reply:
    """201 with the base keys of a booking that has only just been made."""
    at = _moment(options.rendering, created_at)
    return Reply(201, f'{{"data":{{"id":"{booking_id}",{_state(graph, state)},{at}}}}}'.encode())


@lru_cache(maxsize=64)
def _state(graph: str, state: str) -> str:
    completed = "false" if available_actions(graph, state) else "true"
    return f'"state":"{state}","graph":"{graph}","completed":{completed}'


@lru_cache(maxsize=256)
def _moment(rendering: Rendering, at: datetime) -> str:
    """All bookings of a batch are made at the same moment."""
    text = pydantic_core.to_json(rendering.show(at)).decode()
    return f'"created_at":{text},"updated_at":{text}'
