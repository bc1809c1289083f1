"""Live seat counts of every group, line by line: a subscriber in twenty lines.

AMQP_URL, SEATLEDGER_URL, SEATLEDGER_KEY and, for its own memory, DATABASE_URL.
"""

import asyncio
import os

from shared.messaging.subscriber import Connection, LedgerApi, LedgerEvent, Subscriber, Subscription


async def show(event: LedgerEvent, _: Connection, __: LedgerApi) -> None:
    """One line for each event: the group, its seats taken, and all of its seats."""
    print(event.group_id, event.data["current_seats"], "of", event.data["max_seats"], flush=True)


if __name__ == "__main__":
    url, key = os.environ["SEATLEDGER_URL"], os.environ["SEATLEDGER_KEY"]
    brokers, memory = os.environ["AMQP_URL"].split(","), os.environ["DATABASE_URL"]
    places = dict(amqp_urls=brokers, api_url=url, api_key=key, database_url=memory)
    asyncio.run(Subscriber(Subscription(name="seat-counter", **places), show).run())  # type: ignore[arg-type]
