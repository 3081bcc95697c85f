"""Which models a service offers, asked in the way of its kind.

Lenient about entries: one that makes no sense is left out, the rest stays. `parent`, say, is an alias with
Foundry and the base of an adapter with vLLM, so fields are read only for the kind that is known to mean them.
"""

import asyncio
from typing import Any, TypeVar

import msgspec

from homeward.discovery.found import Kind, ServiceModel
from homeward.discovery.peer import NoAnswerError, Peer

MOST_MODELS = 2000
"""Of a list; the rest is ignored."""
LONGEST_ID = 500
_NOT_FOR_CHAT = frozenset({"automatic-speech-recognition", "embeddings", "text-embedding"})

_Entry = TypeVar("_Entry")


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """What a service says of itself."""

    models: tuple[ServiceModel, ...]
    version: str = ""
    elsewhere: tuple[str, ...] = ()
    """As in `FoundService`."""


class Listed(msgspec.Struct, frozen=True):
    """An entry of `/v1/models`, with what some servers add to it."""

    id: str
    owned_by: Any = None
    parent: Any = None
    max_model_len: Any = None
    meta: Any = None
    status: Any = None


class _Tag(msgspec.Struct, frozen=True):
    name: str
    remote_host: str = ""
    remote_model: str = ""


class _Running(msgspec.Struct, frozen=True):
    name: str
    context_length: Any = None


class _Studio(msgspec.Struct, frozen=True):
    id: str
    type: str = ""
    state: str = ""
    loaded_context_length: Any = None


class _InFoundryList(msgspec.Struct, frozen=True):
    name: str
    alias: str = ""
    task: str = ""


async def listed(peer: Peer, *, seconds: float | None = None) -> list[Listed]:
    """The entries of `/v1/models`. Raises `NoAnswerError`, also where the answer is no list of models."""
    body = await peer.get("/v1/models", seconds=seconds)
    data = _field(body, "data")
    if not isinstance(data, list):
        reason = f"What answers on {peer.root.where} does not speak OpenAI's protocol."
        raise NoAnswerError(reason, status=200)
    return [entry for entry in _entries(data, Listed) if _sensible(entry.id)]


async def catalogue(peer: Peer, kind: Kind, entries: list[Listed]) -> Catalogue:
    """What `peer`, known to be of this kind, offers.

    `entries` are those of `/v1/models`. Raises `NoAnswerError` where that isn't enough to go by.
    """
    match kind:
        case "foundry-server":
            return await _foundry_server(peer, entries)
        case "foundry-service":
            return await _foundry_service(peer, entries)
        case "ollama":
            return await _ollama(peer)
        case "lm-studio":
            return await _lm_studio(peer, entries)
        case "llama-server":
            return await _llama_server(peer, entries)
        case "vllm":
            return await _vllm(peer, entries)
        case "openai-compatible":
            return Catalogue(models=tuple(ServiceModel(id=entry.id) for entry in entries))


async def _foundry_server(peer: Peer, entries: list[Listed]) -> Catalogue:
    loaded = await peer.peek("/models/loaded")
    models = [
        ServiceModel(id=entry.id, alias=_text(entry.parent), loaded=_among(entry.id, loaded)) for entry in entries
    ]
    return Catalogue(models=tuple(models))


async def _foundry_service(peer: Peer, entries: list[Listed]) -> Catalogue:
    downloaded, loaded, known = await asyncio.gather(
        peer.peek("/openai/models"), peer.peek("/openai/loadedmodels"), peer.peek("/foundry/list")
    )
    if isinstance(known, dict):
        known = known.get("models")
    by_id = {model.name: model for model in _entries(known, _InFoundryList)}
    ids = downloaded if isinstance(downloaded, list) else [entry.id for entry in entries]
    models = []
    for model_id in ids:
        if not _sensible(model_id):
            continue
        model = by_id.get(model_id, _InFoundryList(model_id))
        if model.task not in _NOT_FOR_CHAT:
            models.append(ServiceModel(id=model_id, alias=_text(model.alias), loaded=_among(model_id, loaded)))
    return Catalogue(models=tuple(models[:MOST_MODELS]))


async def _ollama(peer: Peer) -> Catalogue:
    """From `/api/tags`, for `/v1/models` doesn't tell which models run on Ollama's own machines."""
    tags = await peer.get("/api/tags")
    running, about = await asyncio.gather(peer.peek("/api/ps"), peer.peek("/api/version"))
    here = {model.name: model for model in _entries(_field(running, "models"), _Running)}
    models, elsewhere = [], []
    for tag in _entries(_field(tags, "models"), _Tag):
        if not _sensible(tag.name):
            continue
        if tag.remote_host or tag.remote_model or tag.name.endswith(("-cloud", ":cloud")):
            elsewhere.append(tag.name)
            continue
        context = _count(here[tag.name].context_length) if tag.name in here else None
        models.append(ServiceModel(id=tag.name, loaded=tag.name in here, context_tokens=context))
    return Catalogue(models=tuple(models), elsewhere=tuple(elsewhere), version=_text(_field(about, "version")))


async def _lm_studio(peer: Peer, entries: list[Listed]) -> Catalogue:
    data = _field(await peer.peek("/api/v0/models"), "data")
    if not isinstance(data, list):
        return Catalogue(models=tuple(ServiceModel(id=entry.id) for entry in entries))
    models = []
    for model in _entries(data, _Studio):
        if model.type != "embeddings" and _sensible(model.id):
            # Not `max_context_length`: that is what the model could have, and it is seldom loaded with it.
            context = _count(model.loaded_context_length)
            models.append(ServiceModel(id=model.id, loaded=model.state == "loaded", context_tokens=context))
    return Catalogue(models=tuple(models))


async def _llama_server(peer: Peer, entries: list[Listed]) -> Catalogue:
    about = await peer.peek("/props")
    window = _count(_field(_field(about, "default_generation_settings"), "n_ctx"))
    models = []
    for entry in entries:
        # With several models ("router") each has a state; with one there is none, and it is loaded.
        state = _field(entry.status, "value")
        context = _count(_field(entry.meta, "n_ctx")) or window
        models.append(ServiceModel(id=entry.id, loaded=state in (None, "loaded"), context_tokens=context))
    return Catalogue(models=tuple(models), version=_text(_field(about, "build_info")))


async def _vllm(peer: Peer, entries: list[Listed]) -> Catalogue:
    about = await peer.peek("/version")
    models = [ServiceModel(id=entry.id, loaded=True, context_tokens=_count(entry.max_model_len)) for entry in entries]
    return Catalogue(models=tuple(models), version=_text(_field(about, "version")))


def _entries(items: Any, kind: type[_Entry]) -> list[_Entry]:
    entries: list[_Entry] = []
    for item in items if isinstance(items, list) else ():
        try:
            entries.append(msgspec.convert(item, kind))
        except msgspec.ValidationError:
            continue
        if len(entries) == MOST_MODELS:
            break
    return entries


def _field(body: Any, name: str) -> Any:
    return body.get(name) if isinstance(body, dict) else None


def _sensible(model_id: Any) -> bool:
    """Whether it can be shown and sent; an id with control characters or line breaks is a trick or a mistake."""
    return isinstance(model_id, str) and 0 < len(model_id) <= LONGEST_ID and model_id.isprintable()


def _text(value: Any) -> str:
    return value if _sensible(value) else ""


def _count(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def _among(model_id: str, ids: Any) -> bool | None:
    return model_id in ids if isinstance(ids, list) else None
