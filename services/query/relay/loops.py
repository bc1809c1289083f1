"""The publishing loops of a process, put together: two relays and the seat count notices."""

from __future__ import annotations

from functools import partial

from services.query.relay.broker.rabbitmq import Broker
from services.query.relay.destination import TO_REPLAY
from services.query.relay.log_tail import SharedTail
from services.query.relay.message_cache import MessageCache
from services.query.relay.relay import Relay
from services.query.relay.seat_count_notices import ChangeNotices
from services.query.relay.yield_to_sales import YieldToSales
from shared.eventlog.follower import Follower
from shared.eventlog.statements import statements_of
from shared.eventlog.wakeup import Wakeup
from shared.runtime.loops import Loop
from shared.runtime.postgres import Pool

sql = statements_of(__package__)


def publishing_loops(
    pool: Pool,
    wakeup: Wakeup,
    amqp_urls: str,
    dsn: str,
    yields: bool = False,
) -> list[Loop]:
    """Events to subscribers, events to the replay stream, seat counts; each elects for itself.

    `yields`: they share a machine with bookings, which go first.
    """
    sales = YieldToSales(partial(_head, pool)) if yields else None
    log = Follower(SharedTail(pool, sales=sales).read, wakeup)
    messages = MessageCache()
    return [
        Relay(pool, log, Broker(amqp_urls), dsn, messages=messages),
        Relay(pool, log, Broker(amqp_urls), dsn, destination=TO_REPLAY, messages=messages),
        ChangeNotices(log, Broker(amqp_urls), dsn),
    ]


async def _head(pool: Pool) -> int:
    position: int = await pool.fetchval(sql("log_position"))
    return position
