"""Whether a request sees a booking: it is there, of the key's app, not parked and not deleted.

The one rule of every route that names a booking or a group (deploy/decisions/0046).
"""

from __future__ import annotations

from typing import TypeGuard
from uuid import UUID

from aiohttp import web

from services.query.reads.fresh_reads import Answer, FreshBooking, FreshReads
from shared.booking_api.errors import NotFound, Parked
from shared.http.access import identity_of
from shared.http.requests.checked import path_id


async def visible_group(request: web.Request, reads: FreshReads) -> FreshBooking:
    """The group that the path names."""
    return visible(request, await reads.group(path_id(request)))


def visible(request: web.Request, found: FreshBooking | None) -> FreshBooking:
    """What was found, if the request sees it; NotFound or Parked otherwise."""
    if not is_of_app(found, identity_of(request).app_id):
        raise NotFound
    if found.is_parked:
        raise Parked
    if _is_deleted(found):
        raise NotFound
    return found


def is_visible(found: Answer, app_id: UUID) -> TypeGuard[FreshBooking]:
    """As `visible`, without a reason."""
    return is_of_app(found, app_id) and not found.is_parked and not _is_deleted(found)


def is_of_app(found: Answer, app_id: UUID) -> TypeGuard[FreshBooking]:
    """Whether there is such a booking for the app, whatever became of it."""
    return isinstance(found, FreshBooking) and found.group.row.app_id == app_id


def _is_deleted(found: FreshBooking) -> bool:
    return found.group.row.deleted or (found.seat is not None and found.seat.deleted)
