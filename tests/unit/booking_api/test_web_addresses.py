"""URLs that callers give: what cannot exist is refused, all else stays as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.booking_api.reading.web_addresses import UnusableUrl, as_given, check_web_url

AS_THEY_ARE = (
    "https://example.org",
    "https://example.org/q?sp=%2Ftriggers%2Frun&x=%7e%41",
    "https://example.org/p%2Fa%20b/%C3%BC/../z/./",
    "https://EXAMPLE.org:443/A?b=+&c=%2B#d",
    "http://example.org/?next=%2Fa%2Fb&next=%252F",
    "http://93.184.216.34:8080/",
    "http://[2606:2800:220:1::1]:80/x",
    "http://xn--bcher-kva.example./",
    "http://a_b.example/;x=1,2'()*!$&",
    "https://example.org/%zz%",
)
CANNOT_BE = (
    *("", "x", "ftp://example.org/", "//example.org/", "http:example.org", "javascript:alert(1)"),
    *("http://", "http:///x", "http://a b/", "http://example..org/", "http://.example.org/"),
    *("http://" + "a" * 64 + ".org/", "http://" + ".".join(["a" * 60] * 5) + "/", "http://a%20b/"),
    *("http://[::1", "http://[::1]x/", "http://[nothing]/", "http://[fe80::1%25eth0]/"),
    *("http://1.2.3.4.5/", "http://256.1.1.1/", "http://example.1/", "http://example.org:99999/"),
    *("http://example.org:0/", "http://example.org:x/", "https://me:you@example.org/"),
    *("https://me@example.org/", "https://@example.org/", "http://example.org\\@evil.example/"),
    *(f"http://example.org/{c}x" for c in "\t\n\r\0\x7f \u00a0\u200b\u2028\ud800"),
    *("http://example.org/space ", " http://example.org/", "http://example.org/" + "x" * 2_000),
)


@pytest.mark.parametrize("url", AS_THEY_ARE)
def test_what_a_uri_may_hold_stays(url: str) -> None:
    check_web_url(url)
    assert as_given(url) == url


@pytest.mark.parametrize(
    ("url", "called"),
    [
        ("https://bücher.example/ü?ü=%2F", "https://xn--bcher-kva.example/%C3%BC?%C3%BC=%2F"),
        ("https://example.org/a|b/{c}/%7Bd%7D", "https://example.org/a%7Cb/%7Bc%7D/%7Bd%7D"),
        ("https://example.org/\U0001f3ab", "https://example.org/%F0%9F%8E%AB"),
    ],
)
def test_what_a_uri_cannot_hold_is_escaped(url: str, called: str) -> None:
    check_web_url(url)
    assert as_given(url) == called


@pytest.mark.parametrize("url", CANNOT_BE)
def test_what_cannot_be_called_is_refused(url: str) -> None:
    with pytest.raises(UnusableUrl):
        check_web_url(url)


@given(st.text(st.characters(codec="ascii"), max_size=200))
def test_whatever_stands_behind_the_host_is_there_as_given(text: str) -> None:
    url = f"https://example.org/{text}"
    try:
        check_web_url(url)
    except UnusableUrl:
        return
    kept = "".join(c for c in url if c not in '"<>\\^`{|}')
    called = as_given(url)
    assert called.isascii() and (kept != url or called == url)
    assert as_given(called) == called
