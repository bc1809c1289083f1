"""The `seatledger` command: it alone assembles all commands, and tells a failure in one line."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

import services.audit.checkpoint_cli
import services.audit.cli
import services.audit.history_cli
import services.audit.log_cli
import services.audit.people_cli
import services.audit.rotation_cli
import services.audit.tables_cli
import services.audit.transfer_cli
import services.query.cli
import services.query.relay_cli
import shared.accounts.cli
import shared.accounts.projects_cli
import shared.retention
from shared.accounts.apps import AccountsError
from shared.settings import ConfigurationError

CANNOT_WORK = 2
REFUSED = 1


class OneLineErrors(TyperGroup):
    """What an operator can mend is one line on stderr: 2 when nothing can work, 1 when refused."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            _fail(str(error), CANNOT_WORK)
        except AccountsError as error:
            _fail(str(error), REFUSED)


def _fail(line: str, status: int) -> None:
    typer.echo(f"seatledger: {line}", err=True)
    raise typer.Exit(status)


app = typer.Typer(
    cls=OneLineErrors,
    help="Seatledger for auditors and operators: who did what when, and is the ledger intact.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback with locals would print personal data
    add_completion=False,
)
app.add_typer(shared.accounts.cli.apps, name="apps")
app.add_typer(shared.accounts.cli.keys, name="keys")
app.add_typer(shared.accounts.projects_cli.projects, name="projects")
app.add_typer(services.audit.log_cli.app)
app.add_typer(services.audit.history_cli.app)
app.add_typer(services.audit.cli.app)
app.add_typer(services.audit.people_cli.app)
app.add_typer(services.audit.people_cli.customer_app, name="customer")
app.add_typer(services.audit.tables_cli.app, name="csv")
app.add_typer(services.audit.rotation_cli.app, name="master-key")
app.add_typer(services.audit.transfer_cli.app)
app.add_typer(services.audit.checkpoint_cli.app, name="checkpoint")
app.add_typer(services.query.cli.app)
app.add_typer(services.query.relay_cli.app)
app.add_typer(shared.retention.app)

if __name__ == "__main__":
    app(prog_name="seatledger")
