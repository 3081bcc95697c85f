"""Which program answers at an address, and what it offers."""

import asyncio
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from homeward.discovery.catalogues import Listed, catalogue, listed
from homeward.discovery.found import TITLES, FoundService, Kind, NotFound
from homeward.discovery.peer import NoAnswerError, Peer

MARKS: Final = MappingProxyType[Kind, tuple[str, frozenset[str]]](
    {
        "foundry-server": ("/status", frozenset({"endpoints", "modelcachepath"})),
        "foundry-service": ("/openai/status", frozenset({"endpoints", "modeldirpath"})),
        "ollama": ("/api/version", frozenset({"version"})),
        "lm-studio": ("/api/v0/models", frozenset({"data"})),
    }
)
"""A path that only this kind answers, and names that its answer has, in small letters (the old Foundry service
changed their case). The status says nothing: LM Studio answers 200 to everything."""

OWNERS: Final = MappingProxyType[str, Kind](
    {"llamacpp": "llama-server", "vllm": "vllm", "organization_owner": "lm-studio"}
)
"""`owned_by` in `/v1/models` of the kinds that can be told by it."""

_OF_HOMEWARD = frozenset({"status", "reason", "parts"})
"""What `/readyz` of a Homeward has."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A place to look at."""

    kind: Kind
    """Reported as missing where nothing of use is found."""
    expected: tuple[Kind, ...]
    """What may be found there; the rest is taken for an unknown program."""
    source: str


async def identify(peer: Peer, candidate: Candidate, *, catalogue_seconds: float) -> FoundService | NotFound:
    """Ask a candidate what it is. No question changes anything there, and none holds a word of the user.

    `catalogue_seconds` is how long a service that has proved to be Foundry may take for its list of models: when
    offline, it tries in vain to fetch its catalogue first.
    """
    entries, kind = await asyncio.gather(_listed(peer), _marked(peer, candidate.expected))
    if isinstance(entries, NoAnswerError) and entries.timed_out and kind == "foundry-server":
        entries = await _listed(peer, seconds=catalogue_seconds)
    if isinstance(entries, NoAnswerError):
        itself = entries.status is not None and kind is None and await _is_homeward(peer)
        return NotFound(kind=candidate.kind, reason=homeward_there(peer) if itself else str(entries))
    kind = kind or _owned(entries, candidate.expected)
    if kind is None:
        if await _is_homeward(peer):
            return NotFound(kind=candidate.kind, reason=homeward_there(peer))
        if "openai-compatible" not in candidate.expected:
            return NotFound(kind=candidate.kind, reason=_something_else(peer, candidate.kind))
        kind = "openai-compatible"
    try:
        offered = await catalogue(peer, kind, entries)
    except NoAnswerError as error:
        return NotFound(kind=candidate.kind, reason=str(error))
    return FoundService(
        kind=kind,
        url=f"{peer.root.url}/v1",
        version=offered.version,
        models=offered.models,
        elsewhere=offered.elsewhere,
        source=candidate.source,
    )


def homeward_there(peer: Peer) -> str:
    """The reason not to use an address that is our own."""
    return f"Homeward itself listens on {peer.root.where}."


def _something_else(peer: Peer, kind: Kind) -> str:
    return f"What answers on {peer.root.where} is not {TITLES[kind]}. To use it all the same, give its address."


async def _listed(peer: Peer, *, seconds: float | None = None) -> list[Listed] | NoAnswerError:
    try:
        return await listed(peer, seconds=seconds)
    except NoAnswerError as error:
        return error


async def _marked(peer: Peer, expected: Collection[Kind]) -> Kind | None:
    """The first kind whose mark is there."""
    marks = {kind: mark for kind, mark in MARKS.items() if kind in expected}
    answers = await asyncio.gather(*(peer.peek(path) for path, _ in marks.values()))
    for (kind, (_, names)), answer in zip(marks.items(), answers, strict=True):
        if isinstance(answer, Mapping) and names <= {name.lower() for name in answer}:
            return kind
    return None


def _owned(entries: list[Listed], expected: Collection[Kind]) -> Kind | None:
    owners = {entry.owned_by for entry in entries if isinstance(entry.owned_by, str)}
    kind = OWNERS.get(owners.pop()) if len(owners) == 1 else None
    return kind if kind in expected else None


async def _is_homeward(peer: Peer) -> bool:
    answer: Any = await peer.peek("/readyz", accept=(200, 503))
    return isinstance(answer, Mapping) and set(answer) >= _OF_HOMEWARD
