"""What Open WebUI shows beyond OpenAI's protocol: a line above the answer, and figures in its info tooltip.

Only for a client that says that it is Open WebUI, for others may break on events that they don't know. The channel is
powerful there (an `execute` event runs code in the page), so every event is made here, of our own words alone.
"""

from typing import Any

import msgspec

from homeward.completion import Waiting
from homeward.protocol.receipt import Receipt
from homeward.routing.words import place_name, rule_sentence

CLIENT = "open-webui"
CLIENT_HEADER = b"x-homeward-client"
TASK_HEADER = b"x-task"
"""Which of its own tasks a request is for; empty for a user's chat. It can be forged, so it only ever restricts."""

TASK_TOKENS = 300
"""Room for a title, tags or a few questions; a small model that finds no end would hold the device up for minutes."""

TASK_PROMPT = "### Task:"
"""How its task prompts begin, where no header tells."""


def status(description: str, *, done: bool) -> bytes:
    """A line above the answer."""
    event = {"event": {"type": "status", "data": {"description": description, "done": done}}}
    return b"data: " + msgspec.json.encode(event) + b"\n\n"


def waiting(event: Waiting) -> bytes:
    """Why there is nothing to read yet."""
    match event.phase:
        case "queued":
            return status(f"{event.ahead + 1} in line for {event.backend}", done=False)
        case "loading":
            return status(f"Loading the model ({event.backend})", done=False)
        case "reading":
            return status(f"{event.backend} reads the conversation", done=False)


def answering(receipt: Receipt) -> bytes:
    """Where the answer is being made, and why there."""
    place = place_name(receipt.place, "en") if receipt.place else ""
    said = f"{place[:1].upper()}{place[1:]}: {receipt.model} ({receipt.backend}). {rule_sentence(receipt.reason, 'en')}"
    if receipt.left_out_messages:
        said += f" {receipt.left_out_messages} older messages did not fit its window and were left out."
    return status(said, done=True)


def no_answer() -> bytes:
    """Ends what was said while there was nothing to read; else it would go on shimmering."""
    return status("No answer", done=True)


def figures(receipt: Receipt) -> dict[str, Any]:
    """The receipt, for the tooltip, which shows every key of the usage."""
    return {
        "place": receipt.place.value if receipt.place else "",
        "backend": receipt.backend,
        "model": receipt.model,
        "reason": receipt.reason,
        "bytes_that_left_this_machine": receipt.bytes_out,
        "seconds": round(receipt.total_seconds, 2),
        "receipt": str(receipt.id),
        **({"cost": receipt.cost} if receipt.cost is not None else {}),
    }
