"""`/v2/webhooks`: made, listed, ended; what each was told, and history told again.

Contract section 9. Server keys only; another app's webhooks do not exist.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from aiohttp import web
from pydantic_core import to_json

from services.query.http.request_options import reading_for, rendering_for
from services.query.webhooks.requests import read_secret, read_start, read_webhook
from services.query.webhooks.secrets import new_secret, seal_secret
from shared.booking_api.errors import NotFound, ValidationFailed
from shared.eventlog.privacy import MasterKey
from shared.eventlog.statements import statements_of
from shared.http.access import identity_of
from shared.http.answers import raw_json_answer
from shared.http.middleware import read_body
from shared.http.operation import Operation, routes_of
from shared.http.requests.checked import number_of, path_id, query_of
from shared.runtime.postgres import Pool

sql = statements_of(__package__)

MAX_WEBHOOKS = 100
LIMIT, MAX_LIMIT = 100, 1_000
OVERLAP = timedelta(days=1)
STATUSES = ("waiting", "delivered", "given_up", "skipped")


class WebhookRoutes:
    """All of `/v2/webhooks`."""

    def __init__(self, pool: Pool, master: MasterKey) -> None:
        self._pool = pool
        self._master = master

    def routes(self) -> list[web.RouteDef]:
        return routes_of(self)

    @Operation(
        "post",
        "/v2/webhooks",
        "createWebhook",
        "Hear of a state at an address",
        status=201,
        answers="Anything",
        body="Anything",
    )
    async def create(self, request: web.Request) -> web.Response:
        """201; clients take the id from the message, and a `data` key would hide it from them."""
        wanted = read_webhook(await read_body(request))
        webhook_id, secret = uuid4(), wanted.secret or new_secret()
        made = await self._pool.fetchval(
            *(sql("webhook_create"), webhook_id, identity_of(request).app_id),
            *(wanted.name or f"{wanted.graph}.{wanted.state}", wanted.url),
            *(wanted.graph, wanted.state, seal_secret(self._master, webhook_id, secret)),
            MAX_WEBHOOKS,
        )
        if made is None:
            message = f"There may be at most {MAX_WEBHOOKS} webhooks."
            raise ValidationFailed({"url": [message]}, "too_many_webhooks")
        meta = {"message": f"Webhook created with id {webhook_id}", "id": str(webhook_id)}
        return _answer({"meta": {**meta, **_shown_once(wanted.secret, secret)}}, 201)

    @Operation("get", "/v2/webhooks", "listWebhooks", "The app's webhooks", answers="Anything")
    async def list(self, request: web.Request) -> web.Response:
        """All of the app's webhooks, without their secrets."""
        rows = await self._pool.fetch(sql("webhook_list"), identity_of(request).app_id, None)
        return _answer({"data": [_webhook(request, row) for row in rows]})

    @Operation("get", "/v2/webhooks/{id}", "getWebhook", "A webhook", answers="Anything")
    async def one(self, request: web.Request) -> web.Response:
        return _answer({"data": _webhook(request, await self._row(request))})

    @Operation(
        "delete", "/v2/webhooks/{id}", "deleteWebhook", "Hear no more", status=204, answers=""
    )
    async def delete(self, request: web.Request) -> web.Response:
        """204; what it was still to hear is dropped."""
        found = await self._pool.fetchval(sql("webhook_delete"), *_named(request))
        if found is None:
            raise NotFound("Webhook")
        return web.Response(status=204)

    @Operation(
        "get",
        "/v2/webhooks/{id}/deliveries",
        "listDeliveries",
        "What was sent",
        answers="Anything",
        query=("limit", "before", "status"),
    )
    async def deliveries(self, request: web.Request) -> web.Response:
        """What it was told and is still to be told, the newest first."""
        limit = min(max(number_of(request, "limit", LIMIT), 1), MAX_LIMIT)
        before = number_of(request, "before", 0) or None
        await self._row(request)
        rows = await self._pool.fetch(
            sql("webhook_deliveries"), *_named(request), before, _status(request), limit
        )
        more = rows[-1]["number"] if len(rows) == limit else None
        data = [_delivery(request, row) for row in rows]
        return _answer({"data": data, "next_before": more})

    @Operation(
        "post",
        "/v2/webhooks/{id}/rotate",
        "rotateSecret",
        "A new signing secret",
        answers="Anything",
        body="Anything",
    )
    async def rotate(self, request: web.Request) -> web.Response:
        """A new secret; for a day the old one signs too, in `x-timekit-signature-previous`."""
        given = read_secret(await read_body(request))
        app_id, webhook_id = _named(request)
        secret = given or new_secret()
        sealed = seal_secret(self._master, webhook_id, secret)
        until = await self._pool.fetchval(
            sql("webhook_rotate"), app_id, webhook_id, sealed, OVERLAP
        )
        if until is None:
            raise NotFound("Webhook")
        shown = {"previous_secret_until": rendering_for(request).show(until)}
        return _answer({"meta": {**shown, **_shown_once(given, secret)}})

    @Operation(
        "post",
        "/v2/webhooks/{id}/resend",
        "resend",
        "Send again",
        answers="Anything",
        body="Anything",
    )
    async def resend(self, request: web.Request) -> web.Response:
        """202: what happened from there on is told again, under the same delivery ids."""
        start = read_start(await read_body(request), reading_for(request))
        if start.position is not None:
            after = max(start.position - 1, 0)
        else:
            after = await self._pool.fetchval(sql("webhook_position_at"), start.time)
        row = await self._pool.fetchrow(sql("webhook_resend"), *_named(request), after)
        if row is None:
            raise NotFound("Webhook")
        shown = {"from_position": row["resend_after"] + 1, "to_position": row["resend_until"]}
        return _answer({"data": shown}, 202)

    async def _row(self, request: web.Request) -> asyncpg.Record:
        row = await self._pool.fetchrow(sql("webhook_list"), *_named(request))
        if row is None:
            raise NotFound("Webhook")
        return row


def _named(request: web.Request) -> tuple[UUID, UUID]:
    """The key's app and the webhook in the path; what is no UUID names none."""
    return identity_of(request).app_id, path_id(request, "Webhook")


def _status(request: web.Request) -> str | None:
    status = query_of(request).get("status") or None
    if status is not None and status not in STATUSES:
        raise ValidationFailed({"status": [f"must be one of {', '.join(STATUSES)}."]})
    return status


def _shown_once(given: str | None, secret: str) -> dict[str, str]:
    """A secret that was made here; who gave one knows it."""
    return {} if given is not None else {"secret": secret}


def _webhook(request: web.Request, row: asyncpg.Record) -> dict[str, Any]:
    shown = _fields(request, row)
    shown["id"] = shown.pop("webhook_id")
    shown["previous_secret_until"] = shown.pop("previous_until")
    return {**shown, "method": "post"}


def _delivery(request: web.Request, row: asyncpg.Record) -> dict[str, Any]:
    shown = _fields(request, row)
    shown["id"] = shown.pop("delivery_id")
    if shown["status"] != "waiting":
        shown["due_at"] = None
    return shown


def _fields(request: web.Request, row: asyncpg.Record) -> dict[str, Any]:
    show = rendering_for(request).show
    return {
        name: show(value) if isinstance(value, datetime) else value for name, value in row.items()
    }


def _answer(value: Any, status: int = 200) -> web.Response:
    return raw_json_answer(to_json(value), status)
