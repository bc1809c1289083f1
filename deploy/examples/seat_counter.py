"""Example subscriber in twenty lines: prints the seat count of each group as it changes.

AMQP_URL, SEATLEDGER_URL, SEATLEDGER_KEY and, for its own memory, DATABASE_URL.
"""

import asyncio
import os

from shared.subscriber.subscriber import (
    Connection,
    LedgerApi,
    LedgerEvent,
    Subscriber,
    Subscription,
)


async def show(event: LedgerEvent, _: Connection, __: LedgerApi) -> None:
    """One line for each event: the group, its seats taken, and all of its seats."""
    print(event.group_id, event.data["current_seats"], "of", event.data["max_seats"], flush=True)


if __name__ == "__main__":
    name = os.environ.get("SUBSCRIBER_NAME", "seat-counter")
    brokers, memory = os.environ["AMQP_URL"], os.environ["DATABASE_URL"]
    url, key = os.environ["SEATLEDGER_URL"], os.environ["SEATLEDGER_KEY"]
    asyncio.run(Subscriber(Subscription(name, brokers, url, key, memory), show).run())
