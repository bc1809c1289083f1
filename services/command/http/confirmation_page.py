"""The pages behind a signed link: one button that asks whether it is meant, and what became of it.

Nothing of the booking is on them, nothing is loaded and no script runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib import resources
from string import Template
from typing import Final, Literal

Stage = Literal["ask", "done", "refused"]

_STYLE: Final = (
    "body{font:18px/1.5 system-ui,sans-serif;max-width:30rem;margin:4rem auto;padding:0 1rem}"
    "h1{font-size:1.4rem}button{font:inherit;padding:.5rem 1.5rem;cursor:pointer}"
)
_ORIGIN: Final = re.compile(
    r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?=[/?#]|$)"
)

_CANCELLING: Final[Mapping[str, Mapping[Stage, str]]] = {
    "en": {"ask": "Cancel your booking?", "done": "Your booking is cancelled."},
    "de": {"ask": "Buchung stornieren?", "done": "Ihre Buchung ist storniert."},
    "es": {"ask": "¿Cancelar su reserva?", "done": "Su reserva está cancelada."},
    "fr": {"ask": "Annuler votre réservation ?", "done": "Votre réservation est annulée."},
    "it": {"ask": "Annullare la prenotazione?", "done": "La prenotazione è annullata."},
    "nl": {"ask": "Uw boeking annuleren?", "done": "Uw boeking is geannuleerd."},
}
_ANYTHING: Final[Mapping[str, Mapping[Stage, str]]] = {
    "en": {"ask": "Please confirm", "done": "Done.", "refused": "This is not possible any more."},
    "de": {"ask": "Bitte bestätigen", "done": "Erledigt.", "refused": "Das geht nicht mehr."},
    "es": {"ask": "Confirme, por favor", "done": "Hecho.", "refused": "Ya no es posible."},
    "fr": {
        "ask": "Veuillez confirmer",
        "done": "C'est fait.",
        "refused": "Ce n'est plus possible.",
    },
    "it": {"ask": "Conferma, per favore", "done": "Fatto.", "refused": "Non è più possibile."},
    "nl": {"ask": "Graag bevestigen", "done": "Gedaan.", "refused": "Dat kan niet meer."},
}
_YES: Final = {
    "en": "Yes",
    "de": "Ja",
    "es": "Sí",
    "fr": "Oui",
    "it": "Sì",
    "nl": "Ja",
}


def page(stage: Stage, action: str, accepted: str) -> str:
    """The page in the first language of an Accept-Language header that is known here."""
    language = language_of(accepted)
    texts = {**_ANYTHING[language]}
    if action == "cancel_by_customer":
        texts.update(_CANCELLING[language])
    button = f'<form method="post"><button>{escape(_YES[language])}</button></form>'
    return _template().substitute(
        language=language,
        title=escape(texts[stage]),
        style=_STYLE,
        rest=button if stage == "ask" else "",
    )


def places_of(target: str | None = None) -> str:
    """Where the page's form may lead: back to where it came from, and to `target` then, as browsers
    hold a form's redirect to the policy too."""
    origin = _ORIGIN.match(target or "")
    return "'self'" if origin is None else f"'self' {origin[0]}"


def language_of(accepted: str) -> str:
    """The known language that is wanted most; English when none is."""
    wanted = [_weighed(part) for part in accepted[:1_000].split(",")]
    for _, name in sorted(wanted, key=lambda one: -one[0]):
        if name in _YES:
            return name
    return "en"


def _weighed(part: str) -> tuple[float, str]:
    name, _, weight = part.partition(";")
    language = name.strip().partition("-")[0].lower()
    found = re.fullmatch(r"\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", weight)
    return (float(found[1]) if found else 1.0), language


@cache
def _template() -> Template:
    text = resources.files("services.command").joinpath("confirmation.html").read_text("utf-8")
    return Template(text)
