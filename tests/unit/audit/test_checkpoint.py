"""Signed notes: only the signer's own words open, and only with the signer's key."""

from __future__ import annotations

import pytest

from services.audit.proofs.checkpoint import (
    BadCheckpoint,
    Checkpoint,
    CheckpointSigner,
    VerificationKey,
    open_checkpoint,
)
from shared.eventlog.privacy import MasterKey

SIGNER = CheckpointSigner(MasterKey(bytes(range(32))))
CHECKPOINT = Checkpoint(12, bytes(32), bytes(range(32)))
TEXT = SIGNER.sign(CHECKPOINT)


def test_what_was_signed_opens_with_the_published_key() -> None:
    assert open_checkpoint(TEXT, VerificationKey.parse(str(SIGNER.key))) == CHECKPOINT


def test_the_text_is_a_signed_note() -> None:
    body, signature = TEXT.split("\n\n")
    assert body.split("\n")[:2] == ["seatledger", "12"]
    assert signature.startswith("— seatledger ") and signature.endswith("\n")


def test_another_signature_beside_ours_does_no_harm() -> None:
    witness = CheckpointSigner(MasterKey(bytes(32))).sign(CHECKPOINT).splitlines()[-1]
    assert open_checkpoint(f"{TEXT}{witness}\n", SIGNER.key) == CHECKPOINT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "seatledger",
        TEXT.replace("12", "13"),
        TEXT.replace("chain 00", "chain 01"),
        TEXT.replace("— seatledger", "- seatledger"),
        TEXT.rpartition("—")[0],
        TEXT[:-10] + "AAAAAAAA=\n",
        CheckpointSigner(MasterKey(bytes(32))).sign(CHECKPOINT),
    ],
)
def test_nothing_else_opens(text: str) -> None:
    with pytest.raises(BadCheckpoint):
        open_checkpoint(text, SIGNER.key)


@pytest.mark.parametrize(
    "text", ["", "seatledger", "seatledger+00000000+AA==", str(SIGNER.key) + "A", "x+y+z"]
)
def test_a_bad_key_is_refused(text: str) -> None:
    with pytest.raises(BadCheckpoint):
        VerificationKey.parse(text)
