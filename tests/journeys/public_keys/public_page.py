"""A booking page's app: a group with people around it whom no stranger may see."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from tests.harness.callers.requests import group, seats
from tests.harness.services.stack import Answer, Caller

NO = (403, "not_for_public_keys")
SECRETS = ("doc.brown@private.example", "einstein@private.example", "rsvp-of-the-owner", "room-88")


@dataclass(frozen=True)
class Page:
    """A page's app: a group with people around it, and what may be asked with which key."""

    owner: str
    project: str
    seat: str

    def filled(self, route: str) -> str:
        """The path of `METHOD /path`."""
        path = route.partition(" ")[2].replace("{email}", "marty@example.com")
        return path.replace("{id}", self.project if "/projects/" in path else self.owner)


async def new_page(api: Caller) -> Page:
    slug = f"page-{uuid4().hex[:8]}"
    project = (await api.post("/v2/projects", {"slug": slug, "name": "Webinars"})).id
    asked = group(
        project_id=project,
        participants=[SECRETS[0]],
        my_rsvp=SECRETS[2],
        meta={"where": SECRETS[3]},
        webhooks={"group_owner.completed": {"enabled": False}},
    )
    owner = (await api.post("/v2/bookings", asked)).id
    seat = await api.post("/v2/bookings", seats(owner, customer={"email": SECRETS[1]}))
    return Page(owner, project, seat.id)


def answered(answer: Answer) -> tuple[int, str | None]:
    """What matters of an answer to who was refused."""
    return answer.status, answer.code
