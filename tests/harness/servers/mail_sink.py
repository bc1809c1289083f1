"""A small SMTP server: it keeps what it takes, and answers each address as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter as it came: the envelope's recipient, and the message."""

    recipient: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return str(self.message.get_content())


@dataclass(slots=True)
class MailSink:
    """`answers`: by address, codes to be answered in turn before it is taken; the last, if it is
    5xx, stays. `knows_utf8` says whether it offers SMTPUTF8."""

    port: int = 0
    knows_utf8: bool = True
    answers: dict[str, list[int]] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)
    letters: list[Kept] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        recipient = ""
        while line := await reader.readline():
            text = line.decode().strip()
            word = text[:4].upper()
            if word == "RCPT":
                recipient = text.partition("<")[2].partition(">")[0]
            writer.write(self._answer(word, recipient))
            if word == "DATA":
                self._keep(recipient, await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"250 kept\r\n")
            await writer.drain()
            if word == "QUIT":
                break
        writer.close()

    def subjects_for(self, recipient: str) -> list[str]:
        """In the order in which they came."""
        return [kept.subject for kept in self.letters if kept.recipient == recipient]

    def _answer(self, word: str, recipient: str) -> bytes:
        match word:
            case "EHLO" if self.knows_utf8:
                return b"250-sink\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
            case "RCPT":
                return b"%d said\r\n" % self._code(recipient)
            case "DATA":
                return b"354 go on\r\n"
            case "QUIT":
                return b"221 bye\r\n"
        return b"250 well\r\n"

    def _code(self, recipient: str) -> int:
        self.tried.append(recipient)
        codes = self.answers.get(recipient)
        if not codes:
            return 250
        return codes[0] if codes[0] >= 500 else codes.pop(0)

    def _keep(self, recipient: str, data: bytes) -> None:
        message = message_from_bytes(data[:-5], policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.letters.append(Kept(recipient, message))


@asynccontextmanager
async def mail_sink(knows_utf8: bool = True) -> AsyncIterator[MailSink]:
    """A sink that listens on a port of its own."""
    sink = MailSink(knows_utf8=knows_utf8)
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
    sink.port = server.sockets[0].getsockname()[1]
    async with server:
        yield sink
