"""A batch of events applied to all read models: folded in memory, written one statement a table.

Nothing of a batch is visible without all of it: the caller's transaction holds the checkpoint too.
An event that a read model cannot take sets its group aside from there on; others go on.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from uuid import UUID

import asyncpg

from services.query.projection.decrypt import OpenedEvent, Poison
from services.query.projection.read_models import attendees, groups, seat_counts
from services.query.projection.read_models.attendees import Cascade, SeatRow
from services.query.projection.read_models.columns import columns
from services.query.projection.read_models.groups import GroupRow
from services.query.projection.read_models.seat_counts import CountRow
from services.query.projection.schema import sql
from shared.domain.events import GroupCreated, SeatBooked
from shared.runtime.postgres import Connection

Change = OpenedEvent | Poison
REFUSED = (
    seat_counts.OutOfOrder,
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)
"""What the tables say to an event they cannot take."""
MAKING = (GroupCreated, SeatBooked)
MAX_APPS = 100_000


class Batch:
    """The rows that a batch of events makes of the rows it found."""

    def __init__(self, parked: Collection[UUID] = ()) -> None:
        self.poisons: list[Poison] = []
        self.groups: dict[UUID, GroupRow] = {}
        self.seats: dict[UUID, SeatRow] = {}
        self.counts: dict[UUID, CountRow] = {}
        self.cascades: list[Cascade] = []
        self.made: set[UUID] = set()
        self._aside = set(parked)
        self._seats_of: dict[UUID, set[UUID]] = {}

    async def load(self, connection: Connection, changes: Iterable[Change]) -> None:
        """Fetch the rows that the events change but do not make."""
        group_ids, booking_ids = _touched(changes, self._aside)
        if group_ids:
            self.groups = await groups.load(connection, group_ids)
        if booking_ids:
            self.seats = await attendees.load(connection, booking_ids)
        for seat in self.seats.values():
            self._seats_of.setdefault(seat.group_id, set()).add(seat.booking_id)

    def fold(self, changes: Iterable[Change]) -> None:
        """Apply the events in order, setting groups aside from their first poison on."""
        for change in changes:
            if change.group_id in self._aside:
                continue
            if isinstance(change, Poison):
                self._set_aside(change)
                continue
            try:
                self._apply(change)
            except Exception as error:  # a bug in apply must not stop the other groups
                self._set_aside(refused(change, error))

    async def save(self, connection: Connection, apps: Apps) -> None:
        """Write every row that changed, and the groups set aside; new seat bookings are copied."""
        await groups.save(connection, self.groups)
        await attendees.cascade(connection, self.cascades)
        made = [self.seats[one] for one in self.made]
        await attendees.copy(connection, made, await apps.of(connection, made, self.groups))
        changed = {one: seat for one, seat in self.seats.items() if one not in self.made}
        await attendees.save(connection, changed)
        if self.counts:
            await seat_counts.save(connection, self.counts)
        if self.poisons:
            await connection.execute(sql("parked_add"), *columns(self._parked()))

    def _apply(self, change: OpenedEvent) -> None:
        group_id, booking_id = change.group_id, change.booking_id
        count = seat_counts.apply(self.counts.get(group_id), change)
        if booking_id == group_id:
            group = groups.apply(self.groups.get(group_id), change)
            self._cascade(change)
            self.groups[group_id] = group
        else:
            seat = attendees.apply(self.seats.get(booking_id), change)
            if booking_id not in self.seats:
                self.made.add(booking_id)
                self._seats_of.setdefault(group_id, set()).add(booking_id)
            self.seats[booking_id] = seat
        self.counts[group_id] = count

    def _cascade(self, change: OpenedEvent) -> None:
        cascade = attendees.cascade_of(change)
        if cascade is not None:
            self.cascades.append(cascade)
            for booking_id in self._seats_of.get(change.group_id, ()):
                self.seats[booking_id] = attendees.apply(self.seats[booking_id], change)

    def _parked(self) -> list[tuple[UUID, int, int, str, str]]:
        return [(p.group_id, p.position, p.version, p.topic, p.reason) for p in self.poisons]

    def _set_aside(self, poison: Poison) -> None:
        self._aside.add(poison.group_id)
        self.poisons.append(poison)


class Apps:
    """Which app each group belongs to: asked once, for it never changes."""

    def __init__(self) -> None:
        self._known: dict[UUID, UUID] = {}

    async def of(
        self, connection: Connection, seats: Iterable[SeatRow], made: Mapping[UUID, GroupRow]
    ) -> Mapping[UUID, UUID]:
        """By group, of these seat bookings' groups and more; `made`: groups that are known."""
        if len(self._known) > MAX_APPS:
            self._known.clear()
        self._known.update((group_id, row.app_id) for group_id, row in made.items())
        unknown = {seat.group_id for seat in seats} - self._known.keys()
        if unknown:
            self._known.update(await groups.apps(connection, unknown))
        return self._known


async def apply_batch(
    connection: Connection,
    changes: Sequence[Change],
    aside: Collection[UUID],
    apps: Apps | None = None,
) -> Sequence[Poison]:
    """Apply the events in the caller's transaction; the poison among them, set aside. `apps` are
    what earlier calls learnt."""
    batch = Batch(aside)
    await batch.load(connection, changes)
    batch.fold(changes)
    await batch.save(connection, apps or Apps())
    return batch.poisons


async def halving(
    apply: Callable[[Sequence[Change]], Awaitable[None]], changes: Sequence[Change]
) -> None:
    """Apply them all at once, or halved until an event that the tables refuse stands alone.

    That one is applied as poison. `apply` undoes what it did when it raises.
    """
    try:
        await apply(changes)
    except REFUSED as error:
        if len(changes) == 1:
            await apply([refused(changes[0], error)])
            return
        middle = len(changes) // 2
        await halving(apply, changes[:middle])
        await halving(apply, changes[middle:])


def _touched(changes: Iterable[Change], aside: Collection[UUID]) -> tuple[set[UUID], set[UUID]]:
    group_ids: set[UUID] = set()
    booking_ids: set[UUID] = set()
    made: set[UUID] = set()
    for change in changes:
        if isinstance(change, Poison) or change.group_id in aside:
            continue
        booking_id = change.booking_id
        if isinstance(change.event, MAKING):
            made.add(booking_id)
        elif booking_id == change.group_id:
            group_ids.add(booking_id)
        else:
            booking_ids.add(booking_id)
    return group_ids - made, booking_ids - made


def refused(change: Change, error: Exception) -> Poison:
    """The event as poison, for the error that its application raised."""
    if isinstance(change, Poison):
        return change
    return Poison(change.group_id, change.version, change.position, change.event.TOPIC, _why(error))


def _why(error: Exception) -> str:
    """What went wrong, and where in the code, without a message that could hold personal data."""
    if isinstance(error, seat_counts.OutOfOrder):
        return str(error)
    if isinstance(error, asyncpg.PostgresError):
        place = error.constraint_name or error.table_name or "a table"
        return f"{type(error).__name__} ({error.sqlstate}) from {place}"
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return f"{type(error).__name__} at {place}"


async def set_aside(connection: Connection, changes: Sequence[Change]) -> list[UUID]:
    """Those of the batch's groups that are parked. To be asked once nobody else can change it."""
    groups = list({change.group_id for change in changes})
    aside: list[UUID] = await connection.fetchval(sql("parked_among"), groups)
    return aside
