"""When two e-mail addresses are one mailbox (decision 0043): a form to compare, never to show.

Total: every text has a form, also what was accepted before and cannot exist. Local parts keep
their case but for A-Z, and are never case-folded: k.groß is another person than k.gross.
"""

from __future__ import annotations

import unicodedata
from string import ascii_lowercase, ascii_uppercase
from typing import Final

import idna

_ASCII_LOWER: Final = str.maketrans(ascii_uppercase, ascii_lowercase)
_FILLERS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that show nothing."""
_INVISIBLE: Final = frozenset({"Cf", "Cc"})
_BLANK: Final = _INVISIBLE | {"Zs", "Zl", "Zp"}


def mailbox(address: str) -> str:
    """The form in which an address is compared."""
    if address.isascii():
        return address.strip().lower()
    local, at, domain = unicodedata.normalize("NFC", address).strip().rpartition("@")
    return f"{local.translate(_ASCII_LOWER)}{at}{_domain(domain)}"


def is_one_mailbox(first: str, second: str) -> bool:
    """Whether mail to both arrives at the same place."""
    return mailbox(first) == mailbox(second)


def folded(address: str) -> str:
    """The form of the first rule, by which seats were booked before decision 0043."""
    return address.strip().casefold()


def spellings(address: str) -> frozenset[str]:
    """Ways to write a mailbox that the first rule held to be different from each other."""
    local, at, domain = address.strip().rpartition("@")
    wholes = {f"{local}{at}{each}" for each in (domain, *_other_domains(domain))}
    return frozenset(
        unicodedata.normalize(form, whole) for form in ("NFC", "NFD") for whole in wholes
    ) | {address}


def shows_invisible(text: str) -> bool:
    """Whether a format or control character is in it."""
    return not text.isascii() and any(unicodedata.category(one) in _INVISIBLE for one in text)


def is_blank(text: str) -> bool:
    """Whether nothing of it can be seen."""
    return all(one in _FILLERS or unicodedata.category(one) in _BLANK for one in text)


def without_invisible(text: str) -> str:
    """The text without format characters, in normal form: for searching."""
    if text.isascii():
        return text
    kept = "".join(one for one in text if unicodedata.category(one) != "Cf")
    return unicodedata.normalize("NFC", kept)


def searched_name(name: str) -> str:
    """The form in which a name is searched for."""
    return unicodedata.normalize("NFC", without_invisible(name).casefold())


def composed(address: str) -> str:
    """An address in one way to write its letters, A-Z lowered, its domain as given."""
    return unicodedata.normalize("NFC", address).translate(_ASCII_LOWER)


def _domain(domain: str) -> str:
    """The A-label; what cannot be mapped is only lowered."""
    if domain.isascii():
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:  # which IDNAError is
        return domain.translate(_ASCII_LOWER)


def _other_domains(domain: str) -> tuple[str, ...]:
    """The domain in A-labels, and in letters."""
    label = _domain(unicodedata.normalize("NFC", domain))
    try:
        return label, idna.decode(label, uts46=True)
    except UnicodeError:
        return (label,)
