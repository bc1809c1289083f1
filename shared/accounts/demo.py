"""The demo app and its key: made once, only where nobody outside this machine can use them."""

from __future__ import annotations

import asyncio
import sys
from ipaddress import ip_address

from shared.accounts.apps import App, KeyExists, SlugTaken
from shared.accounts.postgres import PostgresAccounts
from shared.eventlog.master_keys import load_master
from shared.runtime.postgres import connected
from shared.runtime.settings import ConfigurationError, Settings, read_settings

SLUG = "demo"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


async def ensure_demo(settings: Settings) -> bool:
    """Makes what is missing of the demo app and key; whether the key was made now.

    ConfigurationError when the service listens where others could use the published key.
    """
    if not is_loopback(settings.host):
        raise ConfigurationError(
            f"SEATLEDGER_HOST is {settings.host}: the demo key is for loopback hosts only; "
            "make an app and a key with `seatledger apps create` and `seatledger keys create`"
        )
    async with connected(settings.database_dsn) as connection:
        accounts = PostgresAccounts(connection)
        app = await _demo_app(accounts)
        return await _demo_key(accounts, app, settings)


async def _demo_app(accounts: PostgresAccounts) -> App:
    try:
        return await accounts.create_app("Demo", SLUG, "UTC", is_test=True)
    except SlugTaken:
        return await accounts.app(SLUG)


async def _demo_key(accounts: PostgresAccounts, app: App, settings: Settings) -> bool:
    master = await load_master(settings)
    text = settings.demo_key.get_secret_value()
    try:
        await accounts.create_key(master, app, "server", text=text)
    except KeyExists:
        return False
    return True


def main() -> int:
    """`python -m shared.accounts.demo`: 0 when the demo can be used, 2 and one line otherwise."""
    try:
        made = asyncio.run(ensure_demo(read_settings()))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stderr.write("the demo key was made\n" if made else "the demo key is there\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
