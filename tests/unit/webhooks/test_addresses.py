"""Which addresses a webhook may lead to, and how long it waits between tries."""

from __future__ import annotations

import pytest

from services.query.webhooks_post import AddressRefused, check_address
from services.query.webhooks_sender import FAILING, Patience


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_public_addresses_are_reached(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1"),
    ],
)
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
