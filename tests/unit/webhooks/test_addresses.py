"""Which addresses a webhook may lead to, and how long it waits between tries."""

from __future__ import annotations

import ipaddress

import pytest

from services.query.webhooks.addresses import AddressRefused, check_address
from services.query.webhooks.sender import FAILING, Patience

IANA_IPV4 = """
0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
192.0.0.0/29 192.0.0.8/32 192.0.0.9/32 192.0.0.10/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24
192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.88.99.2/32 192.168.0.0/16 192.175.48.0/24
198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4 255.255.255.255/32
"""
IANA_IPV6 = """
::1/128 ::/128 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001::/32
2001:1::1/128 2001:1::2/128 2001:1::3/128 2001:2::/48 2001:3::/32 2001:4:112::/48 2001:10::/28
2001:20::/28 2001:30::/28 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 5f00::/16 fc00::/7
fe80::/10
"""
"""The special-purpose registries, whole. Mapped IPv4 (::ffff:0:0/96) and NAT64 (64:ff9b::/96) lead
to the IPv4 address that they hold, and are as good as that one."""
OTHERS = "224.0.0.0/4 ff00::/8 fec0::/10 ::/96 ::ffff:0:0:0/96 4000::/3 8000::/1"
"""Multicast, deprecated site-local, IPv4-compatible and IPv4-translated, and what is kept back."""
NETWORKS = f"{IANA_IPV4} {IANA_IPV6} {OTHERS}".split()
NEIGHBOURS = """
1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255
169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0 192.167.255.255
192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255
203.0.114.0 223.255.255.255
93.184.216.34 8.8.8.8 ::ffff:8.8.8.8 2001:200:: 2001:4860:4860::8888 2001:db7:ffff:: 2001:db9::
2003:: 2606:2800:220:1::1 2a00:1450:4001::1 64:ff9b::5db8:d822 3ffe:ffff:: 3fff:1000::
"""


@pytest.mark.parametrize("address", NEIGHBOURS.split())
def test_public_addresses_are_reached(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize("network", NETWORKS)
def test_nothing_of_a_special_network_is_reached(network: str) -> None:
    found = ipaddress.ip_network(network)
    for address in (found[0], found[found.num_addresses // 2], found[-1]):
        with pytest.raises(AddressRefused):
            check_address(str(address))


@pytest.mark.parametrize("network", IANA_IPV4.split())
@pytest.mark.parametrize(
    "inside", ["::ffff:{}", "64:ff9b::{}", "::{}", "2002:{hex}::", "64:ff9b:1::{}"]
)
def test_nor_is_it_inside_an_ipv6_address(network: str, inside: str) -> None:
    address = ipaddress.IPv4Network(network)[-1]
    hexadecimal = f"{int(address) >> 16:x}:{int(address) & 0xFFFF:x}"
    with pytest.raises(AddressRefused):
        check_address(inside.format(address, hex=hexadecimal))


@pytest.mark.parametrize("address", ["fe80::1%eth0", "::127.0.0.1", "64:ff9b:1::a00:1", "fec0::1"])
def test_private_addresses_are_not_however_they_are_written(address: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(address)


def test_tries_come_further_and_further_apart_within_bounds() -> None:
    patience = Patience()
    for attempts, longest in ((1, 10.0), (2, 20.0), (5, 160.0), (13, 21_600.0), (500, 21_600.0)):
        assert longest / 2 <= patience.retry_in(attempts) <= longest


def test_an_endpoint_is_left_alone_once_it_keeps_failing() -> None:
    patience = Patience()
    assert patience.pause(FAILING - 1) is None
    first, long_after = patience.pause(FAILING), patience.pause(100)
    assert first is not None and long_after is not None
    assert 2.5 <= first <= 5 and 150 <= long_after <= 300
