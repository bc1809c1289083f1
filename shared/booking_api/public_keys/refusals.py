"""The errors that public keys and the published demo key are answered with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.booking_api.errors import ApiError, CustomerLimitReached, Forbidden


@dataclass(eq=False)
class NotForPublicKeys(Forbidden):
    """This key is public: it may not ask for that."""

    code = "not_for_public_keys"
    field: str
    message: str

    def to_body(self) -> dict[str, Any]:
        return {"errors": {self.field: [self.message]}, **super().to_body()}


class DemoKeyElsewhere(Forbidden):
    """The demo key is for pages and programs of this machine: Host and Origin must be loopback."""

    code = "demo_key_elsewhere"


class CustomerMayNotHoldMore(CustomerLimitReached):
    """This customer may not hold that many seats of this group."""

    def __init__(self) -> None:
        """Names no number: for public keys."""


class SeatsRefused(ApiError):
    """These seats cannot be booked."""

    code = "seats_refused"


@dataclass(eq=False)
class WrongGraph(ApiError):
    """Seats of this group are booked by the graph {graph}."""

    code = "wrong_graph"
    graph: str

    def to_body(self) -> dict[str, Any]:
        message = f"The graph field must be {self.graph} in this group."
        return {"errors": {"graph": [message]}, "action": "save_booking_data", "code": self.code}
