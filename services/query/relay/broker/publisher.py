"""Publishing with confirms: a message of which it was told that it is safe, is safe at the broker.

What is sent in one turn of the event loop goes out in one write; confirms are counted as the bytes
come in, without a task or a future a message. A publisher lives until its first failure: after a
nack, a time-out or a lost connection everything unconfirmed is published again on a new one,
because a channel that has seen a nack may go on refusing for ever.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, NoReturn, Protocol

from shared.amqp.frames import Content, body_frames, content_of, publish_frame
from shared.amqp.message import Message
from shared.messaging.topology import EVENTS


class MessagingError(Exception):
    """The broker did not take a message."""


class PublishFailed(MessagingError):
    """This publisher is broken: what is unconfirmed goes to a new one."""


class Nacked(PublishFailed):
    """The broker, or one of the queues, refused a message without saying why."""


class Unroutable(PublishFailed):
    """No queue takes this message."""


class ContentRefused(MessagingError):
    """A message is refused for what it contains, so that trying again cannot help.

    If others were in flight, it may have been one of them.
    """


class Wire(Protocol):
    """The socket, as far as it matters here."""

    def write(self, data: bytes) -> None: ...


Told = Callable[[bool], None]
"""Called once, with whether a queue has it; never called when the publisher fails before."""


class _Pending(NamedTuple):
    told: Told
    message: Content
    sent_at: float


class Publisher:
    """One connection, one channel. Calls may overlap: confirms are awaited side by side."""

    def __init__(self, wire: Wire, frame_max: int, confirm_seconds: float) -> None:
        self._wire = wire
        self._frame_max = frame_max
        self._seconds = confirm_seconds
        self._loop = asyncio.get_running_loop()
        self._tag = 0
        self._pending: dict[int, _Pending] = {}
        self._returned: set[int] = set()
        self._outgoing: list[bytes] = []
        self._futures: set[asyncio.Future[bool]] = set()
        self._is_watching = False
        self._failure: BaseException | None = None
        self._failed = asyncio.Event()

    def send(
        self, content: Content, told: Told, exchange: str, key: str, mandatory: bool = True
    ) -> None:
        """Goes out with all else of this turn of the loop.

        ContentRefused when the key is too long: nothing is sent then. When broken, what broke it
        if that is a PublishFailed, and else one that says so.
        """
        if self._failure is not None:
            raise self._why()
        try:
            method = publish_frame(exchange, key, mandatory)
        except ValueError as error:
            raise ContentRefused(f"cannot be encoded: {error}") from error
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing += (method, content.header, body_frames(content.body, self._frame_max))
        self._tag += 1
        self._pending[self._tag] = _Pending(told, content, self._loop.time())
        if not self._is_watching:
            self._watch(self._seconds)

    async def publish(
        self,
        message: Message,
        exchange: str = EVENTS,
        key: str | None = None,
        mandatory: bool = True,
    ) -> None:
        """Returns when the broker has confirmed it and, if mandatory, a queue has it.

        `key` instead of the message's own. Raises Unroutable or ContentRefused, and the publisher
        is as good as before if it could not be encoded; or whatever the publisher failed of.
        """
        content = encoded(message)
        future: asyncio.Future[bool] = self._loop.create_future()
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        told = partial(_tell, future)
        self.send(content, told, exchange, message.routing_key if key is None else key, mandatory)
        if not await future:
            raise Unroutable("returned: no queue takes it")

    async def lost(self) -> NoReturn:
        """Waits until the publisher has failed, then raises why: noticed when idle as well."""
        await self._failed.wait()
        assert self._failure is not None
        raise self._failure

    def fail(self, failure: BaseException) -> None:
        """The first failure is the end: nobody is told anything any more."""
        if self._failure is not None:
            return
        self._failure = failure
        self._failed.set()
        self._pending.clear()
        self._outgoing.clear()
        for future in self._futures:
            if not future.done():
                future.set_exception(failure)
                future.exception()  # whoever waited for it may have been cancelled

    def acked(self, tag: int, multiple: bool) -> None:
        """From the reader: confirmed, and with `multiple` everything before it as well."""
        if not multiple:
            self._tell_of(tag)
            return
        while self._pending:
            first = next(iter(self._pending))
            if first > tag:
                return
            self._tell_of(first)

    def nacked(self) -> None:
        """From the reader: refused."""
        self.fail(Nacked("refused (nack)"))

    def returned(self, message_id: str | None) -> None:
        """From the reader: no queue takes it. Its confirm follows."""
        if message_id is None:
            return
        wanted = message_id.encode()
        for tag, pending in self._pending.items():
            if tag not in self._returned and wanted in pending.message.header:
                self._returned.add(tag)
                return

    def _why(self) -> PublishFailed:
        if isinstance(self._failure, PublishFailed):
            return self._failure
        return PublishFailed(str(self._failure))  # whose content it was is told once only

    def _tell_of(self, tag: int) -> None:
        pending = self._pending.pop(tag, None)
        if pending is None:
            return
        is_returned = tag in self._returned
        self._returned.discard(tag)
        try:
            pending.told(not is_returned)
        except Exception as error:  # told in the middle of reading: it must not go there
            self.fail(error)

    def _flush(self) -> None:
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        if data:
            self._wire.write(data)

    def _watch(self, seconds: float) -> None:
        self._is_watching = True
        self._loop.call_later(seconds, self._look_at_oldest)

    def _look_at_oldest(self) -> None:
        self._is_watching = False
        if not self._pending:
            return
        oldest = self._pending[next(iter(self._pending))]
        left = oldest.sent_at + self._seconds - self._loop.time()
        if left > 0:
            self._watch(left)
        else:
            self.fail(PublishFailed(f"not confirmed: TimeoutError after {self._seconds:g} s"))


def _tell(future: asyncio.Future[bool], is_routed: bool) -> None:
    if not future.done():
        future.set_result(is_routed)


def encoded(message: Message) -> Content:
    """As it is sent; ContentRefused when AMQP cannot carry it."""
    try:
        return content_of(message)
    except (TypeError, ValueError, OverflowError, struct.error) as error:
        raise ContentRefused(f"cannot be encoded: {type(error).__name__}: {error}") from error
