"""Which addresses a webhook may be sent to: public ones, and nothing that has a special purpose.

The special-purpose address registries of IANA (RFC 6890, as of 2025), whether "globally reachable"
or not: nobody's receiver is there. Of IPv6 only what is given out as global unicast is called.
"""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SPECIAL_IPV4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
SPECIAL_IPV6 = tuple(
    ipaddress.IPv6Network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
"""Inside GLOBAL_UNICAST: Teredo and other protocols, documentation, 6to4, AS112."""
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class AddressRefused(OSError):
    """The host leads to no public address."""


def check_address(text: str) -> None:
    """AddressRefused unless the address is one of the public internet."""
    address = _meant(ipaddress.ip_address(text.partition("%")[0]))
    if isinstance(address, ipaddress.IPv4Address):
        is_public = not any(address in network for network in SPECIAL_IPV4)
    else:
        is_special = any(address in network for network in SPECIAL_IPV6)
        is_public = address in GLOBAL_UNICAST and not is_special
    if not is_public:
        raise AddressRefused


def _meant(address: Address) -> Address:
    """An IPv4 address inside an IPv6 one, where that is what it leads to."""
    if isinstance(address, ipaddress.IPv6Address) and (address in _MAPPED or address in _NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
