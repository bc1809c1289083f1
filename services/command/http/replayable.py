"""Prologue of every write: reads the body and the call context, and replays a known request.

A request whose Idempotency-Key is known gets its first answer, before its body is even parsed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Protocol, TypeVar

from aiohttp import web

from services.command.commit.reply import Reply, ResponseOptions
from services.command.http.request_context import answer_of, context_of, options_of
from services.command.use_cases.bookings import Bookings
from services.command.use_cases.call_context import CallContext
from shared.eventlog.privacy import MasterKey
from shared.http.middleware import read_body


class WriteRoutes(Protocol):
    """What a class of write routes holds."""

    _bookings: Bookings
    _master: MasterKey


R = TypeVar("R", bound=WriteRoutes)
Write = Callable[[R, web.Request, bytes, CallContext, ResponseOptions], Awaitable[Reply]]
Handler = Callable[[R, web.Request], Awaitable[web.Response]]
Show = Callable[[web.Request], ResponseOptions]


def replayable(show: Show = options_of) -> Callable[[Write[R]], Handler[R]]:
    """Makes a handler of a write that is given what the request holds and returns a reply."""

    def decorate(write: Write[R]) -> Handler[R]:
        @wraps(write)
        async def answer(routes: R, request: web.Request) -> web.Response:
            return await answer_write(routes, request, await read_body(request), write, show)

        return answer

    return decorate


async def answer_write(
    routes: R, request: web.Request, body: bytes, write: Write[R], show: Show = options_of
) -> web.Response:
    """The first answer to the request, or else that of `write`."""
    context = routes._bookings.dated(context_of(request, body, routes._master))
    options = show(request)
    reply = await routes._bookings.replay(context)
    return answer_of(reply or await write(routes, request, body, context, options))
