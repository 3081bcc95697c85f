"""`GET /v1/models`: from what is known already, so that it answers at once whatever the backends do."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from homeward.gateway.names import MODES, POLICY, ListedModel, Names
from homeward.gateway.refusals import refused
from homeward.gateway.serving import JSON_TYPE
from homeward.protocol.errors import HomewardError, UnknownModelError

ROOM_FOR_TOOLS = 16_384
"""Tokens of a window in which a client's own tools (Open WebUI's are 5,300 tokens) leave room for a conversation."""

DESCRIPTIONS = {
    "homeward": "Your policy decides where the answer is made.",
    "homeward:device": "Answers on this device only.",
    "homeward:cloud": "Asks the cloud first, where your policy allows it.",
}


class ModelList:
    """The routes."""

    def __init__(self, names: Names) -> None:
        self._names = names

    async def every(self, _request: Request) -> Response:
        """All that can be asked for by name."""
        return Response(msgspec.json.encode({"object": "list", "data": self._entries()}), media_type=JSON_TYPE)

    async def one(self, request: Request) -> Response:
        """One of them; an alias under its own name."""
        name = request.path_params["model"]
        try:
            return Response(msgspec.json.encode(self._entry_of(name)), media_type=JSON_TYPE)
        except HomewardError as error:
            return refused(error)

    def _entry_of(self, name: str) -> dict[str, Any]:
        listed = next((entry for entry in self._entries() if entry["id"] == name), None)
        found = listed or self._asked_for(name, tuple(self._names.models.models()))
        if found is None:
            raise UnknownModelError(name)
        return found

    def _entries(self) -> list[dict[str, Any]]:
        models = tuple(self._names.models.models())
        away = any(model.place != "device" for model in models)
        best = models[0] if models else None
        choices = [policy_entry(name, best) for name in MODES if away or name == POLICY]
        aliases = [
            {**policy_entry(ours, best), "id": alias} if ours in MODES else self._asked_for(alias, models)
            for alias, ours in self._names.aliases.items()
        ]
        return [*choices, *map(entry_of, models), *filter(None, aliases)]

    def _asked_for(self, name: str, models: tuple[ListedModel, ...]) -> dict[str, Any] | None:
        """The entry of the model that a name stands for; None where nothing here is called so."""
        try:
            target = self._names.target(name)
        except UnknownModelError:
            return None
        found = (each for each in models if (each.backend, each.model) == (target.backend, target.model))
        return next(({**entry_of(each), "id": name} for each in found), None)


def policy_entry(name: str, best: ListedModel | None) -> dict[str, Any]:
    """One that leaves the choice to the policy; what it can do is what the model of this device can."""
    return entry(name, "homeward", best.created if best else 0, DESCRIPTIONS[name], best)


def entry_of(model: ListedModel) -> dict[str, Any]:
    """One model of one backend."""
    where = {"device": "on this device", "network": "in your network", "cloud": "in the cloud"}[model.place]
    return entry(model.name, model.backend, model.created, f"Answers {where}.", model)


def entry(name: str, owner: str, created: int, description: str, model: ListedModel | None) -> dict[str, Any]:
    """OpenAI's object, and beside it what Open WebUI reads: without it, it would send its own tools with every chat."""
    tools = model is not None and model.calls_tools and (model.context_tokens or 0) >= ROOM_FOR_TOOLS
    capabilities = {
        "usage": True,
        "builtin_tools": tools,
        "vision": model is not None and model.sees_images,
    }
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": owner,
        "info": {"meta": {"description": description, "capabilities": capabilities}},
    }
