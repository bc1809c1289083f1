"""The API's own description: committed as it is made, served as it is committed, and kept."""

from __future__ import annotations

import asyncio
import re
import sys
from contextlib import AsyncExitStack

import asyncpg
import pytest

from services.command.app import command_service
from services.docs.committed import committed
from services.docs.openapi import document, text
from services.query.app import query_service
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresKeySource
from shared.eventlog.privacy import MasterKey
from tests.harness.callers.requests import group, payment_seats
from tests.harness.services.stack import CHECKOUT, Caller, Stack, Tenant

SCHEMATHESIS = (
    "from schemathesis.cli import schemathesis; schemathesis()"  # the command, without a PATH
)
FUZZ_SECONDS = 100


def test_the_committed_document_is_up_to_date() -> None:
    assert committed() == text(), "run python -m services.docs.openapi"


async def test_it_names_every_route_there_is_and_no_other(database_url: str) -> None:
    master = MasterKey(bytes(32))
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(asyncpg.create_pool(database_url, min_size=1))
        ring = KeyRing(PostgresKeySource(pool, master), master)
        command = await stack.enter_async_context(command_service(pool, database_url, master, ring))
        query = await stack.enter_async_context(query_service(database_url, master))
        routes = [*command.routes, *query.routes]
    served = {f"{route.method} {route.path.rstrip('/')}" for route in routes}
    named = {
        f"{method.upper()} {path}"
        for path, operations in document()["paths"].items()
        for method in operations
    }
    assert served - DESCRIBES == named


DESCRIBES = {"GET /v2/openapi.json", "GET /docs"}


async def test_it_is_served_to_everyone(stack: Stack) -> None:
    answer = await stack.call(None).get("/v2/openapi.json")
    assert (answer.status, answer.body) == (200, document())


async def test_the_page_needs_nothing_from_elsewhere(stack: Stack) -> None:
    answer = await stack.call(None).get("/docs")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "/v2/bookings/{id}/{action}" in answer.text
    assert re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", answer.text) == []
    assert "<script" not in answer.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("phases", "shown"),
    [("examples,coverage,fuzzing", "✅ Coverage"), ("stateful", "✅ Stateful")],
    ids=["each-operation", "walks"],
)
async def test_no_input_breaks_the_service(
    stack: Stack, tenant: Tenant, api: Caller, phases: str, shown: str
) -> None:
    """schemathesis makes requests out of the document, good and bad, and walks along its links,
    from what was made to what can be done with it: no answer is a 5xx."""
    owner = (await api.post("/v2/bookings", group())).id
    await api.post("/v2/bookings", payment_seats(owner))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-c", SCHEMATHESIS, "run"),
        *(f"{stack.url}/v2/openapi.json", "--auth", f"anyone:{tenant.key}"),
        *("--checks", "not_a_server_error,content_type_conformance"),
        *(
            "--phases",
            phases,
            "--max-examples",
            "8",
            "--seed",
            "7",
            "--max-time",
            "14",
        ),
        *("--request-timeout", "10", "--max-failures", "5", "--no-color"),
        *("--generation-database", "none", "--suppress-health-check", "all"),
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), FUZZ_SECONDS)
    assert process.returncode == 0, output.decode()[-6000:]
    assert shown in output.decode(), output.decode()[-6000:]
