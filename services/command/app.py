"""Composition of the command service: store, mailboxes, use cases, routes; their start and stop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from services.command.commit.atomic import AtomicCommit
from services.command.commit.clock import DatabaseClock
from services.command.commit.handler import CommandHandler
from services.command.commit.mailbox_cache import MailboxCache
from services.command.http.action_links import ActionLinkRoutes
from services.command.http.bookings import BookingRoutes
from services.command.http.erasure import ErasureRoutes
from services.command.http.projects import ProjectRoutes
from services.command.refusal_recorder import RefusalRecorder
from services.command.schedule.double_bookings import DoubleBookings
from services.command.use_cases.bookings import Bookings
from services.command.use_cases.idempotency import Answers
from services.command.use_cases.included import IncludedReader
from services.command.use_cases.public_terms import TermsOfApps
from shared.accounts.keyring import KeyRing
from shared.accounts.projects import PostgresProjects
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.privacy import MasterKey
from shared.eventlog.statements import statement
from shared.http.health import Check
from shared.runtime.metrics import CACHE_BYTES, CACHED_GROUPS, COMMANDS_UNDER_WAY
from shared.runtime.postgres import Pool

PAYMENT_HOLD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class CommandService:
    """The command service in a running process: its routes and what its health depends on."""

    routes: Sequence[web.RouteDef]
    checks: Sequence[Check]
    bookings: Bookings


@asynccontextmanager
async def command_service(
    pool: Pool,
    dsn: str,
    master: MasterKey,
    ring: KeyRing,
    hold: timedelta = PAYMENT_HOLD,
    clock: DatabaseClock | None = None,
    cache_megabytes: int = 256,
    confirm_links: bool = False,
    neutral_refusals: bool = False,
) -> AsyncIterator[CommandService]:
    """Runs inside the block; leaving it ends the appender, so let no request be under way."""
    store, atomic_store = PostgresEventStore(pool, dsn), PostgresEventStore(pool, dsn)
    clock = clock or DatabaseClock(await store.now())
    cache = MailboxCache(cache_megabytes * 1024 * 1024)
    handler = CommandHandler(store, cache, clock)
    handler.start()
    refusals = RefusalRecorder(pool, handler.now)
    refusals.start()
    _show(handler, cache)
    projects = PostgresProjects(pool, master)
    included = IncludedReader(atomic_store, master, projects, ring)
    terms = TermsOfApps(projects, neutral_refusals)
    answers = Answers(atomic_store, master, neutral_refusals, await _former_known_until(pool))
    bookings = Bookings(
        *(handler, AtomicCommit(atomic_store, clock), atomic_store, included, master, hold),
        *(refusals.note, terms, answers),
    )
    routes = [
        *_booking_routes(bookings, master, pool),
        *ActionLinkRoutes(bookings, ring, confirm_links).routes(),
        *ProjectRoutes(projects, terms).routes(),
    ]
    try:
        yield CommandService(routes, [_check(handler, store)], bookings)
    finally:
        await handler.stop()
        await refusals.stop()
        await atomic_store.close()
        await store.close()


def _booking_routes(bookings: Bookings, master: MasterKey, pool: Pool) -> list[web.RouteDef]:
    double_bookings = DoubleBookings(pool)
    return [
        *BookingRoutes(bookings, master, double_bookings).routes(),
        *ErasureRoutes(bookings, master, pool).routes(),
    ]


async def _former_known_until(pool: Pool) -> datetime | None:
    """How long the ids are known that older code gave public keys' commands; None: not at all."""
    until: datetime | None = await pool.fetchval(statement("public_keys_apart", "services.command"))
    return until


def _show(handler: CommandHandler, cache: MailboxCache) -> None:
    COMMANDS_UNDER_WAY.is_what(lambda: handler.under_way)
    CACHED_GROUPS.is_what(lambda: len(cache))
    CACHE_BYTES.is_what(lambda: cache.bytes)


def _check(handler: CommandHandler, store: PostgresEventStore) -> Check:
    async def accepts_bookings() -> str | None:
        if not handler.is_running:
            return "the appender has stopped"
        await store.now()
        return None

    return Check("bookings", accepts_bookings)
