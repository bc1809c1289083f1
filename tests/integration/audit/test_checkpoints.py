"""An old checkpoint proves that the past was rewritten, or that a booking was in it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.audit.proofs import check_proof
from tests.integration.audit.ledgers import (
    MARTY,
    Script,
    fill,
    lines,
    python,
    seatledger,
    tamper,
    verdict,
)

MASTER = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


class Auditor:
    """Keeps checkpoints and the published key in a folder."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn, self.folder, self.key = dsn, folder, ""

    async def run(self, *arguments: str, master: str = "") -> tuple[int, str, str]:
        return await seatledger(self.dsn, "checkpoint", *arguments, master=master)

    async def take(self, name: str, *arguments: str) -> Path:
        """A checkpoint that the operator signed."""
        path = self.folder / name
        status, _, err = await self.run("export", "--out", str(path), *arguments, master=MASTER)
        assert status == 0, err
        self.key = (await self.run("key", master=MASTER))[1].strip()
        return path

    async def holds(self, checkpoint: Path) -> bool:
        """Whether the ledger still begins as it says; without any secret of the operator."""
        arguments = ("verify", str(checkpoint), "--key", self.key, "--json")
        status, out, err = await self.run(*arguments)
        [line] = lines(out) or pytest.fail(err)
        assert status == (0 if line["holds"] else 1)
        return bool(line["holds"])

    async def check(self, proof: dict[str, Any]) -> tuple[int, str]:
        """What the offline checker says."""
        path = self.folder / "proof.json"
        path.write_text(json.dumps(proof), encoding="utf-8")
        status, out, err = await python(check_proof.__file__, str(path), self.key)
        return status, out + err


@pytest.fixture
def auditor(database_url: str, tmp_path: Path) -> Auditor:
    return Auditor(database_url, tmp_path)


async def test_a_checkpoint_holds_while_the_ledger_grows(auditor: Auditor) -> None:
    await fill(auditor.dsn)
    checkpoint = await auditor.take("old")
    await fill(auditor.dsn, Script(uuid4(), 5))
    assert await auditor.holds(checkpoint)
    again = await auditor.take("again", "--at", "22")
    assert again.read_text() == checkpoint.read_text()


async def test_a_rewritten_past_is_proved_though_it_verifies(auditor: Auditor) -> None:
    await fill(auditor.dsn)
    checkpoint = await auditor.take("old")
    await tamper(auditor.dsn, "TRUNCATE stored_events, booking_keys", RESET)
    await fill(auditor.dsn)
    assert (await verdict(auditor.dsn)).is_intact
    assert not await auditor.holds(checkpoint)


async def test_a_cut_tail_is_found_up_to_the_checkpoint(auditor: Auditor) -> None:
    await fill(auditor.dsn)
    checkpoint = await auditor.take("old")
    await tamper(auditor.dsn, "DELETE FROM stored_events WHERE notification_id > 20")
    assert not await auditor.holds(checkpoint)


async def test_a_broken_ledger_is_not_signed(auditor: Auditor) -> None:
    await fill(auditor.dsn)
    await tamper(auditor.dsn, "DELETE FROM stored_events WHERE notification_id = 7")
    status, out, err = await auditor.run("export", master=MASTER)
    assert (status, out) == (1, "") and "position 7" in err


async def test_a_checkpoint_beyond_the_end_is_not_signed(auditor: Auditor) -> None:
    await fill(auditor.dsn)
    status, out, _ = await auditor.run("export", "--at", "99", master=MASTER)
    assert (status, out) == (1, "")


async def test_a_customer_checks_a_booking_offline(auditor: Auditor) -> None:
    await fill(auditor.dsn)
    checkpoint = await auditor.take("old")
    await fill(auditor.dsn, Script(uuid4(), 5))
    proof = await prove(auditor, "prove", str(MARTY), str(checkpoint))
    assert [event["position"] for event in proof["events"]] == [2, 4]
    status, out = await auditor.check(proof)
    assert status == 0 and out.count("holds: seatledger.seat_") == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("position", 3),
        ("version", 9),
        ("topic", "seatledger.seat_paid"),
        ("state", "e30="),
        ("booking_id", str(UUID(int=1))),
        ("metadata", "{}"),
        ("recorded_at_microseconds", 1),
        ("proof", []),
    ],
)
async def test_a_forged_proof_fails(auditor: Auditor, field: str, value: object) -> None:
    await fill(auditor.dsn)
    checkpoint = await auditor.take("old")
    proof = await prove(auditor, "prove", str(MARTY), str(checkpoint))
    proof["events"][0][field] = value
    status, out = await auditor.check(proof)
    assert status == 1 and out.startswith("does not hold")


async def test_a_forged_checkpoint_fails(auditor: Auditor) -> None:
    await fill(auditor.dsn)
    checkpoint = await auditor.take("old")
    proof = await prove(auditor, "prove", str(MARTY), str(checkpoint))
    proof["checkpoint"] = proof["checkpoint"].replace("\n22\n", "\n23\n")
    assert (await auditor.check(proof))[0] == 1


@pytest.mark.parametrize(
    ("type_byte", "cut", "name"),
    [(b"\x02", None, ""), (b"\x01", -1, ""), (b"", None, ""), (b"\x01", None, "another-")],
)
async def test_a_key_that_is_not_what_its_id_says_proves_nothing(
    auditor: Auditor, type_byte: bytes, cut: int | None, name: str
) -> None:
    """With its own id the id of the signature still fits: the note names the same four bytes."""
    await fill(auditor.dsn)
    checkpoint = await auditor.take("old")
    proof = await prove(auditor, "prove", str(MARTY), str(checkpoint))
    assert (await auditor.check(proof))[0] == 0
    origin, key_id, public = auditor.key.split("+", 2)
    raw = base64.b64decode(public)
    forged = base64.b64encode((type_byte + raw[1:])[:cut]).decode()
    proof["checkpoint"] = proof["checkpoint"].replace(f"— {origin} ", f"— {name}{origin} ")
    auditor.key = f"{name}{origin}+{key_id}+{forged}"
    status, out = await auditor.check(proof)
    assert status == 1 and "does not hold: the " in out, out


async def test_a_newer_checkpoint_continues_an_older_one(auditor: Auditor) -> None:
    await fill(auditor.dsn)
    newer = await auditor.take("newer")
    for size in (1, 7, 16, 22):
        older = await auditor.take("older", "--at", str(size))
        proof = await prove(auditor, "consistency", str(older), str(newer))
        status, out = await auditor.check(proof)
        assert (status, out.startswith("holds")) == (0, True), out
        proof["older_checkpoint"] = newer.read_text()
        proof["checkpoint"] = older.read_text()
        assert size == 22 or (await auditor.check(proof))[0] == 1


async def test_another_installations_checkpoint_is_refused(auditor: Auditor) -> None:
    await fill(auditor.dsn)
    checkpoint = await auditor.take("old")
    other = "//////////////////////////////////////////8="
    status, _, err = await auditor.run("verify", str(checkpoint), master=other)
    assert status == 2 and "not signed by" in err


async def prove(auditor: Auditor, *arguments: str) -> dict[str, Any]:
    status, out, err = await auditor.run(*arguments, "--key", auditor.key)
    assert status == 0, err
    proof: dict[str, Any] = json.loads(out)
    return proof


RESET = "UPDATE log_head SET position = 0, hash = decode(repeat('00', 32), 'hex')"
