"""What callers send about webhooks, checked before anything is done.

Contract section 9: `{url, graph, state, method: "post"}`; a name and a secret may be given too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from shared.booking_api.reading.json_body import read_object, read_optional_object
from shared.booking_api.reading.request_models import RequestModel
from shared.booking_api.reading.timestamps import Reading, UnreadableTimestamp
from shared.booking_api.reading.validation import failed, validated
from shared.booking_api.reading.web_addresses import MAX_URL, UnusableUrl, check_web_url
from shared.booking_api.states import GRAPHS

Secret = Annotated[str, StringConstraints(strict=True, min_length=8, max_length=200)]


class WebhookToCreate(RequestModel):
    """`POST /v2/webhooks`; without a secret one is made and shown once."""

    url: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=MAX_URL)]
    graph: Annotated[str, StringConstraints(strict=True, max_length=100)]
    state: Annotated[str, StringConstraints(strict=True, max_length=100)]
    method: Annotated[str, StringConstraints(strict=True, max_length=20)] = "post"
    name: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=100)] | None = None
    secret: Secret | None = None


class SecretToRotate(RequestModel):
    """`POST /v2/webhooks/{id}/rotate`."""

    secret: Secret | None = None


class HistoryToResend(RequestModel):
    """`POST /v2/webhooks/{id}/resend`: from a position on, or from a time."""

    from_position: Annotated[int, Field(strict=True, ge=0)] | None = None
    since: Annotated[str | None, Field(alias="from", max_length=100)] = None


@dataclass(frozen=True, slots=True)
class Start:
    """Where history begins: at a position, or at a time."""

    position: int | None
    time: datetime | None


def read_webhook(body: bytes) -> WebhookToCreate:
    """A webhook to make; BodyRefused, PayloadTooLarge or ValidationFailed."""
    wanted = validated(WebhookToCreate, read_object(body))
    _check_url(wanted.url)
    if wanted.graph not in GRAPHS:
        raise failed("graph", f"must be one of {', '.join(GRAPHS)}")
    if wanted.state not in GRAPHS[wanted.graph]:
        raise failed("state", f"must be one of {', '.join(GRAPHS[wanted.graph])}")
    if wanted.method.lower() != "post":
        raise failed("method", "must be post")
    return wanted


def read_secret(body: bytes) -> str | None:
    """The secret to take from now on, if one is given."""
    return validated(SecretToRotate, read_optional_object(body)).secret


def read_start(body: bytes, reading: Reading) -> Start:
    """Where to begin to send again; ValidationFailed unless exactly one way is given."""
    wanted = validated(HistoryToResend, read_object(body))
    if (wanted.from_position is None) == (wanted.since is None):
        raise failed("from_position", "is required, or `from` with a time")
    if wanted.since is None:
        return Start(wanted.from_position, None)
    try:
        return Start(None, reading.read(wanted.since))
    except UnreadableTimestamp as error:
        raise failed("from", f"must be a time: {error}") from None


def _check_url(text: str) -> None:
    try:
        check_web_url(text)
    except UnusableUrl as error:
        raise failed("url", str(error)) from None
