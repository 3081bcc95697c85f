"""Having a Foundry service load a model, which it doesn't do by itself."""

from urllib.parse import quote

from homeward.discovery.found import FoundService
from homeward.discovery.loopback import Root, loopback_root
from homeward.discovery.naming import take_apart
from homeward.discovery.peer import NoAnswerError, Peer, opened_session
from homeward.protocol.errors import (
    BackendError,
    BackendProtocolError,
    BackendStatusError,
    BackendTimeoutError,
    BackendUnreachableError,
)

LOAD_SECONDS = 600.0
QUESTION_SECONDS = 10.0
"""For the list of what is loaded."""
IDLE_SECONDS = 600
"""The old service unloads a model that was not used for this long; its own tools ask for as much."""


async def ensure_loaded(
    service: FoundService, model_id: str, *, api_key: str = "", limit_seconds: float = LOAD_SECONDS
) -> str:
    """Have the service load a model that the user chose, and return the id to ask for.

    It changes the state of the service and takes its memory, though in HTTP it is a GET: call it only for a model
    that the user chose. Nothing happens with a loaded model, nor with services that load by themselves (all but
    Foundry). The service doesn't tell how far it is. Where this is cancelled or too late, it may go on loading.

    The new Foundry server loads by alias and chooses the variant itself, so another variant's id may come back.

    Args:
        service: as it was found.
        model_id: an id of its models, as `resolve_model` gives it.
        api_key: the key that goes with the service's address.
        limit_seconds: for loading, besides two short questions.

    Raises:
        BackendUnreachableError: it doesn't listen there any more; find it again.
        BackendTimeoutError: not loaded in time.
        BackendStatusError: it has no such model, or could not load it.
        BackendProtocolError: it did not do what it said.
    """
    if service.kind not in ("foundry-server", "foundry-service"):
        return model_id
    root = loopback_root(service.url)
    if not isinstance(root, Root):
        raise BackendUnreachableError(root.reason)
    async with opened_session() as session:
        peer = Peer(session, root, seconds=QUESTION_SECONDS, api_key=api_key)
        try:
            if service.kind == "foundry-service":
                await _load_in_service(peer, model_id, limit_seconds)
                return model_id
            return await _load_in_server(peer, model_id, _aliases(service, model_id), limit_seconds)
        except NoAnswerError as error:
            raise _explained(error, model_id) from None


async def _load_in_service(peer: Peer, model_id: str, limit_seconds: float) -> None:
    if model_id not in await _loaded(peer, "/openai/loadedmodels"):
        await _request(peer, f"/openai/load/{_in_path(model_id)}?ttl={IDLE_SECONDS}", limit_seconds)


async def _load_in_server(peer: Peer, model_id: str, aliases: list[str], limit_seconds: float) -> str:
    if model_id in await _loaded(peer, "/models/loaded"):
        return model_id
    for alias in aliases:
        try:
            await _request(peer, f"/models/load/{_in_path(alias)}", limit_seconds)
        except NoAnswerError as error:
            if error.status != 404 or alias == aliases[-1]:
                raise
        else:
            break
    loaded = await _loaded(peer, "/models/loaded")
    if model_id in loaded:
        return model_id
    family = take_apart(model_id).family.casefold()
    for other in loaded:
        if take_apart(other).family.casefold() == family:
            return other
    raise BackendProtocolError(
        f"Foundry Local says that it has loaded “{model_id}”, but doesn't list it.",
        next_step="Restart Foundry Local, or choose another model.",
    )


def _aliases(service: FoundService, model_id: str) -> list[str]:
    """Names to load it by: its alias where that is known, else the likeliest ones, the more exact before."""
    for model in service.models:
        if model.id == model_id and model.alias:
            return [model.alias]
    name = take_apart(model_id)
    return list(dict.fromkeys((name.name, name.family.lower())))


async def _loaded(peer: Peer, path: str) -> list[str]:
    ids = await peer.get(path)
    return [model_id for model_id in ids if isinstance(model_id, str)] if isinstance(ids, list) else []


async def _request(peer: Peer, path: str, seconds: float) -> None:
    """The state-changing GET; what it answers is no JSON in every version, and of no interest."""
    try:
        await peer.get(path, seconds=seconds)
    except NoAnswerError as error:
        if error.status != 200:
            raise


def _in_path(name: str) -> str:
    """The server takes `%3A` for three letters, so colons stay."""
    return quote(name, safe=":")


def _explained(error: NoAnswerError, model_id: str) -> BackendError:
    detail = str(error)
    if error.timed_out:
        return BackendTimeoutError(
            f"Foundry Local did not load “{model_id}” in time.",
            next_step="Try again, or choose a smaller model.",
            detail=detail,
        )
    if error.status is None:
        return BackendUnreachableError(
            "Foundry Local is not there any more.",
            next_step="Start it again; its address will be another one.",
            detail=detail,
        )
    missing = error.status == 404
    return BackendStatusError(
        f"Foundry Local {'has no model' if missing else 'could not load'} “{model_id}”.",
        upstream_status=error.status,
        next_step="Check that it is downloaded (foundry model list), or choose another model.",
        detail=detail,
    )
