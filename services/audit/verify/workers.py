"""Worker processes of a verification: this process and others take one part after another.

`python -m services.audit.verify.workers` is such a worker: it reads parts from stdin and writes the
result of each to stdout, both as JSON lines, until stdin ends. DATABASE_URL names the database.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from pydantic import TypeAdapter

from services.audit.postgres import Ledger, open_ledger
from services.audit.verify.parts import Looked, Part, look_at
from shared.runtime.settings import ConfigurationError

LINE_BYTES: Final = 1 << 20
_PART: Final = TypeAdapter(Part)
_LOOKED: Final = TypeAdapter(Looked)
Take = Callable[[Looked], None]


async def look_at_all(
    ledger: Ledger, parts: Iterator[Part], take: Take, helpers: int = 0, dsn: str = ""
) -> None:
    """Gives `take` every part as it was seen, in any order; `helpers` more processes take part."""
    work = [asyncio.create_task(_look_here(ledger, parts, take))]
    work += (asyncio.create_task(_look_elsewhere(dsn, parts, take)) for _ in range(helpers))
    try:
        await asyncio.gather(*work)
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)


async def _look_here(ledger: Ledger, parts: Iterator[Part], take: Take) -> None:
    for part in parts:
        take(await look_at(ledger, part))


async def _look_elsewhere(dsn: str, parts: Iterator[Part], take: Take) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__),
        env={**os.environ, "DATABASE_URL": dsn},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_BYTES,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        for part in parts:
            process.stdin.write(_PART.dump_json(part) + b"\n")
            line = await process.stdout.readline()
            if not line:
                raise ConfigurationError("a process that verifies ended early; see above")
            take(_LOOKED.validate_json(line))
    except BaseException:
        with suppress(ProcessLookupError):
            process.terminate()
        raise
    finally:
        process.stdin.close()
        await process.wait()


async def help_out(dsn: str) -> None:
    """What one of the other processes does, until stdin ends."""
    gc.disable()  # many objects and no cycles
    async with open_ledger(dsn) as ledger:
        while line := await asyncio.to_thread(sys.stdin.readline):
            looked = await look_at(ledger, _PART.validate_json(line))
            sys.stdout.write(_LOOKED.dump_json(looked).decode() + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    try:
        asyncio.run(help_out(os.environ["DATABASE_URL"]))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None
