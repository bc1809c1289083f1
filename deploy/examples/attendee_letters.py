"""Texts of the mailer's e-mails: what an event did to a customer's seats, as they are now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Letter:
    """To whom, and what; the subject is one line, whatever the group is called."""

    name: str
    address: str
    subject: str
    text: str


def letter_about(event: str, data: Data, booking: Data) -> Letter | None:
    """What the event's `data` mean for this booking; None when its person was erased."""
    if not booking["customers"]:
        return None
    [customer] = booking["customers"]
    about = booking["attributes"]["event_info"]
    heading, sentence = _NEWS[event](data, customer["timezone"])
    what, start = _one_line(about["what"]), _moment(about["start"], customer["timezone"])
    return Letter(
        name=customer["name"],
        address=customer["email"],
        subject=f"{heading}: {what}",
        text=f"Dear {customer['name']},\n\n{sentence}\n\n{what}, {start}.\n",
    )


def _booked(data: Data, zone: str) -> tuple[str, str]:
    seats = _seats(data["seats"])
    if data["state"] != "tentative":
        return "Your seats are booked", f"{seats} booked for you."
    until = _moment(data["hold_until"], zone)
    return (
        "Your seats are held until you pay",
        f"{seats} held for you until {until}. Unless paid by then, others may have them.",
    )


def _cancelled(data: Data, _: str) -> tuple[str, str]:
    by = " by the organiser" if data["by"] == "owner" else ""
    given_back = f"{_seats(data['seats'])} cancelled{by}"
    if not data["seats_left"]:
        return "Your seats are cancelled", f"{given_back}."
    left = data["seats_left"]
    remain = f"{left} seats remain" if left > 1 else "1 seat remains"
    return "Some of your seats are cancelled", f"{given_back}; {remain} yours."


_NEWS: Mapping[str, Callable[[Data, str], tuple[str, str]]] = {
    "seat_booked": _booked,
    "seat_cancelled": _cancelled,
    "seat_paid": lambda *_: ("Your seats are paid", "Your payment has come: the seats are yours."),
    "seat_expired": lambda data, _: (
        "Your seats were not paid in time",
        f"{_seats(data['seats'])} no longer held for you.",
    ),
    "group_rescheduled": lambda *_: (
        "It takes place at another time",
        "It was moved to the time below. Your seats remain yours.",
    ),
    "group_cancelled": lambda *_: (
        "It will not take place",
        "It was called off, and your seats with it.",
    ),
}


def _seats(count: int) -> str:
    return f"{count} seats are" if count > 1 else "1 seat is"


def _one_line(text: str) -> str:
    """Without line breaks of any kind: a title may have them, a header may not."""
    return " ".join(text.split())


def _moment(text: str, zone: str) -> str:
    """As the customer's clock shows it."""
    try:
        known = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):  # zones are renamed and given up
        known, zone = ZoneInfo("UTC"), "UTC"
    return f"{datetime.fromisoformat(text).astimezone(known):%Y-%m-%d %H:%M} ({zone})"
