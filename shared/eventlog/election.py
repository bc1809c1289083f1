"""Leader election with fencing: one leader per name, and whoever lost a term can write nothing.

A session lock elects; the session pings every second and PostgreSQL ends it after five silent ones,
so a frozen leader is replaced. Every term takes an epoch, every write of a term is conditional on
it (decision 0012). Session locks do not pass a transaction-pooling proxy: give a direct DSN.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from shared.eventlog.checkpoint import Checkpoint, TermLost
from shared.eventlog.statements import statement
from shared.runtime.postgres import DATABASE_ERRORS, Connection

PING_SECONDS = 1.0
LEASE_SECONDS = 5.0
STATEMENT_SECONDS = 2.0
RETRY_SECONDS = 0.5
STAND_BACK_SECONDS = 3.0
_log = logging.getLogger(__name__)


class Resigned(Exception):
    """This process leads no more of its own accord: another one may be better placed."""


class Term:
    """One leadership: `epoch` names it, `checkpoint` is how far its follower has come."""

    def __init__(self, connection: Connection, name: str, epoch: int) -> None:
        self.name = name
        self.epoch = epoch
        self.checkpoint = 0
        self.stopping = asyncio.Event()
        self._connection = connection
        self._turn = asyncio.Lock()
        self._seen_at = time.monotonic()

    def ensure_current(self) -> None:
        """TermLost when the session may have been ended meanwhile: costs no round trip."""
        if time.monotonic() - self._seen_at > LEASE_SECONDS:
            raise TermLost(f"{self.name}: silent for more than {LEASE_SECONDS:g} s")

    async def move_checkpoint(self, position: int) -> None:
        """Everything up to `position` is done. TermLost, and nothing written, when fenced off."""
        await self._stored().move(self.checkpoint, position)
        self.checkpoint = max(self.checkpoint, position)

    async def take_checkpoint(self) -> None:
        """Go on where the last term came to."""
        self.checkpoint = await self._stored().take()

    async def report(self, trouble: str | None) -> None:
        """What keeps the leader from getting on, or None, for people to read."""
        sql = statement("report_trouble")
        if await self._fetch(sql, self.name, self.epoch, trouble) is None:
            raise TermLost(f"{self.name}: epoch {self.epoch} is over")

    async def has_rivals(self) -> bool:
        """Whether another process stands for election."""
        return bool(await self._fetch(statement("has_rivals"), _session_name(self.name)))

    async def fence(self, connection: Connection) -> None:
        """Inside the caller's transaction: it commits under this term, or TermLost."""
        sql = statement("is_current_epoch")
        if not await connection.fetchval(sql, self.name, self.epoch, timeout=STATEMENT_SECONDS):
            raise TermLost(f"{self.name}: epoch {self.epoch} is over")

    async def ping(self) -> None:
        """Keep the session, and with it the lock."""
        await self._fetch("SELECT 1")

    def _stored(self) -> Checkpoint:
        statements = statement("take_checkpoint"), statement("move_checkpoint")
        return Checkpoint(self.name, self._fetch, *statements, (self.name, self.epoch))

    async def _fetch(self, sql: str, *parameters: object) -> object:
        async with self._turn:
            asked_at = time.monotonic()
            try:
                answer = await self._connection.fetchval(
                    sql, *parameters, timeout=STATEMENT_SECONDS
                )
            except DATABASE_ERRORS as error:
                raise TermLost(f"{self.name}: {type(error).__name__}") from error
            self._seen_at = asked_at
            return answer


Work = Callable[[Term], Awaitable[None]]


class Election:
    """Runs work in this process whenever it is elected; `stop()` lets go.

    Work that raises Resigned lets another process lead, if there is one, before it leads again.
    On `stop()` the work has `drain_seconds` to return once `term.stopping` is set; then it is
    cancelled. When the term is lost it is cancelled at once.
    """

    def __init__(self, dsn: str, name: str, drain_seconds: float = 0.0) -> None:
        self._dsn = dsn
        self._name = name
        self._drain_seconds = drain_seconds
        self._stopped = asyncio.Event()
        self._was_reachable = True

    async def run(self, work: Work) -> None:
        """Stand for election, lead, and again, until `stop()`."""
        while not self._stopped.is_set():
            try:
                await self._one_session(work)
            except TermLost as lost:
                _log.warning("%s; standing again", lost)
            except Resigned as why:
                _log.warning("%s: resigned: %s", self._name, why)
                await self._pause(STAND_BACK_SECONDS)
            except DATABASE_ERRORS as error:
                self._note_unreachable(error)
            except Exception:
                _log.exception("%s: failed; standing again", self._name)
            await self._pause(RETRY_SECONDS)

    def stop(self) -> None:
        self._stopped.set()

    async def _one_session(self, work: Work) -> None:
        connection = await asyncpg.connect(self._dsn, timeout=5, server_settings=self._settings())
        self._was_reachable = True
        try:
            if await self._is_elected(connection):
                await self._lead(connection, work)
        finally:
            await _let_go(connection)

    def _settings(self) -> dict[str, str]:
        return {
            "application_name": _session_name(self._name),
            "idle_session_timeout": str(int(LEASE_SECONDS * 1000)),
        }

    async def _is_elected(self, connection: Connection) -> bool:
        """True with the lock held; False on `stop()`. Asks again and again: a waiting statement
        would hold a snapshot, and with it vacuum, for as long as the other leads."""
        while not self._stopped.is_set():
            sql = statement("try_lead")
            if await connection.fetchval(sql, self._name, timeout=STATEMENT_SECONDS):
                return True
            await self._pause(RETRY_SECONDS)
        return False

    async def _lead(self, connection: Connection, work: Work) -> None:
        term = await self._take_term(connection)
        _log.info("%s: leading, epoch %d", self._name, term.epoch)
        working = asyncio.ensure_future(work(term))
        try:
            await self._hold(term, working)
        finally:
            working.cancel()
            await asyncio.wait({working})
            failure = None if working.cancelled() else working.exception()
        if failure is not None:
            raise failure

    async def _take_term(self, connection: Connection) -> Term:
        sql = statement("take_term")
        epoch = await connection.fetchval(sql, self._name, timeout=STATEMENT_SECONDS)
        # A checkpoint lost in a crash of the server only repeats work; an epoch must not be.
        await connection.execute("SET synchronous_commit TO off", timeout=STATEMENT_SECONDS)
        term = Term(connection, self._name, epoch)
        await term.take_checkpoint()
        return term

    async def _hold(self, term: Term, working: asyncio.Future[None]) -> None:
        stopped = asyncio.ensure_future(self._stopped.wait())
        try:
            while not working.done() and not stopped.done():
                either: set[asyncio.Future[Any]] = {working, stopped}
                await asyncio.wait(
                    either, timeout=PING_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                await term.ping()
        finally:
            stopped.cancel()
        term.stopping.set()
        if self._drain_seconds and not working.done():
            await asyncio.wait({working}, timeout=self._drain_seconds)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)

    def _note_unreachable(self, error: Exception) -> None:
        if self._was_reachable:
            _log.warning("%s: no election: %s", self._name, type(error).__name__)
        self._was_reachable = False


def _session_name(name: str) -> str:
    return f"seatledger {name}"


async def _let_go(connection: Connection) -> None:
    """End the session, and with it the lock: politely if the server answers, else at once."""
    try:
        await connection.close(timeout=1)
    except DATABASE_ERRORS:
        connection.terminate()
