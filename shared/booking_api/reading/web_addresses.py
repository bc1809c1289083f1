"""URLs that callers give us to call or to lead to: refused when they cannot exist, else as given.

What a URI may hold stays as it was written, escapes and dots included, as the other side may have
signed it; only what a URI cannot hold is escaped (RFC 3986).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from yarl import URL

MAX_URL: Final = 2_000
_LABEL = re.compile(r"[a-z0-9_-]{1,63}", re.IGNORECASE)
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^:@\[\]]+)(?::\d*)?", re.IGNORECASE)
_PARTS = re.compile(r"([^:/?#]*:)//([^/?#]*)(.*)", re.DOTALL)
_NOT_IN_URIS = re.compile(r"[^!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+")
_DEFAULT_PORTS: Mapping[str, int] = {"http": 80, "https": 443}


class UnusableUrl(ValueError):
    """Why it cannot be called, for whoever gave it."""


def check_web_url(text: str) -> None:
    """UnusableUrl unless it is an http or https URL of a host that can exist, at most MAX_URL long
    and without user name, password, white space or control characters."""
    if len(text) > MAX_URL or " " in text or not text.isprintable():
        raise UnusableUrl("must not hold white space or control characters, nor be too long")
    try:
        parts = urlsplit(text)
        port = parts.port if parts.port is not None else _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        raise UnusableUrl("must be an http or https URL") from None
    if parts.scheme not in _DEFAULT_PORTS or not port or not _can_exist(_host_of(parts)):
        raise UnusableUrl("must be an http or https URL of a host that can exist")
    if "@" in parts.netloc:
        raise UnusableUrl("must not hold a user name or password")


def as_given(text: str) -> str:
    """The URL in the characters of URIs: every one of them that is there already stays."""
    found = _PARTS.fullmatch(text)
    if found is None:
        return _escaped(text)
    scheme, authority, rest = found.groups()
    if not authority.isascii():
        authority = URL(f"http://{authority}").raw_authority
    return f"{scheme}//{_escaped(authority)}{_escaped(rest)}"


def _escaped(text: str) -> str:
    return _NOT_IN_URIS.sub(lambda found: quote(found[0].encode("utf-8", "replace")), text)


def _host_of(parts: SplitResult) -> str:
    """The host in ASCII, an IPv6 address in its brackets; "" when there is none."""
    found = _AUTHORITY.fullmatch(parts.netloc.rpartition("@")[2])
    if found is None:
        return ""
    host = found[1]
    try:
        return host if host.isascii() else URL(f"http://{host}").raw_host or ""
    except ValueError:
        return ""


def _can_exist(host: str) -> bool:
    if host.startswith("["):
        return _is_ipv6(host[1:-1])
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    return _is_ipv4(host) if _NUMBER.fullmatch(labels[-1]) else True


def _is_ipv6(text: str) -> bool:
    try:
        return not ipaddress.IPv6Address(text).scope_id
    except ValueError:
        return False


def _is_ipv4(host: str) -> bool:
    """In one of the ways that getaddrinfo reads."""
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True
