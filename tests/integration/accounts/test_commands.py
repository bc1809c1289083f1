"""`seatledger apps` and `keys`, and the demo app, as an operator runs them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

import pytest

from shared.accounts.demo import ensure_demo
from shared.runtime.settings import ConfigurationError, Settings
from tests.harness import commands

MASTER = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


async def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
    return await commands.seatledger(*arguments, SEATLEDGER_MASTER_KEY=MASTER, **environment)


async def seatledger(dsn: str, *arguments: str) -> list[dict[str, Any]]:
    status, out, err = await run(*arguments, "--json", DATABASE_URL=dsn)
    assert status == 0, err
    return [json.loads(line) for line in out.splitlines()]


def settings(dsn: str, **values: object) -> Settings:
    return Settings.model_validate({"database_url": dsn, "master_key": MASTER, **values})


async def test_an_operator_makes_lists_and_revokes(database_url: str) -> None:
    [app] = await seatledger(database_url, "apps", "create", "Doc Brown", "--test")
    assert (app["slug"], app["is_test"]) == ("doc-brown", True)
    [key] = await seatledger(database_url, "keys", "create", "--app", "doc-brown")
    assert key["key"].startswith("test_api_key_")
    [listed] = await seatledger(database_url, "keys", "list", "--app", "doc-brown")
    assert listed["key_id"] == key["key_id"] and listed["revoked_at"] is None
    assert listed["key"] == f"test_api_key_…{key['key'][-4:]}"
    [revoked] = await seatledger(database_url, "keys", "revoke", key["key_id"])
    [listed] = await seatledger(database_url, "keys", "list")
    assert listed["revoked_at"] == revoked["revoked_at"] is not None


async def test_tables_show_whole_values(database_url: str) -> None:
    [app] = await seatledger(database_url, "apps", "create", "Doc Brown")
    status, out, _ = await run("apps", "list", DATABASE_URL=database_url)
    assert status == 0 and app["app_id"] in out and "Doc Brown" in out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["apps", "create", "日本"], "no slug can be made"),
        (["apps", "create", "Doc", "--time-zone", "Mars"], "no time zone"),
        (["keys", "create", "--app", "nobody"], "no app with the slug"),
        (["keys", "list", "--app", "nobody"], "no app with the slug"),
        (["keys", "revoke", "0f8fad5b-d9cb-469f-a165-70867728950e"], "there is no key"),
    ],
)
async def test_a_refusal_is_one_line(database_url: str, arguments: list[str], line: str) -> None:
    status, out, err = await run(*arguments, DATABASE_URL=database_url)
    assert (status, out, len(err.splitlines())) == (1, "", 1)
    assert line in err


@pytest.mark.parametrize(
    ("dsn", "line"),
    [
        ("postgresql://127.0.0.1:1/x", "no connection to PostgreSQL"),
        ("nonsense", "no connection to PostgreSQL"),
        ("", "DATABASE_URL"),
    ],
)
async def test_no_database_is_one_line(dsn: str, line: str) -> None:
    status, out, err = await run("apps", "list", DATABASE_URL=dsn)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert line in err


async def test_a_database_without_tables_is_one_line(empty_database_url: str) -> None:
    status, _, err = await run("apps", "list", DATABASE_URL=empty_database_url)
    assert (status, len(err.splitlines())) == (2, 1)
    assert "python -m shared.migrate" in err


async def test_the_demo_is_made_once(database_url: str) -> None:
    assert await ensure_demo(settings(database_url)) is True
    assert await ensure_demo(settings(database_url)) is False
    assert await ensure_demo(settings(database_url, demo_key="another")) is True
    [app] = await seatledger(database_url, "apps", "list")
    assert (app["slug"], app["is_test"]) == ("demo", True)


async def test_the_demo_is_refused_where_others_could_reach_it(database_url: str) -> None:
    with pytest.raises(ConfigurationError, match="loopback"):
        await ensure_demo(settings(database_url, host="0.0.0.0"))  # noqa: S104
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "shared.accounts.demo",
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "SEATLEDGER_HOST": "192.0.2.1"},
    )
    _, err = await process.communicate()
    assert (process.returncode, len(err.splitlines())) == (2, 1)
    assert await seatledger(database_url, "apps", "list") == []
