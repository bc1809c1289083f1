"""Which addresses are one mailbox: pairs that mail keeps apart, and pairs that it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.mailbox_address import (
    folded,
    is_blank,
    is_one_mailbox,
    mailbox,
    shows_invisible,
    spellings,
    without_invisible,
)
from shared.eventlog.privacy import (
    MasterKey,
    customer_ref,
    first_rule_ref,
    mailbox_hash,
)

NFC, NFD = "renée@example.org", "rene\u0301e@example.org"
ONE = [
    ("Marty@Example.ORG", "marty@example.org"),
    (NFC, NFD),
    ("ida@bücher.example", "ida@xn--bcher-kva.example"),
    ("ida@BÜCHER.example", "IDA@XN--BCHER-KVA.example"),
    ("anna@straße.example", "anna@xn--strae-oqa.example"),
    ("ida@bu\u0308cher.example", "ida@bücher.example"),
    ("zoe@example.org\u200b", "zoe@example.org"),
    ("o@\uff45xample.org", "o@example.org"),
    ("a@under_score.example", "A@Under_Score.example"),
    ("a@☕.example", "A@☕.EXAMPLE"),
]
OTHERS = [
    ("k.gross@example.org", "k.groß@example.org"),
    ("anna@strasse.example", "anna@straße.example"),
    ("İ@example.org", "i\u0307@example.org"),
    ("İ@example.org", "i@example.org"),
    ("RENÉE@example.org", "renée@example.org"),
    ("zo\u200be@example.org", "zoe@example.org"),
    ("ﬁ@example.org", "fi@example.org"),
    ("a+b@example.org", "a@example.org"),
    ("a.b@example.org", "ab@example.org"),
    ("\u03c3@example.org", "\u03c2@example.org"),
]
MASTER = MasterKey(b"m" * 32)


@pytest.mark.parametrize(("first", "second"), ONE)
def test_one_mailbox(first: str, second: str) -> None:
    assert is_one_mailbox(first, second)
    assert customer_ref(MASTER, first) == customer_ref(MASTER, second)


@pytest.mark.parametrize(("first", "second"), OTHERS)
def test_two_mailboxes(first: str, second: str) -> None:
    assert not is_one_mailbox(first, second)
    assert customer_ref(MASTER, first) != customer_ref(MASTER, second)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "@",
        "a",
        "a@",
        "a@b..c",
        "a@xn--zzzzzz.example",
        "a@-ü-.example",
        "a@ü" + "x" * 300,
        "a@\ud800.example",
        "ü\ud800@example.org",
        "a@\u202eü.example",
    ],
)
def test_what_was_accepted_before_is_compared_and_raises_nothing(address: str) -> None:
    assert mailbox(address) == mailbox(mailbox(address))
    assert len(customer_ref(MASTER, address)) == 17
    assert len(first_rule_ref(MASTER, address)) == 16
    assert address in spellings(address)


@given(st.text())
def test_every_text_has_a_form_that_stays(text: str) -> None:
    assert mailbox(mailbox(text)) == mailbox(text)


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_ascii_addresses_are_compared_as_before(text: str) -> None:
    assert mailbox(text) == folded(text)
    assert mailbox_hash(MASTER, text) == first_rule_ref(MASTER, text)


@pytest.mark.parametrize(("first", "second"), ONE)
def test_old_spellings_are_found(first: str, second: str) -> None:
    """But for what is invisible and full-width forms, which only the backfill finds."""
    if "\u200b" in first or "\uff45" in first:
        return
    known = {folded(form) for form in (*spellings(first), *spellings(mailbox(first)))}
    assert folded(second) in known


def test_what_can_be_seen() -> None:
    assert all(map(is_blank, ["", " ", "\u200b", "\u2060\u00a0", "\u3164"]))
    assert not any(map(is_blank, ["Zoë", "a\u200b", "👩\u200d🚀", "."]))
    assert shows_invisible("zoe\u200b") and shows_invisible("a\u0085") and shows_invisible("\ufeff")
    assert not shows_invisible("renée") and not shows_invisible(NFD)
    assert without_invisible("Zoe\u0308\u200b") == "Zoë"
