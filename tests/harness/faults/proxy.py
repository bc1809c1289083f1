"""A TCP proxy that fails on request: it cuts, falls silent, refuses, or waits before each piece."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit, urlunsplit

PIECE = 65536


class Proxy:
    """Stands before one server; `url(...)` leads through it. Use as a context manager."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        if target.hostname is None or target.port is None:
            raise ValueError("the proxied URL needs a host and a port")
        self._url = target
        self._host, self._port = target.hostname, target.port
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows: set[asyncio.Event] = set()
        self._left: int | None = None
        self.port = 0
        self.delay_seconds = 0.0
        self.accepted = 0
        self.forwarded = 0

    @property
    def url(self) -> str:
        """The server's URL, by way of this proxy."""
        user = f"{self._url.username}:{self._url.password}@" if self._url.username else ""
        return urlunsplit(self._url._replace(netloc=f"{user}127.0.0.1:{self.port}"))

    async def __aenter__(self) -> Proxy:
        await self.accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        for link in list(self._links):
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def accept(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._link, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Stop listening and cut what there is: the server is away."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    def cut(self) -> None:
        """Reset every connection now."""
        for writer in list(self._writers):
            writer.transport.abort()

    def cut_after(self, forwarded: int) -> None:
        """Reset every connection once so many more bytes have gone to the server."""
        self._left = forwarded

    def silence(self) -> None:
        """Today's connections forward nothing and close nothing: half-open. New ones work."""
        for flow in self._flows:
            flow.clear()

    def resume(self) -> None:
        for flow in self._flows:
            flow.set()

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        task.add_done_callback(self._links.discard)
        self.accepted += 1
        with contextlib.suppress(OSError, asyncio.CancelledError):  # only `__aexit__` cancels it
            await self._forward(reader, writer)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._host, self._port)
        flow = asyncio.Event()
        flow.set()
        self._flows.add(flow)
        self._writers |= {writer, back}
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pump(reader, back, flow, counts=True))
                tasks.create_task(self._pump(there, writer, flow, counts=False))
        except* (OSError, EOFError):
            pass
        finally:
            self._writers -= {writer, back}
            self._flows.discard(flow)
            writer.transport.abort()
            back.transport.abort()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        flow: asyncio.Event,
        counts: bool,
    ) -> None:
        while True:
            piece = await reader.read(PIECE)
            await flow.wait()
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            if counts:
                piece = self._allowed(piece)
            if not piece:
                raise EOFError
            writer.write(piece)
            await writer.drain()

    def _allowed(self, piece: bytes) -> bytes:
        """What may still go to the server; everything is cut when the allowance is used up."""
        if self._left is not None:
            piece, self._left = piece[: self._left], self._left - len(piece)
            if self._left <= 0:
                self._left = None
                asyncio.get_running_loop().call_soon(self.cut)
        self.forwarded += len(piece)
        return piece
