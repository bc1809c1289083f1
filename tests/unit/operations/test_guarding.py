"""The guards of every answer: TLS with the operator's certificate, headers, no key no series."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from shared.accounts.keyring import KeyRing
from shared.http.application import Offer, build_application, tls_context
from shared.http.exposition import Place
from shared.http.server import listen, serving
from shared.runtime.settings import ConfigurationError, Settings
from tests.harness.servers import certificates
from tests.integration.operations.serving import auth
from tests.unit.http.doors import MASTER, ROUTES, KnownKeys


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key."""
    return certificates.certificate(tmp_path, "seatledger")


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[int]:
    app = build_application(
        settings, KeyRing(KnownKeys(), MASTER), Offer(ROUTES, []), Place("test")
    )
    listener = listen("127.0.0.1", 0)
    async with serving(app, listener, tls=tls_context(settings)):
        yield listener.getsockname()[1]


async def test_tls_without_a_proxy(certificate: tuple[Path, Path]) -> None:
    settings = Settings(tls_cert=certificate[0], tls_key=certificate[1])
    trusted = ssl.create_default_context(cafile=str(certificate[0]))
    async with served(settings) as port, aiohttp.ClientSession() as session:
        url = f"https://127.0.0.1:{port}"
        async with session.get(f"{url}/health/live", ssl=trusted) as answer:
            assert answer.status == 200
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        old = ssl.create_default_context(cafile=str(certificate[0]))
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        async with session.get(f"{url}/health/live", ssl=old) as answer:
            assert answer.status == 200


def test_a_key_that_does_not_fit_is_one_line(certificate: tuple[Path, Path]) -> None:
    with pytest.raises(ConfigurationError, match="do not fit"):
        tls_context(Settings(tls_cert=certificate[0], tls_key=certificate[0]))


async def test_every_answer_carries_the_guards() -> None:
    async with served(Settings()) as port, aiohttp.ClientSession() as session:
        for path in ("/health/live", "/nowhere", "/crash"):
            async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                headers = answer.headers
                assert headers["X-Content-Type-Options"] == "nosniff"
                assert headers["X-Frame-Options"] == "DENY"
                assert headers["Referrer-Policy"] == "no-referrer"
                assert headers["Cache-Control"] == "private, no-cache"
                assert "Strict-Transport-Security" not in headers
                assert "aiohttp" not in headers.get("Server", "")


async def test_heads_that_are_too_large_are_refused() -> None:
    async with served(Settings()) as port, aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{port}/whoami"
        async with session.get(url, headers={"X-Long": "x" * 20_000}) as answer:
            assert answer.status == 400
        async with session.get(url, headers={f"X-{n}": "x" for n in range(500)}) as answer:
            assert answer.status == 400


@pytest.mark.parametrize(
    ("key", "headers", "status"),
    [
        (None, {}, 200),
        (None, {"X-Forwarded-For": "203.0.113.7"}, 403),
        (None, {"X-Forwarded-Host": "book.example.org"}, 403),
        (None, {"X-Forwarded-Proto": "https"}, 403),
        (None, {"X-Real-IP": "203.0.113.7"}, 403),
        (None, {"Forwarded": "for=203.0.113.7"}, 403),
        (None, {"Via": "1.1 proxy"}, 403),
        ("only-prometheus", {}, 403),
        ("only-prometheus", auth("wrong"), 403),
        ("only-prometheus", auth("only-prometheus"), 200),
        ("only-prometheus", {"Authorization": "Bearer only-prometheus"}, 200),
    ],
)
async def test_series_are_for_this_machine_or_for_the_key(
    key: str | None, headers: Mapping[str, str], status: int
) -> None:
    settings = Settings(metrics_key=None if key is None else SecretStr(key))
    async with served(settings) as port, aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{port}/metrics"
        async with session.get(url, headers=headers) as answer:
            assert answer.status == status
