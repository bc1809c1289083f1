"""Export of the ledger as JSON lines and import into an empty one, with the same hashes.

Both stream, and both can be interrupted and resumed. An import checks events before it writes them:
it walks the hash chain, and moves the log head in the same transaction as the events.
"""

from __future__ import annotations

import asyncio
import os
import stat
import struct
from collections.abc import AsyncIterator
from contextlib import aclosing
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from services.audit.copy_format import packed_row
from services.audit.findings import Broken, Head
from services.audit.postgres import Batch, Ledger, LedgerWriter, Place
from services.audit.transfer.json_lines import BadLine, event_lines, event_row, key_lines, key_row
from services.audit.verify.chain_walk import ChainWalk
from services.audit.verify.verify import Advance

BATCH = 5_000
SLICE = 100
OWNER_ONLY = 0o600
TAIL_BYTES = 1 << 16


class TransferRefused(Exception):
    """What is in the file and what is in the ledger do not belong together."""


async def export_events(ledger: Ledger, path: Path, advance: Advance) -> int:
    """Appends to the file what it lacks of the ledger; the last position in it. Only its owner may
    read it: titles and times stand in plain."""
    position = await _resume(ledger, path)
    advance(position)
    until = (await ledger.head()).position
    with _private(path, os.O_APPEND) as file:

        def write(chunk: bytes) -> None:
            lines = event_lines(chunk)
            file.write(lines)
            advance(lines.count(b"\n"))

        await ledger.copy_log(position, until, write)
    return max(position, until)


async def export_keys(ledger: Ledger, path: Path) -> int:
    """Writes all booking keys, wrapped, into a file that only its owner may read."""
    count = 0
    partial = path.with_name(f"{path.name}.partial")
    with _private(partial, os.O_TRUNC) as file:
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
            async for rows in _row_batches(file):
                batch = _unknown(rows, walk, head)
                if writing is not None:
                    await writing
                writing = asyncio.create_task(writer.add(batch)) if batch is not None else None
                advance(len(rows))
    finally:
        if writing is not None:
            await writing
    if walk.position <= head.position and _place(walk) != (head.position, head.hash):
        raise TransferRefused("the ledger holds other events than the file")
    return walk.position


def _unknown(rows: list[bytes], walk: ChainWalk, head: Head) -> Batch | None:
    """What the ledger lacks of the rows, which are checked; None when it has them all."""
    before, known = _place(walk), head.position - walk.position
    try:
        walk.look(b"".join(rows))
    except Broken as error:
        raise TransferRefused(f"the file is not whole: {error}") from None
    if known >= len(rows):
        return None
    if known > 0:
        before = (head.position, walk.hashes[known - 1])
    return Batch(before, b"".join(rows[max(known, 0) :]), _place(walk))


def _place(walk: ChainWalk) -> Place:
    """Position and hash; the walk began where its hash was known, so it is always known."""
    assert walk.hash is not None
    return walk.position, walk.hash


async def _row_batches(file: BinaryIO) -> AsyncIterator[list[bytes]]:
    """The file's rows; between slices of a batch, the database may take the one before."""
    while batch := list(islice(file, BATCH)):
        rows: list[bytes] = []
        for first in range(0, len(batch), SLICE):
            rows += map(_packed, batch[first : first + SLICE])
            await asyncio.sleep(0)
        yield rows


def _packed(line: bytes) -> bytes:
    try:
        return packed_row(event_row(line))
    except struct.error:
        raise BadLine(line) from None


async def import_keys(writer: LedgerWriter, path: Path | None) -> int | None:
    """Brings in the booking keys that the ledger lacks: how many, or None without a file."""
    if path is None:
        return None
    count = 0
    with path.open("rb") as file:
        while lines := list(islice(file, BATCH)):
            count += await writer.add_keys([key_row(line) for line in lines])
    return count


async def _resume(ledger: Ledger, path: Path) -> int:
    """The last position that the file has whole; 0 when there is none."""
    last = _last_line(path)
    if last is None:
        return 0
    try:
        row = event_row(last)
    except BadLine as error:
        raise TransferRefused(f"{path} is no export: {error}") from None
    if await ledger.hash_at(row.position) != row.hash:
        raise TransferRefused(f"{path} is an export of another ledger")
    return row.position


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


def _private(path: Path, how: int) -> BinaryIO:
    """A file to write that only its owner may read, whoever made it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | how, OWNER_ONLY)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.fchmod(descriptor, OWNER_ONLY)
    return os.fdopen(descriptor, "wb")
