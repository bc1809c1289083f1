"""The three graphs of a group booking as data: which action leads from which state to which.

Contract section 3. A state without a way out by anyone's action is final: `completed` is true.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.booking_api.errors import WrongState

Steps = Mapping[str, str]

GRAPHS: Final[Mapping[str, Mapping[str, Steps]]] = {
    "group_owner": {
        "tentative": {"complete": "completed", "cancel": "cancelled"},
        "completed": {},
        "cancelled": {},
        "error": {},
    },
    "group_customer": {
        "confirmed": {
            "complete": "completed",
            "cancel_by_customer": "cancelled_by_customer",
            "cancel_by_owner": "cancelled_by_owner",
        },
        "completed": {},
        "cancelled_by_customer": {},
        "cancelled_by_owner": {},
        "error": {},
    },
    "group_customer_payment": {
        "tentative": {
            "pay": "paid",
            "timeout": "unpaid",
            "cancel_by_customer": "cancelled_by_customer",
            "cancel_by_owner": "cancelled_by_owner",
        },
        "paid": {
            "complete": "completed",
            "cancel_by_customer": "cancelled_by_customer",
            "cancel_by_owner": "cancelled_by_owner",
        },
        "completed": {},
        "unpaid": {},
        "cancelled_by_customer": {},
        "cancelled_by_owner": {},
        "error": {},
    },
}
AUTOMATIC: Final = frozenset({"timeout"})
"""Steps that only time takes; a caller cannot ask for them."""

SEAT_GRAPHS: Final = ("group_customer", "group_customer_payment")
STATES: Final = frozenset(state for states in GRAPHS.values() for state in states)
ACTIONS: Final = frozenset(
    action for states in GRAPHS.values() for steps in states.values() for action in steps
)

_AVAILABLE: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    (graph, state): tuple(action for action in steps if action not in AUTOMATIC)
    for graph, states in GRAPHS.items()
    for state, steps in states.items()
}


def available_actions(graph: str, state: str) -> tuple[str, ...]:
    """The actions a caller may apply now; () in a final state."""
    return _AVAILABLE.get((graph, state), ())


def is_completed(graph: str, state: str) -> bool:
    """Whether no action is possible any more (contract section 2)."""
    return not available_actions(graph, state)


def wrong_state(graph: str, state: str, action: str, by_time: bool = False) -> WrongState | None:
    """Why the action may not be applied now, or None; `by_time` it may be one that time takes."""
    if action not in GRAPHS[graph].get(state, {}) or (action in AUTOMATIC and not by_time):
        return WrongState(action, state)
    return None
