"""Search for a person's bookings: by keyed hashes, then by the decrypted e-mail address itself.

A hash only narrows the search. Every booking found names exactly the mailbox that was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.audit.postgres import Ledger
from shared.booking_api.details import SEALED_BOOKING, SeatDetails, details_after, unpack_group
from shared.booking_api.rendering.views import Attendee
from shared.domain.events import GroupCreated
from shared.domain.mailbox_address import is_one_mailbox, mailbox, spellings
from shared.eventlog.codec import decode_event
from shared.eventlog.privacy import (
    BookingKey,
    MasterKey,
    Unreadable,
    customer_ref,
    first_rule_ref,
    mailbox_hash,
)
from shared.eventlog.record import StoredRecord


class Unopened(Exception):
    """A booking cannot be opened: nobody can say whose it is."""


@dataclass(frozen=True, slots=True)
class Found:
    """A booking that names the person: as its customer, or only among its attendees."""

    booking_id: UUID
    group_id: UUID
    details: SeatDetails
    is_customer: bool = True

    def attendees(self, email: str) -> list[Attendee]:
        """Those of its attendees who are this person."""
        return [one for one in self.details.attendees if _is(one.email, email)]

    @property
    def names(self) -> list[str]:
        """Everybody whom the booking names."""
        customer = self.details.customer
        first = [] if customer is None else [customer.name]
        return [*first, *(one.name for one in self.details.attendees)]


async def bookings_of(
    ledger: Ledger, master: MasterKey, email: str, app_id: UUID | None = None
) -> list[Found]:
    """The bookings that name a mailbox and were not erased, of one app or all."""
    refs, attendee = refs_of(master, email), mailbox_hash(master, email)
    found = []
    for booking_id, group_id in await ledger.bookings_of(refs, attendee, app_id):
        details = await booking_details(ledger, master, booking_id)
        customer = details.customer
        one = Found(
            booking_id, group_id, details, customer is not None and _is(customer.email, email)
        )
        if one.is_customer or one.attendees(email):
            found.append(one)
    return found


def _is(address: str | None, email: str) -> bool:
    return address is not None and is_one_mailbox(address, email)


def refs_of(master: MasterKey, email: str) -> list[bytes]:
    """Every `customer_ref` that the mailbox may have been given, by this rule and the first."""
    forms = {*spellings(email), *spellings(mailbox(email))}
    earlier = {first_rule_ref(master, form) for form in forms}
    return [customer_ref(master, email), mailbox_hash(master, email), *earlier]


async def booking_details(ledger: Ledger, master: MasterKey, booking_id: UUID) -> SeatDetails:
    """Who is named in a booking today, in a group its participants; nobody once it was erased."""
    wrapped = (await ledger.wrapped_keys([booking_id])).get(booking_id)
    if wrapped is None:
        return SeatDetails()
    try:
        key = master.unwrap(booking_id, wrapped)
        return _details(await ledger.events_of(booking_id), key)
    except (Unreadable, ValueError):
        raise Unopened(f"booking {booking_id} cannot be opened with this master key") from None


def _details(records: Sequence[StoredRecord], key: BookingKey) -> SeatDetails:
    details = SeatDetails()
    for record in records:
        event = decode_event(record.topic, record.state)
        if isinstance(event, GroupCreated):
            return _participants(event, key)
        details = details_after(details, event, key)
    return details


def _participants(created: GroupCreated, key: BookingKey) -> SeatDetails:
    text = None if created.sealed is None else key.read(SEALED_BOOKING, created.sealed)
    return SeatDetails(attendees=[Attendee(one, one) for one in unpack_group(text).participants])
