"""The `seatledger` command line: assembles all commands, and tells a failure in one line.

A command's module is imported when the command is asked for: most of the start is imports.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any, Final
from uuid import UUID

import typer
from typer.core import TyperGroup
from typer.main import get_group

from shared.accounts.apps import AccountsError
from shared.runtime.settings import ConfigurationError

CANNOT_WORK = 2
REFUSED = 1
_APP_BY_COMMAND: Final = {
    "apps": "shared.accounts.cli:apps",
    "keys": "shared.accounts.cli:keys",
    "projects": "shared.accounts.projects_cli:projects",
    "log": "services.audit.history.log_cli:app",
    "show": "services.audit.history.cli:app",
    "diff": "services.audit.history.cli:app",
    "verify": "services.audit.verify.cli:app",
    "unsealed": "services.audit.people.unsealed_cli:app",
    "erase": "services.audit.people.cli:app",
    "customer": "services.audit.people.customer_cli:app",
    "csv": "services.audit.transfer.tables_cli:app",
    "master-key": "services.audit.keys.cli:app",
    "export": "services.audit.transfer.cli:app",
    "import": "services.audit.transfer.cli:app",
    "checkpoint": "services.audit.proofs.cli:app",
    "status": "services.query.cli:app",
    "replay": "services.query.cli:app",
    "parked": "services.query.cli:app",
    "republish": "services.query.relay.cli:app",
    "messages": "services.query.relay.cli:app",
    "prune": "services.command.retention:app",
}
_WHOLE: Final = {"apps", "keys", "projects", "customer", "csv", "master-key", "checkpoint"}
"""Commands that are an app, not one of an app's."""


class Commands(TyperGroup):
    """What an operator can mend is one line on stderr: 2 when nothing can work, 1 when refused."""

    def list_commands(self, ctx: Any) -> list[str]:
        self._load(_APP_BY_COMMAND)
        return list(_APP_BY_COMMAND)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        self._load([cmd_name] if cmd_name in _APP_BY_COMMAND else _APP_BY_COMMAND)
        return self.commands.get(cmd_name)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            _fail(str(error), CANNOT_WORK)
        except AccountsError as error:
            _fail(str(error), REFUSED)

    def _load(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.commands:
                self.add_command(_command(name), name)


def _command(name: str) -> Any:
    module, _, attribute = _APP_BY_COMMAND[name].partition(":")
    group = get_group(getattr(import_module(module), attribute))
    if name not in _WHOLE:
        return group.commands[name]
    group.name = name
    return group


def _fail(line: str, status: int) -> None:
    typer.echo(f"seatledger: {line}", err=True)
    raise typer.Exit(status)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback with locals would print personal data
    add_completion=False,
)


@app.callback()
def seatledger(context: typer.Context) -> None:
    """Seatledger for auditors and operators: who did what when, and is the ledger intact."""
    context.obj = _difference_of_read_models


def _difference_of_read_models() -> tuple[UUID, str] | None:
    """For `verify`, which knows no other service: where the read models part from the log."""
    from services.query.cli import difference_from_log

    found = difference_from_log()
    return None if found is None else (found.group_id, str(found))


if __name__ == "__main__":
    app(prog_name="seatledger")
