"""Looks for a person's words in everything a running installation keeps: dump, files, output."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from deploy.local.postgres.binaries import find_binaries

WAL = "pg_wal"
"""Holds every change until PostgreSQL recycles it: decision 0009 says so."""


def traces_in_files(place: Path, words: Sequence[str]) -> set[str]:
    """Which files, there or below, hold one of the words, in whatever case."""
    wanted = [word.lower().encode() for word in words]
    files = [place, *place.rglob("*")]
    return {
        str(file)
        for file in files
        if WAL not in file.parts and file.is_file() and _holds(file, wanted)
    }


def _holds(file: Path, words: Sequence[bytes]) -> bool:
    try:
        content = file.read_bytes().lower()
    except FileNotFoundError:  # a file that its server has just taken away
        return False
    return any(word in content for word in words)


async def traces_in_dump(dsn: str, words: Sequence[str], tables: str | None = None) -> list[str]:
    """The lines of a dump in SQL, whole or of `tables`, that hold one of the words.

    Bytes are dumped as hexadecimal digits, so that a word is looked for in this form too.
    """
    process = await asyncio.create_subprocess_exec(
        str(find_binaries() / "pg_dump"),
        *("--dbname", dsn),
        *(() if tables is None else ("--table", tables)),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    wanted = [form for word in words for form in (word.lower(), word.encode().hex())]
    lines = out.decode().lower().splitlines()
    return [line for line in lines if any(word in line for word in wanted)]


async def traces_in_statistics(dsn: str, words: Sequence[str]) -> list[str]:
    """The columns whose statistics hold one of the words."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT starelid::regclass || '.' || staattnum AS place, lower(s::text) AS text"
            "  FROM pg_statistic s"
        )
    finally:
        await connection.close()
    wanted = [word.lower() for word in words]
    return [row["place"] for row in rows if any(word in row["text"] for word in wanted)]


async def data_directory(dsn: str) -> Path:
    """Where the cluster keeps its files; what it has in memory is written out first."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CHECKPOINT")
        return Path(await connection.fetchval("SHOW data_directory"))
    finally:
        await connection.close()
