"""Rate limits: one per address, before the key is looked at, and one per key.

Both are off unless set, hold per process, and let a burst of as many seconds through as the rate
has. What is remembered of callers is one number each, and bounded.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable, Iterable

from aiohttp import web

from shared.accounts.keys import Identity
from shared.booking_api.errors import TooManyRequests
from shared.runtime.metrics import SHED
from shared.runtime.settings import Network

BURST_SECONDS = 5.0
MAX_REMEMBERED = 50_000


class Rate:
    """So many requests a second for each caller, with a burst; 0 means without limit."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._due: dict[str, float] = {}

    def wait(self, caller: str) -> float:
        """0 and counted, or the seconds after which the next request would be taken."""
        if not self._interval:
            return 0.0
        now = self._clock()
        due = max(self._due.get(caller, now), now)
        if due - now > BURST_SECONDS:
            return due - now - BURST_SECONDS
        if len(self._due) >= MAX_REMEMBERED and caller not in self._due:
            self._forget(now)
        self._due[caller] = due + self._interval
        return 0.0

    def _forget(self, now: float) -> None:
        """Whoever has their whole burst again need not be remembered; else the oldest half goes."""
        self._due = {caller: due for caller, due in self._due.items() if due > now}
        if len(self._due) >= MAX_REMEMBERED:
            for caller in list(self._due)[: MAX_REMEMBERED // 2]:
                del self._due[caller]


class Limits:
    """The limits of one process; the default is none."""

    def __init__(
        self, per_key: float = 0, per_address: float = 0, trusted_proxies: Iterable[Network] = ()
    ) -> None:
        self._per_key = Rate(per_key)
        self._per_address = Rate(per_address)
        self._has_address_limit = per_address > 0
        self._trusted = tuple(trusted_proxies)

    def admit_address(self, request: web.Request) -> None:
        """TooManyRequests before anything was spent on the request."""
        if self._has_address_limit:
            _refuse(self._per_address.wait(self.address_of(request)), "address rate")

    def admit_key(self, identity: Identity | None) -> None:
        """TooManyRequests for a key that asks too often."""
        if identity is not None:
            _refuse(self._per_key.wait(str(identity.key_id)), "key rate")

    def address_of(self, request: web.Request) -> str:
        """Who asks; behind a trusted proxy, whom the proxy names. IPv6 counts by /64."""
        hops = [request.remote or "", *reversed(_forwarded(request))]
        for hop in hops:
            if not self._is_trusted(hop):
                return _subscriber(hop)
        return _subscriber(hops[-1])

    def _is_trusted(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._trusted)


def _forwarded(request: web.Request) -> list[str]:
    listed = ",".join(request.headers.getall("X-Forwarded-For", ()))
    return [hop.strip() for hop in listed.split(",") if hop.strip()]


def _subscriber(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if found.version == 4:
        return address
    return str(ipaddress.ip_network((address, 64), strict=False))


def _refuse(wait: float, reason: str) -> None:
    if wait > 0:
        SHED.add((reason,))
        raise TooManyRequests(retry_after_seconds=max(1, math.ceil(wait)))
