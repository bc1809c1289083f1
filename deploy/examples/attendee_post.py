"""SMTP client of the mailer: sends one letter to one recipient and classifies the server's answer.

A 5xx about the recipient or the letter is final. Any other failure is tried again: a mail server
that is down, or that refuses the sender, says nothing about a customer.
"""

from __future__ import annotations

import smtplib
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage

import idna

from deploy.examples.attendee_letters import Letter

SMTP_SECONDS = 30.0


class Refused(Exception):
    """The server refused it for good; the message says why, without the address."""


class TryLater(Exception):
    """The server did not take it now; the message says why, without the address."""


class Unreachable(Exception):
    """No mail server answers; no letter was tried."""


class Post:
    """A mail server; its connection stays open until `close`, or until something went wrong."""

    def __init__(self, host: str, port: int, sender: str) -> None:
        self._place, self._sender = (host, port), sender
        self._server: smtplib.SMTP | None = None

    def send(self, letter: Letter, message_id: str) -> None:
        """Returns when the server has taken it; blocks for as long as the server may take."""
        server = self._opened()
        try:
            recipient, message = self._written(letter, message_id)
            server.send_message(message, to_addrs=[recipient])
        except smtplib.SMTPNotSupportedError:
            raise Refused("the server knows no SMTPUTF8") from None
        except ValueError:  # UnicodeError too: what no header or command can hold
            raise Refused("an address that cannot be written") from None
        except smtplib.SMTPRecipientsRefused as error:
            [(code, _)] = error.recipients.values()
            raise _meant("recipient", code) from None
        except smtplib.SMTPDataError as error:
            raise _meant("letter", error.smtp_code) from None
        except smtplib.SMTPSenderRefused as error:
            raise TryLater(f"sender refused: {error.smtp_code}") from None
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise TryLater(f"connection lost: {type(error).__name__}") from None

    def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            with suppress(smtplib.SMTPException, OSError):
                server.quit()

    def _opened(self) -> smtplib.SMTP:
        if self._server is None or self._server.sock is None:
            try:
                self._server = smtplib.SMTP(*self._place, timeout=SMTP_SECONDS)
                self._server.ehlo_or_helo_if_needed()
            except (smtplib.SMTPException, OSError) as error:
                self.close()
                raise Unreachable(f"no mail server: {type(error).__name__}") from None
        return self._server

    def _written(self, letter: Letter, message_id: str) -> tuple[str, EmailMessage]:
        local, domain = deliverable(letter.address)
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = Address(username=local, domain=domain)
        message["Subject"] = letter.subject
        message["Message-ID"] = message_id
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        return f"{local}@{domain}", message


def deliverable(address: str) -> tuple[str, str]:
    """Local part and domain; a domain in its ASCII form is understood by every mail server."""
    local, _, domain = address.rpartition("@")
    try:
        return local, idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return local, domain


def _meant(what: str, code: int) -> Exception:
    return Refused(f"{what} refused: {code}") if code >= 500 else TryLater(f"{what}: {code}")
