"""The query side's commands of `seatledger`: replay, parked, republish, status."""

from __future__ import annotations

import typer

app = typer.Typer(help="Read models and messages: replay, parked, republish, status.")
