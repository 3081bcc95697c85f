"""Which backends could answer instead, for the menus "Try again with …" and "Continue with …"."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from homeward.chat.texts import Language, place_name, say, who
from homeward.completion import Completer
from homeward.protocol.chat import ChatRequest
from homeward.protocol.place import Place
from homeward.protocol.receipt import Receipt
from homeward.routing import BackendView, decide
from homeward.routing.words import reason_sentence

State = Literal["ready", "asks", "no"]


async def others(
    completer: Completer, request: ChatRequest, receipts: Sequence[Receipt], language: Language
) -> list[dict[str, Any]]:
    """Every backend but the one that made the answer: whether it may be asked, and why not."""
    prepared = await completer.prepare(request)
    rules, snapshot = prepared.rules, completer.snapshot()
    found = []
    for view in snapshot.backends:
        if made(view, receipts):
            continue
        facts = msgspec.structs.replace(prepared.known.facts, mode="auto", chosen_backend=view.name)
        plan = decide(facts, snapshot, rules.policy, rules.budget)
        dropped = next((each for each in plan.dropped if each.backend == view.name), None)
        state: State = "asks" if plan.question else "ready" if plan.attempts else "no"
        note = say("asks_first", language) if state == "asks" else ""
        if state == "no" and dropped:
            note = f"{reason_sentence(dropped.reason, language)} {dropped.sentence}".rstrip()
        found.append(
            {
                "backend": view.name,
                "place": view.place,
                "label": who(view.name, view.place, view.model, language),
                "where": "" if view.place is Place.DEVICE else place_name(view.place, language),
                "state": state,
                "note": note,
            }
        )
    return found


def made(view: BackendView, receipts: Sequence[Receipt]) -> bool:
    """Whether this backend, as it is now, wrote the answer's last words."""
    last = receipts[-1] if receipts else None
    return last is not None and last.place is not None and last.backend == view.name and view.model in ("", last.model)
