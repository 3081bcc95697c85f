"""Where the user wants an answer to be made: the mode of a message, and the picker for it beside the composer."""

from typing import Any

import msgspec

from homeward.chat.texts import Language, say
from homeward.completion import Completer
from homeward.protocol.chat import Mode
from homeward.protocol.place import Place
from homeward.routing import BackendView, effective

PICKER = "mode"
"""The picker's id, and the key of its choice in a question's `modes`."""

ICONS: dict[Mode, str] = {"auto": "route", "device": "laptop", "cloud": "cloud"}


class Wish(msgspec.Struct, frozen=True):
    """Who is to answer one question."""

    mode: Mode = "auto"
    backend: str | None = None
    """The one that the user named; None leaves it to mode and policy."""
    approved: bool = False
    """Whether the user was asked about the findings in it, and agreed."""


def outside(completer: Completer) -> tuple[BackendView, ...]:
    """The backends whose answers are not made on this device."""
    return tuple(view for view in completer.snapshot().backends if view.place is not Place.DEVICE)


def mode_of(modes: object) -> Mode:
    """The mode in what the page or the history says; `auto`, the policy's own choice, where it says none."""
    match modes:
        case {"mode": "device"}:
            return "device"
        case {"mode": "cloud"}:
            return "cloud"
        case _:
            return "auto"


def picker(completer: Completer, chosen: Mode, language: Language) -> list[dict[str, Any]]:
    """Chainlit's modes; empty where everything is answered on this device anyway."""
    allowed = effective(completer.rules.policy).places
    places = {view.place for view in outside(completer)} & {Place(place) for place in allowed}
    if not places:
        return []
    away = "cloud" if Place.CLOUD in places else "network"
    words: dict[Mode, str] = {"auto": "auto", "device": "device", "cloud": away}
    options = [
        {
            "id": mode,
            "name": say(f"mode_{word}", language),
            "description": say(f"mode_{word}_means", language),
            "icon": ICONS[mode],
            "default": mode == chosen,
        }
        for mode, word in words.items()
    ]
    return [{"id": PICKER, "name": say("mode", language), "options": options}]
