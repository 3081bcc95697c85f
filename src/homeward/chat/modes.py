"""Where the user wants an answer to be made: the mode of a message, and the picker for it beside the composer."""

from typing import Any, Literal, cast

import msgspec

from homeward.backends.tab import TAB
from homeward.chat.texts import Language, say
from homeward.chat.viewer import Viewer
from homeward.completion import Completer
from homeward.protocol.chat import Mode
from homeward.protocol.place import Place
from homeward.routing import BackendView, effective

PICKER = "mode"
"""The picker's id, and the key of its choice in a question's `modes`."""

Picked = Mode | Literal["browser"]
"""What can be picked; `browser`: the page that asks answers itself."""

ICONS: dict[Picked, str] = {"auto": "route", "device": "laptop", "cloud": "cloud", "browser": "globe"}


class Wish(msgspec.Struct, frozen=True):
    """Who is to answer one question."""

    mode: Mode = "auto"
    backend: str | None = None
    """The one that the user named; None leaves it to mode and policy."""
    tab: Viewer | None = None
    """The page that is to answer itself, which names it like a backend."""
    approved: bool = False
    """Whether the user was asked about the findings in it, and agreed."""


def outside(completer: Completer) -> tuple[BackendView, ...]:
    """The backends whose answers are not made on this device."""
    return tuple(view for view in completer.snapshot().backends if view.place is not Place.DEVICE)


def picked_of(modes: object) -> Picked:
    """What was picked, as the page or the history says it; `auto`, the policy's own choice, where it says nothing."""
    match modes:
        case {"mode": "device" | "cloud" | "browser" as picked}:
            return cast(Picked, picked)
        case _:
            return "auto"


def wish_of(modes: object, viewer: Viewer) -> Wish:
    """Who is to answer a question that this page asks."""
    picked = picked_of(modes)
    return Wish(backend=TAB.name, tab=viewer) if picked == "browser" else Wish(mode=picked)


def picker(completer: Completer, chosen: Picked, language: Language, *, in_browser: bool) -> list[dict[str, Any]]:
    """Chainlit's modes; empty where everything is answered on this device anyway.

    `in_browser`: pages can run a model themselves.
    """
    allowed = effective(completer.rules.policy).places
    places = {view.place for view in outside(completer)} & {Place(place) for place in allowed}
    words: dict[Picked, str] = {"auto": "auto"}
    if places:
        words |= {"device": "device", "cloud": "cloud" if Place.CLOUD in places else "network"}
    if in_browser:
        words |= {"browser": "browser"}
    if len(words) == 1:
        return []
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
