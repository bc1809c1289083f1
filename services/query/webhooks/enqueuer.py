"""Enqueues one delivery per webhook for every state that a booking enters, following the log.

Elected, with a checkpoint of its own (decision 0012). A delivery's id is made of webhook, event and
booking, so that what is enqueued twice is one. History asked for again is enqueued the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from time import monotonic

from services.query.reads.feed import Feed
from services.query.webhooks.triggers import Entered, Hook, entered_by
from shared.eventlog.election import Election, Term
from shared.eventlog.follower import BatchPolicy, Follower, read_log
from shared.eventlog.record import StoredRecord
from shared.eventlog.statements import statements_of
from shared.eventlog.wakeup import Wakeup
from shared.runtime.postgres import Pool

sql = statements_of(__package__)

FOLLOWER = "webhooks"
BATCH = 500
KEPT = timedelta(days=30)
FORGET_SECONDS = 3_600.0
FORGET_AT_ONCE = 5_000
REST_SECONDS = 0.05
"""Between looks at the log, so that a sale's commits are noted together."""


class WebhookEnqueuer:
    """`run()` until `stop()`; safe to run in every process."""

    def __init__(self, pool: Pool, wakeup: Wakeup, dsn: str) -> None:
        self._pool = pool
        self._wakeup = wakeup
        self._feed = Feed(pool)
        self._election = Election(dsn, FOLLOWER)
        self._forget_at = 0.0

    async def run(self) -> None:
        """Stand for election and note deliveries while elected."""
        await self._election.run(self._lead)

    def stop(self) -> None:
        self._election.stop()

    async def _lead(self, term: Term) -> None:
        policy = BatchPolicy(BATCH, rest_seconds=REST_SECONDS)
        log = Follower(partial(self._read, term), self._wakeup, policy)
        async for batch in log.follow(term.checkpoint):
            hooks = await self._hooks()  # after the batch: none made before it is missing here
            entered = await self._entered(batch, hooks)
            pairs = [(h, e) for e in entered for h in hooks if h.since < e.position and h.hears(e)]
            await self._note("webhook_enqueue", pairs)
            await term.move_checkpoint(batch[-1].position)

    async def _read(self, term: Term, after: int, limit: int) -> list[StoredRecord]:
        """What is new in the log; while nothing is, history is noted that was asked for again."""
        while True:
            term.ensure_current()
            [now] = await self._pool.fetch(sql("webhook_watch"))
            # Nobody listens, or nobody did so early: events up to there are for no webhook.
            ahead = now["position"] if now["since"] is None else now["since"]
            if ahead > term.checkpoint:
                await term.move_checkpoint(ahead)
            if now["position"] > term.checkpoint:
                return await read_log(self._pool, max(after, term.checkpoint), limit)
            if not (now["is_resending"] and await self._note_history()):
                await self._forget_old()
                return []

    async def _note_history(self) -> bool:
        hooks = [hook for hook in await self._hooks() if hook.resend_after is not None]
        for hook in hooks:
            after, until = hook.resend_after or 0, hook.resend_until or 0
            upto = min(after + BATCH, until)
            batch = await read_log(self._pool, after, upto - after)
            entered = await self._entered(batch, [hook])
            await self._note("webhook_enqueue_again", [(hook, e) for e in entered if hook.hears(e)])
            await self._pool.execute(sql("webhook_resent"), hook.webhook_id, upto, after)
        return bool(hooks)

    async def _entered(self, batch: Sequence[StoredRecord], hooks: Sequence[Hook]) -> list[Entered]:
        owned = await self._feed.owned(batch)
        return await entered_by(self._pool, owned, frozenset(hook.app_id for hook in hooks))

    async def _hooks(self) -> list[Hook]:
        return [Hook(*row) for row in await self._pool.fetch(sql("webhook_hooks"))]

    async def _note(self, name: str, pairs: Sequence[tuple[Hook, Entered]]) -> None:
        if pairs:
            rows = [
                (
                    *(hook.delivery_id(e), hook.webhook_id, e.event_id, e.booking_id),
                    *(e.state, e.position, e.at),
                )
                for hook, e in pairs
            ]
            await self._pool.execute(sql(name), *map(list, zip(*rows, strict=True)))

    async def _forget_old(self) -> None:
        if monotonic() >= self._forget_at:
            self._forget_at = monotonic() + FORGET_SECONDS
            await self._pool.execute(sql("webhook_forget"), KEPT, FORGET_AT_ONCE)
