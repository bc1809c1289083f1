"""Webhooks over the whole service as its operator runs it: from the booking to the receiver."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from aiohttp import ClientSession, ClientTimeout

from tests.harness.services.installation import Installation
from tests.harness.waiting import until
from tests.integration.operations.serving import auth, new_group, new_seat, series_of, total, whole
from tests.integration.webhooks.calls import SECRET
from tests.integration.webhooks.receiver import Receiver

BOOKINGS = 6
PATIENT = ClientTimeout(total=30)
COUNT = "seatledger_webhook_deliveries_total"


class Client:
    """Calls of one app."""

    def __init__(self, session: ClientSession, url: str, installation: Installation) -> None:
        self._session = session
        self._url = url
        self._headers = auth(installation.key)

    async def post(self, path: str, body: dict[str, Any], wanted: int = 201) -> Any:
        """The answer's JSON."""
        url = f"{self._url}/v2{path}"
        async with self._session.post(url, json=body, headers=self._headers) as answer:
            assert answer.status == wanted, await answer.text()
            return await answer.json()

    async def listen(self, url: str, state: str) -> None:
        about = {"url": url, "graph": "group_customer", "state": state}
        await self.post("/webhooks", {**about, "method": "post", "secret": SECRET, "name": url})


async def test_from_a_booking_over_http_to_its_receiver_and_the_series(
    database_url: str, receiver: Receiver
) -> None:
    receiver.answers["/broken"] = 500
    running = whole(database_url, SEATLEDGER_WEBHOOKS_PRIVATE="true")
    async with running as (installation, process), ClientSession(timeout=PATIENT) as session:
        client = Client(session, process.url, installation)
        await client.listen(f"{receiver.url}/hook", "confirmed")
        await client.listen(f"{receiver.url}/broken", "confirmed")
        group_id = (await client.post("/bookings", new_group()))["data"]["id"]
        booked = [
            (await client.post("/bookings", new_seat(group_id, f"c{number}@example.org")))["data"]
            for number in range(BOOKINGS)
        ]
        await receiver.until(lambda r: len(r.at("/hook")) >= BOOKINGS)
        told = receiver.at("/hook")
        assert {one.booking["id"] for one in told} == {each["id"] for each in booked}
        for one in told:
            signature = hmac.new(SECRET.encode(), one.body, hashlib.sha256).hexdigest()
            assert one.headers["x-timekit-signature"] == signature
            assert one.booking["state"] == "confirmed" and one.booking["customers"]

        async def is_shown() -> bool:
            seen = await series_of(session, process.url)
            return (
                total(seen, COUNT, outcome="delivered") == BOOKINGS
                and total(seen, COUNT, outcome="failed") >= BOOKINGS - 1
                and total(seen, "seatledger_webhook_endpoints", state="failing") == 1
                and total(seen, "seatledger_webhook_endpoints", state="working") == 1
                and total(seen, "seatledger_webhook_oldest_due_seconds") == 0
            )

        await until(is_shown, 60, "what happened in the series")
