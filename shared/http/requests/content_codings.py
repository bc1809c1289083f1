"""Content-Encoding of request bodies: the known ones are decoded, another is refused with 415.

aiohttp decodes gzip and deflate, and br and zstd where a library for them is installed; another
name would pass as if the body were plain, x-gzip too, which RFC 9110 has recipients read as gzip.
"""

from __future__ import annotations

import zlib
from typing import Final

from aiohttp import hdrs, web

from shared.booking_api.errors import ApiError, BodyRefused, PayloadTooLarge

KNOWN: Final = frozenset(("identity", "gzip", "x-gzip", "deflate", "br", "zstd"))
"""A body in br or zstd comes this far only when it could be decoded."""
_GZIP_FORMAT: Final = 16 + zlib.MAX_WBITS


class UnsupportedCoding(ApiError):
    """The Content-Encoding of the request body is not supported; gzip and deflate are."""

    status = 415
    code = "unsupported_content_encoding"

    def headers(self) -> dict[str, str]:
        return {"Accept-Encoding": "gzip, deflate"}


def check_coding(request: web.Request) -> None:
    """UnsupportedCoding, unless the body is in one coding that we know, or there is none."""
    is_coded = hdrs.CONTENT_ENCODING in request.headers and request.body_exists
    if is_coded and _coding_of(request) not in KNOWN:
        raise UnsupportedCoding


def decoded(body: bytes, request: web.Request) -> bytes:
    """The body without the coding that aiohttp does not know; PayloadTooLarge, BodyRefused."""
    if hdrs.CONTENT_ENCODING not in request.headers or _coding_of(request) != "x-gzip":
        return body
    return unzipped(body, request.client_max_size) if body else body


def unzipped(body: bytes, limit_bytes: int) -> bytes:
    """One gzip member, whole, that is not longer than the limit."""
    reader = zlib.decompressobj(_GZIP_FORMAT)
    try:
        plain = reader.decompress(body, limit_bytes + 1)
    except zlib.error:
        plain = b""
    if len(plain) > limit_bytes:
        raise PayloadTooLarge(limit_bytes)
    if not reader.eof or reader.unused_data:
        raise BodyRefused("unreadable_body", "The request body cannot be read.")
    return plain


def _coding_of(request: web.Request) -> str:
    return ",".join(request.headers.getall(hdrs.CONTENT_ENCODING)).strip().lower()
