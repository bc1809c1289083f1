"""`seatledger verify`: checks that the ledger is intact; it only reads and locks nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console

from services.audit.findings import Finding
from services.audit.postgres import Ledger
from services.audit.session import BROKEN, auditing
from services.audit.verify.verify import Verdict, verify
from shared.runtime.cli import (
    AsJson,
    collect_garbage_rarely,
    print_json_lines,
    print_rows,
    progress,
)
from shared.runtime.settings import read_settings

Compare = Callable[[], tuple[UUID, str] | None]
"""The group where the read models part from the log, and how; None when nowhere."""
app = typer.Typer(help="Whether the ledger is intact.")


@app.command("verify", epilog="Example: seatledger verify --read-models --json")
def verify_ledger(
    context: typer.Context,
    counts: Annotated[
        bool, typer.Option(help="Fold every group and compare the seat counts in its events.")
    ] = True,
    read_models: Annotated[
        bool,
        typer.Option("--read-models", help="Compare them with the log (needs the master key)."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check positions, versions, hash chain, seat counts, the log's end and its followers.

    Exit status 1 when broken.
    """
    collect_garbage_rarely()
    if read_models:
        read_settings(["SEATLEDGER_MASTER_KEY"])  # not after minutes of other work
    verdict = auditing(lambda ledger: _verify(ledger, counts))
    if read_models and verdict.is_intact:
        verdict = _with_read_models(verdict, context.obj)
    if as_json:
        print_json_lines([_json_verdict(verdict)])
    else:
        _print_verdict(verdict)
    if not verdict.is_intact:
        raise typer.Exit(BROKEN)


def _with_read_models(verdict: Verdict, compare: Compare) -> Verdict:
    """The verdict of an intact ledger, and whether what was made of it is what it says."""
    began_at = perf_counter()
    found = compare()
    findings = () if found is None else (Finding("read models", None, found[1], found[0]),)
    seconds = verdict.seconds + perf_counter() - began_at
    return replace(verdict, findings=findings, seconds=seconds, read_models_equal=found is None)


async def _verify(ledger: Ledger, counts: bool) -> Verdict:
    head = await ledger.head()
    with progress() as bar:
        work = bar.add_task("verifying", total=head.position * 2)
        dsn = read_settings().database_dsn
        return await verify(ledger, head, counts, lambda more: bar.advance(work, more), dsn)


def _json_verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "intact": verdict.is_intact,
        "position": verdict.head.position,
        "hash": verdict.head.hash.hex(),
        "events": verdict.event_count,
        "groups": verdict.group_count,
        "read_models_equal": verdict.read_models_equal,
        "first_bad_position": verdict.first_bad_position,
        "findings": [_json_finding(finding) for finding in verdict.findings],
        "seconds": round(verdict.seconds, 3),
    }


def _json_finding(finding: Finding) -> dict[str, Any]:
    group = str(finding.group_id) if finding.group_id is not None else None
    return {
        "check": finding.check,
        "position": finding.position,
        "group_id": group,
        "reason": finding.sentence,
    }


def _print_verdict(verdict: Verdict) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if verdict.is_intact:
        console.print(
            f"[green]intact[/]: {verdict.event_count:,} events of {verdict.group_count:,} groups, "
            f"up to position {verdict.head.position} with hash {verdict.head.hash.hex()}"
            f"{'; the read models say the same' if verdict.read_models_equal else ''}"
        )
        return
    where = verdict.first_bad_position
    console.print(f"[red]broken[/]: {f'first at position {where}' if where else 'see below'}")
    print_rows([_json_finding(finding) for finding in verdict.findings], False)
