"""The auditor's commands of `seatledger`: log, verify."""

from __future__ import annotations

import typer

app = typer.Typer(help="The ledger's history, and whether it is intact.")
