"""The three state machines, as contract section 3 draws them."""

from __future__ import annotations

import pytest

from shared.booking_api.states import (
    ACTIONS,
    GRAPHS,
    available_actions,
    is_completed,
    wrong_state,
)
from shared.domain.lifecycle import LIVE

STEPS = [
    ("group_owner", "tentative", "cancel", "cancelled"),
    ("group_owner", "tentative", "complete", "completed"),
    ("group_customer", "confirmed", "complete", "completed"),
    ("group_customer", "confirmed", "cancel_by_customer", "cancelled_by_customer"),
    ("group_customer", "confirmed", "cancel_by_owner", "cancelled_by_owner"),
    ("group_customer_payment", "tentative", "pay", "paid"),
    ("group_customer_payment", "tentative", "cancel_by_customer", "cancelled_by_customer"),
    ("group_customer_payment", "tentative", "cancel_by_owner", "cancelled_by_owner"),
    ("group_customer_payment", "paid", "complete", "completed"),
    ("group_customer_payment", "paid", "cancel_by_customer", "cancelled_by_customer"),
    ("group_customer_payment", "paid", "cancel_by_owner", "cancelled_by_owner"),
]
ALLOWED = {(graph, state, action) for graph, state, action, _ in STEPS}
REFUSED = [
    (graph, state, action)
    for graph, states in GRAPHS.items()
    for state in states
    for action in (*sorted(ACTIONS), "create", "confirm", "reschedule", "")
    if (graph, state, action) not in ALLOWED
]


@pytest.mark.parametrize(("graph", "state", "action", "after"), STEPS)
def test_an_action_leads_on(graph: str, state: str, action: str, after: str) -> None:
    assert wrong_state(graph, state, action) is None
    assert GRAPHS[graph][state][action] == after
    assert action in available_actions(graph, state)


@pytest.mark.parametrize(("graph", "state", "action"), REFUSED)
def test_any_other_action_is_refused_in_the_contracts_words(
    graph: str, state: str, action: str
) -> None:
    refused = wrong_state(graph, state, action)
    assert refused is not None and refused.to_body() == {
        "error": f"Cannot apply action '{action}' to current state '{state}'",
        "code": "wrong_state",
    }


def test_time_alone_takes_a_hold_away() -> None:
    assert GRAPHS["group_customer_payment"]["tentative"]["timeout"] == "unpaid"
    assert "timeout" not in available_actions("group_customer_payment", "tentative")
    assert wrong_state("group_customer_payment", "tentative", "timeout", by_time=True) is None
    assert wrong_state("group_customer_payment", "paid", "timeout", by_time=True) is not None


@pytest.mark.parametrize(
    ("graph", "final"),
    [
        ("group_owner", {"completed", "cancelled", "error"}),
        (
            "group_customer",
            {"completed", "cancelled_by_customer", "cancelled_by_owner", "error"},
        ),
        (
            "group_customer_payment",
            {"completed", "unpaid", "cancelled_by_customer", "cancelled_by_owner", "error"},
        ),
    ],
)
def test_a_booking_is_completed_when_nothing_can_be_done(graph: str, final: set[str]) -> None:
    assert {state for state in GRAPHS[graph] if is_completed(graph, state)} == final


def test_a_paid_booking_is_not_completed() -> None:
    assert not is_completed("group_customer_payment", "paid")


@pytest.mark.parametrize("graph", ["group_customer", "group_customer_payment"])
def test_the_ledger_means_the_same_by_live(graph: str) -> None:
    assert {state for state in GRAPHS[graph] if not is_completed(graph, state)} <= LIVE


def test_the_widget_reads_the_owners_actions_in_this_order() -> None:
    assert available_actions("group_owner", "tentative") == ("complete", "cancel")
