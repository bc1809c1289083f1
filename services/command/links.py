"""`GET /v2/bookings/{id}/external_action/{action}`: a customer's click that carries its proof.

The app's key signed booking and action; no other key is sent. It acts once, and only then
redirects, to an http(s) address: who has no good signature is never sent anywhere. HEAD does
nothing, so that what previews a link does not follow it.
"""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from aiohttp import web
from yarl import URL

from services.command import acting
from services.command.desk import BookingDesk, Order
from services.command.intake import answer_of, booking_id_of
from services.command.intent import Intent
from services.command.reply import Shown
from shared.accounts.action_links import is_signed
from shared.accounts.keyring import KeyRing
from shared.booking_api.actions import Action
from shared.booking_api.errors import InvalidActionLink, NotFound, ValidationFailed
from shared.booking_api.includes import NOTHING
from shared.booking_api.timestamps import UTC_ZONE, rendering_of
from shared.http.access import for_everyone
from shared.http.middleware import request_id_of

MAX_REDIRECT = 2_000


class ActionLinkRoutes:
    """Signed links."""

    def __init__(self, desk: BookingDesk, ring: KeyRing) -> None:
        self._desk = desk
        self._ring = ring

    def routes(self) -> list[web.RouteDef]:
        path = "/v2/bookings/{id}/external_action/{action}"
        return [web.get(path, self.follow, allow_head=False)]

    @for_everyone
    async def follow(self, request: web.Request) -> web.Response:
        """Acts, then redirects or shows the booking."""
        booking_id, action = booking_id_of(request), request.match_info["action"]
        target = redirect_of(request)
        app_id = await self._signed_by(request, booking_id, action)
        intent = Intent(
            app_id=app_id,
            time_zone="UTC",
            metadata={"actor": "link", "request_id": request_id_of(request)},
        )
        reply = await self._desk.decide(await self._order(request, booking_id, action, intent))
        if reply.status != HTTPStatus.OK or target is None:
            return answer_of(reply)
        return web.Response(status=HTTPStatus.FOUND, headers={"Location": target})

    async def _signed_by(self, request: web.Request, booking_id: UUID, action: str) -> UUID:
        """The app whose key signed the link; a booking that is not there cannot be told from a
        wrong signature."""
        try:
            app_id = await self._desk.app_of(booking_id)
        except NotFound:
            raise InvalidActionLink from None
        keys = await self._ring.signing_keys(app_id)
        if not is_signed(request.query.get("signature", ""), booking_id, action, keys):
            raise InvalidActionLink
        return app_id

    async def _order(
        self, request: web.Request, booking_id: UUID, action: str, intent: Intent
    ) -> Order:
        shown = Shown(NOTHING, rendering_of(request.headers, request.query, UTC_ZONE))
        wanted = Action(action)
        return await self._desk.order_change(
            booking_id,
            intent,
            shown,
            lambda s: (acting.act(s, wanted, intent), acting.show(s, shown)),
        )


def redirect_of(request: web.Request) -> str | None:
    """Where to go afterwards: an absolute http or https address, or nowhere."""
    text = request.query.get("redirect")
    if not text:
        return None
    try:
        url = URL(text)
        if len(text) <= MAX_REDIRECT and url.scheme in ("http", "https") and url.host:
            return str(url)
    except ValueError:
        pass
    raise ValidationFailed({"redirect": ["must be an http or https address."]})
