"""`POST|PUT /v2/bookings/bulk`: many bookings in one request, each decided by itself or all as one.

Contract section 7. With `delete_all_on_error` (creating) and `reset_all_on_error` (updating) it is
one append: all or nothing. `stop_on_first_error` leaves the rest undone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import uuid4, uuid5

import pydantic_core
from aiohttp import web

from services.command.commit.atomic import Refused
from services.command.commit.queued_command import QueuedCommand
from services.command.commit.reply import Reply, Shown, refusal_reply
from services.command.http.bulk_actions import act_on_all
from services.command.http.request_context import answer_of, circumstances_of, intent_of, shown_of
from services.command.requests.actions import Action
from services.command.requests.bulk import (
    BulkItem,
    BulkUpdate,
    NewBooking,
    read_bulk_create,
    read_bulk_update,
)
from services.command.schedule.double_bookings import Overlaps
from services.command.use_cases import existing_bookings
from services.command.use_cases.bookings import BookingDesk, up_to_date
from services.command.use_cases.call_context import Intent
from shared.booking_api.errors import ApiError
from shared.booking_api.reading.validation import failed
from shared.eventlog.privacy import MasterKey
from shared.http.middleware import read_body

Step = Callable[[], Awaitable[Reply]]


class BulkRoutes:
    """Many bookings at once."""

    def __init__(self, desk: BookingDesk, master: MasterKey, overlaps: Overlaps) -> None:
        self._desk = desk
        self._master = master
        self._overlaps = overlaps

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v2/bookings/bulk", self.create),
            web.put("/v2/bookings/bulk", self.update),
            web.put("/v2/bookings", self.update),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """`POST /v2/bookings/bulk`, and a bulk's body sent to `/v2/bookings`."""
        body = await read_body(request)
        intent, shown = intent_of(request, body, self._master), shown_of(request)
        await self._desk.replay(intent.part("0"))
        asked = read_bulk_create(body, circumstances_of(request, intent, self._desk.now()))
        intents = _intents(intent, len(asked.items), asked.relate_bookings)
        stops, whole = asked.stop_on_first_error, asked.delete_all_on_error
        came_before = await self._claim(intent, asked.items, stops, whole)
        if whole:
            known = await self._known(intents) if came_before else None
            return known or await self._create_all(asked.items, intents, shown)
        steps = [
            _invalid(item)
            if isinstance(item, ApiError)
            else _step(self._create_one, item, part, shown)
            for item, part in zip(asked.items, intents, strict=True)
        ]
        if came_before:
            steps = [self._kept(part, step) for part, step in zip(intents, steps, strict=True)]
        return _answer(await _run(steps, stops), 201)

    async def update(self, request: web.Request) -> web.Response:
        """`PUT /v2/bookings/bulk`, also at `/v2/bookings`."""
        body = await read_body(request)
        intent, shown = intent_of(request, body, self._master), shown_of(request)
        await self._desk.replay(intent.part("0"))
        asked = read_bulk_update(body)
        intents = _intents(intent, len(asked.items))
        stops, whole = asked.stop_on_first_error, asked.reset_all_on_error
        await self._claim(intent, asked.items, stops, whole)
        if whole:
            return await up_to_date(lambda: self._update_all(asked, intents, shown))
        steps = [
            _invalid(item)
            if isinstance(item, ApiError)
            else _step(self._update_one, item, part, shown)
            for item, part in zip(asked.items, intents, strict=True)
        ]
        return _answer(await _run(steps, stops), 200)

    async def _claim(
        self, intent: Intent, items: Sequence[object], stops: bool, whole: bool
    ) -> bool:
        """Whether the request came before. What nothing will be done of does not use up its key,
        as a single request does not that is refused for its form."""
        valid = [not isinstance(item, ApiError) for item in items]
        begins = all(valid) if whole else valid[0] if stops else any(valid)
        return begins and await self._desk.claim(intent)

    async def _known(self, parts: Sequence[Intent]) -> web.Response | None:
        """The first answer to what happened as one; None when it did not happen."""
        replies = [await self._desk.replay(part) for part in parts[:1]]
        if None in replies:
            return None
        replies += [await self._desk.replay(part) for part in parts[1:]]
        known = {number: reply for number, reply in enumerate(replies) if reply is not None}
        return _answer(known, 201)

    def _kept(self, part: Intent, step: Step) -> Step:
        """The first answer to the part, if it has one: an item may have been valid then, or its
        resource is taken by the group that it made."""

        async def reply() -> Reply:
            return await self._desk.replay(part) or await step()

        return reply

    async def _create_one(self, new: NewBooking, intent: Intent, shown: Shown) -> Reply:
        queued = await self._desk.prepare(new, intent, shown)
        async with self._overlaps.kept_out(intent.app_id, new):
            return await self._desk.decide(queued, intent)

    async def _create_all(
        self, items: Sequence[NewBooking | ApiError], intents: Sequence[Intent], shown: Shown
    ) -> web.Response:
        invalid = {n: item for n, item in enumerate(items) if isinstance(item, ApiError)}
        if invalid:
            return _answer(_refusals(invalid), 201)
        news = [item for item in items if not isinstance(item, ApiError)]
        commands = [
            await self._desk.prepare(new, part, shown)
            for new, part in zip(news, intents, strict=True)
        ]
        async with self._overlaps.kept_out(intents[0].app_id, *news):
            return await self._atomically(commands, intents[0], 201)

    async def _update_one(self, item: BulkItem, intent: Intent, shown: Shown) -> Reply:
        if isinstance(item.update, Action):
            return await act_on_all(self._desk, item.booking_id, item.update, intent, shown)
        return await self._desk.change(item.booking_id, item.update, intent, shown)

    async def _update_all(
        self, asked: BulkUpdate, intents: Sequence[Intent], shown: Shown
    ) -> web.Response:
        refused: dict[int, ApiError] = {}
        commands: list[QueuedCommand] = []
        for number, (item, part) in enumerate(zip(asked.items, intents, strict=True)):
            try:
                if isinstance(item, ApiError):
                    raise item
                commands += not_twice(await self._commands(item, part, shown), commands)
            except ApiError as error:
                refused[number] = error
        if refused:
            return _answer(_refusals(refused), 200)
        return await self._atomically(commands, intents[0], 200)

    async def _commands(self, item: BulkItem, intent: Intent, shown: Shown) -> list[QueuedCommand]:
        update = item.update
        if not isinstance(update, Action):
            return await self._desk.prepare_changes(item.booking_id, update, intent, shown)
        queued = await self._desk.prepare_change(
            item.booking_id, intent, shown, lambda s: existing_bookings.act(s, update, intent)
        )
        return [queued]

    async def _atomically(
        self, commands: Sequence[QueuedCommand], intent: Intent, status: int
    ) -> web.Response:
        try:
            replies = await self._desk.decide_atomically(commands, intent)
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


def _intents(intent: Intent, count: int, related: bool = False) -> list[Intent]:
    """One will an item; related bookings get ids by which they find each other."""
    parts = [intent.part(str(number)) for number in range(count)]
    if not related:
        return parts
    bulk_id = uuid4() if intent.command_id is None else uuid5(intent.command_id, "bulk")
    return [part.bulked(bulk_id, number) for number, part in enumerate(parts)]


def _step(work: Callable[..., Awaitable[Reply]], item: object, part: Intent, shown: Shown) -> Step:
    return lambda: work(item, part, shown)


def _invalid(error: ApiError) -> Step:
    async def refuse() -> Reply:
        return refusal_reply(error)

    return refuse


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
