"""Listening address of the local service, from the settings: checked before anything is started."""

from __future__ import annotations

from deploy.local.processes.ports import free_ports, why_taken
from deploy.local.processes.program import StartFailure
from shared.accounts.demo import is_loopback
from shared.runtime.settings import Settings


def checked_port(settings: Settings) -> int:
    """The port to listen on (a free one for 0); StartFailure when it cannot be had."""
    port = settings.port or free_ports(1)[0]
    reason = why_taken(port, settings.host)
    if reason is None:
        return port
    raise StartFailure(
        f"cannot listen on {settings.host}:{port} ({reason}): "
        "stop what runs there, or choose another SEATLEDGER_PORT"
    )


def refuse_demo_key_in_public(settings: Settings) -> None:
    """A key that everybody knows opens nothing that others can reach."""
    if settings.demo_key.get_secret_value() and not is_loopback(settings.host):
        raise StartFailure(
            f"the demo key is refused while SEATLEDGER_HOST={settings.host} is not loopback: "
            "set SEATLEDGER_DEMO_KEY= (empty) to start without it"
        )


def reachable_host(host: str) -> str:
    """The host to say and to ask: any address stands for loopback, IPv6 goes in brackets."""
    if host in ("0.0.0.0", "", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1" if host != "::" else "[::1]"
    return f"[{host}]" if ":" in host else host
