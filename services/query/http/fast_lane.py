"""Fast path of a group's GET: when a connection resends identical headers, answers directly.

As fresh as the first answer was, and still only for the app that asked for it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from services.query.http.request_options import body_of, freshness_headers
from services.query.http.visible import is_visible
from services.query.reads.catch_up import FreshGroup
from services.query.reads.fresh_reads import Answer, FreshReads
from shared.booking_api.reading.timestamps import Rendering
from shared.booking_api.rendering.bookings import render_group
from shared.http.fast_lane.repeating import Asked, Repeated, Tell

MAX_RENDERINGS = 8


@dataclass(frozen=True, slots=True)
class GroupAgain:
    """What `GET /v2/bookings/groups/{id}` shows now; `is_stale`: as it was a moment ago."""

    reads: FreshReads
    group_id: UUID
    app_id: UUID
    rendering: Rendering
    is_stale: bool

    def __call__(self, _: Asked, tell: Tell) -> None:
        if self.is_stale:
            tell(self._repeated(self.reads.stale_group(self.group_id)))
        else:
            lookup = self.reads.ask_group(self.group_id)
            lookup.add_done_callback(partial(self._answered, tell))

    def _answered(self, tell: Tell, lookup: asyncio.Future[Answer]) -> None:
        failed = lookup.cancelled() or lookup.exception() is not None
        tell(None if failed else self._repeated(lookup.result()))

    def _repeated(self, found: Answer) -> Repeated | None:
        """None for whatever is not simply shown: the handler knows what to say then."""
        if not is_visible(found, self.app_id):
            return None
        age = found.age_seconds if self.is_stale else None
        body = plain_group(found.group, self.rendering)
        return Repeated(body, freshness_headers(found.head, age))


def plain_group(group: FreshGroup, rendering: Rendering) -> bytes:
    """The group without includes: rendered once a version and way of rendering."""
    body = group.rendered.get(rendering)
    if body is None:
        body = body_of(render_group(group.view, rendering=rendering))
        if len(group.rendered) < MAX_RENDERINGS:
            group.rendered[rendering] = body
    return body
