"""Master key file of a data folder: made once, never printed, never replaced.

Without it the ledger's personal data cannot be read. So a missing key beside an existing ledger is
an error, and no new key is made.
"""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from deploy.local.processes.program import StartFailure
from shared.runtime.settings import MASTER_KEY_BYTES, decode_master_key


def master_key(data: Path, *, ledger_exists: bool) -> str:
    """The key of this data folder in base64, from its file; made at the first start."""
    file = data / "master.key"
    if not file.exists():
        if ledger_exists:
            raise StartFailure(
                f"{file} is missing, and the ledger in {data} cannot be read without it: "
                "put it back, or set SEATLEDGER_MASTER_KEY"
            )
        _write_whole(file, base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)).decode())
    key = file.read_text().strip()
    try:
        decode_master_key(key)
    except ValueError as error:
        raise StartFailure(f"{file} {error}: put the right one back") from None
    return key


def _write_whole(file: Path, text: str) -> None:
    """On disk and complete before it has its name."""
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write(text + "\n")
        out.flush()
        os.fsync(out.fileno())
    part.rename(file)
    folder = os.open(file.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
