"""Takes the ledger out as JSON lines, and brings it into an empty one, bit for bit the same.

Both can be broken off and started again, both stream. What comes in is checked before it is
written: the chain is walked, and the log head moves with the events in one transaction.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import aclosing
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

from services.audit.chain_walk import ChainWalk
from services.audit.lines import BadLine, Row, event_lines, event_row, key_lines, key_row
from services.audit.postgres import Ledger, LedgerWriter
from services.audit.verify import Advance

T = TypeVar("T")
BATCH = 5_000
TAIL_BYTES = 1 << 16


class TransferRefused(Exception):
    """What is in the file and what is in the ledger do not belong together."""


async def export_events(ledger: Ledger, path: Path, advance: Advance) -> int:
    """Appends to the file what it lacks of the ledger; the last position in it."""
    position = await _resume(ledger, path)
    advance(position)
    until = (await ledger.head()).position
    with path.open("ab") as file:
        async with aclosing(ledger.log_pages(position, until)) as pages:
            async for rows in pages:
                file.write("".join(f"{line}\n" for line in event_lines(rows)).encode())
                position = rows[-1][0]
                advance(len(rows))
    return position


async def export_keys(ledger: Ledger, path: Path) -> int:
    """Writes all booking keys, wrapped, into a file that only its owner may read."""
    count = 0
    partial = path.with_name(f"{path.name}.partial")
    with _private(partial) as file:
        async with aclosing(ledger.key_pages()) as pages:
            async for rows in pages:
                file.write("".join(f"{line}\n" for line in key_lines(rows)).encode())
                count += len(rows)
    partial.replace(path)
    return count


async def import_events(writer: LedgerWriter, path: Path, advance: Advance) -> int:
    """Brings in what the ledger lacks of the file; the last position."""
    head, walk = await writer.head(), ChainWalk()
    writing: asyncio.Task[None] | None = None
    try:
        with path.open("rb") as file:
            for batch in _batches(file, event_row):
                known, before = head.position - walk.position, (walk.position, walk.hash)
                _check(walk, batch)
                if known > 0:
                    before, batch = _rest(batch, known)
                if writing is not None:
                    await writing
                writing = asyncio.create_task(writer.add(batch, before)) if batch else None
                await asyncio.sleep(0)  # the database takes this batch while the next is read
                advance(len(batch))
    finally:
        if writing is not None:
            await writing
    if walk.position <= head.position and (walk.position, walk.hash) != (head.position, head.hash):
        raise TransferRefused("the ledger holds other events than the file")
    return walk.position


async def import_keys(writer: LedgerWriter, path: Path) -> int:
    """Brings in the booking keys that the ledger lacks."""
    count = 0
    with path.open("rb") as file:
        for batch in _batches(file, key_row):
            count += await writer.add_keys(batch)
    return count


def _check(walk: ChainWalk, batch: list[Row]) -> None:
    finding = walk.look(batch)
    if finding is not None:
        raise TransferRefused(
            f"the file is not whole: position {finding.position}: {finding.sentence}"
        )


def _rest(batch: list[Row], known: int) -> tuple[tuple[int, bytes], list[Row]]:
    """The rows after the first `known`, and position and hash that they follow."""
    last = batch[:known][-1]
    return (last[0], last[9]), batch[known:]


def _batches(file: BinaryIO, parse: Callable[[bytes], T]) -> Iterator[list[T]]:
    while lines := list(islice(file, BATCH)):
        yield [parse(line) for line in lines]


async def _resume(ledger: Ledger, path: Path) -> int:
    """The last position that the file has whole; 0 when there is none."""
    last = _last_line(path)
    if last is None:
        return 0
    try:
        row = event_row(last)
    except BadLine as error:
        raise TransferRefused(f"{path} is no export: {error}") from None
    if await ledger.hash_at(row[0]) != row[9]:
        raise TransferRefused(f"{path} is an export of another ledger")
    return row[0]


def _last_line(path: Path) -> bytes | None:
    """The file's last whole line; a torn one after it is cut off."""
    if not path.exists():
        return None
    with path.open("r+b") as file:
        start = end = file.seek(0, os.SEEK_END)
        tail = b""
        while start > 0 and tail.count(b"\n") < 2:
            start = max(0, start - TAIL_BYTES)
            file.seek(start)
            tail = file.read(end - start)
        whole = tail.rfind(b"\n") + 1
        file.truncate(start + whole)
    return tail[:whole].splitlines()[-1] if whole else None


def _private(path: Path) -> BinaryIO:
    """A new file that only its owner may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
