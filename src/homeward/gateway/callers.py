"""Who asks, as far as the head of a request tells, and what follows for it."""

from typing import Any

import msgspec
from starlette.types import Scope

from homeward.gateway import open_webui
from homeward.protocol.chat import ChatRequest
from homeward.protocol.key_use import KeyUse


class Caller(msgspec.Struct, frozen=True):
    """What is known about who asks."""

    key: KeyUse
    is_open_webui: bool
    task: str
    """Which of Open WebUI's own tasks it is; empty for a user's chat and for other clients."""

    @property
    def reads_events(self) -> bool:
        """Whether somebody sees more than the answer: Open WebUI's user, but none of its tasks."""
        return self.is_open_webui and not self.task


def caller_of(scope: Scope) -> Caller:
    """What the head of a request tells."""
    client = task = None
    for name, value in scope["headers"]:
        if name == open_webui.TASK_HEADER:
            task = value.decode("latin-1")
        elif name == open_webui.CLIENT_HEADER:
            client = value.decode("latin-1")
    key: KeyUse = scope["state"]["key"]
    return Caller(key, client == open_webui.CLIENT or task is not None, task or "")


def restricted(request: ChatRequest, caller: Caller) -> ChatRequest:
    """The request with what its head takes from it; nothing there gives it more."""
    changes: dict[str, Any] = {}
    if caller.is_open_webui:
        changes["may_trim"] = True  # its status line says so
    if caller.task or (caller.is_open_webui and request.messages[-1].text.startswith(open_webui.TASK_PROMPT)):
        tokens = min(request.sampling.max_tokens or open_webui.TASK_TOKENS, open_webui.TASK_TOKENS)
        sampling = msgspec.structs.replace(request.sampling, max_tokens=tokens)
        changes |= {"background": True, "places": at_home(request), "sampling": sampling}
    elif "cloud" not in caller.key.scopes:
        changes["places"] = at_home(request)
    return msgspec.structs.replace(request, **changes) if changes else request


def at_home(request: ChatRequest) -> tuple[str, ...]:
    """Of the places that it allows, those that nothing leaves."""
    return tuple(place for place in request.places or ("device",) if place == "device")
