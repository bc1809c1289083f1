"""`GET /v2/users/timezone/{email}`, which the first generation of widgets asks before it draws.

Contract section 7. This service knows no users: everyone is in the app's zone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo


def render_user_zone(zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    """The zone and its offset from UTC at `now`, in hours: -8, 5.75."""
    offset = (now.astimezone(zone).utcoffset() or timedelta()) / timedelta(hours=1)
    return {"timezone": zone.key, "utc_offset": int(offset) if offset.is_integer() else offset}
