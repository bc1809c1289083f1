"""`POST|PUT /v2/bookings/bulk`: many bookings in one request, each decided by itself or all as one.

Contract section 7. With `delete_all_on_error` (creating) and `reset_all_on_error` (updating) it is
one append: all or nothing. `stop_on_first_error` leaves the rest undone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any
from uuid import uuid4, uuid5

import pydantic_core
from aiohttp import web

from services.command.commit.atomic import Refused
from services.command.commit.queued_command import QueuedCommand
from services.command.commit.reply import Reply, ResponseOptions, refusal_reply
from services.command.http.bulk_actions import act_on_all
from services.command.http.request_context import (
    answer_of,
    circumstances_of,
    context_of,
    options_of,
)
from services.command.requests.actions import Action
from services.command.requests.bulk import (
    BulkItem,
    BulkUpdate,
    NewBooking,
    read_bulk_create,
    read_bulk_update,
)
from services.command.schedule.double_bookings import DoubleBookings
from services.command.use_cases import existing_bookings
from services.command.use_cases.bookings import Bookings, up_to_date
from services.command.use_cases.call_context import CallContext
from shared.booking_api.errors import ApiError
from shared.booking_api.reading.request_models import BulkToCreate, BulkToUpdate
from shared.booking_api.reading.validation import failed
from shared.eventlog.privacy import MasterKey
from shared.http.middleware import read_body
from shared.http.operation import Operation, routes_of

Step = Callable[[], Awaitable[Reply]]


class BulkRoutes:
    """Many bookings at once."""

    def __init__(
        self, bookings: Bookings, master: MasterKey, double_bookings: DoubleBookings
    ) -> None:
        self._bookings = bookings
        self._master = master
        self._double_bookings = double_bookings

    def routes(self) -> list[web.RouteDef]:
        return routes_of(self)

    @Operation(
        "post",
        "/v2/bookings/bulk",
        "createBookings",
        "Create many bookings",
        status=201,
        answers="Bulk",
        body=(BulkToCreate,),
        note="With `delete_all_on_error` all or nothing, in one commit.",
    )
    async def create(self, request: web.Request) -> web.Response:
        """`POST /v2/bookings/bulk`, and a bulk's body sent to `/v2/bookings`."""
        body = await read_body(request)
        context, options = context_of(request, body, self._master), options_of(request)
        await self._bookings.replay(context.part("0"))
        asked = read_bulk_create(body, circumstances_of(request, context, self._bookings.now()))
        contexts = _contexts(context, len(asked.items), asked.relate_bookings)
        stops, whole = asked.stop_on_first_error, asked.delete_all_on_error
        came_before = await self._claim(context, asked.items, stops, whole)
        if whole:
            known = await self._known(contexts) if came_before else None
            return known or await self._create_all(asked.items, contexts, options)
        steps = _steps(self._create_one, asked.items, contexts, options)
        if came_before:
            steps = [self._kept(part, step) for part, step in zip(contexts, steps, strict=True)]
        return _answer(await _run(steps, stops), 201)

    @Operation(
        "put",
        "/v2/bookings/bulk",
        "updateBookings",
        "Update many bookings",
        answers="Bulk",
        body=(BulkToUpdate,),
        note="With `reset_all_on_error` all or nothing, in one commit.",
    )
    @Operation(
        "put",
        "/v2/bookings",
        "updateBookingsToo",
        "Update many bookings (alias)",
        answers="Bulk",
        body=(BulkToUpdate,),
    )
    async def update(self, request: web.Request) -> web.Response:
        """`PUT /v2/bookings/bulk`, also at `/v2/bookings`."""
        body = await read_body(request)
        context, options = context_of(request, body, self._master), options_of(request)
        await self._bookings.replay(context.part("0"))
        asked = read_bulk_update(body)
        contexts = _contexts(context, len(asked.items))
        stops, whole = asked.stop_on_first_error, asked.reset_all_on_error
        await self._claim(context, asked.items, stops, whole)
        if whole:
            return await up_to_date(lambda: self._update_all(asked, contexts, options))
        steps = _steps(self._update_one, asked.items, contexts, options)
        return _answer(await _run(steps, stops), 200)

    async def _claim(
        self, context: CallContext, items: Sequence[object], stops: bool, whole: bool
    ) -> bool:
        """Whether the request came before. What nothing will be done of does not use up its key,
        as a single request does not that is refused for its form."""
        valid = [not isinstance(item, ApiError) for item in items]
        begins = all(valid) if whole else valid[0] if stops else any(valid)
        return begins and await self._bookings.claim(context)

    async def _known(self, parts: Sequence[CallContext]) -> web.Response | None:
        """The first answer to what happened as one; None when it did not happen."""
        replies = [await self._bookings.replay(part) for part in parts[:1]]
        if None in replies:
            return None
        replies += [await self._bookings.replay(part) for part in parts[1:]]
        known = {number: reply for number, reply in enumerate(replies) if reply is not None}
        return _answer(known, 201)

    def _kept(self, part: CallContext, step: Step) -> Step:
        """The first answer to the part, if it has one: an item may have been valid then, or its
        resource is taken by the group that it made."""

        async def reply() -> Reply:
            return await self._bookings.replay(part) or await step()

        return reply

    async def _create_one(
        self, new: NewBooking, context: CallContext, options: ResponseOptions
    ) -> Reply:
        queued = await self._bookings.prepare(new, context, options)
        async with self._double_bookings.kept_out(context.app_id, new):
            return await self._bookings.decide(queued, context)

    async def _create_all(
        self,
        items: Sequence[NewBooking | ApiError],
        contexts: Sequence[CallContext],
        options: ResponseOptions,
    ) -> web.Response:
        invalid = {n: item for n, item in enumerate(items) if isinstance(item, ApiError)}
        if invalid:
            return _answer(_refusals(invalid), 201)
        news = [item for item in items if not isinstance(item, ApiError)]
        commands = [
            await self._bookings.prepare(new, part, options)
            for new, part in zip(news, contexts, strict=True)
        ]
        async with self._double_bookings.kept_out(contexts[0].app_id, *news):
            return await self._atomically(commands, contexts[0], 201)

    async def _update_one(
        self, item: BulkItem, context: CallContext, options: ResponseOptions
    ) -> Reply:
        if isinstance(item.update, Action):
            return await act_on_all(self._bookings, item.booking_id, item.update, context, options)
        return await self._bookings.change(item.booking_id, item.update, context, options)

    async def _update_all(
        self, asked: BulkUpdate, contexts: Sequence[CallContext], options: ResponseOptions
    ) -> web.Response:
        refused: dict[int, ApiError] = {}
        commands: list[QueuedCommand] = []
        for number, (item, part) in enumerate(zip(asked.items, contexts, strict=True)):
            try:
                if isinstance(item, ApiError):
                    raise item
                commands += not_twice(await self._commands(item, part, options), commands)
            except ApiError as error:
                refused[number] = error
        if refused:
            return _answer(_refusals(refused), 200)
        return await self._atomically(commands, contexts[0], 200)

    async def _commands(
        self, item: BulkItem, context: CallContext, options: ResponseOptions
    ) -> list[QueuedCommand]:
        update = item.update
        if not isinstance(update, Action):
            return await self._bookings.prepare_changes(item.booking_id, update, context, options)
        queued = await self._bookings.prepare_change(
            item.booking_id, context, options, lambda s: existing_bookings.act(s, update, context)
        )
        return [queued]

    async def _atomically(
        self, commands: Sequence[QueuedCommand], context: CallContext, status: int
    ) -> web.Response:
        try:
            replies = await self._bookings.decide_atomically(commands, context)
        except Refused as refused:
            return _answer(_refusals(refused.errors), status)
        return _answer(dict(enumerate(replies)), status)


def not_twice(
    commands: Sequence[QueuedCommand], earlier: Sequence[QueuedCommand]
) -> Sequence[QueuedCommand]:
    """These commands; ValidationFailed when one is prepared from details that an earlier one
    changes, which happens all at once with it."""
    revised = {one.command.booking_id for one in earlier if one.command.revisions is not None}
    for queued in commands:
        if queued.command.revisions is not None and queued.command.booking_id in revised:
            raise failed("id", "is changed twice: put both changes into one", "changed_twice")
    return commands


def _contexts(context: CallContext, count: int, related: bool = False) -> list[CallContext]:
    """One context an item; related bookings get ids by which they find each other."""
    parts = [context.part(str(number)) for number in range(count)]
    if not related:
        return parts
    bulk_id = uuid4() if context.command_id is None else uuid5(context.command_id, "bulk")
    return [part.bulked(bulk_id, number) for number, part in enumerate(parts)]


def _steps(
    work: Callable[..., Awaitable[Reply]],
    items: Sequence[object],
    contexts: Sequence[CallContext],
    options: ResponseOptions,
) -> list[Step]:
    """How to get the reply to each item; an item that is not valid is refused."""

    async def reply(item: object, part: CallContext) -> Reply:
        return (
            refusal_reply(item) if isinstance(item, ApiError) else await work(item, part, options)
        )

    return [partial(reply, item, part) for item, part in zip(items, contexts, strict=True)]


async def _run(steps: Sequence[Step], stops: bool) -> dict[int, Reply]:
    """The replies by number, in order; with `stops` only up to the first refusal."""
    if not stops:
        return dict(enumerate(await asyncio.gather(*(_reply_to(step) for step in steps))))
    replies: dict[int, Reply] = {}
    for number, step in enumerate(steps):
        replies[number] = await _reply_to(step)
        if replies[number].status >= 400:
            break
    return replies


async def _reply_to(step: Step) -> Reply:
    try:
        return await step()
    except ApiError as error:
        return refusal_reply(error)


def _refusals(errors: dict[int, ApiError]) -> dict[int, Reply]:
    return {number: refusal_reply(error) for number, error in errors.items()}


def _answer(replies: dict[int, Reply], status: int) -> web.Response:
    """`data` holds the bookings, `errors` the refusals; a failure when there are only these."""
    data: list[Any] = []
    errors: list[dict[str, Any]] = []
    for number, reply in replies.items():
        value = pydantic_core.from_json(reply.body) if reply.body else {}
        if reply.status < 400:
            data.append(value.get("data"))
        else:
            errors.append({"index": number, "status": reply.status, **value})
    if errors and not data:
        status = max(error["status"] for error in errors)
    position = max((r.position for r in replies.values() if r.position is not None), default=None)
    body = pydantic_core.to_json({"data": data, "errors": errors})
    return answer_of(Reply(status, body, position))
