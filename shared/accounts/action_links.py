"""Signed action links, by which a customer acts without a key: a JWT under the app's API key.

`GET /v2/bookings/{id}/external_action/{action}?signature=JWT`: HS256 over booking and action. Any
of the app's server keys signs, so links that a client made itself hold too; revoking the key ends
them. A link acts once, because what it does cannot be done twice.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import jwt

from shared.accounts.keys import SigningKey
from shared.booking_api.states import available_actions

ALGORITHM: Final = "HS256"
CUSTOMER_ACTIONS: Final = ("cancel_by_customer",)
MAX_SIGNATURE: Final = 2_000
_CHECKED: Final[Any] = {"verify_aud": False, "verify_iss": False, "verify_sub": False}


@dataclass(frozen=True, slots=True)
class ActionLinks:
    """Makes the links of an app's bookings; without a key there are none."""

    key: SigningKey | None
    base_url: str

    def of(self, booking_id: UUID, graph: str, state: str) -> dict[str, str]:
        """Action -> absolute URL, for what the customer may do now."""
        possible = available_actions(graph, state)
        return {name: self._link(booking_id, name) for name in CUSTOMER_ACTIONS if name in possible}

    def _link(self, booking_id: UUID, action: str) -> str:
        if self.key is None:
            return ""
        signature = sign(booking_id, action, self.key)
        path = f"/v2/bookings/{booking_id}/external_action/{action}"
        return f"{self.base_url}{path}?signature={signature}"


def sign(booking_id: UUID, action: str, key: SigningKey) -> str:
    """The signature that lets its bearer apply `action` to the booking."""
    payload = {"booking_id": str(booking_id), "action": action}
    with _any_key_length():
        return jwt.encode(payload, key.text, algorithm=ALGORITHM)


def is_signed(signature: str, booking_id: UUID, action: str, keys: Sequence[SigningKey]) -> bool:
    """Whether one of the keys signed exactly this; `exp` and `nbf` hold when they are there."""
    if len(signature) > MAX_SIGNATURE:
        return False
    return any(_says(signature, booking_id, action, key) for key in keys)


def _says(signature: str, booking_id: UUID, action: str, key: SigningKey) -> bool:
    try:
        with _any_key_length():
            said = jwt.decode(signature, key.text, algorithms=[ALGORITHM], options=_CHECKED)
    except (jwt.PyJWTError, ValueError):
        return False
    return said.get("booking_id") == str(booking_id) and said.get("action") == action


@contextmanager
def _any_key_length() -> Iterator[None]:
    """The demo's key is short, and no warning makes it longer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
        yield
