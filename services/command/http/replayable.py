"""Prologue of every write: reads the body and the call context, and replays a known request.

A request whose Idempotency-Key is known gets its first answer, before its body is even parsed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from aiohttp import web

from services.command.commit.reply import Reply, ResponseOptions
from services.command.http.request_context import answer_of, context_of, options_of
from shared.http.middleware import read_body

Write = Callable[..., Awaitable[Reply]]
"""A method of routes, given the request, its body, the call context and the response options."""
Show = Callable[[web.Request], ResponseOptions]


def replayable(write: Write, show: Show = options_of) -> Callable[..., Awaitable[web.Response]]:
    """Makes a handler of a write of routes that hold `_bookings` and `_master`."""

    @wraps(write)
    async def handler(routes: Any, request: web.Request) -> web.Response:
        return await answer_write(routes, request, await read_body(request), write, show)

    return handler


async def answer_write(
    routes: Any, request: web.Request, body: bytes, write: Write, show: Show = options_of
) -> web.Response:
    """The first answer to the request, or else that of `write`."""
    context = routes._bookings.dated(context_of(request, body, routes._master))
    options = show(request)
    reply = await routes._bookings.replay(context)
    return answer_of(reply or await write(routes, request, body, context, options))
