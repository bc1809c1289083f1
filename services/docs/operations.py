"""Every operation of the HTTP API, gathered from the route tables of both services."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from services.command.http.action_links import ActionLinkRoutes
from services.command.http.bookings import BookingRoutes
from services.command.http.bulk import BulkRoutes
from services.command.http.erasure import ErasureRoutes
from services.command.http.projects import ProjectRoutes
from services.query.http.bookings import SingleBookings
from services.query.http.exports import GroupFiles
from services.query.http.feed import EventFeed
from services.query.http.history import GroupHistory
from services.query.http.lists.lists import BookingLists
from services.query.http.projects import ProjectReads
from services.query.http.refusals import RefusalReads
from services.query.webhooks.http import WebhookRoutes
from shared.http.operation import Operation, operations_of


def _of(*tables: type) -> list[Operation]:
    return [one for table in tables for one in operations_of(table)]


def _short_paths_first(operations: Iterable[Operation]) -> list[Operation]:
    return sorted(operations, key=lambda one: (one.path.count("{"), one.path.count("/")))


OPERATIONS: Final[tuple[Operation, ...]] = (
    *_short_paths_first(_of(BookingRoutes, BulkRoutes, ActionLinkRoutes)),
    *_short_paths_first(_of(BookingLists, SingleBookings)),
    *_of(GroupFiles, ProjectRoutes, ProjectReads, EventFeed, GroupHistory, RefusalReads),
    *_of(ErasureRoutes, WebhookRoutes),
)
"""In the order in which the document tells them."""
