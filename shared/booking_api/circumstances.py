"""A request's circumstances: the time, the app's zone, and how the request writes timestamps."""

from __future__ import annotations

from datetime import datetime

from shared.booking_api.reading.timestamps import Reading
from shared.domain.values import value

_BY_DEFAULT = Reading()


@value
class Circumstances:
    """`now` is aware; `time_zone` is the app's (IANA name), for groups and customers without;
    `is_public`: whoever asks holds a public key."""

    now: datetime
    time_zone: str = "UTC"
    reading: Reading = _BY_DEFAULT
    is_public: bool = False
