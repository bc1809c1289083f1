"""`python -m services`: both services on one port, and the loops in a child of lower priority.

With SEATLEDGER_WORKERS above 1 the parent only listens and minds its children, which inherit the
socket, so that a restart drops no connection.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg

from services.children import Child
from services.serving import serve_both
from shared.event_loop import run
from shared.http.server import inherited, listen, stop_requested
from shared.settings import ConfigurationError, Settings, read_settings
from shared.telemetry import configure_logging

LOOPS_NICENESS = 10


async def main(settings: Settings, worker_socket: int | None) -> None:
    """Runs what this process is: a worker on an inherited socket, or the parent of it all."""
    if worker_socket is not None:
        await serve_both(settings, inherited(worker_socket))
        return
    listener = listen(settings.host, settings.port)
    children = []
    if settings.loops == "process":
        children.append(Child("loops", ["services.loops"], LOOPS_NICENESS))
    if settings.workers > 1:
        await _mind_workers(settings, listener, children)
        return
    async with running(children):
        await serve_both(settings, listener)


async def _mind_workers(settings: Settings, listener: socket.socket, children: list[Child]) -> None:
    listener.set_inheritable(True)
    descriptor = listener.fileno()
    for number in range(1, settings.workers + 1):
        module = ["services", "--worker", str(descriptor)]
        children.append(Child(f"worker {number}", module, pass_fds=[descriptor]))
    async with stop_requested() as stopped, running(children):
        await stopped.wait()


@asynccontextmanager
async def running(children: Sequence[Child]) -> AsyncIterator[None]:
    """The children run inside the block, and are gone after it."""
    async with AsyncExitStack() as stack:
        for child in children:
            task = asyncio.create_task(child.run(), name=child.name)
            stack.push_async_callback(_ended, child, task)
        yield


async def _ended(child: Child, task: asyncio.Task[None]) -> None:
    await child.stop()
    await task


def start(arguments: Sequence[str]) -> int:
    """Exit status 0 after an orderly stop, 2 with one line for an operator's mistake."""
    worker = int(arguments[1]) if arguments[:1] == ["--worker"] else None
    try:
        settings = read_settings()
        configure_logging()
        run(main(settings, worker))
    except ConfigurationError as error:
        return _fail(str(error))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return _fail(f"cannot start: {type(error).__name__}: {error}")
    return 0


def _fail(line: str) -> int:
    sys.stderr.write(line + "\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(start(sys.argv[1:]))
