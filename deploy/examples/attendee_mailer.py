"""Example subscriber that mails every attendee what happened to their seats, each event once.

AMQP_URL, SEATLEDGER_URL, SEATLEDGER_KEY, DATABASE_URL (its own memory), SMTP_HOST, SMTP_PORT and
MAIL_FROM; MAIL_RETRY_SECONDS (60) is the first pause for an address that cannot take mail just now.

The event's own transaction only notes who is to be told (`attendee_outbox`); a loop beside it
sends (`attendee_post`). So one address that is refused holds up nobody else, and no later event.
"""

from __future__ import annotations

import asyncio
import os
import signal

from deploy.examples.attendee_concerned import concerned
from deploy.examples.attendee_outbox import Outbox
from deploy.examples.attendee_post import Post
from deploy.examples.attendee_sender import Sender
from shared.subscriber.subscriber import (
    Connection,
    LedgerApi,
    LedgerEvent,
    Subscriber,
    Subscription,
)


def subscription() -> Subscription:
    """From the environment."""
    return Subscription(
        name=os.environ.get("SUBSCRIBER_NAME", "attendee-mailer"),
        amqp_urls=os.environ["AMQP_URL"],
        api_url=os.environ["SEATLEDGER_URL"],
        api_key=os.environ["SEATLEDGER_KEY"],
        database_url=os.environ["DATABASE_URL"],
    )


async def main() -> None:
    """Until SIGTERM or SIGINT."""
    me = subscription()
    outbox = Outbox(me.name)

    async def note(event: LedgerEvent, connection: Connection, ledger: LedgerApi) -> None:
        await outbox.add(connection, event, await concerned(event, ledger))

    post = Post(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"]), os.environ["MAIL_FROM"])
    sender = Sender(me, outbox, post, float(os.environ.get("MAIL_RETRY_SECONDS", "60")))
    await sender.prepare()
    subscriber = Subscriber(me, note)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _stop, subscriber, sender)
    async with asyncio.TaskGroup() as both:
        both.create_task(subscriber.run())
        both.create_task(sender.run())


def _stop(subscriber: Subscriber, sender: Sender) -> None:
    subscriber.stop()
    sender.stop()


if __name__ == "__main__":
    asyncio.run(main())
