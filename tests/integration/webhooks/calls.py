"""`/v2/webhooks` as a caller uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.integration.query.api import KEY, Api, Got
from tests.integration.webhooks.receiver import Receiver

SECRET = "a shared secret"


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The webhooks of one key's app."""

    api: Api
    receiver: Receiver
    key: str = KEY

    async def post(self, path: str, body: Any) -> Got:
        return await self.api.send("POST", f"/webhooks{path}", body, self.key)

    async def create(
        self, state: str, path: str = "/hook", graph: str = "group_customer", **more: Any
    ) -> str:
        """The id as clients find it: what follows the first `id ` of the message."""
        body = {"url": self.receiver.url + path, "graph": graph, "state": state, "method": "post"}
        got = await self.post("", {**body, "secret": SECRET, **more})
        assert (got.status, list(got.body)) == (201, ["meta"]), got
        return str(got.body["meta"]["message"]).partition("id ")[2]

    async def deliveries(self, webhook_id: str, query: str = "") -> list[dict[str, Any]]:
        got = await self.api.get(f"/webhooks/{webhook_id}/deliveries{query}", self.key)
        assert got.status == 200, got
        found: list[dict[str, Any]] = got.body["data"]
        return found
