"""`GET /v2/bookings/{id}/external_action/{action}`: a customer's click that carries its proof.

The app's key signed booking and action; no other key is sent. It acts once, and only then
redirects, to an http(s) address: who has no good signature is never sent anywhere. HEAD and a
browser's prefetch do nothing. POST acts; so does GET, as Timekit's clients expect, unless
SEATLEDGER_CONFIRM_LINKS is on: then it shows a page whose one button posts.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from uuid import UUID

from aiohttp import web

from services.command.commit.queued_command import QueuedCommand
from services.command.commit.reply import ResponseOptions
from services.command.http.confirmation_page import Stage, page, places_of
from services.command.http.request_context import answer_of
from services.command.requests.actions import Action
from services.command.use_cases import existing_bookings
from services.command.use_cases.bookings import Bookings
from services.command.use_cases.call_context import CallContext
from shared.accounts.action_links import is_signed
from shared.accounts.keyring import KeyRing
from shared.booking_api.errors import (
    ApiError,
    InvalidActionLink,
    NotFound,
    ValidationFailed,
)
from shared.booking_api.reading.timestamps import UTC_ZONE, rendering_of
from shared.booking_api.reading.web_addresses import UnusableUrl, as_given, check_web_url
from shared.booking_api.rendering.includes import NOTHING
from shared.http.access import for_everyone
from shared.http.html import html_answer, is_wanted
from shared.http.middleware import request_id_of
from shared.http.operation import Operation, routes_of
from shared.http.problems import answer_to
from shared.http.requests.checked import path_id, query_of

PREFETCHING = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_IS_PREFETCH = re.compile(r"\b(prefetch|prerender|preview)\b", re.IGNORECASE)

LINK = "/v2/bookings/{id}/external_action/{action}"
CONFIRMED = "With `SEATLEDGER_CONFIRM_LINKS` GET shows a page, and only POST acts."


class LinkPrefetched(ApiError):
    """This link acts: it is not followed before somebody clicks on it."""

    status = 403
    code = "link_prefetched"


class ActionLinkRoutes:
    """Signed links."""

    def __init__(self, bookings: Bookings, ring: KeyRing, confirm: bool = False) -> None:
        self._bookings = bookings
        self._ring = ring
        self._confirm = confirm

    def routes(self) -> list[web.RouteDef]:
        return routes_of(self)

    @Operation(
        "get",
        LINK,
        "followLink",
        "A customer's signed link: acts once, then redirects",
        query=("signature", "redirect"),
        note=CONFIRMED,
        allows_head=False,
    )
    @for_everyone
    async def follow(self, request: web.Request) -> web.Response:
        """Acts, or asks first whether that is meant."""
        refuse_prefetch(request)
        if not self._confirm:
            return await self._acted(request)
        await self._signed_by(request)
        return _page("ask", request, target=redirect_of(request))

    @Operation(
        "post",
        LINK,
        "actByLink",
        "A customer's signed link, confirmed",
        query=("signature", "redirect"),
        note=CONFIRMED,
    )
    @for_everyone
    async def act(self, request: web.Request) -> web.Response:
        """Acts; who comes from the page gets a page."""
        if not is_wanted(request):
            return await self._acted(request)
        try:
            answer = await self._acted(request)
        except ApiError as error:
            answer = answer_to(error, request)
        if answer.status in (HTTPStatus.OK, HTTPStatus.UNPROCESSABLE_ENTITY):
            stage: Stage = "done" if answer.status == HTTPStatus.OK else "refused"
            return _page(stage, request, answer.status)
        return answer

    async def _acted(self, request: web.Request) -> web.Response:
        """Redirects, or shows the booking."""
        target = redirect_of(request)
        app_id = await self._signed_by(request)
        context = CallContext(
            app_id=app_id,
            time_zone="UTC",
            metadata={"actor": "link", "request_id": request_id_of(request)},
        )
        reply = await self._bookings.decide(await self._command(request, context), context)
        if reply.status != HTTPStatus.OK or target is None:
            return answer_of(reply)
        is_post = request.method == "POST"
        status = HTTPStatus.SEE_OTHER if is_post else HTTPStatus.FOUND
        return web.Response(status=status, headers={"Location": target})

    async def _signed_by(self, request: web.Request) -> UUID:
        """The app whose key signed the link; a booking that is not there cannot be told from a
        wrong signature."""
        booking_id, action = path_id(request), request.match_info["action"]
        try:
            app_id = await self._bookings.app_of(booking_id)
        except NotFound:
            raise InvalidActionLink from None
        keys = await self._ring.signing_keys(app_id)
        if not is_signed(query_of(request).get("signature", ""), booking_id, action, keys):
            raise InvalidActionLink
        return app_id

    async def _command(self, request: web.Request, context: CallContext) -> QueuedCommand:
        options = ResponseOptions(
            NOTHING, rendering_of(request.headers, query_of(request), UTC_ZONE)
        )
        wanted = Action(request.match_info["action"])
        return await self._bookings.prepare_change(
            path_id(request), context, options, lambda s: existing_bookings.act(s, wanted, context)
        )


def refuse_prefetch(request: web.Request) -> None:
    """LinkPrefetched when a browser only looks ahead; its user's own click comes without that."""
    headers = request.headers
    if any(_IS_PREFETCH.search(headers.get(name, "")) for name in PREFETCHING):
        raise LinkPrefetched


def _page(
    stage: Stage, request: web.Request, status: int = HTTPStatus.OK, target: str | None = None
) -> web.Response:
    languages = request.headers.get("Accept-Language", "")
    text = page(stage, request.match_info["action"], languages)
    answer = html_answer(text, status, places_of(target))
    answer.headers.update({"Cache-Control": "no-store", "Vary": "Accept-Language"})
    return answer


def redirect_of(request: web.Request) -> str | None:
    """Where to go afterwards: an absolute http or https address, or nowhere."""
    text = query_of(request).get("redirect")
    if not text:
        return None
    text = text.replace(" ", "%20")  # the link's own query was decoded to read it
    try:
        check_web_url(text)
    except UnusableUrl as error:
        raise ValidationFailed({"redirect": [f"{error}."]}) from None
    return as_given(text)
