"""Delivers webhooks: at least once, retried for three days, each endpoint on its own.

Workers in every process take what is due with SKIP LOCKED, for a minute. An endpoint has few at
once, and one that keeps failing is left alone for longer and longer; an app has at most half of
what is free, those with the fewest first, so that none delays another (decision 0041).
"""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass, field
from datetime import datetime
from time import time
from typing import NamedTuple
from uuid import UUID, uuid4

from services.query.webhooks.body import BookingGone, Occasion, WebhookBodies
from services.query.webhooks.http_client import GONE, Outcome, Poster
from services.query.webhooks.secrets import Message, signatures
from shared.booking_api.errors import ApiError
from shared.eventlog.privacy import MasterKey, Unreadable
from shared.eventlog.statements import statements_of
from shared.eventlog.throttle import Rest
from shared.eventlog.wakeup import Wakeup
from shared.runtime.metrics import WEBHOOK_DELIVERIES
from shared.runtime.postgres import DATABASE_ERRORS, Pool

sql = statements_of(__package__)

PER_ENDPOINT = 4
AT_ONCE = 128
LEASE_SECONDS = 60.0
DRAIN_SECONDS = 5.0
REST_SECONDS = 0.05
"""Between two looks at what is due: in a sale there is news all the time."""
FAILING = 5
"""Failures in a row after which an endpoint is left alone."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds until the next try: doubled every time, up to a bound, and jittered."""

    first_seconds: float = 10.0
    longest_seconds: float = 6 * 3600.0
    pause_seconds: float = 5.0
    longest_pause_seconds: float = 300.0

    def retry_in(self, attempts: int) -> float:
        """After so many attempts at one delivery."""
        return _jittered(self.first_seconds, attempts - 1, self.longest_seconds)

    def pause(self, failures: int) -> float | None:
        """How long to leave an endpoint alone, if at all, after so many failures in a row."""
        if failures < FAILING:
            return None
        return _jittered(self.pause_seconds, failures - FAILING, self.longest_pause_seconds)


class Delivery(NamedTuple):
    """A row of `webhook_claim`."""

    delivery_id: UUID
    webhook_id: UUID
    app_id: UUID
    time_zone: str
    name: str
    url: str
    event_id: UUID
    booking_id: UUID
    state: str
    fired_at: datetime
    attempts: int
    failures: int
    sealed_secret: bytes
    previous_secret: bytes | None

    @property
    def occasion(self) -> Occasion:
        return Occasion(
            *(self.app_id, self.time_zone, self.webhook_id, self.name),
            *(self.booking_id, self.state, self.fired_at),
        )


@dataclass(slots=True)
class WebhookSender:
    """`run()` until `stop()`; what is under way is finished first."""

    pool: Pool
    wakeup: Wakeup
    master: MasterKey
    bodies: WebhookBodies
    poster: Poster
    patience: Patience = Patience()
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)
    _landing: asyncio.Event = field(default_factory=asyncio.Event)
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Send whatever is due."""
        rest = Rest(REST_SECONDS)
        while not self._stopped.is_set():
            await rest.take()
            news = self.wakeup.token()
            self._landing.clear()
            try:
                await self._start_due()
            except DATABASE_ERRORS as error:
                _log.warning("webhooks wait: %s", type(error).__name__)
            await self._until_there_may_be_more(news)
        if self._under_way:
            _, slow = await asyncio.wait(self._under_way, timeout=DRAIN_SECONDS)
            for task in slow:  # its lease ends, and it is tried again
                task.cancel()

    def stop(self) -> None:
        self._stopped.set()
        self._landing.set()

    async def _until_there_may_be_more(self, news: asyncio.Event) -> None:
        """News in the log, the next poll, or room where there was none."""
        woken = asyncio.create_task(self.wakeup.wait(news))
        freed = asyncio.create_task(self._landing.wait())
        _, waiting = await asyncio.wait({woken, freed}, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()

    async def _start_due(self) -> None:
        """Take and start as much as there is room for."""
        room = AT_ONCE - len(self._under_way)
        while room > 0 and not self._stopped.is_set():
            share = max(room // 2, 1)
            rows = await self.pool.fetch(
                sql("webhook_claim"), PER_ENDPOINT, FAILING, room, LEASE_SECONDS, share
            )
            for row in rows:
                task = asyncio.create_task(self._deliver(Delivery(*row)), name="webhook")
                self._under_way.add(task)
                task.add_done_callback(self._landed)
            if not rows:
                return
            room = AT_ONCE - len(self._under_way)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._landing.set()
        error = None if task.cancelled() else task.exception()
        if error is not None:  # its lease ends, and it is tried again
            _log.error("webhook delivery: %s", type(error).__name__, exc_info=error)

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            body = await self.bodies.body_of(delivery.occasion)
        except BookingGone as error:
            await self._end(delivery, "skipped", Outcome(None, str(error)))
        except (ApiError, *DATABASE_ERRORS) as error:
            await self._fail(delivery, Outcome(None, f"not sent: {type(error).__name__}"), False)
        else:
            await self._send(delivery, body)

    async def _send(self, delivery: Delivery, body: bytes | None) -> None:
        if body is None:
            reason = "switched off by the booking's own webhooks"
            await self._end(delivery, "skipped", Outcome(None, reason))
            return
        try:
            headers = self._headers(delivery, body)
        except Unreadable:
            await self._fail(delivery, Outcome(None, "its secret cannot be opened"), False)
            return
        outcome = await self.poster.post(delivery.url, body, headers)
        if outcome.trouble is None:
            await self._end(delivery, "delivered", outcome)
        else:
            await self._fail(delivery, outcome, True)

    def _headers(self, delivery: Delivery, body: bytes) -> dict[str, str]:
        secrets = delivery.sealed_secret, delivery.previous_secret
        message = Message(delivery.webhook_id, delivery.delivery_id, int(time()), body)
        return {
            "Content-Type": "application/json",
            "User-Agent": "seatledger-webhooks",
            "Timekit-Request-Id": str(uuid4()),
            "Seatledger-Webhook-Id": str(delivery.webhook_id),
            "Seatledger-Delivery-Id": str(delivery.delivery_id),
            "Seatledger-Event-Id": str(delivery.event_id),
            "Seatledger-Attempt": str(delivery.attempts),
            **signatures(self.master, message, *secrets),
        }

    async def _end(self, delivery: Delivery, status: str, outcome: Outcome) -> None:
        await self.pool.execute(
            sql("webhook_ended"), delivery.delivery_id, status, outcome.answer, outcome.trouble
        )
        WEBHOOK_DELIVERIES.add((status,))

    async def _fail(self, delivery: Delivery, outcome: Outcome, is_endpoints: bool) -> None:
        status = await self.pool.fetchval(
            *(sql("webhook_failed"), delivery.delivery_id, outcome.answer, outcome.trouble),
            self.patience.retry_in(delivery.attempts),
            self.patience.pause(delivery.failures + 1),
            *(is_endpoints, outcome.answer == GONE),
        )
        WEBHOOK_DELIVERIES.add(("given_up" if status == "given_up" else "failed",))


def _jittered(first: float, doublings: int, bound: float) -> float:
    longest: float = min(first * 2.0 ** min(max(doublings, 0), 40), bound)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311
