"""Routes of the documentation, `/v2/openapi.json` and `/docs`: without a key, also offline."""

from __future__ import annotations

import json
from functools import lru_cache

from aiohttp import web

from services.docs.committed import committed
from services.docs.page import page
from shared.http.access import for_everyone
from shared.http.answers import raw_json_answer
from shared.http.html import html_answer
from shared.http.requests.addresses import ADDRESSES


def documentation_routes() -> list[web.RouteDef]:
    """Read only, the same in every process."""
    return [web.get("/v2/openapi.json", openapi), web.get("/docs", docs)]


@for_everyone
async def openapi(request: web.Request) -> web.Response:
    """The OpenAPI 3.1 document."""
    return raw_json_answer(_document(request.app[ADDRESSES].public_url or "/"))


@for_everyone
async def docs(request: web.Request) -> web.Response:
    """The same for people, as one page."""
    return html_answer(page())


@lru_cache(maxsize=4)
def _document(server: str) -> bytes:
    document = json.loads(committed())
    return json.dumps({**document, "servers": [{"url": server}]}, ensure_ascii=False).encode()
