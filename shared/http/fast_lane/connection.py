"""Fast path of a connection: answers repeated requests unparsed, one at a time.

Whatever is not surely a whole request that may be repeated goes the whole way, as if this were not
here; at the end a connection waits for the answer that is being made.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

from aiohttp import web

from shared.accounts.keyring import KeyRing
from shared.http.bounds.pressure import CONNECTION, BoundedConnection
from shared.http.fast_lane.repeating import GET, POST, Asked, Remembered, Repeated, Repeating
from shared.runtime.ids import new_id

MAX_HELD_BYTES = 64 * 1024
ASKING = (GET, POST)
"""How what may be repeated begins."""
_log = logging.getLogger(__name__)


class RepeatingConnection(BoundedConnection):
    """A connection that looks at a request's bytes before they are parsed. One answer at a time:
    what comes while one is made waits behind it."""

    __slots__ = ("_early", "_ended", "_held", "_repeating", "asked")

    def __init__(self, *arguments: Any, repeating: Repeating, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._repeating = repeating
        self._held: bytes | None = None
        self._early = b""
        self._ended: asyncio.Future[None] | None = None
        self.asked: bytes | None = None
        """Stands for the request that is being handled, if it may be remembered."""

    def data_received(self, data: bytes) -> None:
        if self._held is not None:
            self._hold(data)
        elif self._early:  # and more in the same moment: it is no small request
            self._early += data
            self._look_again()
        elif data.startswith(ASKING) and self._is_about_to_wait():
            self._early = data
            self._loop.call_soon(self._look_again)
        else:
            self._receive(data)

    def _look_again(self) -> None:
        early, self._early = self._early, b""
        if early and self.transport is not None:
            self._receive(early)

    def _receive(self, data: bytes) -> None:
        if data:  # aiohttp itself calls with nothing, to go on where it paused
            self.asked = None
        if self._is_idle():
            self.asked, remembered, body = self._repeating.look_up(data)
            if remembered is not None:
                self._begin(data, remembered, body)
                return
        super().data_received(data)

    async def shutdown(self, timeout: float | None = 15.0) -> None:  # noqa: ASYNC109
        """Waits for the answer that is being made, as for a handler that is at work."""
        self._look_again()
        if self._held is not None:
            self._ended = self._loop.create_future()
            await asyncio.wait({self._ended}, timeout=timeout)
        await super().shutdown(timeout)

    def _is_idle(self) -> bool:
        """Whether the last request is answered, read to its end, and the next has not begun; and
        nothing speaks against another."""
        waiting = self._waiter
        return (
            waiting is not None
            and not waiting.done()
            and self._is_between_requests()
            and not (self._pressure.is_high or self._pressure.is_closing or self.writing_paused)
        )

    def _is_about_to_wait(self) -> bool:
        """Whether the last request is answered, but its task has not come back to say so: the next
        one came quickly, and would go the whole way for that."""
        return self._waiter is None and self._is_between_requests()

    def _begin(self, data: bytes, remembered: Remembered, body: bytes) -> None:
        self._held = b""
        self._pressure.in_progress += 1
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        asked = Asked(body, str(new_id()), self._is_given_up)
        tell = partial(self._end, data, remembered, asked, perf_counter())
        try:
            remembered.again(asked, tell)
        except Exception:  # the whole way says so, too: this connection goes on
            _log.exception("a request could not be answered again")
            if self._held is not None:
                tell(None)

    def _is_given_up(self) -> bool:
        return self.transport is None or self.transport.is_closing()

    def _end(
        self,
        data: bytes,
        remembered: Remembered,
        asked: Asked,
        started_at: float,
        repeated: Repeated | None,
    ) -> None:
        held, self._held = self._held, None
        self._pressure.in_progress -= 1
        if repeated is not None:
            remembered.note(repeated, asked.request_id, started_at)
        if self.transport is not None:
            self._answer(data, remembered, asked, repeated)
            if held:
                self.data_received(held)
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    def _answer(
        self, data: bytes, remembered: Remembered, asked: Asked, repeated: Repeated | None
    ) -> None:
        assert self.transport is not None
        if repeated is None:
            super().data_received(data)
            return
        ends = self._pressure.is_closing
        self.transport.write(remembered.written(repeated, asked.request_id, ends))
        if ends:
            self.close()

    def _hold(self, data: bytes) -> None:
        assert self._held is not None
        self._held += data
        if len(self._held) > MAX_HELD_BYTES:
            self.force_close()


def repeat_requests(
    app: web.Application, ring: KeyRing, clock: Callable[[], float] = time.monotonic
) -> None:
    """From now on the application's connections repeat requests whose handlers allow it; `clock`
    is the ring's."""
    repeating = Repeating(ring, clock)
    app.on_response_prepare.append(repeating.remember)
    connect: Callable[..., BoundedConnection] = partial(RepeatingConnection, repeating=repeating)
    app[CONNECTION] = connect
