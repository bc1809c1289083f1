"""What `make run` promises, tried on real launchers with real servers."""

from __future__ import annotations

import json
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.processes.ports import free_ports
from tests.harness.servers.private import remove_folder, temporary_folder
from tests.harness.services.launcher import STOP_SECONDS, LauncherRun, refused, until
from tests.integration.test_service_role import judge_role

Pair = tuple[LauncherRun, LauncherRun]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    made = temporary_folder()
    yield made
    remove_folder(made)


@pytest.fixture(scope="module")
def copies(folder: Path) -> Iterator[Pair]:
    """Two launchers, started at the same time, with a space in the path of their data."""
    first, second = free_ports(2)
    pair = (LauncherRun(folder / "copy one", first), LauncherRun(folder / "copy two", second))
    for copy in pair:
        copy.spawn()
    for copy in pair:
        copy.wait_ready()
    yield pair
    for copy in pair:
        copy.stop()


@pytest.fixture
def pair(copies: Pair) -> Pair:
    """Both run, whatever the test before did to them."""
    for copy in copies:
        copy.ensure_running()
    return copies


def test_two_copies_run_side_by_side(pair: Pair) -> None:
    for copy in pair:
        assert _is_ready(copy)
        assert f"URL={copy.url}" in copy.output
        assert "KEY=test_api_key_demo" in copy.output


def test_a_second_start_on_the_same_data_is_refused(pair: Pair) -> None:
    line = refused(pair[0].data, free_ports(1)[0])
    assert "already runs" in line
    assert pair[0].url in line
    assert _is_ready(pair[0])


def test_a_taken_port_is_one_line(pair: Pair, folder: Path) -> None:
    line = refused(folder / "other", pair[0].port)
    assert f"cannot listen on 127.0.0.1:{pair[0].port} (in use)" in line
    assert "SEATLEDGER_PORT" in line


def test_no_secret_is_in_what_it_says_or_in_a_command_line(pair: Pair) -> None:
    copy = pair[0]
    password = copy.database_url().split(":")[2].split("@")[0]
    master_key = (copy.data / "master.key").read_text().strip()
    said = copy.output + " ".join(" ".join(process.cmdline()) for process in copy.survivors())
    for secret in (password, master_key, (copy.data / "rabbitmq" / "password").read_text()):
        assert secret not in said
    passwords = ("postgres/postgres.password", "postgres/service.password", "rabbitmq/password")
    for name in ("master.key", "env", *passwords):
        assert (copy.data / name).stat().st_mode & 0o077 == 0, name


async def test_the_services_are_no_superuser(pair: Pair) -> None:
    await judge_role(pair[0].database_url())


async def test_kill_of_the_launcher_leaves_nothing_and_loses_nothing(pair: Pair) -> None:
    copy, other = pair
    await _execute(copy, "CREATE TABLE kept AS SELECT 42 AS value")
    copy.signal(signal.SIGKILL)
    copy.wait()
    until(lambda: not copy.survivors(), STOP_SECONDS)
    copy.ensure_running()
    assert await _execute(copy, "SELECT value FROM kept") == 42
    assert _is_ready(other)


def test_services_that_die_are_started_again(pair: Pair) -> None:
    copy = pair[0]
    services = [p for p in copy.survivors() if p.cmdline()[1:] == ["-m", "services"]]
    assert services, "no process of the services"
    services[0].kill()
    until(lambda: "services ended" in copy.output, STOP_SECONDS)
    until(lambda: _is_ready(copy), STOP_SECONDS)
    copy.wait_ready()  # its family has changed


def test_ctrl_c_stops_all_it_started_and_nothing_else(pair: Pair) -> None:
    copy, other = pair
    copy.signal(signal.SIGINT)
    assert copy.wait() == 0
    assert copy.survivors() == []
    assert len(other.survivors()) == len(other.family)


def test_two_signals_at_once_are_one_wish(pair: Pair) -> None:
    copy = pair[1]
    copy.signal(signal.SIGTERM, signal.SIGTERM)
    assert copy.wait() == 0
    assert copy.survivors() == []
    assert "stopped" in copy.output


def test_a_lost_master_key_is_refused_not_replaced(pair: Pair) -> None:
    copy = pair[1]
    copy.stop()
    key = copy.data / "master.key"
    key.rename(copy.data / "kept.key")
    line = refused(copy.data, copy.port)
    assert "master.key is missing" in line
    assert not key.exists()
    (copy.data / "kept.key").rename(key)


async def test_named_servers_are_used_instead_of_private_ones(
    folder: Path, empty_database_url: str, amqp_url: str
) -> None:
    urls = {"DATABASE_URL": empty_database_url, "AMQP_URL": amqp_url}
    copy = LauncherRun(folder / "named", free_ports(1)[0], **urls)
    copy.ensure_running()
    assert _is_ready(copy)
    assert {process.name() for process in copy.family} & {"postgres", "beam.smp", "epmd"} == set()
    copy.stop()
    assert copy.survivors() == []


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("AMQP_URL", "amqp://someone:s3cret@127.0.0.1:1/"),
        ("AMQP_URL", "not a url with s3cret"),
        ("DATABASE_URL", "postgresql://someone:s3cret@127.0.0.1:1/x"),
        ("DATABASE_URL", "not a url with s3cret"),
    ],
)
def test_an_unusable_server_is_one_line_without_its_password(
    name: str, url: str, folder: Path
) -> None:
    line = refused(folder / "unusable", free_ports(1)[0], **{name: url})
    assert name in line
    assert "s3cret" not in line


def test_the_demo_key_is_refused_where_others_could_use_it(folder: Path) -> None:
    line = refused(folder / "public", free_ports(1)[0], SEATLEDGER_HOST="0.0.0.0")  # noqa: S104
    assert "demo key" in line
    assert "SEATLEDGER_DEMO_KEY" in line


def test_wrong_settings_are_named_at_once(folder: Path) -> None:
    line = refused(folder / "wrong", 99999, SEATLEDGER_LOOPS="perhaps")
    assert "SEATLEDGER_PORT" in line
    assert "SEATLEDGER_LOOPS" in line


def _is_ready(copy: LauncherRun) -> bool:
    try:
        with urllib.request.urlopen(f"{copy.url}/health/ready", timeout=5) as answer:  # noqa: S310
            json.load(answer)
            return bool(answer.status == 200)
    except OSError:
        return False


async def _execute(copy: LauncherRun, statement: str) -> object:
    connection = await asyncpg.connect(copy.database_url())
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()
