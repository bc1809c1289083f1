"""A relay process to freeze and kill: `python -m tests.harness.services.relay_process DSN URLS`."""

from __future__ import annotations

import asyncio
import sys

from tests.harness.services.relays import ledger_at


async def main(dsn: str, amqp_urls: str) -> None:
    async with ledger_at(dsn) as ledger:
        await ledger.relay(amqp_urls).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
