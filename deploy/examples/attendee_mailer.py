"""Mails every attendee: booked, cancelled, or the whole group called off. A subscriber to copy.

AMQP_URL, SEATLEDGER_URL, SEATLEDGER_KEY, DATABASE_URL (its own memory), SMTP_HOST, SMTP_PORT and
MAIL_FROM. Messages hold nobody's address: the attendee is fetched by the booking's id, and who was
erased meanwhile gets no mail. A mail is sent at least once; its Message-ID shows a second one.
"""

from __future__ import annotations

import asyncio
import os
import signal
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

from shared.messaging.subscriber import Connection, LedgerApi, LedgerEvent, Subscriber, Subscription

SMTP_SECONDS = 30.0
SUBJECTS = {
    "seat_booked": "Your seats are booked: {what}",
    "seat_cancelled": "Your seats are cancelled: {what}",
    "group_cancelled": "It will not take place: {what}",
}


async def mail(event: LedgerEvent, _: Connection, ledger: LedgerApi) -> None:
    """Tell whom the event concerns."""
    if event.name not in SUBJECTS:
        return
    of_all = ",related_bookings.customers" if event.name == "group_cancelled" else ""
    path = f"/v2/bookings/{event.booking_id}?include=customers,attributes{of_all}"
    found = await ledger.get(path)
    if found is not None:
        letters = list(letters_for(event, found["data"]))
        await asyncio.to_thread(send, letters)


def letters_for(event: LedgerEvent, booking: dict[str, Any]) -> Iterator[EmailMessage]:
    """To the booking's customer; of a group, to those whose seats the owner cancelled."""
    what = booking["attributes"]["event_info"]
    related = booking.get("related_bookings", ())
    cancelled = [one for one in related if one["state"] == "cancelled_by_owner"]
    for one in cancelled if event.name == "group_cancelled" else [booking]:
        for customer in one["customers"]:
            letter = EmailMessage()
            letter["From"] = os.environ["MAIL_FROM"]
            letter["To"] = customer["email"]
            letter["Subject"] = SUBJECTS[event.name].format(what=what["what"])
            letter["Message-ID"] = f"<{event.id}.{one['id']}@seatledger>"
            letter.set_content(f"Dear {customer['name']},\n\n{what['what']}, {what['start']}.\n")
            yield letter


def send(letters: list[EmailMessage]) -> None:
    """All on one connection; what the mail server refuses is tried again as a whole."""
    if letters:
        host, port = os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"])
        with smtplib.SMTP(host, port, timeout=SMTP_SECONDS) as server:
            for letter in letters:
                server.send_message(letter)


async def main() -> None:
    """Until SIGTERM or SIGINT."""
    subscription = Subscription(
        name=os.environ.get("SUBSCRIBER_NAME", "attendee-mailer"),
        amqp_urls=os.environ["AMQP_URL"],
        api_url=os.environ["SEATLEDGER_URL"],
        api_key=os.environ["SEATLEDGER_KEY"],
        database_url=os.environ["DATABASE_URL"],
    )
    subscriber = Subscriber(subscription, mail)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, subscriber.stop)
    await subscriber.run()


if __name__ == "__main__":
    asyncio.run(main())
