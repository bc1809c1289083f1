"""`seatledger checkpoint`: signs checkpoints, compares with old ones, and writes proofs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer

from services.audit.findings import Broken
from services.audit.postgres import Ledger, open_ledger
from services.audit.proofs.checkpoint import (
    BadCheckpoint,
    Checkpoint,
    CheckpointSigner,
    VerificationKey,
    is_signed_by,
    open_checkpoint,
)
from services.audit.proofs.proofs import compare, prove_consistency, prove_events, walk
from services.audit.verify.verify import Advance
from shared.eventlog.privacy import MasterKey
from shared.runtime.cli import AsJson, collect_garbage_rarely, note, print_json_lines, progress
from shared.runtime.settings import ConfigurationError, read_settings

T = TypeVar("T")
REFUSED = 1
ToFile = Annotated[Path | None, typer.Option("--out", help="Write here instead of to stdout.")]
KeyText = Annotated[
    str | None, typer.Option("--key", help="The published key; else made from the master key.")
]
NoteFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A checkpoint.")]

app = typer.Typer(help="Signed checkpoints: proof that the past stays.", no_args_is_help=True)


@app.command("key", epilog="Example: seatledger checkpoint key > seatledger.key")
def show_key() -> None:
    """Print the verification key, to be published."""
    typer.echo(str(_signer().key))


@app.command("export", epilog="Example: seatledger checkpoint export --out 2030-05-01.checkpoint")
def export_checkpoint(
    at: Annotated[int | None, typer.Option(min=0, help="A position; now if left out.")] = None,
    out: ToFile = None,
) -> None:
    """Sign where the ledger stands; give it to somebody who keeps it."""
    signer = _signer()

    async def work(ledger: Ledger, advance: Advance) -> str:
        size = at if at is not None else (await ledger.head()).position
        return signer.sign((await walk(ledger, size, advance)).checkpoint)

    _write(_walking(work), out)


@app.command("verify", epilog="Example: seatledger checkpoint verify 2030-05-01.checkpoint")
def verify_checkpoint(file: NoteFile, key: KeyText = None, as_json: AsJson = False) -> None:
    """Check that the ledger still begins as the checkpoint says; 1 when it was rewritten."""
    known = _read(file, key)
    finding = _walking(lambda ledger, advance: compare(ledger, known, advance))
    place = finding.position if finding is not None else None
    reason = finding.sentence if finding is not None else None
    if as_json:
        print_json_lines(
            [{"holds": finding is None, "size": known.size, "position": place, "reason": reason}]
        )
    elif finding is None:
        typer.echo(f"holds: the first {known.size} events are the ones that were signed")
    else:
        typer.echo(f"broken: {f'position {place}: ' if place else ''}{reason}")
    if finding is not None:
        raise typer.Exit(REFUSED)


@app.command("prove", epilog="Example: seatledger checkpoint prove BOOKING CHECKPOINT --out p.json")
def prove_booking(
    booking: Annotated[UUID, typer.Argument(help="A seat booking's or a group's id.")],
    file: NoteFile,
    key: KeyText = None,
    out: ToFile = None,
) -> None:
    """Prove that a booking's events are in the ledger; `check_proof.py` beside this checks it."""
    known = _read(file, key)
    events = _walking(lambda ledger, advance: prove_events(ledger, booking, known, advance))
    if not events:
        raise _refused(f"the first {known.size} events name no booking {booking}")
    _write_json({"checkpoint": file.read_text(encoding="utf-8"), "events": events}, out)


@app.command(
    "consistency", epilog="Example: seatledger checkpoint consistency OLD NEW --out c.json"
)
def prove_continuation(
    older: NoteFile, newer: NoteFile, key: KeyText = None, out: ToFile = None
) -> None:
    """Prove that a newer checkpoint continues an older one; check_proof.py checks it offline."""
    old, new = _read(older, key), _read(newer, key)
    if not 0 < old.size <= new.size:
        raise _refused("name the older checkpoint first; an empty one needs no proof")
    proof = _walking(lambda ledger, advance: prove_consistency(ledger, old, new, advance))
    texts = {
        "checkpoint": newer.read_text(encoding="utf-8"),
        "older_checkpoint": older.read_text(encoding="utf-8"),
    }
    _write_json({**texts, "proof": proof}, out)


def _walking(work: Callable[[Ledger, Advance], Coroutine[Any, Any, T]]) -> T:
    async def run() -> T:
        async with open_ledger(read_settings().database_dsn) as ledger:
            with progress() as bar:
                task = bar.add_task("reading", total=(await ledger.head()).position)
                return await work(ledger, lambda more: bar.advance(task, more))

    collect_garbage_rarely()
    try:
        return asyncio.run(run())
    except Broken as error:
        raise _refused(f"the ledger is broken: {error}") from None


def _signer() -> CheckpointSigner:
    return CheckpointSigner(MasterKey(read_settings().master_key_bytes))


def _trusted(text: str) -> VerificationKey:
    """Our key, or the one of a master key that is being replaced, if that signed the text."""
    keys = [CheckpointSigner(MasterKey(one)).key for one in read_settings().master_keys]
    return next((key for key in keys if is_signed_by(text, key)), keys[0])


def _read(file: Path, key: str | None) -> Checkpoint:
    try:
        text = file.read_text(encoding="utf-8")
        return open_checkpoint(text, _trusted(text) if key is None else VerificationKey.parse(key))
    except (BadCheckpoint, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}") from None


def _write(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot write {out}: {error.strerror}") from None


def _write_json(value: dict[str, Any], out: Path | None) -> None:
    _write(json.dumps(value, ensure_ascii=False, indent=1) + "\n", out)


def _refused(sentence: str) -> typer.Exit:
    note(sentence)
    return typer.Exit(REFUSED)
