"""The destinations of a relay: all subscribers' exchange, or the stream to read again from."""

from __future__ import annotations

from dataclasses import dataclass

from services.query.relay.group_queues import BEHIND
from shared.messaging.topology import CORE, EVENTS, REPLAY, REPLAYED, Topology


@dataclass(frozen=True, slots=True)
class Destination:
    """`name` is the follower's; `key` replaces the messages' own routing keys.

    `parks`: what is refused for its content is set aside with its group; otherwise it holds
    everything up, visibly. `may_go_unheard`: nobody needs to listen; otherwise it is waited for.
    `behind`: so many events of a group must wait before more than one of them is under way.
    """

    name: str
    exchange: str
    key: str | None
    needs: Topology
    parks: bool
    may_go_unheard: bool
    behind: int = BEHIND


TO_SUBSCRIBERS = Destination("relay", EVENTS, None, CORE, parks=True, may_go_unheard=True)
# Only one queue, which refuses nothing and loses at most the end of what it was sent.
TO_REPLAY = Destination("replay", "", REPLAY, REPLAYED, parks=False, may_go_unheard=False, behind=0)
"""By the default exchange, whose routing keys are the names of queues: nothing passes it over."""
