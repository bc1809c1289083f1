"""The relay's commands of `seatledger`: messages again for one subscriber, and those set aside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import asyncpg
import typer

from services.query.relay.broker.publisher import MessagingError
from services.query.relay.broker.rabbitmq import Broker
from services.query.relay.parked_messages import (
    NotParked,
    ParkedMessage,
    give_up_parked,
    parked_messages,
    retry_parked,
)
from services.query.relay.republish import NoSuchQueue, Republishing
from shared.runtime.cli import AsJson, print_rows, stamp
from shared.runtime.postgres import explained, pool_of
from shared.runtime.settings import ConfigurationError, read_settings

T = TypeVar("T")
Pool = asyncpg.Pool
app = typer.Typer(help="Messages: again for one subscriber, and those set aside.")
messages = typer.Typer(help="Events whose messages the broker would not take.")
app.add_typer(messages, name="messages")
Position = Annotated[int, typer.Argument(min=1, help="As `messages parked` shows it.")]


@app.command("republish", epilog="Example: seatledger republish --queue mailer --from 1")
def republish(
    queue: Annotated[str, typer.Option(help="The queue that is to get them; no other does.")],
    first: Annotated[int, typer.Option("--from", min=1, help="The first position.")],
    last: Annotated[
        int, typer.Option("--to", min=1, help="The last; the newest if not given.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Publish part of the log again, with the same ids, to one queue and nobody else's."""
    amqp = read_settings().amqp_dsn
    if amqp is None:
        raise ConfigurationError("AMQP_URL is not set: give the broker's URL")

    async def work(pool: Pool) -> int:
        end = last or await pool.fetchval("SELECT position FROM log_head")
        try:
            return await Republishing(pool, Broker(amqp), queue, first, end).run()
        except (MessagingError, NoSuchQueue) as error:
            raise ConfigurationError(f"not republished: {error}") from None

    position = _with_pool(work)
    print_rows([{"queue": queue, "from": first, "to": position}], as_json)


@messages.command("parked")
def list_parked(as_json: AsJson = False) -> None:
    """Show what is set aside, why, and what waits behind it in its group."""
    print_rows([_row(each) for each in _with_pool(parked_messages)], as_json)


@messages.command("retry")
def retry() -> None:
    """Have the relay try everything that is set aside again, within seconds."""
    _with_pool(retry_parked)


@messages.command("give-up")
def give_up(position: Position) -> None:
    """Never publish one; the later ones of its group go on, and subscribers see the gap."""

    async def work(pool: Pool) -> None:
        try:
            await give_up_parked(pool, position)
        except NotParked as error:
            raise ConfigurationError(str(error)) from None

    _with_pool(work)


def _row(each: ParkedMessage) -> dict[str, Any]:
    return {
        "position": each.position,
        "group_id": str(each.group_id),
        "event_id": str(each.event_id),
        "event": each.topic,
        "reason": each.reason,
        "parked": stamp(each.parked_at),
    }


def _with_pool(work: Callable[[Pool], Awaitable[T]]) -> T:
    dsn = read_settings().database_dsn

    async def run() -> T:
        with explained():
            async with pool_of(dsn, 2) as pool:
                return await work(pool)

    return asyncio.run(run())
